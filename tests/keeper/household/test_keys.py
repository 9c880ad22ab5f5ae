from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from wire.base import Standing
from wire.findings import Finding
from wire.models import CommandResult, Device, JoinedBy, Outcome
from wire.orders import BindPassphrase, SplitDevice

OLD, NEW, OTHER = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"


def of(kind: type, items: list[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def outcome(bench: Any, body: Any) -> CommandResult:
    (result,) = of(CommandResult, bench.payloads(bench.order(body)))
    return result


@pytest.fixture
def owner(bench: Any) -> str:
    """A registered phone with a passphrase of its own, away by now."""
    bench.station(OLD, "key-7")
    device_id = str(bench.device(OLD).device_id)
    bench.down(bench.command(device_id, Standing.REGISTERED, label="Phone"))
    bench.station(OLD, joined=False)
    bench.wait(60)
    bench.acknowledge()
    return device_id


@pytest.mark.req("N9", "R7")
def test_a_standing_makes_the_passphrase_the_devices_own(bench: Any) -> None:
    bench.station(OLD, "key-7")
    device = bench.device(OLD)
    sent = bench.payloads(bench.down(bench.command(device.device_id, Standing.REGISTERED)))
    assert of(Device, sent)[-1].key_id == "key-7"
    assert bench.store.kinship.passphrases().get("key-7").device_id == device.device_id


@pytest.mark.parametrize(("standing", "key"), [(Standing.GUEST, "key-7"), (Standing.REGISTERED, "household")])
def test_a_guest_owns_no_passphrase_and_nobody_owns_everybodys(bench: Any, standing: Standing, key: str) -> None:
    bench.station(OLD, key)
    bench.down(bench.command(bench.device(OLD).device_id, standing))
    assert len(bench.store.kinship.passphrases()) == 0


@pytest.mark.req("R17", "N8", "N9")
@pytest.mark.parametrize("frame_first", [False, True])
def test_a_new_address_with_its_passphrase_is_the_device(bench: Any, owner: str, *, frame_first: bool) -> None:
    """Also when the first frame is heard some milliseconds before the access point's word."""
    if frame_first:
        assert bench.payloads(bench.sight(NEW)) == [], "nobody is told of a device that may be known"
        bench.wait(0.01)
    sent = bench.payloads(bench.station(NEW, "key-7"))
    assert bench.device(NEW).device_id == owner
    assert of(Finding, sent) == []
    (told,) = {item.device_id: item for item in of(Device, sent)}.values()
    assert [(item.mac, item.joined_by) for item in told.addresses] == [(OLD, None), (NEW, JoinedBy.KEY)]
    assert [item.rotating for item in told.addresses] == [True, True]
    assert NEW in bench.core._collection.mask, "the mask follows"
    assert bench.rows("device") == 1
    later = bench.payloads(bench.wait(3)) + bench.payloads(bench.sight(NEW))
    assert of(Finding, later) == []


@pytest.mark.req("R11")
def test_one_that_waits_is_told_when_its_time_is_over(bench: Any, owner: str) -> None:
    assert bench.payloads(bench.sight(NEW)) == []
    heard = bench.wall
    assert bench.payloads(bench.wait(1.9)) == []
    sent = bench.payloads(bench.wait(0.2))
    (finding,) = of(Finding, sent)
    assert finding.first_seen.timestamp() == heard
    assert of(Device, sent)[-1].device_id == finding.device_id != owner


def test_one_that_waited_when_the_power_went_is_told_after(bench: Any, signed: Any, owner: str) -> None:
    bench.sight(NEW)
    assert bench.device(NEW).device_id != owner
    bench.stop()
    bench.start(signed())
    bench.online()
    bench.wait(0.1)
    assert bench.open_kinds(NEW) == ["unregistered-device"]


def test_only_so_many_wait(bench: Any, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.keeper.household.arrivals.MAX_WAITING", 1)
    assert owner
    bench.sight(NEW)
    assert of(Finding, bench.payloads(bench.sight(OTHER))), "told at once"
    assert bench.core._book._arrivals.overflow == 1


@pytest.mark.req("R11")
def test_nobody_waits_while_everybody_is_home(bench: Any, owner: str) -> None:
    bench.station(OLD, "key-7")
    assert owner
    assert of(Finding, bench.payloads(bench.sight(NEW)))


@pytest.mark.req("N9")
def test_one_passphrase_on_two_devices_is_a_finding(bench: Any, owner: str) -> None:
    bench.station(OLD, "key-7")
    sent = bench.payloads(bench.station(NEW, "key-7"))
    shared = [item for item in of(Finding, sent) if item.kind.value == "passphrase-shared"]
    assert len(shared) == 1
    device = bench.device(NEW)
    assert shared[0].device_id == device.device_id != owner
    assert (device.standing, device.addresses[0].joined_by) == (Standing.UNKNOWN, None)
    assert NEW not in bench.core._collection.mask
    assert "Phone" in shared[0].reasons[0]
    bench.station(NEW, joined=False)
    bench.wait(60)
    again = bench.payloads(bench.station(NEW, "key-7"))
    assert {item.revision for item in of(Finding, again) if item.kind.value == "passphrase-shared"} == {2}


@pytest.mark.req("N8", "N9")
def test_one_that_was_not_seen_to_leave_was_one_device_after_all(bench: Any, owner: str) -> None:
    bench.station(OLD, "key-7")
    bench.wait(200)
    bench.station(NEW, "key-7")
    assert bench.open_kinds(NEW) == ["passphrase-shared", "unregistered-device"]
    bench.wait(200)
    bench.sight(NEW)
    bench.station(OLD, joined=False)  # the access point notices that it was silent all the while
    assert bench.device(NEW).device_id == owner
    assert bench.store.findings.open_count() == 0


@pytest.mark.req("N9")
def test_one_that_spoke_after_is_another(bench: Any, owner: str) -> None:
    bench.station(OLD, "key-7")
    bench.station(NEW, "key-7")
    bench.wait(5)
    bench.sight(OLD)
    bench.station(OLD, joined=False)
    assert bench.device(NEW).device_id != owner
    assert "passphrase-shared" in bench.open_kinds(NEW)


@pytest.mark.req("N9", "R23")
def test_a_visitors_passphrase_past_its_date(bench: Any) -> None:
    until = datetime.fromtimestamp(bench.wall + 100, UTC)
    order = BindPassphrase(key_id="visit-1", purpose="guest", until=until)
    assert outcome(bench, order).outcome is Outcome.APPLIED
    bench.station(NEW, "visit-1")
    assert bench.open_kinds(NEW) == ["unregistered-device"]
    bench.station(NEW, joined=False)
    bench.wait(101)
    sent = bench.payloads(bench.station(NEW, "visit-1"))
    assert [item.kind.value for item in of(Finding, sent)] == ["passphrase-ended"]
    assert "UTC" in of(Finding, sent)[0].reasons[1]


@pytest.mark.req("N9")
def test_a_key_without_a_device_goes_to_the_first(bench: Any) -> None:
    outcome(bench, BindPassphrase(key_id="key-9", purpose="device"))
    bench.station(NEW, "key-9")
    assert bench.store.kinship.passphrases().get("key-9").device_id == bench.device(NEW).device_id
    bench.station(NEW, joined=False)
    bench.wait(40)
    bench.station(OTHER, "key-9")
    assert bench.device(OTHER).device_id == bench.device(NEW).device_id


def test_what_cannot_be_bound_is_refused(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = outcome(bench, BindPassphrase(key_id="key-9", purpose="device", device_id="d-nobody"))
    assert refused.detail == "The box does not know this device."
    monkeypatch.setattr("appliance.keeper.devices.passphrases.MAX_KEYS", 1)
    assert outcome(bench, BindPassphrase(key_id="key-1", purpose="household")).outcome is Outcome.APPLIED
    assert "more passphrases" in outcome(bench, BindPassphrase(key_id="key-2", purpose="household")).detail


@pytest.mark.req("N8")
def test_what_a_person_took_out_does_not_come_back_by_its_passphrase(bench: Any, owner: str) -> None:
    bench.station(NEW, "key-7")
    assert outcome(bench, SplitDevice(device_id=owner, macs=(NEW,))).outcome is Outcome.APPLIED
    device = bench.device(NEW)
    assert (device.device_id != owner, device.standing) == (True, Standing.UNKNOWN)
    bench.station(NEW, joined=False)
    bench.wait(60)
    bench.station(NEW, "key-7")
    assert bench.device(NEW).device_id == device.device_id
    assert "passphrase-shared" in bench.open_kinds(NEW)


@pytest.mark.req("N9")
def test_bindings_survive_a_restart(bench: Any, signed: Any, owner: str) -> None:
    bench.stop()
    bench.start(signed())
    bench.online()
    bench.hear(Peer.WARDEN, m.StationChanged(ts=bench.wall, mac=NEW, joined=True, key_id="key-7"))
    assert bench.device(NEW).device_id == owner


@pytest.mark.req("R47", "N9")
def test_a_known_device_with_anothers_passphrase_stays_itself(bench: Any, owner: str) -> None:
    tablet = bench.give(OTHER, Standing.HOUSEHOLD)
    bench.station(OTHER, "key-7")
    assert bench.device(OTHER).device_id == tablet != owner
    assert bench.open_kinds(OTHER) == ["passphrase-shared"]


def _shared(bench: Any) -> str:
    """Two devices at home with one passphrase; the second one's id."""
    bench.station(OLD, "key-7")
    sent = bench.payloads(bench.station(NEW, "key-7"))
    assert {item.key_id for item in of(Finding, sent) if item.kind.value == "passphrase-shared"} == {"key-7"}
    return str(bench.device(NEW).device_id)


@pytest.mark.req("N9")
@pytest.mark.parametrize(
    ("purpose", "whose", "answered"),
    [("household", "", True), ("device", "nobody", True), ("device", "second", True), ("device", "owner", False)],
)
def test_saying_what_a_shared_passphrase_is_for_answers_the_finding(
    bench: Any, owner: str, purpose: Any, whose: str, *, answered: bool
) -> None:
    second = _shared(bench)
    device_id = {"second": second, "owner": owner}.get(whose)
    result = outcome(bench, BindPassphrase(key_id="key-7", purpose=purpose, device_id=device_id))
    assert result.outcome is Outcome.APPLIED
    assert ("passphrase-shared" not in bench.open_kinds(NEW)) is answered


@pytest.mark.req("N9", "R7")
def test_saying_whose_the_second_device_is_answers_the_finding_until_it_joins_so_again(bench: Any, owner: str) -> None:
    second = _shared(bench)
    assert owner
    bench.down(bench.command(second, Standing.HOUSEHOLD, label="Tablet"))
    assert bench.open_kinds(NEW) == []
    bench.station(NEW, joined=False)
    bench.wait(60)
    bench.station(NEW, "key-7")
    assert bench.open_kinds(NEW) == ["passphrase-shared"]


@pytest.mark.req("N9", "R23")
@pytest.mark.parametrize(("days", "answered"), [(3, True), (-1, False)])
def test_a_longer_visit_answers_a_passphrase_past_its_date(bench: Any, days: int, *, answered: bool) -> None:
    ended = datetime.fromtimestamp(bench.wall + 60, UTC)
    outcome(bench, BindPassphrase(key_id="visit-1", purpose="guest", until=ended))
    bench.wait(120)
    bench.station(NEW, "visit-1")
    assert "passphrase-ended" in bench.open_kinds(NEW)
    until = datetime.fromtimestamp(bench.wall + days * 86400, UTC)
    outcome(bench, BindPassphrase(key_id="visit-1", purpose="guest", until=until))
    assert ("passphrase-ended" not in bench.open_kinds(NEW)) is answered
