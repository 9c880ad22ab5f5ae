from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.household import signs
from appliance.keeper.household.kin import Join
from appliance.signals import NETWORK, Signal
from wire.authority import CollectClause, DataClass
from wire.base import Standing
from wire.models import JoinedBy
from wire.orders import SplitDevice

LAPTOP, PHONE, ROUTER = "00:00:5e:00:53:01", "02:00:00:00:00:02", "02:00:00:00:00:0e"
FAR = {"server": "192.0.2.7", "port": 51820}


@pytest.mark.req("R18", "R29", "S5")
def test_a_first_signal_is_told_within_a_second_and_more_raise_its_grade(played: Any) -> None:
    (first,) = played.hear(Signal.WIREGUARD, "initiation", **FAR)
    assert (first.grade, first.severity, first.signals, first.rule.clause) == ("medium", "this_week", 1, "7")
    assert first.records is not None
    played.bench.wait(119)
    (raised,) = played.hear(Signal.WIREGUARD, "data", **FAR)
    assert (raised.finding_id, raised.revision) == (first.finding_id, 2)
    assert (raised.grade, raised.severity, raised.signals, raised.count) == ("high", "today", 2, 2)
    assert set(first.records) < set(raised.records or ())
    assert "WireGuard" in raised.reasons[0]


@pytest.mark.req("R26", "R28")
def test_repeats_are_counted_and_told_now_and_then(played: Any) -> None:
    played.hear(Signal.DOT, "hello", server="192.0.2.7", port=853)
    told = [item for _ in range(30) for item in played.hear(Signal.DOT, "hello", server="192.0.2.7", port=853)]
    assert len(told) <= 1
    played.bench.wait(61)
    finding = played.latest("encrypted-dns")
    assert (finding.count, finding.grade) == (31, "high")
    assert played.bench.rows("record") <= 2, "one an hour"


def test_a_grade_never_falls_while_a_finding_is_open(played: Any) -> None:
    played.hear(Signal.TOR, "guard", server="192.0.2.7")
    played.hear(Signal.TOR, "directory", server="198.51.100.1")
    assert played.latest("tor").grade == "high"
    for _ in range(6):
        played.days(1)
        played.hear(Signal.TOR, "guard", server="192.0.2.7")
    played.days(4)
    assert played.latest("tor").grade == "high", "the directory is out of the week; the finding stands"


@pytest.mark.req("R28")
def test_what_is_not_seen_for_a_week_is_over(played: Any) -> None:
    played.hear(Signal.SOCKS, "5", **FAR)
    assert not [item for item in played.days(6.9) if item.state == "closed"]
    (closed,) = [item for item in played.days(0.3) if item.state == "closed"]
    assert (closed.kind, closed.closed_because) == ("proxy", "Nothing of it has been seen for 7 days.")


@pytest.mark.req("R55", "R56", "N2")
@pytest.mark.parametrize("standing", [Standing.HOUSEHOLD, Standing.GUEST, Standing.INFRASTRUCTURE, Standing.REFUSED])
def test_without_leave_nothing_is_kept_of_a_device(played: Any, standing: Standing) -> None:
    played.owns(PHONE, standing)
    for signal in set(Signal) - NETWORK:
        assert played.hear(signal, "5", mac=PHONE, server="203.0.113.99") == []
    active = m.ActivitySeen(
        ts=played.bench.wall,
        since=played.bench.wall,
        mac=PHONE,
        generation=played.bench.generation,
        flows=9,
        unnamed=9,
        octets=9,
        unnamed_octets=9,
        classes={},
        others=9,
    )
    played.bench.hear(Peer.SENSOR, active)
    assert played.bench.rows("record") == 0
    kept = b"".join(file.read_bytes() for file in played.bench.path.parent.iterdir())
    assert b"203.0.113.99" not in kept


@pytest.mark.req("R55", "R61")
def test_what_an_earlier_mask_let_out_does_not_count(played: Any) -> None:
    assert played.hear(Signal.SOCKS, "5", generation=played.bench.generation - 1) == []
    assert (played.bench.rows("record"), played.bench.core._book.stray) == (0, 1)


