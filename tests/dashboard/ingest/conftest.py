"""A broker, one ingest worker, couriers and a keeper's end in the test: everything real but the household."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, Table, func
from sqlalchemy import select as sql_select

from appliance import link
from appliance.messages import BrokerState, Credit, Inbound, InboundDone, Message, Outbound
from dashboard.broker.process import BrokerPlan, RunningBroker
from dashboard.broker.render import Account, BrokerMissingError, find_mosquitto, find_plugin
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.pki import CertificateAuthority
from wire.base import Payload, Standing
from wire.box import BoxStatus
from wire.codec import Opened, open_sealed, payload_json, seal, topic_for
from wire.findings import Finding, FindingKind, Rule, Severity
from wire.keys import public_text, write_private
from wire.models import Device, Receipt, type_of

TENANT = "example"
WORKER = "ingest-1"
ADMINISTRATOR = "administrator-1"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def make_device(number: int, revision: int = 1, *, standing: Standing = Standing.UNKNOWN) -> Device:
    return Device(
        device_id=f"device-{number}", revision=revision, standing=standing, addresses=(), first_seen=AT, last_seen=AT
    )


def make_finding(number: int, revision: int = 1, *, state: Any = "open") -> Finding:
    return Finding(
        finding_id=f"finding-{number}",
        revision=revision,
        kind=FindingKind.UNREGISTERED_DEVICE,
        severity=Severity.TODAY,
        device_id=f"device-{number}",
        state=state,
        first_seen=AT,
        last_seen=AT,
        raised_at=AT,
        count=revision,
        rule=Rule(id="unregistered", version="1", authority_id="order-1", authority_number=1, clause="1"),
        confidence=1.0,
        reasons=("It has not been registered.",),
        alternatives=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box's keys, and how it seals."""

    site: str
    signing: Ed25519PrivateKey
    sealing: X25519PrivateKey
    server: X25519PrivateKey

    def sealed(self, payload: Payload, id_: str, *, site: str | None = None) -> tuple[str, bytes]:
        """Topic and envelope of a payload."""
        topic = topic_for(payload, tenant=TENANT, site=site or self.site)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=id_,
            sequence=1,
            at=AT,
            signer=self.signing,
            recipient=self.server.public_key(),
        )
        return str(topic), body


