from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.store.sealed import Sealed
from appliance.signals import Signal
from wire.authority import CollectClause, DataClass, ListsClause
from wire.base import Standing
from wire.findings import FindingKind
from wire.ledger import ClockState

LAPTOP, PHONE = "00:00:5e:00:53:01", "02:00:00:00:00:02"


def status_of(bench: Any) -> Any:
    return bench.core._counsel.standing(bench.wall)


@pytest.mark.req("R54", "N1")
def test_what_is_heard_before_the_time_is_known_is_sealed_and_then_released_in_order(served: Any) -> None:
    bench = served.bench
    bench.sight(LAPTOP)
    served.wait(30.0)
    bench.sight(PHONE)
    assert bench.rows("device") == 0
    assert status_of(bench)["sealed"] == 2
    assert status_of(bench)["clock"] is ClockState.FREE
    served.wait(31.0)
    served.answer()
    devices = {device.addresses[0].mac: device for device in bench.store.devices.all()}
    assert set(devices) == {LAPTOP, PHONE}
    assert devices[LAPTOP].first_seen == pytest.approx(served.true - 61.0, abs=0.1)
    assert devices[PHONE].first_seen == pytest.approx(served.true - 31.0, abs=0.1)
    assert status_of(bench)["sealed"] == 0
    assert status_of(bench)["clock"] is ClockState.AUTHENTICATED
    bench.sight("02:00:00:00:00:03")
    assert bench.rows("device") == 3, "and what comes now is recorded at once"


@pytest.mark.req("R54", "R55")
def test_nobody_at_the_box_can_read_what_is_sealed(served: Any) -> None:
    bench = served.bench
    bench.hear(Peer.SENSOR, m.Sighting(ts=bench.wall, mac=PHONE, via=m.Via.DHCP))
    everything = b"".join(path.read_bytes() for path in bench.path.parent.iterdir() if path.is_file())
    assert PHONE.encode() not in everything
    assert b"sighting" not in everything
    sealing = bench.core._counsel.sealing
    assert sealing._private is None
    assert sealing.key is not None


@pytest.mark.req("R54", "N4")
def test_what_cannot_be_shown_to_be_within_the_authority_is_destroyed_unread_and_counted(
    make_served: Any, signed: Any
) -> None:
    """The wall clock says it is valid; the server says that it had ended in the middle of what was sealed."""
    served = make_served(signed(not_after=datetime.fromtimestamp(1_900_000_000 + 100_050, UTC)))
    bench = served.bench
    served.true += 100_000  # the wall clock is behind by that much
    served.online()
    bench.sight(LAPTOP)
    served.wait(60.0)
    bench.sight(PHONE)
    served.wait(60.0)
    told = bench.law(served.answer()) + bench.law(served.wait(1.0))
    assert {device.addresses[0].mac for device in bench.store.devices.all()} == {LAPTOP}
    dropped = [each for each in told if each.kind is FindingKind.RECORDS_DROPPED]
    assert [each.count for each in dropped] == [1]
    assert "destroyed unread" in dropped[0].reasons[0]
    assert len(bench.store.sealed) == 0
    assert bench.core._judgement.scope is None


@pytest.mark.req("R54")
def test_another_run_of_the_machine_has_no_key_to_it(served: Any, signed: Any) -> None:
    bench = served.bench
    bench.sight(LAPTOP)
    served.restart(signed(), boot="cd34")
    assert len(bench.store.sealed) == 0
    served.online()
    served.wait(70.0)
    told = bench.law(served.answer()) + bench.law(served.wait(1.0))
    assert bench.rows("device") == 0
    assert [each.count for each in told if each.kind is FindingKind.RECORDS_DROPPED] == [1]


@pytest.mark.req("R54")
def test_a_restart_of_the_keeper_alone_loses_nothing_of_what_is_sealed(served: Any, signed: Any) -> None:
    bench = served.bench
    bench.sight(LAPTOP)
    served.restart(signed())
    bench.sight(PHONE)
    served.online()
    bench.sight("02:00:00:00:00:03")
    served.wait(70.0)
    served.answer()
    assert bench.rows("device") == 3


@pytest.mark.req("R54")
def test_what_the_server_cannot_open_is_gone(served: Any) -> None:
    bench = served.bench
    bench.sight(LAPTOP)
    served.wait(70.0)
    served.answer(key=None)
    assert len(bench.store.sealed) == 0
    bench.sight(PHONE)
    assert {device.addresses[0].mac for device in bench.store.devices.all()} == {PHONE}


@pytest.mark.req("R54", "N4")
def test_what_finds_no_room_is_counted(served: Any) -> None:
    bench = served.bench
    bench.store.sealed._most_rows = 4
    for number in range(5):
        bench.sight(f"02:00:00:00:01:{number:02x}")
    assert bench.core._counsel.sealing.overflow == 3
    served.wait(70.0)
    told = bench.law(served.answer()) + bench.law(served.wait(1.0))
    assert bench.rows("device") == 2
    assert [each.count for each in told if each.kind is FindingKind.RECORDS_DROPPED] == [3]