@pytest.mark.req("R55", "R65")
def test_a_standing_without_leave_erases_records_and_closes_signs(played: Any) -> None:
    played.hear(Signal.SOCKS, "5", **FAR)
    played.hear(Signal.ECH, "grease", server="203.0.113.99", port=443)
    assert played.bench.rows("record") == 2
    told = played.told(played.bench.down(played.bench.command(played.ids[LAPTOP], Standing.HOUSEHOLD)))
    assert [(item.kind, item.state) for item in told] == [("proxy", "closed")]
    assert "household" in str(told[0].closed_because)
    assert played.bench.rows("record") == 0
    kept = b"".join(file.read_bytes() for file in played.bench.path.parent.iterdir())
    assert b"203.0.113.99" not in kept, "what a finding says of its own stands"


@pytest.mark.req("R61")
def test_octets_are_kept_only_with_leave_for_volumes(played: Any) -> None:
    played.hear(Signal.BUSY, "tls", octets=12345, **FAR)
    assert list(played.bench.store._db.query("select octets from record")) == [{"octets": None}]


@pytest.mark.req("N11")
def test_the_network_s_signals_make_no_device(played: Any) -> None:
    devices = played.bench.rows("device")
    (dhcp,) = played.hear(Signal.DHCP_SERVER, "4", mac=ROUTER)
    assert (dhcp.kind, dhcp.device_id, dhcp.severity) == ("other-dhcp-server", None, "today")
    provider, other = "02:00:00:00:00:0f", "02:00:00:00:00:1f"
    (gateway,) = played.hear(Signal.UPSTREAM, "arp", mac=provider)
    assert (gateway.severity, gateway.grade) == ("information", "low")
    assert played.hear(Signal.UPSTREAM, "mdns", mac=provider) == [], "the provider's own, however it speaks"
    (beside,) = played.hear(Signal.UPSTREAM, "mdns", mac=other)
    assert (beside.severity, beside.device_id) == ("this_week", None)
    assert played.bench.rows("device") == devices


@pytest.mark.req("N11")
def test_a_known_device_that_hands_out_addresses_is_named(played: Any) -> None:
    played.owns(ROUTER, Standing.INFRASTRUCTURE)
    (sign,) = played.hear(Signal.DHCP_SERVER, "4", mac=ROUTER)
    assert (sign.device_id, sign.severity) == (played.ids[ROUTER], "information")


@pytest.mark.req("R77")
def test_a_work_vpn_is_for_information(played: Any) -> None:
    played.owns(PHONE, Standing.WORK)
    (sign,) = played.hear(Signal.WIREGUARD, "initiation", mac=PHONE, count=5, **FAR)
    assert (sign.grade, sign.severity) == ("high", "information")


@pytest.mark.req("N4")
def test_records_and_open_signs_outlive_the_keeper(played: Any) -> None:
    played.hear(Signal.WIREGUARD, "initiation", **FAR)
    bench = played.bench
    raw = bench.store.get("authority_document")
    bench.stop()
    bench.start(raw.encode())
    bench.online(credit=10**6)
    (raised,) = played.hear(Signal.WIREGUARD, "data", **FAR)
    assert (raised.revision, raised.grade) == (2, "high")


@pytest.mark.req("N8")
def test_records_move_with_the_address(played: Any) -> None:
    bench = played.bench
    played.owns(PHONE)
    played.hear(Signal.WIREGUARD, "initiation", mac=PHONE, **FAR)
    scope = bench.core._judgement.scope
    book = bench.core._book
    with bench.store.transaction():
        book.kin.join(
            bench.device(LAPTOP),
            bench.device(PHONE),
            Join(how=JoinedBy.PERSON, because="A person said so."),
            scope=scope,
            at=bench.wall,
        )
    told = played.days(0.1)
    mine = [item for item in told if item.kind == "tunnel"]
    assert ("open", played.ids[LAPTOP]) in [(item.state, item.device_id) for item in mine]
    assert not bench.store.findings.open_of(played.ids[PHONE])
    bench.order(SplitDevice(device_id=played.ids[LAPTOP], macs=(PHONE,)))
    played.days(0.1)
    assert [item.finding.kind for item in bench.store.findings.open_of(played.ids[PHONE])] == ["tunnel"]


