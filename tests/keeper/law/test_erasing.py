"""Erasing what was recorded of a device: whichever address it had, and whatever of it waits to be sent (R65)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.law.retention import DAY
from appliance.keeper.now import Now
from appliance.keeper.peers import Peer
from appliance.keeper.store.vault import month_of
from appliance.messages import BrokerState, SignalSeen
from appliance.signals import Signal
from wire.acts import EndHold, EraseRecords, SetHold
from wire.authority import CollectClause, DataClass, Keep, ListsClause, RegisterClause
from wire.base import Standing
from wire.ledger import RecordKind
from wire.models import CommandResult, JoinedBy, Outcome
from wire.orders import AddWatch, SetStanding

OWN, EARLIER, OTHER = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
CANARY = b"quillfeather"
CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
    RegisterClause(number="2"),
    CollectClause(number="3", standings=(Standing.REGISTERED,), classes=tuple(DataClass)),
    ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling",)),
)


@pytest.fixture
def document(signed: Callable[..., bytes]) -> bytes:
    """An authority that lasts a year; addresses that a device does not use are kept for a week."""
    end = datetime.fromtimestamp(1_900_000_000.0 + 365 * DAY, UTC)
    return signed(not_after=end, clauses=CLAUSES, retention=(Keep(data_class=DataClass.PRESENCE, days=7),))


@pytest.fixture
def keeper(make_bench: Callable[..., Any], document: bytes) -> Any:
    bench = make_bench(document)
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
    """All bodies of the ledger that can still be read, but what officers arranged: their own entries are in that."""
    ledger = bench.store.ledger
    rows = [ledger.log.row(n) for n in range(ledger.size)]
    found = (ledger.body(row) for row in rows if row.kind is not RecordKind.DECISION)
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

    def waits(mac: str) -> int:
        query = "select count(*) from outbox where type like '%session%' and body like ?"
        found: int = keeper.store._db.execute(query, (f"%{mac}%",)).fetchone()[0]
        return found

    assert waits(OWN)
    with keeper.store.transaction():
        keeper.store._db.execute("update session set ended = last where ended is null")
    order(keeper, EraseRecords(device_id=device_id, reason="-"))
    assert waits(OWN) == 0
    assert waits(OTHER)


def exclude(bench: Any, name: str) -> None:
    until = datetime.fromtimestamp(bench.wall + 300 * DAY, UTC)
    order(bench, AddWatch(name=name, excluded=True, reason="A solicitor.", expires=until), second=None)


@pytest.mark.req("R67")
def test_a_name_that_is_left_out_from_now_on_goes_from_what_is_recorded_too(keeper: Any) -> None:
    keeper.give(OWN, Standing.REGISTERED)
    keeper.give(OTHER, Standing.REGISTERED)
    look_up(keeper, OWN, "www.quillfeather.example")
    look_up(keeper, OWN, "quillfeather.bets.example")
    keeper.wait(2 * 3600)
    look_up(keeper, OTHER, "sparrowhawk.example")
    keeper.wait(2 * 3600)
    old = {key for key, *_rest in keeper.store.vault.table()}
    assert bodies(keeper).count(CANARY) > 1
    exclude(keeper, "quillfeather.example")
    settle(keeper)
    assert b"www.quillfeather" not in bodies(keeper)
    assert b"quillfeather.bets" in bodies(keeper), "another name"
    assert b"sparrowhawk" in bodies(keeper), "others' records stay"
    assert old - {key for key, *_rest in keeper.store.vault.table()}, "the key it lay under is gone"
    assert keeper.store.ledger.log.root_at(keeper.store.ledger.size) == keeper.store.ledger.root
    exclude(keeper, "bets.example")
    settle(keeper)
    about = [body for body in bodies(keeper).splitlines() if CANARY in body]
    assert about == [], "nor in a finding"
    keeper.wait(60)
    assert [item for item in keeper.store.findings.with_hit() if "bets" in (item.finding.hit.name or "")] == []
    waiting = keeper.store._db.execute("select body from outbox where type like '%finding%'").fetchall()
    assert waiting, "that it is closed"
    assert not [body for (body,) in waiting if "quillfeather" in body]


@pytest.mark.req("R67", "N17")
def test_a_long_ledger_is_looked_through_in_portions_and_after_a_cut(
    keeper: Any, document: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.keeper.store.purge.WINDOW", 3)
    monkeypatch.setattr("appliance.keeper.law.erasing.WINDOW", 3)
    keeper.give(OWN, Standing.REGISTERED)
    for _ in range(6):
        look_up(keeper, OWN, "quillfeather.example")
        keeper.wait(3600)
    keeper.wait(3600)
    exclude(keeper, "quillfeather.example")
    for _ in range(3):
        keeper.wait(1)
    (cut,) = keeper.store.purge.left_out()
    assert cut.next > 0
    keeper.stop()
    keeper.start(document)
    (left,) = keeper.store.purge.left_out()
    assert left.next >= cut.next, "it goes on where it was"
    settle(keeper)
    assert keeper.store.purge.left_out() == []
    assert CANARY not in bodies(keeper)


def hold(bench: Any, device_id: str) -> SetHold:
    since, until = (datetime.fromtimestamp(bench.wall + hours * 3600, UTC) for hours in (-6, 1))
    review = datetime.fromtimestamp(bench.wall + 100 * DAY, UTC)
    return SetHold(hold_id="case-1", device_id=device_id, since=since, until=until, review=review, reason="A hearing.")


@pytest.mark.req("N17", "R55")
def test_one_person_does_not_undo_a_hold_by_another_standing(keeper: Any) -> None:
    """Two people said that it is kept; when the hold is over, what may not be kept of the device goes at once."""
    device_id = keeper.give(OWN, Standing.REGISTERED)
    look_up(keeper, OWN, "quillfeather.example")
    keeper.wait(2 * 3600)
    assert order(keeper, hold(keeper, device_id)) is Outcome.APPLIED
    exclude(keeper, "quillfeather.example")
    assert order(keeper, SetStanding(device_id=device_id, standing=Standing.HOUSEHOLD)) is Outcome.APPLIED
    settle(keeper)
    assert CANARY in bodies(keeper)
    assert "quillfeather.example" in keeper.names(device_id)
    keeper.wait(2 * 3600)
    look_up(keeper, OWN, "later-quillfeather.example")
    assert b"later-quill" not in bodies(keeper), "nothing new is collected"
    order(keeper, EndHold(hold_id="case-1"), second=None)
    settle(keeper)
    assert keeper.names(device_id) == {}
    assert CANARY not in bodies(keeper)


@pytest.mark.req("N17")
def test_an_address_of_a_device_that_is_held_is_not_let_go(keeper: Any) -> None:
    device_id = keeper.give(OWN, Standing.REGISTERED)
    book = keeper.core._book
    with keeper.store.transaction():
        now = Now(scope=keeper.core._judgement.scope, ts=keeper.wall, at=keeper.wall)
        book._arrivals.attach(keeper.device(OWN), EARLIER, now, how=JoinedBy.PERSON)
    keeper.wait(60)
    look_up(keeper, EARLIER, "quillfeather.example")
    assert order(keeper, hold(keeper, device_id)) is Outcome.APPLIED
    for _ in range(50):
        keeper.wait(4 * DAY)
        keeper.sight(OWN)
        if keeper.store.holds.active() == []:
            break
        settle(keeper)
        assert "quillfeather.example" in keeper.names(device_id)
    settle(keeper)
    assert keeper.device(EARLIER) is None


@pytest.mark.req("N17", "N4")
def test_what_a_clock_dated_too_late_is_not_kept_too_long(served: Any) -> None:
    served.answer()
    bench = served.bench
    with bench.store.transaction():
        key, _sealed = bench.store.vault.seal("box", served.true + 3000 * DAY, b"-")
    served.wait(DAY)
    served.answer()
    served.wait(20)
    served.wait(20)
    months = {number: month for number, _class, month, _hold in bench.store.vault.table()}
    assert months[key] <= month_of(served.true)


@pytest.mark.req("R65", "N17")
def test_an_erasure_that_was_cut_goes_on_at_the_next_start(keeper: Any, document: bytes) -> None:
    device_id = keeper.give(OWN, Standing.REGISTERED)
    look_up(keeper, OWN, "quillfeather.example")
    keeper.wait(2 * 3600)
    (leaf,) = [row for n in range(keeper.store.ledger.size) if (row := keeper.store.ledger.log.row(n)).kind == "names"]
    order(keeper, EraseRecords(device_id=device_id, reason="-"))
    assert CANARY not in bodies(keeper)
    keeper.stop()
    keeper.start(document)
    settle(keeper)
    assert leaf.key not in {key for key, *_rest in keeper.store.vault.table()}, "no old page of it can be read"
    assert keeper.store.vault.open(leaf.key, leaf.sealed) is None


@pytest.mark.req("R55", "R65")
def test_signals_go_from_the_ledger_when_a_document_no_longer_lets_them_be_kept(
    keeper: Any, signed: Callable[..., bytes]
) -> None:
    keeper.give(OWN, Standing.REGISTERED)
    keeper.wait(60)
    heard = SignalSeen(
        ts=keeper.wall,
        mac=OWN,
        signal=Signal.RESOLVER_NAMED,
        value="dns.quillfeather.example",
        since=keeper.wall - 60,
        count=3,
        generation=keeper.generation,
    )
    keeper.hear(Peer.SENSOR, heard)
    keeper.wait(2 * 3600)
    assert CANARY in bodies(keeper)
    end = datetime.fromtimestamp(1_900_000_000.0 + 365 * DAY, UTC)
    without = (CLAUSES[0], CLAUSES[1], CLAUSES[3])
    keeper.document(signed(number=2, not_after=end, clauses=without))
    for _ in range(3):
        keeper.wait(3600)
    kept = [row for n in range(keeper.store.ledger.size) if (row := keeper.store.ledger.log.row(n)).kind == "signals"]
    assert kept
    assert [row for row in kept if row.sealed is not None] == []
