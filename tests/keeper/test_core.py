from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.traits import Trait
from wire.base import Standing
from wire.box import BoxStatus
from wire.findings import Finding, FindingKind, Severity
from wire.ledger import Head
from wire.models import CommandResult, Device, Outcome

LAPTOP, PHONE, TV = "00:00:5e:00:53:01", "02:00:00:00:00:02", "00:00:5e:00:53:03"


def only(items: list[Any], kind: type) -> Any:
    found = [item for item in items if isinstance(item, kind)]
    assert len(found) == 1, items
    return found[0]


@pytest.mark.req("R11", "R29", "R63")
def test_first_frame_of_an_unknown_device_is_on_its_way_in_the_same_turn(bench: Any) -> None:
    payloads = bench.payloads(bench.sight(PHONE))
    finding, device = only(payloads, Finding), only(payloads, Device)
    assert payloads[0] is finding, "a finding goes before a state"
    assert finding.kind is FindingKind.UNREGISTERED_DEVICE
    assert finding.severity is Severity.TODAY
    assert finding.device_id == device.device_id
    assert finding.first_seen.timestamp() == bench.wall
    assert (finding.rule.clause, finding.rule.authority_id) == ("2", "authority-1")
    assert "Unregistered device seen" in finding.reasons[0]
    assert finding.alternatives
    assert "breach" not in finding.model_dump_json().lower()
    assert device.standing is Standing.UNKNOWN
    assert device.addresses[0].locally_administered
    assert bench.rows("finding") == bench.rows("device") == 1
    assert bench.rows("outbox") == 3  # and the head that is signed with an alert


@pytest.mark.req("R26", "R28")
def test_repeats_are_one_finding_and_do_not_flood(bench: Any) -> None:
    bench.sight(PHONE)
    bench.acknowledge()
    sent = []
    for _ in range(1000):
        sent += bench.payloads(bench.wait(0.1))
        sent += bench.payloads(bench.sight(PHONE))
    assert {(type(item), item.revision) for item in sent} == {(Device, 2)}, "one state after 60 s, no finding"
    bench.acknowledge()
    bench.wait(3600)
    again = only(bench.payloads(bench.sight(PHONE)), Finding)
    assert (again.revision, again.count) == (2, 2)
    assert bench.rows("finding") == 1


@pytest.mark.req("R13")
def test_a_new_address_is_a_new_device(bench: Any) -> None:
    first = only(bench.payloads(bench.sight(PHONE)), Device)
    second = only(bench.payloads(bench.sight("02:00:00:00:00:99")), Device)
    assert first.device_id != second.device_id


@pytest.mark.req("R53", "N1")
def test_no_authority_no_record_but_health(make_bench: Any) -> None:
    bench = make_bench(None)
    will = only(bench.connect(Peer.COURIER), m.Outbound)
    assert bench.open(will).payload == BoxStatus(online=False, at=bench.open(will).payload.at)
    bench.connect(Peer.SENSOR, Peer.WARDEN)
    said = bench.hear(Peer.COURIER, m.BrokerState(connected=True), m.Credit(count=100))
    opened = [bench.open(message).payload for message in said if isinstance(message, m.Outbound)]
    status, head = opened
    assert isinstance(head, Head)  # of the records about the box itself
    assert (status.online, status.recording) == (True, False)
    assert status.authority == "There is no authority document, so nothing is recorded."
    report = m.TapReport(ts=bench.wall, tap="dns", messages=1, octets=1, lost=0, unparsed=0, overflow=0)
    bench.hear(
        Peer.SENSOR,
        report,
        m.Sighting(ts=bench.wall, mac=PHONE, via=m.Via.ARP),
        m.TraitSeen(ts=bench.wall, mac=PHONE, trait=Trait.DHCP4_HOST_NAME, value="made-up"),
        m.NameLookedUp(ts=bench.wall, mac=PHONE, name="site.example", how=m.How.DNS, generation=0),
    )
    bench.hear(
        Peer.WARDEN,
        m.NeighbourChanged(ts=bench.wall, mac=PHONE, ip="192.0.2.7", reachable=True),
        m.StationChanged(ts=bench.wall, mac=PHONE, joined=True),
    )
    assert [bench.rows(t) for t in ("device", "address", "evidence", "name_visit", "finding", "ledger_about")] == [
        0
    ] * 6
    assert bench.rows("outbox") == 1  # the head
    later = [bench.open(o).payload for o in bench.wait(61) if isinstance(o, m.Outbound)]
    status = only(later, BoxStatus)
    assert [tap.name for tap in status.taps] == ["dns", "keeper"]