def test_a_flood_of_strangers_is_bounded_and_counted(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "MAX_WAITING", 8)
    bench = played.bench
    flood = [
        m.SignalSeen(
            ts=bench.wall,
            since=bench.wall,
            mac=f"02:00:00:00:99:{number:02x}",
            signal=Signal.UPSTREAM,
            value="arp",
            generation=bench.generation,
        )
        for number in range(200)
    ]
    bench.hear(Peer.SENSOR, *flood)
    assert bench.rows("record") == 8
    assert bench.core._book.signs.overflow == 192


@pytest.mark.req("N4", "N11")
def test_what_was_heard_of_the_network_just_before_the_keeper_stopped_is_told(played: Any) -> None:
    bench = played.bench
    heard = m.SignalSeen(
        ts=bench.wall,
        since=bench.wall,
        mac=ROUTER,
        signal=Signal.DHCP_SERVER,
        value="4",
        generation=bench.generation,
    )
    bench.core._book.signs.tick = lambda **_: None  # it is killed before it comes to weighing
    bench.hear(Peer.SENSOR, heard)
    raw = bench.store.get("authority_document")
    bench.stop()
    bench.start(raw.encode())
    bench.online(credit=10**6)
    bench.wait(2)
    assert played.latest("other-dhcp-server").count == 1


@pytest.mark.req("N11")
def test_an_address_that_becomes_a_device_has_one_finding(played: Any) -> None:
    (of_address,) = played.hear(Signal.DHCP_SERVER, "4", mac=ROUTER)
    played.bench.sight(ROUTER)
    played.bench.acknowledge()
    told = played.hear(Signal.DHCP_SERVER, "4", mac=ROUTER)
    assert {(item.state, item.device_id is None) for item in told} == {("closed", True), ("open", False)}
    assert {item.finding_id for item in told if item.state == "closed"} == {of_address.finding_id}


@pytest.mark.req("R55", "R65")
def test_a_document_without_leave_for_signs_erases_them(played: Any, signed: Any) -> None:
    bench = played.bench
    played.hear(Signal.SOCKS, "5", **FAR)
    played.hear(Signal.UPSTREAM, "arp", mac=ROUTER)
    assert bench.rows("record") == 2
    only = CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,))
    bench.document(signed(number=2, clauses=(only,)))
    played.days(0.1)
    assert bench.rows("record") == 0


def test_made_up_devices_do_not_hide_that_look_ups_stopped(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "MAX_USES", 2)
    bench = played.bench
    strangers = [f"02:00:00:00:78:{number:02x}" for number in range(4)]
    for mac in [*strangers, LAPTOP]:
        bench.sight(mac)
        seen = m.ActivitySeen(
            ts=bench.wall,
            since=bench.wall - 300,
            mac=mac,
            generation=bench.generation,
            flows=100,
            unnamed=0,
            octets=0,
            unnamed_octets=0,
            classes={},
            others=0,
        )
        bench.hear(Peer.SENSOR, seen)
        bench.acknowledge()
    assert bench.core._book.signs.overflow == 2
    told = played.hear(Signal.RESOLVER_REACHED, "example", server="192.0.2.53", port=443)
    assert [(item.kind, item.grade) for item in told] == [("encrypted-dns", "high")]


@pytest.mark.parametrize("ts", [float("nan"), float("-inf"), -1.0])
def test_a_signal_of_no_time_is_not_kept(played: Any, ts: float) -> None:
    assert played.hear(Signal.SOCKS, "5", ts=ts, **FAR) == []
    assert played.bench.rows("record") == 0


