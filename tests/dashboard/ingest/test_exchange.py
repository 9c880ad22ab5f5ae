"""Courier, broker and ingest as processes: what is committed arrives once, whatever is killed."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import select

from appliance.messages import BrokerState
from dashboard.store import schema
from wire.base import Standing
from wire.models import Command, CommandResult, Outcome
from wire.orders import SetStanding
from wire.tls import client_context

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def running(exchange: Any) -> Any:
    exchange.broker.start()
    return exchange


@pytest.mark.req("R11")
def test_a_finding_becomes_a_row_and_a_receipt(running: Any, finding: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    keeper.put(1, device(1))
    keeper.put(2, finding(1))
    running.courier(box)
    running.ingest()
    keeper.until(lambda: keeper.receipted == {1, 2})
    assert keeper.outbox == {}
    with running.engine.begin() as connection:
        row = connection.execute(select(schema.finding)).one()
        heard = connection.execute(select(schema.site.c.heard_at)).scalar_one()
    assert (row.site, row.finding_id, row.revision, row.device_id) == ("site-1", "finding-1", 1, "device-1")
    assert heard is not None
    assert running.count(schema.audit) == 0


def test_a_broker_killed_in_the_middle_costs_nothing_and_doubles_nothing(running: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    total = 400
    for number in range(1, total + 1):
        keeper.put(number, device(number))
    running.courier(box)
    running.ingest()
    for share in (1, 2):
        keeper.until(lambda share=share: len(keeper.receipted) >= share * total // 4)
        running.broker.kill()
        assert len(keeper.receipted) < total, "the broker was killed too late to show anything"
        running.broker.start()
    keeper.until(lambda: len(keeper.receipted) == total, seconds=60)
    assert running.count(schema.event) == total
    assert running.count(schema.device) == total


def test_ingest_killed_after_commits_stores_nothing_twice(running: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    total = 300
    for number in range(1, total + 1):
        keeper.put(number, device(number))
    running.courier(box)
    for share in (1, 2):
        worker = running.ingest()
        keeper.until(lambda share=share: running.count(schema.event) >= share * total // 4)
        running.kill(worker)
    running.ingest()
    keeper.put(total + 1, device(total + 1))  # one that only the last worker can have stored
    keeper.until(lambda: len(keeper.receipted) == total + 1, seconds=60)
    assert running.count(schema.event) == total + 1


def test_courier_killed_while_it_carries_loses_nothing(running: Any, device: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    for number in range(1, 201):
        keeper.put(number, device(number))
    courier = running.courier(box)
    running.ingest()
    keeper.until(lambda: len(keeper.receipted) >= 50)
    running.kill(courier)
    running.courier(box)
    keeper.until(lambda: len(keeper.receipted) == 200, seconds=60)
    assert running.count(schema.event) == 200


@pytest.mark.req("R69")
def test_another_households_topics_stay_closed(running: Any, finding: Any) -> None:
    """1,000 tries to publish as, or hear, another household: none gets through."""
    victim, thief = running.box("site-1"), running.box("site-2")
    keeper = running.keeper(victim)
    keeper.put(1, finding(1))
    running.courier(victim)
    running.ingest()
    keeper.until(lambda: keeper.receipted == {1})
    ca, certificate, key = running.certificate("site-2")
    client = Probe(running.port, "site-2", client_context(ca=ca, certificate=certificate, key=key))
    client.subscribe("gatehouse/v1/example/site-1/#", "gatehouse/v1/example/+/cmd/#", "#", "$SYS/#")
    assert all(reason.is_failure for reason in client.reasons)
    client.subscribe("gatehouse/v1/example/site-2/cmd/#")
    assert not client.reasons[-1].is_failure
    topic, body = thief.sealed(finding(2), "0badcafe-2", site="site-1")
    for _ in range(1000):
        client.publish(topic, body)
    assert client.answers == {"Not authorized": 1000}
    keeper.put(3, finding(3))
    keeper.until(lambda: keeper.receipted == {1, 3})
    assert client.heard == []
    assert running.count(schema.event) == 2
    client.close()


def test_what_a_broker_alters_moves_or_repeats_is_refused_and_audited(running: Any, finding: Any) -> None:
    """The broker is not trusted: here site-2's certificate publishes what a bad broker would deliver."""
    honest = running.box("site-1")
    running.box("site-2")
    running.ingest()
    ca, certificate, key = running.certificate("site-2")
    client = Probe(running.port, "site-2", client_context(ca=ca, certificate=certificate, key=key))
    client.wait(lambda: running.said("connected to the broker"))
    topic, body = honest.sealed(finding(1), "0badcafe-1")
    moved = topic.replace("site-1", "site-2")
    for bad in (body, body[:-30], b"", b"[" * 40_000, body.replace(b"site-1", b"site-2")):
        client.publish(moved, bad)
    client.wait(lambda: running.count(schema.audit) >= 4)
    with running.engine.begin() as connection:
        rows = list(connection.execute(select(schema.audit)))
        heard = list(connection.execute(select(schema.site.c.heard_at)).scalars())
    assert {row.action for row in rows} == {"message-refused"}
    assert {row.outcome for row in rows} == {"refused"}
    assert all(row.subject.startswith("site-2: ") for row in rows)
    assert running.count(schema.event) == 0
    assert heard == [None, None]
    client.close()


