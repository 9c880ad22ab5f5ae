from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.devices.registry import STALE_SECONDS, Registry
from appliance.traits import Trait
from wire.authority import DataClass
from wire.base import Correction, Standing
from wire.findings import Finding
from wire.models import Device
from wire.orders import CorrectDevice

MACS = ["00:00:5e:00:53:01", "02:00:00:00:00:02", "02:00:00:00:00:03"]
NAME = "canary-name.example"
HOST = "canary-host"

seconds = st.floats(0, 120)
jumps = st.one_of(st.none(), st.floats(-200_000, 200_000))
observations = st.tuples(st.just("hear"), st.sampled_from(MACS), st.sampled_from(["sight", "dhcp", "name", "listed"]))
steps = st.one_of(
    st.tuples(st.just("wait"), seconds, jumps),
    observations,
    observations,
    st.tuples(st.just("stand"), st.sampled_from(MACS), st.sampled_from(Standing)),
    st.tuples(st.just("file"), st.booleans(), st.none()),
)


def heard(bench: Any, mac: str, what: str) -> m.Message:
    match what:
        case "sight":
            return m.Sighting(ts=bench.wall, mac=mac, via=m.Via.ARP)
        case "dhcp":
            return m.TraitSeen(ts=bench.wall, mac=mac, trait=Trait.DHCP4_HOST_NAME, value=HOST)
        case _:
            name = NAME if what == "name" else "www.bets.example"
            return m.NameLookedUp(ts=bench.wall, mac=mac, name=name, how=m.How.TLS, generation=bench.generation)


def trait(bench: Any, mac: str, of: Trait, value: str) -> m.TraitSeen:
    return m.TraitSeen(ts=bench.wall, mac=mac, trait=of, value=value)


def snapshot(bench: Any) -> dict[str, list[Any]]:
    return {table: list(bench.store._db.table(table).rows) for table in ("device", "evidence", "name_visit", "finding")}


@pytest.mark.req("R53", "R54", "R55", "R56", "R61")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(steps, min_size=3, max_size=25))
def test_nothing_is_stored_without_leave(make_bench: Any, signed: Any, script: list[tuple[str, Any, Any]]) -> None:
    """Any order of clock jumps, standings, files and observations; the rule is written here once more."""
    end = 1_900_000_300.0
    document = signed(not_after=datetime.fromtimestamp(end, UTC))
    bench = make_bench(document)
    bench.online(credit=0)
    passed = bench.monotonic
    latest = bench.wall  # what is known to have passed: never falls, goes on with the steady clock
    present = True
    for action, first, second in script:
        latest = max(latest + (bench.monotonic - passed), bench.wall)
        passed = bench.monotonic
        before = snapshot(bench)
        if action == "wait":
            bench.wait(first, wall=None if second is None else bench.wall + second)
        elif action == "file":
            present = first
            bench.document(document if first else None)
        elif action == "stand":
            device = bench.core._book.registry.by_mac(first)
            if device is not None:
                bench.down(bench.command(device.device_id, second))
        else:
            bench.hear(Peer.SENSOR, heard(bench, first, second))
            after = snapshot(bench)
            latest = max(latest + (bench.monotonic - passed), bench.wall)
            if not present or latest >= end:
                assert after == before, "no authority in force, and yet something was stored"
            elif second in {"name", "listed"}:
                device = bench.core._book.registry.by_mac(first)
                if device is None or device.standing is not Standing.REGISTERED:
                    assert after["name_visit"] == before["name_visit"]
                    assert after["finding"] == before["finding"]
    bench.stop()
    bench.store = type(bench.store)(bench.path)  # the fixture closes it once more


@pytest.mark.req("R55", "N2")
def test_a_thousand_names_of_others_leave_no_trace(bench: Any) -> None:
    """Names that the sensor should never have sent are nowhere in the files, also not in what was deleted."""
    registered = bench.give(MACS[0], Standing.REGISTERED)
    others = {Standing.UNKNOWN: MACS[1], Standing.HOUSEHOLD: MACS[2]}
    bench.sight(MACS[1])
    bench.give(MACS[2], Standing.HOUSEHOLD)
    for number in range(1000):
        mac = list(others.values())[number % 2]
        name = f"canary-{number:04d}.bets.example"
        wrong = m.NameLookedUp(ts=bench.wall, mac=mac, name=name, how=m.How.DNS, generation=bench.generation)
        bench.hear(Peer.SENSOR, wrong)
    bench.hear(Peer.SENSOR, trait(bench, MACS[1], Trait.DHCP4_HOST_NAME, "canary-host"))
    bench.look_up(MACS[0], "kept-of-the-registered.example", generation=bench.generation)
    bench.wait(61)
    assert bench.names(registered) == {"kept-of-the-registered.example": 1}
    files = list(Path(bench.path).parent.iterdir())
    content = b"".join(file.read_bytes() for file in files)
    assert {file.suffix for file in files} >= {".db", ".db-wal"}
    assert b"kept-of-the-registered" in content, "the files are the right ones"
    assert b"canary" not in content
    sent = b"".join(
        bench.open(item).payload.model_dump_json().encode()
        for send in bench.sent
        for item in send.messages
        if isinstance(item, m.Outbound)
    )
    assert b"canary" not in sent