def test_findings_of_a_device_are_bounded(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many subjects whoever is heard thinks up: the rest is one, and it counts on."""
    monkeypatch.setattr(signs, "MAX_OPEN", 4)
    for number in range(10):
        played.hear(Signal.UPSTREAM, "mdns", mac=f"02:00:00:00:77:{number:02x}")
    found = [item for item in played.open() if item.finding.kind == "upstream-device"]
    assert len(found) == 5
    (rest,) = [item for item in found if item.subject == "further places"]
    assert rest.finding.count == 6
    assert "further" in rest.finding.reasons[-1]


values = st.one_of(
    st.sampled_from(["", "hello", "syn", "guard", "directory", "data", "63/64", "null,rate"]), st.text(max_size=20)
)
heard = st.tuples(
    st.sampled_from(Signal),
    values,
    st.sampled_from([None, "192.0.2.7", "2001:db8::7", "192.168.8.1", "not an address"]),
    st.one_of(st.none(), st.integers(0, 65535)),
    st.integers(1, 2**40),
    st.one_of(st.none(), st.integers(0, 2**50)),
    st.sampled_from([LAPTOP, PHONE, ROUTER]),
    st.floats(0, 90_000),
)


@pytest.mark.req("R18", "R63", "S5")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(heard, max_size=30))
def test_no_sequence_of_signals_does_harm(played: Any, script: list[Any]) -> None:
    """No fault, always an innocent explanation, never the word that is not the box's, bounded rows."""
    for signal, value, server, port, count, octets, mac, seconds in script:
        told = played.hear(signal, value, server=server, port=port, count=count, octets=octets, mac=mac)
        told += played.told(played.bench.wait(seconds))
        for finding in told:
            if finding.grade is not None:
                assert finding.alternatives
                assert finding.reasons
                assert "breach" not in finding.model_dump_json().lower()
                assert finding.severity != "act_now"
    assert played.bench.rows("record") <= 500
    played.bench.acknowledge()


@pytest.mark.req("N10", "R16")
def test_a_day_that_nothing_names_is_held_against_the_days_before(played: Any) -> None:
    bench = played.bench

    def day(unnamed: int) -> list[Any]:
        found = []
        for _ in range(24):
            seen = m.ActivitySeen(
                ts=bench.wall,
                since=bench.wall - 300,
                mac=LAPTOP,
                generation=bench.generation,
                flows=40,
                unnamed=unnamed,
                octets=0,
                unnamed_octets=0,
                classes={"push": 1},
                others=20,
            )
            found += played.told(bench.hear(Peer.SENSOR, seen))
            found += played.told(bench.wait(3600))
        return [item for item in found if item.kind == "hidden-names"]

    assert [day(4) for _ in range(10)] == [[]] * 10
    day(36)
    found = day(36)
    assert [(item.grade, item.severity) for item in found[:1]] == [("medium", "this_week")]
    assert "as a rule it is 10%" in found[0].reasons[0]


@pytest.mark.req("R26")
def test_a_device_that_floods_is_weighed_more_seldom_and_nothing_is_left_uncounted(played: Any) -> None:
    bench = played.bench
    flood = [
        m.SignalSeen(
            ts=bench.wall,
            since=bench.wall,
            mac=LAPTOP,
            signal=Signal.SOCKS,
            value="5",
            generation=bench.generation,
            server=f"192.0.2.{number}",
            port=1080,
        )
        for number in range(signs.MUCH + 50)
    ]
    bench.hear(Peer.SENSOR, *flood)
    played.told(bench.wait(1))
    assert not played.hear(Signal.TOR, "directory", server="198.51.100.9"), "it waits"
    waited = [item for _ in range(7) for item in played.hear(Signal.SOCKS, "5", server="192.0.2.1", port=1080)]
    waited += played.told(bench.wait(3))
    assert "tor" in [item.kind for item in waited]
    (counted,) = [item.finding.count for item in played.open() if item.subject == "192.0.2.1"]
    assert counted == 8