def test_a_command_goes_down_and_its_answer_comes_back(running: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    running.courier(box)
    running.ingest()
    keeper.until(lambda: any(state.connected for state in keeper.states))
    command_state = Commands(running)
    command_state.ask("command-1")
    keeper.until(lambda: len(keeper.commands) == 1)
    command = keeper.commands[0].payload
    assert isinstance(command, Command)
    assert isinstance(command.body, SetStanding)
    assert (command.command_id, command.sequence, command.body.device_id) == ("command-1", 1, "device-1")
    assert command_state.of("command-1") == "sent"
    keeper.put(1, CommandResult(command_id="command-1", outcome=Outcome.APPLIED, at=datetime.now(UTC)))
    keeper.until(lambda: command_state.of("command-1") == "applied")


def test_a_command_not_yet_committed_by_the_keeper_comes_again(running: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    keeper.answer = False
    courier = running.courier(box)
    running.ingest()
    keeper.until(lambda: any(state.connected for state in keeper.states))
    Commands(running).ask("command-1")
    keeper.until(lambda: len(keeper.commands) == 1)
    running.kill(courier)
    keeper.answer = True
    running.courier(box)
    keeper.until(lambda: len(keeper.commands) == 2)
    first, second = (opened.payload for opened in keeper.commands)
    assert first == second


def test_commands_asked_while_the_broker_is_away_arrive_when_it_is_back(running: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    running.courier(box)
    running.ingest()
    keeper.until(lambda: any(state.connected for state in keeper.states))
    running.broker.kill()
    keeper.until(lambda: not keeper.states[-1].connected)
    Commands(running).ask("command-1")
    running.broker.start()
    keeper.until(lambda: len(keeper.commands) >= 1)
    assert keeper.commands[0].payload.command_id == "command-1"


@pytest.mark.req("R19")
def test_an_orderly_stop_is_an_absence_the_dashboard_hears_of(running: Any) -> None:
    box = running.box("site-1")
    keeper = running.keeper(box)
    courier = running.courier(box)
    running.ingest()
    keeper.until(lambda: any(isinstance(state, BrokerState) and state.connected for state in keeper.states))
    keeper.until(lambda: running.said("connected to the broker"))
    keeper.send(keeper.status(online=True))
    keeper.until(lambda: _online(running) is True)
    courier.terminate()
    keeper.until(lambda: _online(running) is False)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('ca = "absent.pem"', "absent.pem: cannot be read"),
        ('certificate = "server-signing.pem"', "server-signing.pem"),
        ('signing_key = "server-sealing.pem"', "not an Ed25519 private key"),
        ('database_url = "sqlite:////absent/folder/x.db"', "the database cannot be opened"),
        ('database_url = "sqlite:///empty.db"', "init-db"),
        ('database_url = "postgresqlx://host/x"', "not a database URL"),
    ],
)
def test_ingest_says_what_it_cannot_use(exchange: Any, line: str, says: str) -> None:
    config = exchange.ingest_config()
    name = line.partition(" = ")[0]
    lines = [line if old.startswith(f"{name} = ") else old for old in config.read_text().splitlines()]
    config.write_text("\n".join(lines).replace("sqlite:///empty.db", f"sqlite:///{exchange.folder}/empty.db"))
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.ingest", "--config", str(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_courier_and_ingest_wait_for_a_broker_that_is_not_there_yet(exchange: Any, device: Any) -> None:
    box = exchange.box("site-1")
    keeper = exchange.keeper(box)
    keeper.put(1, device(1))
    exchange.courier(box)
    exchange.ingest()
    keeper.until(lambda: any(state.detail for state in keeper.states))
    assert "refused" in keeper.states[-1].detail
    keeper.until(lambda: exchange.said("no broker"))
    exchange.broker.start()
    keeper.until(lambda: keeper.receipted == {1}, seconds=60)
    log = (exchange.folder / "dashboard.ingest.log").read_text()
    assert log.count("no broker") == 1


class Commands:
    """Asks as the pages do: a row in state waiting."""

    def __init__(self, exchange: Any) -> None:
        self._engine = exchange.engine
        with self._engine.begin() as connection:
            connection.execute(
                schema.account.insert().values(account_id="officer-1", name="Officer", role="officer", failures=0)
            )

    def ask(self, name: str) -> None:
        now = datetime.now(UTC).timestamp()
        body = SetStanding(device_id="device-1", standing=Standing.HOUSEHOLD).model_dump(mode="json")
        with self._engine.begin() as connection:
            connection.execute(
                schema.command.insert().values(
                    command_id=name,
                    site="site-1",
                    device_id="device-1",
                    body=body,
                    reason="asked",
                    by="officer-1",
                    created_at=now,
                    expires_at=now + 600,
                    state="waiting",
                    detail="",
                )
            )

    def of(self, name: str) -> str:
        with self._engine.begin() as connection:
            statement = select(schema.command.c.state).where(schema.command.c.command_id == name)
            return str(connection.execute(statement).scalar_one())


def _online(exchange: Any) -> bool | None:
    with exchange.engine.begin() as connection:
        status = connection.execute(select(schema.site.c.status)).scalar_one()
    return None if status is None else bool(status["online"])


class Probe:
    """A client with a valid certificate that tries what it should not."""

    def __init__(self, port: int, name: str, context: ssl.SSLContext) -> None:
        self.reasons: list[Any] = []
        self.answers: Counter[str] = Counter()
        self.heard: list[str] = []
        self._connected = False
        client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        client.tls_set_context(context)
        client.max_inflight_messages_set(100)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *event: self.reasons.extend(event[3])
        client.on_publish = lambda *event: self.answers.update([str(event[3])])
        client.on_message = lambda *event: self.heard.append(event[2].topic)
        client.connect("127.0.0.1", port)
        self._client = client
        self.wait(lambda: self._connected)

    def wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not done():
            assert time.monotonic() < end, "the broker did not answer"
            self._client.loop(0.05)

    def subscribe(self, *filters: str) -> None:
        wanted = len(self.reasons) + len(filters)
        self._client.subscribe([(item, 1) for item in filters])
        self.wait(lambda: len(self.reasons) == wanted)

    def publish(self, topic: str, body: bytes) -> None:
        wanted = self.answers.total() + 1
        self._client.publish(topic, body, qos=1)
        self.wait(lambda: self.answers.total() == wanted)

    def close(self) -> None:
        self._client.disconnect()

    def _on_connect(self, *_event: object) -> None:
        self._connected = True
