"""Stamps of a real authority (`openssl ts`), served on loopback by the test."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from sqlalchemy import Connection, Engine, func, select

from dashboard import stamps
from dashboard.cli import main
from dashboard.ingest.heads import Verdict
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire import merkle

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

CONFIG = """
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""
EXTENSIONS = "basicConstraints=CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"


def openssl(*words: str, folder: Path) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@dataclass
class Authority:
    """A time-stamping authority with its own root."""

    folder: Path
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    spoil: bytes | None = None
    """Answer this instead of a stamp."""

    def __post_init__(self) -> None:
        self.folder.mkdir()
        ca = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        openssl(*ca, "-subj", "/CN=Made-up root", "-keyout", "ca.key", "-out", "ca.pem", folder=self.folder)
        request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Made-up stamps")
        openssl(*request, "-keyout", "tsa.key", "-out", "tsa.csr", folder=self.folder)
        (self.folder / "extensions").write_text(EXTENSIONS)
        sign = ("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        openssl(*sign, "-days", "2", "-extfile", "extensions", "-out", "tsa.pem", folder=self.folder)
        (self.folder / "serial").write_text("01\n")
        (self.folder / "config").write_text(CONFIG.format(folder=self.folder))

    @property
    def roots(self) -> list[x509.Certificate]:
        return stamps.read_roots(self.folder / "ca.pem")

    def answer(self, query: bytes) -> bytes:
        self.asked.append(query)
        if self.spoil is not None:
            return self.spoil
        (self.folder / "query").write_bytes(query)
        openssl("ts", "-reply", "-config", "config", "-queryfile", "query", "-out", "answer", folder=self.folder)
        return (self.folder / "answer").read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    made = Authority(tmp_path_factory.mktemp("stamps") / "authority")

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = made.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine: Engine = open_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    with engine.begin() as opened:
        for number in (2, 1):
            opened.execute(
                schema.site.insert().values(
                    site=f"box-{number}", tenant="force-a", title="Home", verify_key="k" * 44, seal_key="k" * 44
                )
            )
            put(opened, f"box-{number}", 10, "ab" * 32, Verdict.COSIGNED)
        yield opened
    engine.dispose()


def put(connection: Connection, site: str, size: int, root: str, verdict: Verdict) -> None:
    connection.execute(
        schema.ledger_head.insert().values(
            site=site,
            epoch="0badcafe",
            seq=size,
            size=size,
            root=root,
            since=0,
            consistency=[],
            at={},
            signature="s",
            received_at=1.0,
            verdict=verdict.value,
        )
    )


@pytest.mark.req("R68")
def test_the_latest_heads_of_all_logs_are_stamped_once_a_day(authority: Authority, connection: Connection) -> None:
    put(connection, "box-1", 20, "cd" * 32, Verdict.COSIGNED)
    put(connection, "box-1", 30, "ef" * 32, Verdict.UNPROVED)
    now = datetime.now(UTC).timestamp()
    day = stamps.take(connection, url=authority.url, roots=authority.roots, now=now)
    assert day == datetime.fromtimestamp(now, UTC).date().isoformat()
    assert stamps.take(connection, url=authority.url, roots=authority.roots, now=now) is None
    row = connection.execute(select(schema.stamp)).one()
    assert row.heads == f"box-1 0badcafe 20 {'cd' * 32}\nbox-2 0badcafe 10 {'ab' * 32}\n"
    first, second = (merkle.leaf_hash(line.encode()) for line in row.heads.splitlines())
    assert row.root == merkle.node_hash(first, second).hex()
    assert abs(stamps.check(row.token, row.heads, authority.roots).timestamp() - now) < 60
    assert b"box-1" not in authority.asked[-1]  # the service learns a digest and nothing else


@pytest.mark.req("R68")
def test_a_stamp_over_something_else_or_under_another_root_is_refused(
    authority: Authority, connection: Connection, tmp_path: Path
) -> None:
    stamps.take(connection, url=authority.url, roots=authority.roots, now=1.0)
    row = connection.execute(select(schema.stamp)).one()
    with pytest.raises(stamps.StampError, match="does not verify"):
        stamps.check(row.token, row.heads.replace("ab", "ac"), authority.roots)
    other = Authority(tmp_path / "other")
    with pytest.raises(stamps.StampError, match="does not verify"):
        stamps.check(row.token, row.heads, other.roots)
    with pytest.raises(stamps.StampError, match="does not verify"):
        stamps.take(connection, url=authority.url, roots=other.roots, now=90_000.0)
    with pytest.raises(stamps.StampError, match="no RFC 3161 answer"):
        stamps.check(row.token[:-20], row.heads, authority.roots)
    assert connection.execute(select(func.count()).select_from(schema.stamp)).scalar() == 1


@pytest.mark.parametrize("spoil", [b"", b"no stamp", b"x" * (stamps.MAX_ANSWER + 1)])
def test_an_answer_that_is_none_is_refused(authority: Authority, connection: Connection, spoil: bytes) -> None:
    authority.spoil = spoil
    try:
        with pytest.raises(stamps.StampError, match="answer"):
            stamps.take(connection, url=authority.url, roots=authority.roots, now=1.0)
    finally:
        authority.spoil = None


@pytest.mark.req("R68")
def test_the_answer_to_an_earlier_question_is_refused(authority: Authority, connection: Connection) -> None:
    stamps.take(connection, url=authority.url, roots=authority.roots, now=1.0)
    authority.spoil = connection.execute(select(schema.stamp.c.token)).scalar_one()
    try:
        with pytest.raises(stamps.StampError, match="does not verify"):  # the same digest, another nonce
            stamps.take(connection, url=authority.url, roots=authority.roots, now=90_000.0)
    finally:
        authority.spoil = None


@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://127.0.0.1:9/"])
def test_a_service_that_is_not_there_is_said(authority: Authority, connection: Connection, url: str) -> None:
    with pytest.raises(stamps.StampError):
        stamps.take(connection, url=url, roots=authority.roots, now=1.0)


def test_no_heads_no_stamp_and_no_roots_are_said(authority: Authority, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    upgrade(engine)
    with engine.begin() as opened:
        assert stamps.take(opened, url=authority.url, roots=authority.roots, now=1.0) is None
    engine.dispose()
    with pytest.raises(stamps.StampError, match="no certificates"):
        stamps.read_roots(tmp_path / "none.pem")


def test_the_command_says_what_it_did(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(32))
    config = tmp_path / "dashboard.toml"
    database = f"sqlite:///{tmp_path / 'pages.db'}"
    plain = f'database_url = "{database}"\ntenant = "t"\noperator = "O"\nsecret_key_file = "secret"\n'

    def run(command: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["--config", str(config), command])
        return result.exit_code, result.stderr.strip()

    config.write_text(plain)
    assert run("init-db")[0] == 0
    code, said = run("stamp")
    assert (code, "no time-stamping service" in said) == (2, True)
    config.write_text(f'{plain}[stamps]\nurl = "{authority.url}"\nroots = "{authority.folder / "ca.pem"}"\n')
    assert run("stamp") == (0, "There is nothing new to stamp.")
    engine = open_engine(database)
    with engine.begin() as opened:
        row = {"site": "box-1", "tenant": "t", "title": "Home", "verify_key": "k" * 44, "seal_key": "k" * 44}
        opened.execute(schema.site.insert().values(row))
        put(opened, "box-1", 10, "ab" * 32, Verdict.COSIGNED)
    code, said = run("stamp")
    assert (code, said.startswith("Stamped for ")) == (0, True)
    with engine.connect() as opened:
        assert opened.execute(select(schema.audit.c.action)).scalars().all() == ["stamp"]
    engine.dispose()
    config.write_text(f'{plain}[stamps]\nurl = "{authority.url}"\nroots = "{tmp_path / "none.pem"}"\n')
    code, said = run("stamp")
    assert (code, "no certificates" in said) == (2, True)
