"""Two boxes that were never there, the desk as a process, a real broker: from the first question to being cut off."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import select, update

from appliance import clock
from appliance.fitting.operator import load
from dashboard.broker.process import BrokerPlan, RunningBroker
from dashboard.broker.render import Account, BrokerMissingError, find_mosquitto, find_plugin
from dashboard.cli import main
from dashboard.enrol.desk import revoke
from dashboard.store import installs, schema, stock
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.pki import CertificateAuthority
from wire.claim import label_of
from wire.enrolment import PATH, Enrolment, open_
from wire.keys import public_text, write_private
from wire.tls import client_context

ROOT = Path(__file__).resolve().parents[3]
TAKEN = "No matching subscribers"
"""What the broker says of a message that it took, where nobody listens (MQTT 5, 3.4.2.1)."""
SECONDS = 60.0
"""After a revocation the box must be outside."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class Town:
    """A desk and a broker that know no box."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = CertificateAuthority(folder / "pki")
        self.port, self.desk_port = _free_port(), _free_port()
        broker, desk = (self.ca.issue(name, addresses=["127.0.0.1"]) for name in ("broker", "desk"))
        administrator = self.ca.issue("administrator-1")
        self.signer, self.opener = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
        write_private(folder / "signing.pem", self.signer)
        write_private(folder / "opening.pem", self.opener)
        (folder / "secret").write_bytes(os.urandom(32))
        self.broker = RunningBroker(
            BrokerPlan(
                folder=folder / "broker",
                address="127.0.0.1",
                port=self.port,
                ca=self.ca.certificate_path,
                certificate=broker.certificate,
                key=broker.key,
                accounts=(Account.ingest("example", "ingest-1"), Account.administrator("administrator-1")),
                user="root" if os.getuid() == 0 else None,
            )
        )
        self.url = f"sqlite:///{folder / 'dashboard.db'}"
        self.config = folder / "enrol.toml"
        self.config.write_text(
            f"""
