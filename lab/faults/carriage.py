"""All of the way from an outbox to the dashboard's tables, real but for the household: to break on purpose.

A keeper's store and uplink in this process, and beside it a courier, a Mosquitto and an ingest worker as processes,
on loopback with free ports. It ends what it started, and nothing else. Bounded by what campaigns put in.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func
from sqlalchemy import select as sql_select

from appliance import clock
from appliance.keeper.uplink import Identity
from dashboard.broker.process import BrokerPlan, RunningBroker
from dashboard.broker.render import Account
from dashboard.store import schema
from dashboard.store.engine import open_engine, reading
from dashboard.store.migrate import upgrade
from lab.faults.sending import Keeper
from lab.pki import WEEK, CertificateAuthority
from wire.keys import public_text, write_private

TENANT = "example"
SITE = "site-1"
WORKER = "ingest-1"
ROOT = Path(__file__).resolve().parents[2]


class Carriage:
    """One broker, one ingest worker, one box; `start` each when the campaign wants it."""

    def __init__(
        self,
        folder: Path,
        *,
        expired: timedelta | None = None,
        lasts: timedelta = WEEK,
        database_url: str | None = None,
        workers: Sequence[str] = (),
    ) -> None:
        """Make keys, certificates, database and settings.

        The box's certificate began an hour ago and `lasts` from now, or it `expired` so long ago. With `workers`, these
        share what comes in, each a process of its name; the database is SQLite unless it is given.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._ca = CertificateAuthority(folder / "pki")
        self.signing, self.sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.server_signing, self.server_sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        write_private(folder / "server-signing.pem", self.server_signing)
        write_private(folder / "server-sealing.pem", self.server_sealing)
        self.port = free_port()
        server = self._ca.issue("broker", addresses=["127.0.0.1"])
        accounts = (Account.box(TENANT, SITE), *(Account.ingest(TENANT, name) for name in (WORKER, *workers)))
        self.broker = RunningBroker(
            BrokerPlan(
                folder=folder / "broker",
                address="127.0.0.1",
                port=self.port,
                ca=self._ca.certificate_path,
                certificate=server.certificate,
                key=server.key,
                accounts=accounts,
                user="root" if os.getuid() == 0 else None,
            )
        )
        self.database_url = database_url or f"sqlite:///{folder / 'dashboard.db'}"
        self.engine = open_engine(self.database_url)
        upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(
                schema.site.insert().values(
                    site=SITE,
                    tenant=TENANT,
                    title="Household 1",
                    verify_key=public_text(self.signing),
                    seal_key=public_text(self.sealing),
                )
            )
        self.keeper = Keeper(
            folder / "box",
            Identity(
                tenant=TENANT,
                site=SITE,
                signer=self.signing,
                opener=self.sealing,
                server_verify=(self.server_signing.public_key(),),
                server_seal=self.server_sealing.public_key(),
            ),
        )
        self._ingest_files = {"ingest": self._write_ingest(WORKER, shared=False)}
        self._ingest_files |= {name: self._write_ingest(name, shared=True) for name in workers}
        self._enrol_file, self.enrol_port = self._write_enrol()
        self._courier_file = self._write_courier(expired, lasts)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start `broker`, `ingest`, one of the workers, `enrol` or `courier`."""
        for name in names:
            if name == "broker":
                self.broker.start()
            else:
                module, config = {
                    **{worker: ("dashboard.ingest", path) for worker, path in self._ingest_files.items()},
                    "enrol": ("dashboard.enrol", self._enrol_file),
                    "courier": ("appliance.courier", self._courier_file),
                }[name]
                with (self.folder / f"{name}.log").open("ab") as log:
                    self.processes[name] = subprocess.Popen(
                        [sys.executable, "-m", module, "--config", str(config)], cwd=ROOT, stdout=log, stderr=log
                    )

    def wait_said(self, name: str, text: str, *, seconds: float = 30.0) -> None:
        """Wait until a process has logged this.

        Raises:
            TimeoutError: it has not.
        """
        log = self.folder / f"{name}.log"
        if not self.carry(lambda: text in log.read_text(), seconds=seconds):
            raise TimeoutError(f"{name} does not say {text!r}: {log.read_text()[-500:]}")

    def close(self) -> None:
        """End what was started."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()
        self.broker.stop()
        self.keeper.close()
        self.engine.dispose()

    def carry(self, done: Callable[[], bool], *, seconds: float) -> bool:
        """Take turns until it is done; False if it was not within so many seconds."""
        end = clock.monotonic() + seconds
        while not done():
            if clock.monotonic() > end:
                return False
            self.keeper.turn()
        return True

    def events(self) -> int:
        """Events in the dashboard's database; each id once, by its primary key."""
        with reading(self.engine).begin() as connection:
            return connection.execute(sql_select(func.count()).select_from(schema.event)).scalar_one()

    def stays(self) -> int:
        """Stays there."""
        with reading(self.engine).begin() as connection:
            return connection.execute(sql_select(func.count()).select_from(schema.stay)).scalar_one()

    def there(self, finding_ids: list[str]) -> set[str]:
        """Which of these findings an officer could see."""
        table = schema.finding.c
        with reading(self.engine).begin() as connection:
            return set(
                connection.execute(sql_select(table.finding_id).where(table.finding_id.in_(finding_ids))).scalars()
            )

    def audited(self) -> list[tuple[str, str]]:
        """(action, subject) of the audit's lines."""
        with reading(self.engine).begin() as connection:
            rows = connection.execute(sql_select(schema.audit.c.action, schema.audit.c.subject)).all()
        return [(row.action, row.subject) for row in rows]

    def _write_ingest(self, worker: str, *, shared: bool) -> Path:
        files = self._ca.issue(worker)
        path = self.folder / f"{'ingest' if worker == WORKER else worker}.toml"
        path.write_text(
            f"""
database_url = "{self.database_url}"
tenant = "{TENANT}"
operator = "the Example Service"
secret_key_file = "absent"
[ingest]
host = "127.0.0.1"
port = {self.port}
worker = "{worker}"
shared = {str(shared).lower()}
ca = "{self._ca.certificate_path}"
certificate = "{files.certificate}"
key = "{files.key}"
signing_key = "server-signing.pem"
sealing_key = "server-sealing.pem"
"""
        )
        return path

    def _write_enrol(self) -> tuple[Path, int]:
        files, port = self._ca.issue("enrol", addresses=["127.0.0.1"]), free_port()
        path = self.folder / "enrol.toml"
        path.write_text(
            f"""
database_url = "{self.database_url}"
tenant = "{TENANT}"
operator = "the Example Service"
secret_key_file = "absent"
[enrol]
host = "127.0.0.1"
port = {port}
ca = "{self._ca.certificate_path}"
ca_key = "{self._ca.write_key()}"
certificate = "{files.certificate}"
key = "{files.key}"
"""
        )
        return path, port

    def _write_courier(self, expired: timedelta | None, lasts: timedelta) -> Path:
        files = self._ca.issue(SITE, ended=expired, lasts=lasts)
        path = self.folder / "box.toml"
        path.write_text(
            f"""
tenant = "{TENANT}"
site = "{SITE}"
state_dir = "box"
run_dir = "box"
household = "household.toml"
[broker]
host = "127.0.0.1"
port = {self.port}
ca = "{self._ca.certificate_path}"
certificate = "{files.certificate}"
key = "{files.key}"
renew_url = "https://127.0.0.1:{self.enrol_port}"
[keys]
signing_key = "absent.pem"
sealing_key = "absent.pem"
server_verify = ["{public_text(self.server_signing)}"]
server_seal = "{public_text(self.server_sealing)}"
[authority]
path = "authority.json"
issuers = ["{public_text(self.server_signing)}"]
[notice]
operator = "the Example Service"
contact = "Ask the officer at 01632 960000."
complaints = "complaints@example.org"
"""
        )
        return path


@contextmanager
def carriage(
    folder: Path,
    *,
    expired: timedelta | None = None,
    lasts: timedelta = WEEK,
    database_url: str | None = None,
    workers: Sequence[str] = (),
) -> Iterator[Carriage]:
    """All of it, and its end; as `Carriage`."""
    with ExitStack() as stack:
        made = Carriage(folder, expired=expired, lasts=lasts, database_url=database_url, workers=workers)
        stack.callback(made.close)
        yield made


def free_port() -> int:
    """A TCP port on loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