@pytest.mark.req("R54")
def test_recording_stops_within_a_minute_of_expiry(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed(not_after=datetime.fromtimestamp(1_900_000_100.0, UTC)))
    bench.online()
    bench.give(LAPTOP, Standing.REGISTERED)
    assert bench.core._collection.mask
    sent = bench.wait(101)
    assert only(sent, m.CollectionMask).names == ()
    statuses = [bench.open(o).payload for o in sent if isinstance(o, m.Outbound)]
    status = only(statuses, BoxStatus)
    assert not status.recording
    assert "expired on" in status.authority
    assert bench.payloads(bench.sight(PHONE)) == []
    assert bench.rows("device") == 1


@pytest.mark.req("R54", "N1")
def test_setting_the_clock_back_does_not_lengthen_an_authority(make_bench: Any, signed: Any) -> None:
    end = datetime.fromtimestamp(1_900_000_100.0, UTC)
    bench = make_bench(signed(not_after=end))
    bench.online()
    bench.wait(50, wall=bench.wall - 86400)
    assert bench.payloads(bench.sight(PHONE)), "still in force: only 50 s have passed"
    bench.wait(51)
    bench.sight(TV)
    assert bench.rows("device") == 1
    # Nor does a restart with the clock set back: the floor was committed.
    bench.wait(31)
    bench.stop()
    bench.monotonic, bench.wall = 5.0, 1_900_000_000.0
    bench.start(signed(not_after=end))
    bench.online()
    bench.sight(TV)
    assert bench.rows("device") == 1


def test_times_follow_the_floor_when_the_clock_is_set_back(bench: Any) -> None:
    start = bench.wall
    bench.wait(10, wall=start - 1000)
    finding = only(bench.payloads(bench.sight(PHONE)), Finding)
    assert finding.first_seen.timestamp() == pytest.approx(start + 10)


@pytest.mark.req("R55", "R56", "R61")
def test_registering_closes_the_finding_and_opens_the_mask_in_one_turn(bench: Any) -> None:
    device = only(bench.payloads(bench.sight(LAPTOP)), Device)
    sent = bench.down(bench.command(device.device_id, Standing.REGISTERED, label="Laptop"))
    payloads = bench.payloads(sent)
    closed, now = only(payloads, Finding), only(payloads, Device)
    assert (closed.state, closed.revision) == ("closed", 2)
    assert (now.standing, now.label) == (Standing.REGISTERED, "Laptop")
    assert only(payloads, CommandResult).outcome is Outcome.APPLIED
    assert only(sent, m.CollectionMask) == m.CollectionMask(generation=1, names=(LAPTOP,), lease=30.0)
    assert only(sent, m.InboundDone).token
    # And back again: no names any more.
    sent = bench.down(bench.command(device.device_id, Standing.HOUSEHOLD))
    assert only(sent, m.CollectionMask) == m.CollectionMask(generation=2, names=(), lease=30.0)
    assert only(bench.payloads(sent), Device).label == "Laptop", "a label stays until another is given"


