"""A PostgreSQL of our own in a folder: private, on a Unix socket alone, and gone with its folder.

In: a folder, and where the data go if they are too much for it. Out: URLs of fresh databases. Debian keeps the server's programs out of the path, and the server refuses
to run as root; here root starts it as the user `postgres`, or as `nobody` where that one is not there.
Bounded: starting waits at most `READY_SECONDS`, stopping `STOP_SECONDS`; `CONNECTIONS` connections.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

READY_SECONDS = 30
STOP_SECONDS = 20
LAST_LINES = 12
"""Of the server's own log, told with whatever went wrong while it ran: it is gone with the folder."""
CONNECTIONS = 60
_ROOTS = Path("/usr/lib/postgresql")


class PostgresMissingError(RuntimeError):
    """PostgreSQL cannot run here; the text says why."""


class Cluster:
    """One server; `fresh` makes databases in it."""

    def __init__(self, folder: Path, *, data: Path | None = None, durable: bool = False) -> None:
        """Prepare; `durable` waits for the disk at each commit, as an operator's server does.

        The socket and the log lie in `folder`, whose path is to be short; the files in `data`, or there as well.

        Raises:
            PostgresMissingError: not installed, or no user to run it as.
        """
        self._programs = find_programs()
        self._user = _server_user()
        self._folder = folder
        self._data = (folder if data is None else data) / "data"
        self._durable = durable
        self._count = 0
        self._running = False

    def start(self) -> None:
        """Make the server's files, if need be, and start it.

        Raises:
            PostgresMissingError: it does not come up; the text quotes what it said.
        """
        data = self._data
        if not data.exists():
            for folder in {self._folder, data.parent}:
                folder.mkdir(parents=True, exist_ok=True)
                if self._user is not None:
                    os.chown(folder, self._user.pw_uid, self._user.pw_gid)
                # No password: who can reach the socket in this folder is let in, and nobody else can.
                folder.chmod(0o700)
            made = [self._program("initdb"), "-D", str(data), "-U", "gatehouse", "-A", "trust", "-E", "UTF8"]
            self._run([*made, "--locale=C.UTF-8", "--no-sync"])
        options = f"-c listen_addresses='' -k {self._folder} -c max_connections={CONNECTIONS}"
        if not self._durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        log = str(self._folder / "postgres.log")
        self._run(
            [
                *(self._program("pg_ctl"), "-D", str(data), "-l", log),
                *("-o", options, "-w", "-t", str(READY_SECONDS), "start"),
            ]
        )
        self._running = True

    def stop(self) -> None:
        """End it in order; connections that are open are cut."""
        if self._running:
            self._running = False
            data = str(self._data)
            with suppress(PostgresMissingError):
                self._run([self._program("pg_ctl"), "-D", data, "-m", "fast", "-w", "-t", str(STOP_SECONDS), "stop"])

    def said(self) -> str:
        """The last lines of its log."""
        with suppress(OSError):
            whole = (self._folder / "postgres.log").read_text(encoding="utf-8", errors="replace")
            return "\n".join(whole.splitlines()[-LAST_LINES:])
        return ""

    def url(self, name: str) -> str:
        """Address of a database of this server."""
        given = URL.create("postgresql", username="gatehouse", database=name, query={"host": str(self._folder)})
        return given.render_as_string(hide_password=False)

    def fresh(self, *, like: str | None = None) -> str:
        """Address of a new database, empty or a copy of `like`."""
        self._count += 1
        name = f"fresh_{self._count}"
        self._say(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else ""))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Take a database away again."""
        name = url.rpartition("/")[2].partition("?")[0]
        self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _say(self, statement: str) -> None:
        address = self.url("postgres").replace("postgresql:", "postgresql+psycopg:", 1)
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _run(self, command: list[str]) -> None:
        # The server inherits what it is started with: a pipe would stay open for as long as it runs.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                user=None if self._user is None else self._user.pw_uid,
                group=None if self._user is None else self._user.pw_gid,
                extra_groups=None if self._user is None else (),
            )
            if done.returncode:
                said.seek(0)
                raise PostgresMissingError(" ".join(said.read().decode(errors="replace").split())[-600:])


def find_programs(roots: Path = _ROOTS) -> Path:
    """The folder of the newest server's programs.

    Raises:
        PostgresMissingError: not installed.
    """
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(roots.glob("*/bin/initdb"), key=lambda item: int(item.parts[-3]))
    if not found:
        raise PostgresMissingError("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return found[-1].parent


@contextmanager
def cluster(*, data: Path | None = None, durable: bool = False) -> Iterator[Cluster]:
    """A server in a folder of its own, stopped and erased at the end.

    In the lab that folder is in memory and small: much data go into a folder of their own, `data`, that others may enter.

    Raises:
        PostgresMissingError: it cannot run here.
    """
    # Not under a folder that only its owner may enter: the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-", dir="/run" if os.access("/run", os.W_OK) else None))
    made = None
    try:
        made = Cluster(folder, data=data, durable=durable)
        made.start()
        yield made
    except Exception as error:
        if made is not None and made.said():
            error.add_note(f"The server's last words:\n{made.said()}")
        raise
    finally:
        if made is not None:
            made.stop()
        for path in (folder, *(() if data is None else (data,))):
            shutil.rmtree(path, ignore_errors=True)


def _server_user() -> pwd.struct_passwd | None:
    """Whom to become; None where this is no root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            if _is_mapped(user.pw_uid):
                return user
    raise PostgresMissingError("PostgreSQL does not run as root, and there is no other user here")


def _is_mapped(uid: int) -> bool:
    """Whether this user exists in the user namespace that we are in."""
    with suppress(OSError):
        for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines():
            first, _, count = (int(part) for part in line.split())
            if first <= uid < first + count:
                return True
    return False
