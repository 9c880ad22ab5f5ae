"""Erasing what was recorded of a device: whichever address it had, and whatever of it waits to be sent (R65)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.law.retention import DAY
from appliance.keeper.now import Now
from appliance.keeper.peers import Peer
from appliance.messages import BrokerState
from wire.acts import EraseRecords
from wire.authority import CollectClause, DataClass, ListsClause, RegisterClause
from wire.base import Standing
from wire.models import CommandResult, JoinedBy, Outcome

OWN, EARLIER, OTHER = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
CANARY = b"quillfeather"
CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
    RegisterClause(number="2"),
    CollectClause(number="3", standings=(Standing.REGISTERED,), classes=tuple(DataClass)),
    ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling",)),
)


@pytest.fixture
def keeper(make_bench: Callable[..., Any], signed: Callable[..., bytes]) -> Any:
    """A keeper whose authority lasts a year."""
    bench = make_bench(signed(not_after=datetime.fromtimestamp(1_900_000_000.0 + 365 * DAY, UTC), clauses=CLAUSES))
    bench.online(credit=100_000)
    return bench


def look_up(bench: Any, mac: str, name: str) -> None:
    bench.look_up(mac, name, generation=bench.generation)


def order(bench: Any, body: Any, *, second: str | None = "officer-2") -> Outcome:
    sent = bench.down(bench.command("d-none", Standing.UNKNOWN, body=body, second=second))
    (result,) = [item for item in bench.payloads(sent) if isinstance(item, CommandResult)]
    outcome: Outcome = result.outcome
    return outcome


def settle(bench: Any) -> None:
    for _ in range(300):
        bench.wait(11)
        if not bench.core._keeping._purging.busy and not bench.core._keeping._erasing.wanted:
            return
    pytest.fail("the purge does not end")


def bodies(bench: Any) -> bytes:
    """All bodies of the ledger that can still be read."""
    ledger = bench.store.ledger
    found = (ledger.body(ledger.log.row(n)) for n in range(ledger.size))
    return b"\n".join(body[1] for body in found if body is not None)


def in_files(bench: Any) -> bool:
    return CANARY in b"".join(file.read_bytes() for file in bench.path.parent.iterdir() if file.is_file()).lower()


@pytest.mark.req("R65")
def test_records_of_an_address_that_it_does_not_use_any_more_are_erased_too(keeper: Any) -> None:
    device_id = keeper.give(OWN, Standing.REGISTERED)
    book = keeper.core._book
    with keeper.store.transaction():
        now = Now(scope=keeper.core._judgement.scope, ts=keeper.wall, at=keeper.wall)
        book._arrivals.attach(keeper.device(OWN), EARLIER, now, how=JoinedBy.PERSON)
    keeper.wait(60)
    look_up(keeper, EARLIER, "quillfeather.example")
    keeper.wait(2 * 3600)  # the hour's records close
    assert CANARY in bodies(keeper)
    keeper.sight(OWN)
    with keeper.store.transaction():
        assert book.let_go(keeper.device(OWN), keeper.wall - 60) == 1
    assert keeper.device(EARLIER) is None
    assert order(keeper, EraseRecords(device_id=device_id, reason="-")) is Outcome.APPLIED
    settle(keeper)
    assert CANARY not in bodies(keeper)
    assert not in_files(keeper)


@pytest.mark.req("R65")
def test_an_address_that_is_another_device_s_now_is_not_erased_with_it(keeper: Any) -> None:
    device_id = keeper.give(OWN, Standing.REGISTERED)
    keeper.give(OTHER, Standing.REGISTERED)
    look_up(keeper, OTHER, "quillfeather.example")
    keeper.wait(2 * 3600)
    assert OTHER not in keeper.store.purge.addresses(device_id)
    assert order(keeper, EraseRecords(device_id=device_id, reason="-")) is Outcome.APPLIED
    settle(keeper)
    assert CANARY in bodies(keeper)


@pytest.mark.req("R65")
def test_a_stay_that_waits_for_the_server_is_taken_back(keeper: Any) -> None:
    keeper.hear(Peer.COURIER, BrokerState(connected=False))
    keeper.sight(OWN)
    keeper.sight(OTHER)
    keeper.wait(3600)
    keeper.wait(3600)
    device_id = keeper.device(OWN).device_id
    waits = "select count(*) from outbox where type like '%session%' and body like ?"
    count = lambda mac: keeper.store._db.execute(waits, (f"%{mac}%",)).fetchone()[0]  # noqa: E731 - a word for it
    assert count(OWN)
    with keeper.store.transaction():
        keeper.store._db.execute("update session set ended = last where ended is null")
    keeper.down(
        keeper.command("d-none", Standing.UNKNOWN, body=EraseRecords(device_id=device_id, reason="-"), second="o-2")
    )
    assert count(OWN) == 0
    assert count(OTHER)