class KeeperEnd:
    """The keeper's side of the courier's socket: an outbox in memory, emptied by receipts only."""

    def __init__(self, box: Box, run_dir: Path, server: Ed25519PrivateKey, *, epoch: str = "0badcafe") -> None:
        (run_dir / "keeper").mkdir(parents=True, exist_ok=True)
        self._listener = link.listen(run_dir / "keeper" / "courier.sock")
        self._box = box
        self._server = server
        self._link: link.Link | None = None
        self._credit = 0
        self._sent: dict[int, float] = {}
        self._statuses = 0
        self.epoch = epoch
        self.outbox: dict[int, tuple[str, bytes]] = {}
        self.receipted: set[int] = set()
        self.commands: list[Opened] = []
        self.states: list[BrokerState] = []
        self.answer = True

    def put(self, sequence: int, payload: Payload) -> None:
        self.outbox[sequence] = self._box.sealed(payload, f"{self.epoch}-{sequence}")

    def status(self, *, online: bool) -> Outbound:
        self._statuses += 1
        topic, body = self._box.sealed(BoxStatus(online=online, at=AT), f"{self.epoch}-s{self._statuses}")
        return Outbound(topic=topic, body=body)

    def send(self, message: Message) -> None:
        assert self._link is not None
        self._link.send(message)

    def turn(self, timeout: float = 0.05) -> None:
        waiting: list[Any] = [self._listener] if self._link is None else [self._listener, self._link]
        ready, _, _ = select.select(waiting, [], [], timeout)
        if self._listener in ready:
            self._accept()
        elif self._link is not None and ready:
            self._receive()
        self._offer()

    def until(self, done: Callable[[], bool], *, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"not within {seconds} s; {len(self.outbox)} in the outbox, {self.states}"
            self.turn()

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._listener.close()

    def _accept(self) -> None:
        new = link.accept(self._listener, {os.getuid()})
        assert new is not None
        if self._link is not None:
            self._link.close()
        self._link = new
        self._credit = 0
        self._sent.clear()
        self._link.send(self.status(online=False))

    def _receive(self) -> None:
        assert self._link is not None
        try:
            batch = self._link.receive()
        except link.LinkClosedError:
            self._link.close()
            self._link = None
            return
        for message in batch:
            match message:
                case Credit(count=count):
                    self._credit += count
                case BrokerState():
                    self.states.append(message)
                    self._sent.clear()
                case Inbound():
                    self._inbound(message)
                case _:
                    pytest.fail(f"a courier does not send {message}")

    def _inbound(self, message: Inbound) -> None:
        opened = open_sealed(
            message.body, topic=message.topic, recipient=self._box.sealing, signers=(self._server.public_key(),)
        )
        if isinstance(opened.payload, Receipt):
            for first, last in opened.payload.ranges:
                for sequence in range(first, last + 1):
                    assert opened.payload.epoch == self.epoch
                    self.receipted.add(sequence)
                    self.outbox.pop(sequence, None)
        else:
            self.commands.append(opened)
        if self.answer:
            self.send(InboundDone(token=message.token))

    def _offer(self) -> None:
        now = time.monotonic()
        for sequence, (topic, body) in list(self.outbox.items()):
            if self._link is None or not self._credit:
                return
            if now - self._sent.get(sequence, -10) >= 2:
                self._sent[sequence] = now
                self._credit -= 1
                try:
                    self._link.send(Outbound(topic=topic, body=body))
                except link.LinkClosedError:
                    return


class Exchange:
    """One broker, one database, one ingest worker's settings, and as many boxes as asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ca = CertificateAuthority(folder / "pki")
        self.server_signing = Ed25519PrivateKey.generate()
        self.server_sealing = X25519PrivateKey.generate()
        write_private(folder / "server-signing.pem", self.server_signing)
        write_private(folder / "server-sealing.pem", self.server_sealing)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        server = self._ca.issue("broker", addresses=["127.0.0.1"])
        accounts = [Account.box(TENANT, site) for site in ("site-1", "site-2")]
        accounts += [Account.ingest(TENANT, WORKER), Account.administrator(ADMINISTRATOR)]
        self.broker = RunningBroker(
            BrokerPlan(
                folder=folder / "broker",
                address="127.0.0.1",
                port=self.port,
                ca=self._ca.certificate_path,
                certificate=server.certificate,
                key=server.key,
                accounts=tuple(accounts),
                user="root" if os.getuid() == 0 else None,
            )
        )
        self.database_url = f"sqlite:///{folder / 'dashboard.db'}"
        self.engine: Engine = open_engine(self.database_url)
        upgrade(self.engine)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._keepers: list[KeeperEnd] = []

    def certificate(self, name: str) -> tuple[Path, Path, Path]:
        """CA, certificate and key of a client."""
        files = self._ca.issue(name)
        return self._ca.certificate_path, files.certificate, files.key

    def box(self, site: str, *, known: bool = True) -> Box:
        box = Box(
            site=site,
            signing=Ed25519PrivateKey.generate(),
            sealing=X25519PrivateKey.generate(),
            server=self.server_sealing,
        )
        if known:
            with self.engine.begin() as connection:
                connection.execute(
                    schema.site.insert().values(
                        site=site,
                        tenant=TENANT,
                        title="Household 1",
                        verify_key=public_text(box.signing),
                        seal_key=public_text(box.sealing),
                    )
                )
        return box

    def keeper(self, box: Box) -> KeeperEnd:
        keeper = KeeperEnd(box, self.folder / box.site, self.server_signing)
        self._keepers.append(keeper)
        return keeper

    def courier(self, box: Box) -> subprocess.Popen[bytes]:
        config = self.folder / f"{box.site}.toml"
        if not config.exists():
            ca, certificate, key = self.certificate(box.site)
            config.write_text(
                f"""
tenant = "{TENANT}"
site = "{box.site}"
state_dir = "{box.site}"
run_dir = "{box.site}"
household = "household.toml"
[broker]
host = "127.0.0.1"
port = {self.port}
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
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
        return self._run("appliance.courier", config)

    def ingest(self, **environment: str) -> subprocess.Popen[bytes]:
        return self._run("dashboard.ingest", self.ingest_config(), **environment)

    def said(self, text: str) -> bool:
        """Whether the ingest worker has logged this."""
        log = self.folder / "dashboard.ingest.log"
        return log.exists() and text in log.read_text()

    def ingest_config(self) -> Path:
        config = self.folder / "ingest.toml"
        if not config.exists():
            ca, certificate, key = self.certificate(WORKER)
            config.write_text(
                f"""
database_url = "{self.database_url}"
tenant = "{TENANT}"
operator = "the Example Service"
secret_key_file = "absent"
[ingest]
host = "127.0.0.1"
port = {self.port}
worker = "{WORKER}"
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
signing_key = "server-signing.pem"
sealing_key = "server-sealing.pem"
"""
            )
        return config

    def count(self, table: Table) -> int:
        with self.engine.begin() as connection:
            return connection.execute(sql_select(func.count()).select_from(table)).scalar_one()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        self._processes.remove(process)

    def close(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(10) for process in self._processes]
        self.broker.stop()
        for keeper in self._keepers:
            keeper.close()
        self.engine.dispose()
        logs = {path.name: path.read_text()[-1500:] for path in self.folder.glob("*.log")}
        assert codes == [0] * len(codes), logs

    def _run(self, module: str, config: Path, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{module}.log").open("ab")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "--config", str(config)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )
        self._processes.append(process)
        return process


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a Unix socket's name has 108 bytes."""
    path = Path(tempfile.mkdtemp(prefix="gh-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def exchange(folder: Path) -> Iterator[Exchange]:
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    made = Exchange(folder)
    yield made
    made.close()


@pytest.fixture
def device() -> Callable[..., Device]:
    return make_device


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return make_finding