@pytest.mark.req("R24", "R26", "R29", "N16")
def test_a_listed_name_is_one_finding_with_its_provenance(bench: Any) -> None:
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    sent = bench.payloads(bench.look_up(LAPTOP, "www.bets.example", generation=bench.generation))
    finding = only(sent, Finding)
    assert finding.kind is FindingKind.LISTED_NAME
    assert finding.rule.clause == "4"
    hit = finding.hit
    assert (hit.name, hit.how, hit.list_id, hit.list_version, hit.entry) == (
        "www.bets.example",
        "dns",
        "gambling",
        "7",
        "bets.example",
    )
    bench.hear(Peer.COURIER, m.Credit(count=10**6))
    told: list[Finding] = []
    for _ in range(999):
        bench.wall, bench.monotonic = bench.wall + 31, bench.monotonic + 31  # further apart than one visit
        sent = bench.payloads(bench.look_up(LAPTOP, "bets.example", generation=bench.generation))
        told += [item for item in sent if isinstance(item, Finding)]
        bench.acknowledge()
    told += [item for item in bench.payloads(bench.wait(61)) if isinstance(item, Finding)]
    told = [item for item in told if item.kind is FindingKind.LISTED_NAME]
    bench.acknowledge()
    assert {item.finding_id for item in told} == {finding.finding_id}
    assert (told[-1].count, told[-1].state) == (1000, "open")
    assert len(told) <= 520, "told once a minute at most"
    assert bench.payloads(bench.wait(61)) == [], "told once"
    others = bench.payloads(bench.look_up(LAPTOP, "notbets.example", generation=bench.generation))
    assert not [item for item in others if isinstance(item, Finding)]
    assert bench.names(device_id) == {"www.bets.example": 1, "bets.example": 999, "notbets.example": 1}


@pytest.mark.req("R55", "N2")
def test_a_name_of_an_older_mask_is_dropped(bench: Any) -> None:
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    bench.look_up(LAPTOP, "early.example", generation=bench.generation - 1)
    assert bench.names(device_id) == {}
    assert bench.core._book.stray == 1


def test_quarantine_follows_the_clause_and_the_wardens_word(bench: Any) -> None:
    device = only(bench.payloads(bench.sight(PHONE)), Device)
    sent = bench.down(bench.command(device.device_id, Standing.REFUSED))
    order = only(sent, m.Enforcement)
    assert order.quarantined == (PHONE,)
    assert not only(bench.payloads(sent), Device).quarantined
    answer = m.WardenState(ts=bench.wall, generation=order.generation, applied=True)
    assert only(bench.payloads(bench.hear(Peer.WARDEN, answer)), Device).quarantined
    bench.gone(Peer.WARDEN)
    assert only(bench.connect(Peer.WARDEN), m.Enforcement) == order, "a new warden gets the whole state"
    sent = bench.down(bench.command(device.device_id, Standing.GUEST))
    assert only(sent, m.Enforcement).quarantined == ()


