"""A real broker whose access rules change while it runs."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from dashboard.broker.control import Control, ControlError, _checked, add_site, disable_site, enable_site, let_worker_in
from dashboard.broker.process import BrokerPlan, BrokerStartError, RunningBroker
from dashboard.broker.render import Account, BrokerMissingError, find_mosquitto, find_plugin
from dashboard.cli import main
from lab.pki import CertificateAuthority, CertificateFiles
from wire.keys import public_text
from wire.tls import client_context


class Place:
    """A broker of its own, and certificates of its CA."""

    def __init__(self, folder: Path) -> None:
        self._ca = CertificateAuthority(folder / "pki")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        server = self._ca.issue("broker", addresses=["127.0.0.1"])
        self.plan = BrokerPlan(
            folder=folder / "broker",
            address="127.0.0.1",
            port=self.port,
            ca=self._ca.certificate_path,
            certificate=server.certificate,
            key=server.key,
            accounts=(
                Account.box("example", "site-1"),
                Account.ingest("example", "ingest-1"),
                Account.administrator("administrator-1"),
            ),
            user="root" if os.getuid() == 0 else None,
        )
        self.broker = RunningBroker(self.plan)

    def files(self, name: str) -> CertificateFiles:
        return self._ca.issue(name)

    def context(self, name: str) -> ssl.SSLContext:
        files = self.files(name)
        return client_context(ca=self._ca.certificate_path, certificate=files.certificate, key=files.key)

    def control(self, name: str = "administrator-1") -> Control:
        return Control(host="127.0.0.1", port=self.port, name=name, context=self.context(name))

    def client(self, name: str, *, client_id: str | None = None) -> Trial:
        return Trial(self.port, client_id or name, self.context(name))


class Trial:
    """A client that publishes once and says what the broker answered."""

    def __init__(self, port: int, client_id: str, context: ssl.SSLContext) -> None:
        self.connected = False
        self.lost = False
        self._answers: list[str] = []
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.tls_set_context(context)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = lambda *event: self._answers.append(str(event[3]))
        client.connect("127.0.0.1", port)
        self._client = client
        self.wait(lambda: self.connected)

    def wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not done():
            assert time.monotonic() < end, "the broker did not answer"
            self._client.loop(0.05)

    def publish(self, topic: str) -> str:
        wanted = len(self._answers) + 1
        self._client.publish(topic, b"x", qos=1)
        self.wait(lambda: len(self._answers) == wanted)
        return self._answers[-1]

    def _on_connect(self, *_event: Any) -> None:
        self.connected = True

    def _on_disconnect(self, *_event: Any) -> None:
        self.lost = True


@pytest.fixture
def place() -> Iterator[Place]:
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="gh-"))
    made = Place(folder)
    yield made
    made.broker.stop()
    shutil.rmtree(folder)


def test_a_box_is_added_cut_off_and_let_in_again(place: Place) -> None:
    place.broker.start()
    topic = "gatehouse/v1/example/site-9/event/finding"
    assert place.client("site-9").publish(topic) == "Not authorized"
    add_site(place.control(), tenant="example", site="site-9")
    live = place.client("site-9")
    assert live.publish(topic) in {"Success", "No matching subscribers"}
    assert live.publish("gatehouse/v1/example/site-1/event/finding") == "Not authorized"
    disable_site(place.control(), tenant="example", site="site-9")
    live.wait(lambda: live.lost)
    try:
        answer = place.client("site-9").publish(topic)
    except AssertionError:
        answer = "not let in"
    assert answer in {"Not authorized", "not let in"}
    enable_site(place.control(), tenant="example", site="site-9")
    assert place.client("site-9").publish(topic) in {"Success", "No matching subscribers"}


def test_rules_made_at_run_time_outlive_a_restart(place: Place) -> None:
    place.broker.start()
    add_site(place.control(), tenant="example", site="site-9")
    place.broker.kill()
    place.broker.start()
    assert place.client("site-9").publish("gatehouse/v1/example/site-9/event/finding") != "Not authorized"


def test_a_box_with_anothers_client_id_cuts_nobody_off(place: Place) -> None:
    place.broker.start()
    add_site(place.control(), tenant="example", site="site-9")
    victim = place.client("site-1")
    thief = place.client("site-9", client_id="site-1")
    assert thief.publish("gatehouse/v1/example/site-1/event/finding") == "Not authorized"
    assert victim.publish("gatehouse/v1/example/site-1/event/finding") != "Not authorized"
    assert not victim.lost


@pytest.mark.req("N3")
def test_a_revoked_box_loses_its_live_session_and_its_successor_is_let_in(place: Place, tmp_path: Path) -> None:
    files = place.files("administrator-1")
    config = tmp_path / "dashboard.toml"
    config.write_text(
        f"""
