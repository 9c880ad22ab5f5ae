from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import messages as m
from appliance.keeper import uplink
from appliance.keeper.core import Peer
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from wire.box import BoxStatus
from wire.bundles import BundlePart
from wire.codec import MAX_PAYLOAD, batch_items, unseal
from wire.findings import Finding
from wire.models import Device, Receipt
from wire.renewal import RenewalRequest, renewal_bytes

MACS = [f"02:00:00:00:01:{number:02x}" for number in range(40)]


def outbound(heard: list[m.Message]) -> list[m.Outbound]:
    return [item for item in heard if isinstance(item, m.Outbound)]


def numbers(bench: Any, heard: list[m.Message]) -> list[int]:
    opened = [bench.open(item) for item in outbound(heard)]
    return [int(item.envelope.sequence) for item in opened if isinstance(item.payload, Finding | Device)]


def waiting(bench: Any) -> int:
    """Rows about devices; what the ledger says of itself comes and goes by its own clock."""
    statement = "select count(*) from outbox where type in ('gatehouse.finding.v1', 'gatehouse.device.v1')"
    return int(bench.store._db.execute(statement).fetchone()[0])


def test_rows_stay_until_the_servers_receipt(bench: Any) -> None:
    first = numbers(bench, bench.sight(MACS[0]))
    assert waiting(bench) == 2
    bench.down(bench.receipt((min(first), min(first))))
    assert waiting(bench) == 1
    bench.down(bench.receipt((1, 100), epoch="00000000"))
    assert waiting(bench) == 1, "another epoch's receipt deletes nothing"
    bench.down(bench.receipt((1, 100)))
    assert waiting(bench) == 0


def test_a_row_that_no_message_can_carry_is_given_up_and_the_others_go(bench: Any) -> None:
    with bench.store.transaction():
        bench.store.outbox.add(
            type_="gatehouse.device.v1", subject="d-9", body="x" * 40_000, priority=Priority.STATE, created=1.0
        )
    sent = numbers(bench, bench.sight(MACS[0]))
    assert len(sent) == 2
    assert waiting(bench) == 2
    assert bench.core._uplink.given_up == 1


def test_what_is_not_received_goes_again_later_and_later(bench: Any) -> None:
    sent = numbers(bench, bench.sight(MACS[0]))
    assert numbers(bench, bench.wait(4.9)) == []
    assert sorted(numbers(bench, bench.wait(0.2))) == sorted(sent)
    assert numbers(bench, bench.wait(9)) == []
    assert sorted(numbers(bench, bench.wait(1.1))) == sorted(sent)
    # The broker was away and is back: all at once again.
    bench.hear(Peer.COURIER, m.BrokerState(connected=False))
    assert sorted(numbers(bench, bench.hear(Peer.COURIER, m.BrokerState(connected=True)))) == sorted(sent)


def test_a_new_courier_starts_over_with_the_will(bench: Any) -> None:
    sent = numbers(bench, bench.sight(MACS[0]))
    bench.gone(Peer.COURIER)
    heard = outbound(bench.connect(Peer.COURIER))
    assert len(heard) == 1, "no credit yet: the will and nothing else"
    will = bench.open(heard[0])
    assert will.payload.online is False
    assert str(will.topic) == "gatehouse/v1/force-a/box-1/status/box"
    assert will.envelope.id.startswith(f"{bench.store.epoch}-s")
    assert sorted(numbers(bench, bench.hear(Peer.COURIER, m.Credit(count=10)))) == sorted(sent)


def test_no_more_than_the_credit(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed())
    bench.connect(Peer.COURIER, Peer.SENSOR)
    for mac in MACS[:5]:
        assert outbound(bench.sight(mac)) == []
    heard = outbound(bench.hear(Peer.COURIER, m.BrokerState(connected=True), m.Credit(count=4)))
    assert len(heard) == 4
    kinds = [type(bench.open(item).payload) for item in heard]
    assert kinds == [BoxStatus, Finding, Finding, Finding], "findings before states"
    assert len(outbound(bench.hear(Peer.COURIER, m.Credit(count=2)))) == 2
    bench.hear(Peer.COURIER, m.Credit(count=-5))
    assert outbound(bench.wait(0.0)) == []


def test_ids_are_epoch_and_sequence(bench: Any) -> None:
    for item in outbound(bench.sight(MACS[0])):
        envelope = bench.open(item).envelope
        assert envelope.id == f"{bench.store.epoch}-{envelope.sequence}"