def test_the_mask_is_renewed_before_its_lease_ends(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    masks = [item for _ in range(60) for item in bench.wait(1) if isinstance(item, m.CollectionMask)]
    assert len(masks) == 6
    assert {mask.names for mask in masks} == {(LAPTOP,)}


def test_a_visit_ends(bench: Any) -> None:
    bench.sight(PHONE)
    device = bench.core._book.registry.by_mac(PHONE)
    until = datetime.fromtimestamp(bench.wall + 100, UTC)
    bench.down(bench.command(device.device_id, Standing.GUEST, guest_until=until))
    bench.acknowledge()
    assert bench.payloads(bench.wait(99)) == []
    assert only(bench.payloads(bench.wait(2)), Device).standing is Standing.UNKNOWN
    assert only(bench.payloads(bench.sight(PHONE)), Finding).revision == 1


@pytest.mark.req("R56")
def test_looks_come_from_how_it_asks_for_an_address(bench: Any) -> None:
    values = {
        Trait.DHCP4_HOST_NAME: "made-up-name",
        Trait.DHCP4_CLIENT_ID: "",
        Trait.DHCP4_VENDOR_CLASS: "android-dhcp-14",
        Trait.DHCP4_PARAMETERS: "1,3,6,15,26,28,51,58,59,43,114,108",
    }
    heard = [m.TraitSeen(ts=bench.wall, mac=PHONE, trait=trait, value=value) for trait, value in values.items()]
    sent = bench.payloads(bench.hear(Peer.SENSOR, *heard))
    device = only(sent, Device)
    assert device.looks_like is None, "a new device is told at once, what it looks like two seconds later"
    device = only(bench.payloads(bench.wait(2)), Device)
    assert device.looks_like.os_family == "Android"
    evidence = {piece.trait: piece for piece in bench.store.evidence.of([PHONE])}
    name = evidence[Trait.DHCP4_HOST_NAME]
    assert name.token.startswith("blind-")
    assert name.value is None, "an unregistered device's own name is not kept"
    assert evidence[Trait.DHCP4_CLIENT_ID].value == "", "seen empty"
    assert evidence[Trait.DHCP4_VENDOR_CLASS].value == "android-dhcp-14", "a habit may be read"
    bench.sight(TV)
    assert bench.store.evidence.of([TV]) == [], "never seen"


@pytest.mark.req("R59")
def test_the_notice_says_what_is_kept_in_plain_words(bench: Any, make_bench: Any) -> None:
    bench.connect(Peer.PORCH)
    notice = only(bench.hear(Peer.PORCH, m.NoticeRequest()), m.Notice)
    assert notice.recording
    assert notice.kind == "order"
    assert any("registered devices" in sentence for sentence in notice.kept)
    for word in ("DNS", "MAC", "DHCP", "TLS", "IP address"):
        assert not any(word in sentence for sentence in notice.kept)
    silent = make_bench(None)
    silent.connect(Peer.PORCH)
    nothing = only(silent.hear(Peer.PORCH, m.NoticeRequest()), m.Notice)
    assert nothing == m.Notice(recording=False, kind=None, kept=("Nothing is kept about any device.",), until=None)


def test_status_counts(bench: Any) -> None:
    bench.sight(PHONE)
    bench.connect(Peer.STATUS)
    status = only(bench.hear(Peer.STATUS, m.StatusRequest()), m.Status)
    assert (status.recording, status.devices, status.open_findings, status.outbox) == (True, 1, 1, 3)
    assert (status.broker_connected, status.sensor_connected, status.warden_connected) == (True, True, True)
    bench.gone(Peer.COURIER)
    bench.gone(Peer.WARDEN)
    status = only(bench.hear(Peer.STATUS, m.StatusRequest()), m.Status)
    assert (status.broker_connected, status.sensor_connected, status.warden_connected) == (False, True, False)


def test_frames_nobody_sends_and_the_other_side_are_no_devices(bench: Any) -> None:
    bench.sight("01:00:5e:00:00:fb")
    bench.sight("00:00:00:00:00:00")
    bench.hear(Peer.SENSOR, m.Sighting(ts=bench.wall, mac=TV, via=m.Via.ARP, side=m.Side.WAN))
    bench.hear(Peer.WARDEN, m.NeighbourChanged(ts=bench.wall, mac=TV, ip="192.0.2.9", reachable=False))
    assert bench.rows("device") == 0


def test_a_peer_that_sends_another_rooms_message_is_counted(bench: Any) -> None:
    bench.hear(Peer.SENSOR, m.Credit(count=1))
    bench.hear(Peer.WARDEN, m.Sighting(ts=bench.wall, mac=TV, via=m.Via.ARP))
    bench.hear(Peer.COURIER, m.Sighting(ts=bench.wall, mac=TV, via=m.Via.ARP))
    assert bench.rows("device") == 0
    assert bench.core._health.overflow == 3


def test_everything_is_there_after_a_restart(bench: Any, signed: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    bench.sight(PHONE)
    generation = bench.generation
    bench.stop()
    bench.monotonic = 3.0
    bench.start(signed())
    bench.connect(Peer.COURIER)
    masks = bench.connect(Peer.SENSOR)
    assert only(masks, m.CollectionMask) == m.CollectionMask(generation=generation, names=(LAPTOP,), lease=30.0)
    sent = bench.payloads(bench.hear(Peer.COURIER, m.Credit(count=100)))
    assert {type(item) for item in sent} == {Finding, Device, CommandResult}
    assert bench.payloads(bench.sight(PHONE)) == [], "known already"


@pytest.mark.req("R53")
def test_an_invalid_new_file_does_not_replace_a_valid_one(bench: Any, signed: Any) -> None:
    bench.wait(5)
    sent = bench.document(signed(number=2, key=Ed25519PrivateKey.generate()))
    status = bench.open(only(sent, m.Outbound)).payload
    assert status.recording
    assert "A newer file was refused: the signature does not hold" in status.authority
    # Also after a restart that finds only the bad file.
    bench.stop()
    bench.monotonic = 3.0
    bench.start(b"{}")
    bench.online()
    assert only(bench.payloads(bench.sight(PHONE)), Finding)


@pytest.mark.req("R54")
def test_taking_the_file_away_stops_the_recording(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    sent = bench.document(None)
    assert only(sent, m.CollectionMask).names == ()
    assert bench.payloads(bench.sight(PHONE)) == []
    assert bench.rows("device") == 1


@pytest.mark.req("R54")
def test_what_comes_after_the_end_is_not_recorded_also_between_two_ticks(make_bench: Any, signed: Any) -> None:
    bench = make_bench(signed(not_after=datetime.fromtimestamp(1_900_000_100.0, UTC)))
    bench.online()
    bench.monotonic += 100
    bench.wall += 100
    assert bench.payloads(bench.sight(PHONE)) == []
    assert bench.rows("device") == 0


def test_the_wardens_failure_and_a_ports_news_record_nothing(bench: Any) -> None:
    device = only(bench.payloads(bench.sight(PHONE)), Device)
    order = only(bench.down(bench.command(device.device_id, Standing.REFUSED)), m.Enforcement)
    bench.hear(
        Peer.WARDEN,
        m.WardenState(ts=bench.wall, generation=order.generation, applied=False, detail="made up"),
        m.WardenState(ts=bench.wall, generation=order.generation - 1, applied=True),
        m.LinkChanged(ts=bench.wall, interface="lan1", up=True),
        m.DeviceVolume(ts=bench.wall, mac=PHONE, up=10),
    )
    bench.hear(Peer.SENSOR, m.SensorStarted(ts=bench.wall, taps=("dns",)))
    assert not bench.core._book.registry.by_mac(PHONE).quarantined


def test_a_message_that_goes_up_is_nothing_for_a_box(bench: Any) -> None:
    result = CommandResult(command_id="c-1", outcome=Outcome.APPLIED, at=datetime.fromtimestamp(bench.wall, UTC))
    assert bench.down(result) == [m.InboundDone(token=1)]
    assert bench.core._health.refused_inbound == 1


@pytest.mark.req("R11", "R12")
@pytest.mark.parametrize("how", ["neighbour", "station"])
def test_the_warden_shows_a_device_too(bench: Any, how: str) -> None:
    news: m.Message = m.StationChanged(ts=bench.wall, mac=PHONE, joined=True)
    if how == "neighbour":
        news = m.NeighbourChanged(ts=bench.wall, mac=PHONE, ip="192.0.2.7", reachable=True)
    payloads = bench.payloads(bench.hear(Peer.WARDEN, news))
    assert only(payloads, Finding).reasons[1] == "It was first seen when it connected."
    assert "192.0.2.7" not in only(payloads, Device).model_dump_json()


@pytest.mark.req("R53", "R54", "N1")
def test_a_withdrawn_authority_does_not_come_back_with_a_file_that_does_not_count(bench: Any, signed: Any) -> None:
    bench.document(None)
    for raw in (b"no document", signed(number=9, site="box-2"), signed(number=2, key=Ed25519PrivateKey.generate())):
        bench.document(raw)
        assert "does not count" in bench.core._judgement.sentence
        bench.stop()
        bench.start(raw)
        bench.online()
        assert bench.payloads(bench.sight(PHONE)) == [], "nor after a restart"
    tomorrow = datetime.fromtimestamp(bench.wall + 3600, UTC)
    bench.document(signed(number=2, not_before=tomorrow))
    assert bench.payloads(bench.sight(PHONE)) == [], "nor while a variation waits for its day"
    bench.document(signed())
    assert "refused" in bench.core._judgement.sentence, "what is older than the variation stays away"
    bench.document(signed(number=3))
    assert bench.payloads(bench.sight(PHONE))