database_url = "{self.url}"
tenant = "example"
operator = "the Example Service"
secret_key_file = "{folder / "secret"}"
authority_issuers = ["{public_text(self.signer)}"]
[sign_in]
public_url = "https://pages.example.org"
[boxes]
enrol_url = "https://127.0.0.1:{self.desk_port}"
ca = "{self.ca.certificate_path}"
server_verify = ["{public_text(self.signer)}"]
release_keys = ["{public_text(self.signer)}"]
uplink_seal = "{public_text(self.opener)}"
[enrol]
host = "127.0.0.1"
port = {self.desk_port}
ca = "{self.ca.certificate_path}"
ca_key = "{self.ca.write_key()}"
certificate = "{desk.certificate}"
key = "{desk.key}"
look_seconds = 0.2
[enrol.box]
server_seal = "{public_text(self.opener)}"
signing_key = "{folder / "signing.pem"}"
opening_key = "{folder / "opening.pem"}"
[enrol.box.broker]
host = "127.0.0.1"
port = {self.port}
[control]
host = "127.0.0.1"
port = {self.port}
ca = "{self.ca.certificate_path}"
certificate = "{administrator.certificate}"
key = "{administrator.key}"
"""
        )
        self.engine = open_engine(self.url)
        upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(schema.account.insert().values(account_id="a", name="a", role="officer", failures=0))
        self._desk: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.broker.start()
        with (self.folder / "desk.log").open("wb") as log:
            self._desk = subprocess.Popen(
                [sys.executable, "-m", "dashboard.enrol", "--config", str(self.config)], cwd=ROOT, stderr=log
            )
        wait(self._listens)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.desk_port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._desk is not None:
            self._desk.terminate()
            assert self._desk.wait(20) == 0, (self.folder / "desk.log").read_text()
        self.broker.stop()
        self.engine.dispose()

    def ask(self, raw: bytes) -> tuple[int, bytes]:
        """POST what a box asks; status and body."""
        context = ssl.create_default_context(cafile=str(self.ca.certificate_path))
        connection = http.client.HTTPSConnection("127.0.0.1", self.desk_port, context=context, timeout=20)
        connection.request("POST", PATH, raw)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def claim(self, box: Any) -> None:
        with self.engine.begin() as connection:
            installs.start(
                connection,
                f"install-{box.site}",
                tenant="example",
                kind="install",
                reference="R",
                site=None,
                by="a",
                now=1.0,
            )
            label = label_of(box.card, box.code)
            stock.claim_box(
                connection, f"install-{box.site}", label, tenant="example", title="R", by="a", now=clock.now()
            )

    def session(self, box: Any, given: Enrolment) -> Session:
        """The box's connection to the broker, with the certificate that it was given."""
        certificate, key = self.folder / f"{box.site}.pem", self.folder / f"{box.site}.key"
        certificate.write_text(given.certificate)
        key.write_bytes(
            box.tls.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = client_context(ca=self.ca.certificate_path, certificate=certificate, key=key)
        return Session(given.broker.port, box.site, context)


class Session:
    """One connection; what the broker says to each message."""

    def __init__(self, port: int, site: str, context: ssl.SSLContext) -> None:
        self.site = site
        self.lost = False
        self._there = False
        self._answers: list[str] = []
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=site, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = lambda *event: self._answers.append(str(event[3]))
        client.connect("127.0.0.1", port)
        self._client = client
        self.turn(lambda: self._there or self.lost)

    def turn(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        """Work until something is so."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "the broker did not answer"
            self._client.loop(0.02)

    def say(self) -> str:
        wanted = len(self._answers) + 1
        self._client.publish(f"gatehouse/v1/example/{self.site}/status/box", b"x", qos=1)
        self.turn(lambda: len(self._answers) == wanted or self.lost)
        return "lost" if self.lost else self._answers[-1]

    def _on_connect(self, *event: Any) -> None:
        self._there = not event[3].is_failure

    def _on_disconnect(self, *_event: Any) -> None:
        self.lost = True


def wait(done: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A box at work."""

    box: Any
    given: Enrolment
    session: Session


@pytest.fixture
def town() -> Iterator[Town]:
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory(prefix="gh-") as folder:
        made = Town(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.stop()


def _enrol(town: Town, box: Any) -> Enrolled:
    raw = box.request(at=clock.now())
    assert town.ask(raw)[0] == 403
    with town.engine.begin() as connection:
        stock.stock_box(connection, box.card, by=None, now=clock.now())
    assert town.ask(raw) == (202, b"waiting to be claimed\n")
    town.claim(box)
    status, body = town.ask(raw)
    assert status == 200
    given = open_(body, recipient=box.sealing, pinned=[town.signer.public_key()])
    return Enrolled(box=box, given=given, session=town.session(box, given))


@pytest.mark.req("R1", "R69", "N3")
@pytest.mark.timeout(180)
def test_new_boxes_come_to_work_and_a_revoked_one_is_outside_within_a_minute(town: Town, new_box: Any) -> None:
    one, other = (_enrol(town, new_box(site=name)) for name in ("box-1", "box-2"))
    assert (one.session.say(), other.session.say()) == (TAKEN, TAKEN)
    began = time.monotonic()
    # Only the mark in the database, as the pages make it: they hold no certificate of the broker's administrator.
    assert revoke(town.engine, site="box-1", by=None, now=clock.now())
    one.session.turn(lambda: one.session.lost, SECONDS)
    assert time.monotonic() - began < SECONDS
    assert town.session(one.box, one.given).say() in ("Not authorized", "lost"), "it cannot come back"
    assert town.ask(one.box.request(at=clock.now())) == (403, b"the box was revoked\n")
    assert other.session.say() == TAKEN

    def cut() -> bool:
        with town.engine.connect() as connection:
            where = schema.box_access.c.site == "box-1"
            return connection.execute(select(schema.box_access.c.cut_at).where(where)).scalar() is not None

    wait(cut)
    with town.engine.begin() as connection:
        connection.execute(
            update(schema.site).where(schema.site.c.site == "box-2").values(heard_at=clock.now(), status_at=clock.now())
        )
    assert town.ask(other.box.request(at=clock.now())) == (403, b"the box is at work already\n")


@pytest.mark.req("R69")
def test_the_operators_card_holds_all_that_a_box_needs_and_no_private_key(town: Town) -> None:
    done = CliRunner().invoke(main, ["--config", str(town.config), "operator-card"])
    assert done.exit_code == 0, done.output
    path = town.folder / "operator.toml"
    path.write_text(done.stdout)
    assert "PRIVATE" not in done.stdout
    secrets = [key.private_bytes_raw() for key in (town.signer, town.opener)]
    for raw in (*secrets, (town.folder / "secret").read_bytes()):
        assert raw.hex() not in done.stdout
    card = load(path)
    assert card.enrol_url == f"https://127.0.0.1:{town.desk_port}"
    assert card.server_verify == (public_text(town.signer),)
    assert card.ca == town.ca.certificate_path.read_text()