database_url = "sqlite:///{tmp_path / "dashboard.db"}"
tenant = "example"
operator = "the Example Service"
secret_key_file = "absent"
[control]
host = "127.0.0.1"
port = {place.port}
name = "administrator-1"
ca = "{place.plan.ca}"
certificate = "{files.certificate}"
key = "{files.key}"
"""
    )

    def run(code: int, says: str, *arguments: str) -> None:
        done = CliRunner().invoke(main, ["--config", str(config), *arguments])
        assert done.exit_code == code, done.stderr
        assert says in done.stderr

    def keys() -> list[str]:
        verify, seal = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        return ["--verify-key", public_text(verify), "--seal-key", public_text(seal)]

    run(0, "ready", "init-db")
    run(0, "is entered", "add-site", "site-1", "--title", "NM-1", *keys())
    run(2, "was not cut: no broker", "revoke-site", "site-1")
    place.broker.start()
    box = place.client("site-1")
    assert box.publish("gatehouse/v1/example/site-1/event/finding") != "Not authorized"
    run(0, "is cut", "revoke-site", "site-1")
    box.wait(lambda: box.lost)
    run(2, "no household", "revoke-site", "site-9")
    run(0, "is cut", "revoke-site", "site-1")
    back = place.client("site-1")
    assert back.publish("gatehouse/v1/example/site-1/event/finding") == "Not authorized"
    run(0, "are entered", "replace-box", "site-1", *keys())
    new = place.client("site-1")
    assert new.publish("gatehouse/v1/example/site-1/event/finding") != "Not authorized"


def test_only_the_administrator_changes_rules(place: Place) -> None:
    place.broker.start()
    with pytest.raises(ControlError, match="may not change access rules"):
        add_site(place.control("site-1"), tenant="example", site="site-9")
    with pytest.raises(ControlError, match="createRole"):
        add_site(place.control(), tenant="example", site="site-1")


def test_no_broker_is_said_plainly(place: Place) -> None:
    with pytest.raises(ControlError, match="no broker at 127"):
        disable_site(place.control(), tenant="example", site="site-1")


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"responses": 1}', b'{"responses": [1]}'])
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(ControlError, match="not one of"):
        _checked(answer)


def test_a_taken_port_is_said_plainly(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)), pytest.raises(BrokerStartError, match="in use"):
        place.broker.start()
    assert place.broker.pid is None


def test_an_unreadable_certificate_is_said_plainly(place: Place) -> None:
    place.plan.certificate.write_text("no certificate")
    with pytest.raises(BrokerStartError, match="certificate"):
        place.broker.start()


@pytest.mark.req("R69")
def test_a_further_worker_is_let_in_and_shares(place: Place) -> None:
    place.broker.start()
    topic = "gatehouse/v1/example/site-1/cmd/receipt"
    assert place.client("ingest-2").publish(topic) == "Not authorized"
    let_worker_in(place.control(), tenant="example", worker="ingest-2")
    assert place.client("ingest-2").publish(topic) in {"Success", "No matching subscribers"}
    assert place.client("ingest-2").publish("gatehouse/v1/other/site-1/cmd/receipt") == "Not authorized"
    with pytest.raises(ControlError, match="createClient"):
        let_worker_in(place.control(), tenant="example", worker="ingest-2")