@pytest.mark.req("R54")
def test_names_and_signals_are_released_though_the_mask_is_on_by_then(
    make_served: Any, signed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes several turns, the keeper starts anew between, and the authority has ended meanwhile."""
    both = (DataClass.PRESENCE, DataClass.LIST_HITS, DataClass.SIGNS)
    clauses = (
        CollectClause(number="1", standings=(Standing.REGISTERED,), classes=both),
        CollectClause(number="2", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),
        ListsClause(number="3", standings=(Standing.REGISTERED,), lists=("gambling",)),
    )
    document = signed(clauses=clauses, not_after=datetime.fromtimestamp(1_900_000_600, UTC))
    served = make_served(document)
    bench = served.bench
    served.online()
    served.answer()
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    served.restart(document, boot="cd34")
    served.online()
    monkeypatch.setattr("appliance.keeper.law.sealing.RELEASE_ROWS", 1)
    for name in ("bets.example", "www.bets.example"):
        bench.look_up(LAPTOP, name, generation=bench.generation)
    signal = m.SignalSeen(
        ts=bench.wall, since=bench.wall, mac=LAPTOP, signal=Signal.SOCKS, value="5", generation=bench.generation
    )
    bench.hear(Peer.SENSOR, signal)
    bench.look_up(PHONE, "bets.example", generation=bench.generation)
    assert len(bench.store.sealed) == 3, "what may not leave the sensor is not sealed either"
    served.restart(document)
    served.online()
    served.wait(700.0)
    served.answer()
    served.wait(1.0)
    served.wait(1.0)
    assert bench.core._judgement.scope is None
    assert set(bench.names(device_id)) == {"bets.example", "www.bets.example"}
    assert bench.core._book.stray == 0
    assert len(bench.store.records.of([LAPTOP], since=0, most=9)) == 1


@pytest.mark.req("R54", "N1")
def test_a_clock_set_past_the_end_does_not_keep_names_from_being_sealed(served: Any, signed: Any) -> None:
    bench = served.bench
    served.answer()
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    bench.give(PHONE, Standing.REFUSED)
    served.wait(31.0)
    assert bench.core._collection.enforcement.quarantined == (PHONE,)
    served.restart(signed(), boot="cd34")
    served.online()
    served.wait(1.0, wall=bench.wall + 2 * 86_400)
    assert bench.core._judgement.scope is None
    assert bench.core._collection.enforcement.quarantined == (), "what may have ended holds nobody back"
    bench.look_up(LAPTOP, "bets.example", generation=bench.generation)
    served.answer()
    served.restart(signed())
    served.online()
    served.wait(1.0)
    served.answer()
    assert set(bench.names(device_id)) == {"bets.example"}


@pytest.mark.req("R54", "N4")
def test_half_of_the_room_is_for_devices_on_the_register(served: Any, signed: Any) -> None:
    bench = served.bench
    served.answer()
    bench.sight(LAPTOP)
    bench.give(LAPTOP, Standing.REGISTERED)
    served.restart(signed(), boot="cd34")
    served.online()
    bench.store.sealed._most_rows = 4
    for number in range(5):
        bench.sight(f"02:00:00:00:01:{number:02x}")
    bench.sight(LAPTOP)
    bench.sight(LAPTOP)
    assert (len(bench.store.sealed), bench.core._counsel.sealing.overflow) == (4, 3)
    served.wait(70.0)
    served.answer()
    assert bench.rows("device") == 3, "the laptop, and two that nobody knows"
    assert bench.device(LAPTOP).last_seen == pytest.approx(served.true - 70.0, abs=0.1)


@pytest.mark.req("R54", "N4")
def test_what_another_version_sealed_is_counted_and_holds_nothing_up(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = served.bench
    with monkeypatch.context() as patched:
        patched.setattr("appliance.keeper.law.sealing.m.encode", lambda _batch: b'[["of another version"]]')
        bench.sight(LAPTOP)
    bench.sight(PHONE)
    served.wait(70.0)
    told = bench.law(served.answer()) + bench.law(served.wait(1.0))
    assert {device.addresses[0].mac for device in bench.store.devices.all()} == {PHONE}
    assert [each.count for each in told if each.kind is FindingKind.RECORDS_DROPPED] == [1]


@pytest.mark.req("R54")
def test_a_withdrawal_destroys_what_is_sealed(served: Any) -> None:
    bench = served.bench
    bench.sight(LAPTOP)
    bench.document(None)
    served.wait(70.0)
    served.answer()
    assert bench.rows("device") == 0
    assert len(bench.store.sealed) == 0


def test_the_store_of_sealed_rows_is_bounded_in_octets(served: Any) -> None:
    sealed = Sealed(served.bench.store._db, rows=10, octets=100)
    with served.bench.store.transaction():
        assert sealed.add(boot="ab12", monotonic=1.0, observations=2, body=b"x" * 60)
        assert not sealed.add(boot="ab12", monotonic=2.0, observations=1, body=b"x" * 60)
        assert sealed.remove_others("cd34") == 2
    assert len(sealed) == 0
    with served.bench.store.transaction():
        for number in range(3):
            assert sealed.add(boot="ab12", monotonic=1.0, observations=2, body=b"x" * 30)
            assert sealed.half_full is (number > 0)
        sealed.remove(sealed.first(2)[-1].n)
        assert (len(sealed), sealed.half_full) == (2, False)
        assert sealed.add(boot="ab12", monotonic=1.0, observations=2, body=b"x" * 70), "there is room again"
