from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from dashboard.broker.control import ControlError
from dashboard.enrol.desk import revoke
from dashboard.enrol.following import AT_ONCE, PAUSE, Broker, Following
from dashboard.store import relays, schema

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


class Doors:
    """A broker that notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.closed = False

    def note(self, what: str, site: str) -> None:
        if self.closed:
            raise ControlError("no broker")
        self.told.append(f"{what} {site}")

    def broker(self) -> Broker:
        return Broker(let_in=lambda site: self.note("in", site), cut_off=lambda site: self.note("out", site))


@pytest.fixture
def doors() -> Doors:
    return Doors()


def _following(station: Any, doors: Doors) -> Following:
    return Following(station.engine, tenant="example", broker=doors.broker(), enroller=station.enroller)


@pytest.mark.req("R69", "N3")
def test_whoever_revokes_a_box_the_broker_is_told_once(station: Any, new_box: Any, doors: Doors) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    following = _following(station, doors)
    assert following.look(NOW) == 0
    assert revoke(station.engine, site="box-1", by="officer-1", now=NOW)
    assert following.look(NOW + 2) == 1
    assert following.look(NOW + 4) == 0
    assert doors.told == ["out box-1"]
    assert station.audited()[-1] == ("broker-access", "box-1", "cut off")
    with station.engine.begin() as connection:
        assert connection.execute(select(schema.box_access.c.cut_at)).scalar() == NOW + 2
        connection.execute(update(schema.site).values(revoked_at=None))  # as when the box is replaced
    assert following.look(NOW + 6) == 1
    assert doors.told == ["out box-1", "in box-1"]
    assert following.look(NOW + 8) == 0
    assert revoke(station.engine, site="box-1", by="officer-1", now=NOW + 9)
    assert following.look(NOW + 10) == 1


def test_a_broker_that_is_away_is_asked_again_after_a_while(station: Any, new_box: Any, doors: Doors) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    following = _following(station, doors)
    revoke(station.engine, site="box-1", by=None, now=NOW)
    doors.closed = True
    assert following.look(NOW + 1) == 0
    doors.closed = False
    assert following.look(NOW + 2) == 0, "not at once"
    assert following.look(NOW + 1 + PAUSE + 0.1) == 1
    doors.closed = True
    revoke(station.engine, site="box-1", by=None, now=NOW)
    assert following.look(NOW - 3600) == 0, "a clock that was set back holds nothing up"


def test_so_many_a_look_and_no_more(station: Any, new_box: Any, doors: Doors) -> None:
    for number in range(AT_ONCE + 3):
        box = new_box(site=f"box-{number}")
        station.stock(box)
        station.claim(box)
        revoke(station.engine, site=box.site, by=None, now=NOW)
    following = _following(station, doors)
    assert [following.look(NOW + number) for number in range(3)] == [AT_ONCE, 3, 0]


@pytest.mark.req("R5")
def test_what_a_telephone_brought_is_answered_with_the_same_checks(station: Any, new_box: Any, doors: Doors) -> None:
    box, other = new_box(site="box-1"), new_box(site="box-2")
    for one in (box, other):
        station.stock(one)
    install_id = station.claim(box)
    following = _following(station, doors)

    def carry(raw: bytes) -> relays.Relay:
        with station.engine.begin() as connection:
            relays.ask(connection, install_id, raw.decode(), by="officer-1", now=NOW)
        assert following.look(NOW + 1) == 1
        with station.engine.connect() as connection:
            held = relays.relay_of(connection, install_id)
        assert held is not None
        return held

    held = carry(box.request(at=NOW - 900 * 86400))
    assert (held.state, held.answered_at) == ("done", NOW + 1)
    assert held.answer is not None
    assert station.enroller is not None
    assert station.let_in == ["box-1"]
    held = carry(other.request())
    assert (held.state, held.says, held.answer) == ("unclaimed", "waiting to be claimed", None)
    held = carry(b"nothing")
    assert (held.state, held.answer) == ("refused", None)
    assert following.look(NOW + 2) == 0


def test_without_a_broker_or_an_enroller_there_is_nothing_to_do(station: Any) -> None:
    assert Following(station.engine, tenant="example", broker=None, enroller=None).look(NOW) == 0


@pytest.mark.req("N3")
@pytest.mark.parametrize("trouble", [OperationalError("select", None, Exception("away")), ValueError("stored wrongly")])
def test_whatever_goes_wrong_with_a_telephones_request_the_revoked_are_cut_off(
    station: Any, new_box: Any, doors: Doors, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    box = new_box(site="box-1")
    station.stock(box)
    station.claim(box)
    following, rounds = _following(station, doors), 0

    def carried(_now: float) -> int:
        raise trouble

    def wait(_seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        revoke(station.engine, site="box-1", by=None, now=NOW)

    monkeypatch.setattr(following, "_carried", carried)
    following.run(lambda: rounds >= 3, wait, lambda: NOW, 2.0)
    assert doors.told == ["out box-1"]
