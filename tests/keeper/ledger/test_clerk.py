from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.keeper.ledger.clerk import Clerk, Facts
from appliance.keeper.ledger.hourly import HOUR
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from wire.authority import Authority
from wire.ledger import RecordKind, Stamp


class Office:
    """A clerk and the turns it is given."""

    def __init__(self, path: Path, identity: Identity, make_stamp: Callable[..., Stamp]) -> None:
        self.store = Store(path)
        self.clerk = Clerk(self.store, identity)
        self._make_stamp = make_stamp

    def turn(self, seconds: float, authority: Authority | None = None, **changes: Any) -> None:
        fields: dict[str, Any] = {
            "authority": authority,
            "processes": frozenset({"sensor", "courier"}),
            "server": True,
            "reports": (),
            "overflow": 0,
            "devices": (),
            "lists": lambda: {"gambling": "v1"},
        }
        with self.store.transaction():
            self.clerk.begin(self._make_stamp(seconds))
            self.clerk.tick(Facts(**(fields | changes)), seconds)

    def stop(self, seconds: float) -> None:
        with self.store.transaction():
            self.clerk.stopping(self._make_stamp(seconds), seconds)
        self.store.close()

    def events(self) -> list[dict[str, Any]]:
        ledger = self.store.ledger
        rows = [row for row in ledger.log.rows(0, ledger.size - 1) if row.kind is RecordKind.COVERAGE]
        return [json.loads(found[1]) for row in rows if (found := ledger.body(row)) is not None]


@pytest.fixture
def identity() -> Identity:
    server = Ed25519PrivateKey.generate()
    return Identity(
        tenant="force-a",
        site="box-1",
        signer=Ed25519PrivateKey.generate(),
        opener=X25519PrivateKey.generate(),
        server_verify=(server.public_key(),),
        server_seal=X25519PrivateKey.generate().public_key(),
    )


@pytest.mark.req("N4")
def test_starts_stops_and_what_lay_between_are_recorded(
    store_path: Path, identity: Identity, make_stamp: Callable[..., Stamp]
) -> None:
    office = Office(store_path, identity, make_stamp)
    office.turn(0)
    office.clerk.event("port", name="lan0", up=False)
    office.turn(5)
    office.stop(10)
    office = Office(store_path, identity, make_stamp)
    office.turn(100)
    office.store.close()  # the power is cut
    office = Office(store_path, identity, make_stamp)
    office.turn(200)
    told = office.events()
    assert [event["event"] for event in told] == [
        "first-start",
        "began",
        "port",
        "hour",
        "stopped",
        "started",
        "began",
        "started",
        "began",
    ]
    assert told[2] == {"event": "port", "name": "lan0", "up": False}
    starts = [event for event in told if event["event"] == "started"]
    assert [(start["ordered"], start["same_run"]) for start in starts] == [(True, True), (False, True)]
    assert starts[0]["after_ms"] == make_stamp(10).wall_ms
    assert office.store.ledger.log.heads()  # what was written before the stop was signed for
    office.store.close()


@pytest.mark.req("N4")
@pytest.mark.req("R68")
def test_every_hour_is_closed_once_also_over_a_restart(
    store_path: Path, identity: Identity, make_stamp: Callable[..., Stamp]
) -> None:
    office = Office(store_path, identity, make_stamp)
    for seconds in (0, 1, HOUR - 1, HOUR, HOUR + 1):
        office.turn(seconds)
    office.store.close()
    office = Office(store_path, identity, make_stamp)
    for seconds in (HOUR + 5, 2 * HOUR, 2 * HOUR + 5):
        office.turn(seconds)
    hours = [(event["from_ms"], event["until_ms"]) for event in office.events() if event["event"] == "hour"]
    assert hours == [
        (make_stamp(0).wall_ms, make_stamp(HOUR).wall_ms),
        (make_stamp(HOUR + 5).wall_ms, make_stamp(2 * HOUR).wall_ms),
    ]
    office.store.close()


@pytest.mark.req("N4")
def test_a_change_of_what_is_in_force_is_recorded_in_the_turn_in_which_it_happens(
    store_path: Path, identity: Identity, make_stamp: Callable[..., Stamp], make_authority: Callable[..., Authority]
) -> None:
    office = Office(store_path, identity, make_stamp)
    office.turn(0)
    office.turn(0.1, make_authority())
    office.turn(0.2)
    changes = [(event["what"], event["now"]) for event in office.events() if event["event"] == "changed"]
    assert changes == [
        ("recording", True),
        ("authority", "authority-1 1"),
        ("recording", False),
        ("authority", ""),
    ]
    office.store.close()


@pytest.mark.req("R68")
@pytest.mark.req("R54")
def test_a_clock_that_was_years_ahead_holds_no_hour_open(
    store_path: Path, identity: Identity, make_stamp: Callable[..., Stamp]
) -> None:
    office = Office(store_path, identity, make_stamp)
    office.turn(0)
    office.turn(10 * 365 * 24 * HOUR)
    office.store.close()
    office = Office(store_path, identity, make_stamp)  # the right time is known now
    for seconds in (60, HOUR, HOUR + 1):
        office.turn(seconds)
    (last, *_) = [event for event in reversed(office.events()) if event["event"] == "hour"]
    assert (last["from_ms"], last["until_ms"]) == (make_stamp(60).wall_ms, make_stamp(HOUR).wall_ms)
    office.store.close()
