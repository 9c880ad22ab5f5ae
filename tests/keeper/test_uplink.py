from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import messages as m
from appliance.keeper import uplink
from appliance.keeper.core import Peer
from appliance.keeper.store.outbox import Priority
from wire.box import BoxStatus
from wire.findings import Finding
from wire.models import Device

MACS = [f"02:00:00:00:01:{number:02x}" for number in range(40)]


def outbound(heard: list[m.Message]) -> list[m.Outbound]:
    return [item for item in heard if isinstance(item, m.Outbound)]


def numbers(bench: Any, heard: list[m.Message]) -> list[int]:
    opened = [bench.open(item) for item in outbound(heard)]
    return [int(item.envelope.sequence) for item in opened if not isinstance(item.payload, BoxStatus)]


def test_rows_stay_until_the_servers_receipt(bench: Any) -> None:
    first = numbers(bench, bench.sight(MACS[0]))
    assert bench.rows("outbox") == 2
    bench.down(bench.receipt((min(first), min(first))))
    assert bench.rows("outbox") == 1
    bench.down(bench.receipt((1, 100), epoch="00000000"))
    assert bench.rows("outbox") == 1, "another epoch's receipt deletes nothing"
    bench.down(bench.receipt((1, 100)))
    assert bench.rows("outbox") == 0


def test_a_row_that_no_message_can_carry_is_given_up_and_the_others_go(bench: Any) -> None:
    with bench.store.transaction():
        bench.store.outbox.add(
            type_="gatehouse.device.v1", subject="d-9", body="x" * 40_000, priority=Priority.STATE, created=1.0
        )
    sent = numbers(bench, bench.sight(MACS[0]))
    assert len(sent) == 2
    assert bench.rows("outbox") == 2
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
    assert bench.rows("outbox") == 2
    assert bench.core._health.refused_inbound == 4


def test_the_heartbeat(bench: Any) -> None:
    bench.wait(3)
    statuses = [bench.open(o) for _ in range(180) for o in outbound(bench.wait(1))]
    assert len(statuses) == 3
    assert len({item.envelope.id for item in statuses}) == 3
    assert all(item.payload.online for item in statuses)


def test_states_sent_again_do_not_take_a_findings_turn(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed())
    bench.online(credit=11)
    for mac in MACS[:5]:
        bench.sight(mac)
    bench.down(bench.receipt(*[(n, n) for n in range(2, 11, 2)]))
    kinds = [kind for (kind,) in bench.store._db.execute("select type from outbox")]
    assert kinds == ["gatehouse.device.v1"] * 5
    bench.wait(14)
    bench.sight(MACS[30])
    bench.wait(2)
    sent = bench.payloads(bench.hear(Peer.COURIER, m.Credit(count=1)))
    assert [type(item) for item in sent] == [Finding]
    sent = bench.payloads(bench.hear(Peer.COURIER, m.Credit(count=100)))
    assert [type(item) for item in sent] == [Device] * 6


def test_a_state_superseded_on_its_way_is_not_sent_again(bench: Any) -> None:
    bench.sight(MACS[0])
    bench.wait(14)
    device = bench.core._book.registry.by_mac(MACS[0])
    bench.down(bench.command(device.device_id, "household"))
    revisions = [item.revision for item in bench.payloads(bench.wait(2)) if isinstance(item, Device)]
    assert revisions == [], "the first is superseded, the second not yet due"