@pytest.mark.req("R61")
def test_list_hits_only_keeps_only_hits(make_bench: Any, signed: Any) -> None:
    clauses = [
        {"number": "1", "kind": "collect", "standings": ["registered", "unknown"], "classes": ["presence"]},
        {"number": "2", "kind": "collect", "standings": ["registered"], "classes": [DataClass.LIST_HITS]},
        {"number": "3", "kind": "lists", "standings": ["registered"], "lists": ["gambling"]},
    ]
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    device_id = bench.give(MACS[0], Standing.REGISTERED)
    assert bench.rows("finding") == 0, "no clause asks for devices to be registered"
    bench.look_up(MACS[0], "elsewhere.example", generation=bench.generation)
    bench.look_up(MACS[0], "www.bets.example", generation=bench.generation)
    bench.look_up(MACS[0], "not a name", generation=bench.generation)
    assert bench.names(device_id) == {"www.bets.example": 1}
    assert bench.rows("finding") == 1


@pytest.mark.req("R11", "R13")
def test_a_flood_of_made_up_devices_is_bounded_and_counted(bench: Any) -> None:
    registry = bench.core._book.registry
    registry._limit = 5
    bench.give(MACS[0], Standing.REGISTERED)
    for number in range(20):
        bench.sight(f"02:00:00:00:99:{number:02x}")
    assert len(registry) == bench.rows("device") == 5
    assert bench.core._book.overflow() == 16
    bench.acknowledge()
    bench.wait(STALE_SECONDS / 4)
    bench.document(None)
    assert bench.payloads(bench.sight("02:00:00:00:99:77")) == []


def test_a_device_long_gone_makes_room(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed(not_after=datetime.fromtimestamp(1_900_000_000.0 + 9 * 86400, UTC)))
    bench.online()
    bench.core._book.registry._limit = 1
    bench.sight(MACS[1])
    bench.acknowledge()
    bench.wait(STALE_SECONDS + 1)
    sent = bench.payloads(bench.sight(MACS[2]))
    closed = [item for item in sent if isinstance(item, Finding) and item.state == "closed"]
    opened = [item for item in sent if isinstance(item, Finding) and item.state == "open"]
    assert len(closed) == len(opened) == 1
    assert isinstance(bench.core._book.registry, Registry)
    assert [item.addresses[0].mac for item in sent if isinstance(item, Device)] == [MACS[2]]
    assert bench.rows("device") == bench.rows("address") == 1


@pytest.mark.req("R69")
def test_a_full_outbox_keeps_nobody_out(bench: Any) -> None:
    bench.store.outbox._limit = 2
    bench.sight(MACS[1])
    bench.sight(MACS[2])
    assert bench.rows("device") == 2
    told = bench.store._db.execute("select type from outbox").fetchall()
    assert len(told) >= 2
    assert all("finding" in kind for (kind,) in told), "states made way, findings did not"


def test_findings_are_bounded(bench: Any) -> None:
    bench.store.findings.limit = 1
    bench.sight(MACS[1])
    bench.sight(MACS[2])
    assert bench.rows("finding") == 1
    assert bench.store.findings.overflow >= 1
    device = bench.core._book.registry.by_mac(MACS[1])
    bench.down(bench.command(device.device_id, Standing.HOUSEHOLD))
    bench.sight(MACS[2])
    assert bench.store.findings.open_count() == 1, "a closed finding makes room for an open one"


@pytest.mark.req("R13")
def test_a_label_is_not_overwritten_by_evidence(bench: Any) -> None:
    bench.sight(MACS[0])
    device = bench.core._book.registry.by_mac(MACS[0])
    bench.down(bench.command(device.device_id, Standing.REGISTERED, label="Laptop"))
    bench.hear(Peer.SENSOR, trait(bench, MACS[0], Trait.DHCP4_VENDOR_CLASS, "MSFT 5.0"))
    device = bench.core._book.registry.by_mac(MACS[0])
    assert device.label == "Laptop"
    assert device.looks_like is not None
    assert device.looks_like.os_family == "Windows"
    bench.order(CorrectDevice(device_id=device.device_id, correction=Correction(category="tv", os_family="webOS")))
    bench.hear(Peer.SENSOR, trait(bench, MACS[0], Trait.DHCP4_VENDOR_CLASS, "android-dhcp-14"))
    looks = bench.core._book.registry.by_mac(MACS[0]).looks_like
    assert (looks.category, looks.os_family, looks.confidence) == ("tv", "webOS", 1.0), "locked"
    bench.order(CorrectDevice(device_id=device.device_id, correction=Correction()))
    looks = bench.core._book.registry.by_mac(MACS[0]).looks_like
    assert looks.category != "tv", "free again"