def test_states_in_flight_do_not_hold_findings_up(make_bench: Any, signed: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(uplink, "WINDOW", 4)
    bench = make_bench(signed())
    bench.online()
    for mac in MACS[:20]:
        bench.sight(mac)
    flights = bench.core._uplink._flights
    assert len(flights) == 8, "the window, and as many findings on top"
    bench.acknowledge()
    finding = [item for item in bench.payloads(bench.sight(MACS[30])) if isinstance(item, Finding)]
    assert len(finding) == 1


def test_forged_moved_or_foreign_messages_are_counted_and_done_with(bench: Any) -> None:
    bench.sight(MACS[0])
    receipt = bench.receipt((1, 100))
    forged = bench.down(receipt, key=Ed25519PrivateKey.generate())
    moved = bench.down(receipt, topic="gatehouse/v1/force-a/box-1/cmd/command")
    foreign = bench.down(receipt, topic="gatehouse/v1/force-a/box-2/cmd/receipt")
    for heard in (forged, moved, foreign):
        assert [type(item) for item in heard] == [m.InboundDone]
    noise = bench.hear(Peer.COURIER, m.Inbound(token=99, topic="?", body=b"noise"))
    assert noise == [m.InboundDone(token=99)]
    assert waiting(bench) == 2
    assert bench.core._health.refused_inbound == 4


def test_the_heartbeat(bench: Any) -> None:
    bench.wait(3)
    opened = [bench.open(o) for _ in range(180) for o in outbound(bench.wait(1))]
    statuses = [item for item in opened if isinstance(item.payload, BoxStatus)]
    assert len(statuses) == 3
    assert len({item.envelope.id for item in statuses}) == 3
    assert all(item.payload.online for item in statuses)


def test_states_sent_again_do_not_take_a_findings_turn(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed())
    bench.online()
    for mac in MACS[:5]:
        bench.sight(mac)
    rows = bench.store._db.execute("select seq from outbox where type <> 'gatehouse.device.v1'").fetchall()
    bench.down(bench.receipt(*[(seq, seq) for (seq,) in rows]))
    bench.core._uplink._credit = 0
    bench.wait(14)
    bench.sight(MACS[30])
    bench.wait(2)
    sent = bench.payloads(bench.hear(Peer.COURIER, m.Credit(count=1)))
    assert [type(item) for item in sent] == [Finding]
    sent = bench.payloads(bench.hear(Peer.COURIER, m.Credit(count=100)))
    assert [type(item) for item in sent if isinstance(item, Device)] == [Device] * 6


def test_a_state_superseded_on_its_way_is_not_sent_again(bench: Any) -> None:
    bench.sight(MACS[0])
    bench.wait(14)
    device = bench.core._book.registry.by_mac(MACS[0])
    bench.down(bench.command(device.device_id, "household"))
    revisions = [item.revision for item in bench.payloads(bench.wait(2)) if isinstance(item, Device)]
    assert revisions == [], "the first is superseded, the second not yet due"


class Backlog:
    """A store and an uplink with rows in it, and the server's end of the seal."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "keeper.db")
        self.box, self.server = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        identity = uplink.Identity(
            tenant="force-a",
            site="box-1",
            signer=self.box,
            opener=X25519PrivateKey.generate(),
            server_verify=(Ed25519PrivateKey.generate().public_key(),),
            server_seal=self.server.public_key(),
        )
        self.uplink = uplink.Uplink(self.store, identity)

    def put(self, count: int, priority: Priority = Priority.RECORD, *, body: str = '{"a":"\\u00e9"}') -> list[int]:
        kind = "gatehouse.finding.v1" if priority is Priority.FINDING else "gatehouse.session.v1"
        with self.store.transaction():
            return [
                self.store.outbox.add(type_=kind, subject="", body=body, priority=priority, created=1_772_000_000.5)
                for _ in range(count)
            ]

    def begin(self, credit: int) -> None:
        self.uplink.connected(1.0)
        self.uplink.credit(credit)
        self.uplink.broker(connected=True)

    def pump(self, monotonic: float = 1.0) -> list[list[int]]:
        """Numbers of the rows in each message."""
        return [self._numbers(message) for message in self.uplink.pump(monotonic, 1.0)]

    def receive(self, *ranges: tuple[int, int]) -> int:
        with self.store.transaction():
            return self.uplink.received(
                Receipt(epoch=self.store.epoch, ranges=ranges, at=datetime(2026, 3, 1, tzinfo=UTC))
            )

    def _numbers(self, message: m.Outbound) -> list[int]:
        found = unseal(message.body, topic=message.topic, recipient=self.server, signers=(self.box.public_key(),))
        if found.envelope.type != "gatehouse.batch.v1":
            return [int(found.envelope.sequence)]
        items = batch_items(found)
        assert len(found.body) <= MAX_PAYLOAD
        assert all(item.envelope.id == f"{self.store.epoch}-{item.envelope.sequence}" for item in items)
        assert all(item.envelope.time.timestamp() == 1_772_000_000.5 for item in items)
        return [int(item.envelope.sequence) for item in items]


@pytest.fixture
def backlog(tmp_path: Path) -> Iterator[Backlog]:
    made = Backlog(tmp_path)
    yield made
    made.store.close()


@pytest.mark.req("R69")
def test_a_backlog_goes_in_batches_each_row_once(backlog: Backlog) -> None:
    seqs = backlog.put(1_000, body='{"text":"' + 'x"y'.replace('"', '\\"') * 40 + '"}')
    backlog.begin(credit=1_000)
    sent = backlog.pump()
    assert sorted(seq for group in sent for seq in group) == seqs
    assert len(sent) < 30
    assert backlog.pump(2.0) == [], "all of it is on its way"
    assert backlog.receive((1, 500)) == 500
    again = backlog.pump(6.5)
    assert sorted(seq for group in again for seq in group) == seqs[500:]
    assert backlog.receive((1, 2**53 - 1)) == 500
    assert not backlog.uplink._flights
    assert not backlog.uplink._of


@pytest.mark.req("R69")
def test_rows_on_their_way_are_bounded_and_news_overtakes(backlog: Backlog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "WINDOW", 100)
    backlog.put(50, Priority.FINDING)
    backlog.put(500)
    backlog.begin(credit=1_000)
    sent = backlog.pump()
    assert [len(group) for group in sent] == [50, 50], "old findings first, then as much as the window lets"
    (news,) = backlog.put(1, Priority.FINDING)
    assert backlog.pump(1.1) == [[news]], "it does not wait for the window"
    backlog.receive((1, 50))
    assert sum(len(group) for group in backlog.pump(1.2)) == 49


@pytest.mark.req("R69")
def test_what_came_while_the_broker_was_away_is_backlog_when_it_is_back(backlog: Backlog) -> None:
    backlog.begin(credit=0)
    old = backlog.put(40, Priority.FINDING)
    backlog.uplink.broker(connected=False)
    backlog.uplink.broker(connected=True)
    (news,) = backlog.put(1, Priority.FINDING)
    backlog.uplink.credit(10)
    assert backlog.pump() == [[news], old]


def test_a_row_too_large_for_any_message_does_not_hold_up_a_batch(backlog: Backlog) -> None:
    first = backlog.put(20)
    backlog.put(1, body="x" * 40_000)
    last = backlog.put(20)
    backlog.begin(credit=100)
    assert sorted(seq for group in backlog.pump() for seq in group) == [*first, *last]
    assert backlog.uplink.given_up == 1


@pytest.mark.req("R69")
def test_a_row_that_a_newer_version_left_goes_as_it_is(backlog: Backlog) -> None:
    with backlog.store.transaction():
        seq = backlog.store.outbox.add(
            type_="gatehouse.dream.v1", subject="", body="{}", priority=Priority.FINDING, created=1_772_000_000.5
        )
    backlog.begin(credit=10)
    assert backlog.pump() == [[seq]]
    assert backlog.pump(6.5) == [[seq]]
    assert backlog.receive((seq, seq)) == 1


@pytest.mark.req("R69")
def test_rows_that_are_never_confirmed_do_not_hold_the_rest_up(
    backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "WINDOW", 20)
    monkeypatch.setattr(uplink, "RESEND_MOST", 10.0)
    refused = backlog.put(20)
    backlog.begin(credit=10_000)
    assert backlog.pump() == [refused]
    later = backlog.put(60)
    assert [backlog.pump(at) for at in (20.0, 40.0, 60.0)] == [[refused]] * 3, "the server says nothing at all: wait"
    (news,) = backlog.put(1, Priority.FINDING)
    assert backlog.pump(61.0) == [[news]]
    backlog.receive((news, news))
    sent = backlog.pump(80.0)
    assert sent[0] == refused, "nothing is forgotten"
    assert backlog.pump(80.1) + sent[1:] == [later[:20]]
    backlog.receive((later[0], later[19]))
    assert backlog.pump(80.2) == [later[20:40]]
    assert backlog.receive((refused[0], refused[-1])) == 20
    assert backlog.uplink._aside == 0
    assert backlog.uplink._of.keys() == set(later[20:40])


def test_bulk_goes_when_nothing_else_does_and_leaves_credit(backlog: Backlog) -> None:
    parts = iter([BundlePart(bundle_id="b-1", number=number, data="AAAA") for number in range(9)])
    backlog.uplink.bulk(lambda _at: next(parts, None))
    backlog.put(3)
    backlog.begin(credit=uplink.BULK_RESERVE + 5)
    assert len(backlog.pump()) == 3 + 2
    backlog.uplink.credit(100)
    assert len(backlog.pump()) == uplink.BULK_MOST
    assert [len(backlog.pump()), len(backlog.pump())] == [3, 0]


@pytest.mark.req("N3")
def test_a_request_for_a_certificate_is_signed_and_says_which_box(backlog: Backlog) -> None:
    request = RenewalRequest.model_validate_json(backlog.uplink.renewal("csr", 1_772_000_000.0))
    assert (request.tenant, request.site, request.csr) == ("force-a", "box-1", "csr")
    backlog.box.public_key().verify(
        base64.b64decode(request.signature),
        renewal_bytes(tenant="force-a", site="box-1", csr="csr", at=request.at),
    )