@pytest.mark.req("R53", "N1")
def test_what_was_heard_before_there_was_leave_is_not_recorded(bench: Any) -> None:
    begun = bench.core._judgement.scope.authority.not_before.timestamp()
    bench.hear(Peer.SENSOR, m.Sighting(ts=begun - 1, mac=MACS[0], via=m.Via.ARP))
    assert (bench.rows("device"), bench.core._book.refused) == (0, 1)
    bench.hear(Peer.SENSOR, m.Sighting(ts=begun, mac=MACS[0], via=m.Via.ARP))
    assert bench.rows("device") == 1


@pytest.mark.req("R55", "R65")
@pytest.mark.parametrize("standing", [Standing.HOUSEHOLD, Standing.GUEST, Standing.UNKNOWN])
def test_a_standing_without_leave_erases_what_was_kept_with_it(bench: Any, standing: Standing) -> None:
    device_id = bench.give(MACS[0], Standing.REGISTERED)
    heard = (
        trait(bench, MACS[0], Trait.DHCP4_HOST_NAME, "canary-host"),
        trait(bench, MACS[0], Trait.DHCP4_CLIENT_ID, "ca4a51"),
    )
    bench.hear(Peer.SENSOR, *heard)
    for name in ("canary-site.example", "www.bets.example"):
        bench.look_up(MACS[0], name, generation=bench.generation)
    assert len(bench.names(device_id)) == 2
    bench.acknowledge()

    sent = bench.payloads(bench.down(bench.command(device_id, standing)))
    closed = [item for item in sent if isinstance(item, Finding)]
    assert [(item.kind.value, item.state) for item in closed] == [("listed-name", "closed")]
    assert standing.value in str(closed[0].closed_because)
    assert bench.names(device_id) == {}
    kept = [file.read_bytes() for file in bench.path.parent.iterdir()]
    for text in (b"canary-host", b"ca4a51", b"canary-site"):
        assert not any(text in raw for raw in kept), "nor in the database's log"
    bench.hear(Peer.SENSOR, *heard)
    rows = list(bench.store._db.query("select token, value from evidence where trait = 'dhcp4-host-name'"))
    assert [(row["token"][:6], row["value"]) for row in rows] == [("blind-", None)]


@pytest.mark.req("R55", "R65")
def test_the_end_of_a_visit_erases_too(make_bench: Any, signed: Any) -> None:
    clauses = [
        {"number": "1", "kind": "collect", "standings": ["guest", "unknown"], "classes": ["presence"]},
        {"number": "2", "kind": "collect", "standings": ["guest"], "classes": [DataClass.FULL_NAMES]},
    ]
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    bench.sight(MACS[0])
    device_id = bench.core._book.registry.by_mac(MACS[0]).device_id
    bench.down(bench.command(device_id, Standing.GUEST, guest_until=datetime.fromtimestamp(bench.wall + 60, UTC)))
    bench.look_up(MACS[0], "elsewhere.example", generation=bench.generation)
    assert bench.rows("name_visit") == 1
    bench.wait(60)
    assert bench.rows("name_visit") == 0


@pytest.mark.req("R11")
def test_the_first_frame_counts_also_when_it_is_heard_second(bench: Any) -> None:
    first = bench.wall - 0.04
    bench.hear(Peer.WARDEN, m.NeighbourChanged(ts=bench.wall, mac=MACS[0], ip="192.0.2.7", reachable=True))
    bench.hear(Peer.SENSOR, m.Sighting(ts=first, mac=MACS[0], via=m.Via.ARP))
    bench.hear(Peer.SENSOR, m.Sighting(ts=first, mac=MACS[0], via=m.Via.DHCP))
    bench.acknowledge()
    bench.wait(60)
    sent = bench.payloads(bench.sight(MACS[0])) + bench.payloads(bench.wait(20))
    seen = {(type(item), item.first_seen.timestamp()) for item in sent}
    assert {kind for kind, _at in seen} <= {Finding, Device}
    assert {round(moment, 3) for _kind, moment in seen} == {round(first, 3)}
    assert bench.store.devices.all()[0].first_seen == first
    assert bench.store.findings.open_of(bench.store.devices.all()[0].device_id)[0].finding.revision == 2
