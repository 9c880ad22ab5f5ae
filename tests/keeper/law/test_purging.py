"""The purge in a whole keeper: what is due goes from every table and from the ledger, what is held stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.law import purging
from appliance.keeper.law.retention import DAY
from appliance.keeper.now import Now
from appliance.keeper.peers import Peer
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.purge import KEPT, TABLES, Purge
from appliance.keeper.store.vault import Vault, VaultError
from appliance.messages import BrokerState
from appliance.traits import Trait
from wire.acts import EndHold, EraseRecords, SetHold
from wire.authority import CollectClause, DataClass, Keep, ListsClause, RegisterClause
from wire.base import Standing
from wire.box import BoxStatus
from wire.ledger import RecordKind
from wire.models import CommandResult, JoinedBy, Outcome

OWN, OTHER, THIRD = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
CANARY = "quillfeather"
SHORT = tuple(Keep(data_class=name, days=7) for name in DataClass)
CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
    RegisterClause(number="2"),
    CollectClause(number="3", standings=(Standing.REGISTERED,), classes=tuple(DataClass)),
    ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling",)),
)


@pytest.fixture
def keeper(make_bench: Callable[..., Any], signed: Callable[..., bytes]) -> Any:
    """A keeper whose authority lasts a year and keeps nothing about devices for longer than a week."""
    now = datetime.fromtimestamp(1_900_000_000.0 + 365 * DAY, UTC)
    bench = make_bench(signed(not_after=now, clauses=CLAUSES, retention=SHORT))
    bench.online(credit=100_000)
    return bench


def look_up(bench: Any, mac: str, name: str) -> None:
    bench.look_up(mac, name, generation=bench.generation)


def plant(bench: Any) -> str:
    device_id: str = bench.give(OWN, Standing.REGISTERED)
    look_up(bench, OWN, f"{CANARY}.example")
    look_up(bench, OWN, f"{CANARY}.bets.example")
    bench.trait(OWN, Trait.DHCP4_HOST_NAME, f"{CANARY}-laptop")
    bench.wait(5)
    bench.acknowledge()
    return device_id


def pass_days(bench: Any, days: float, *, step: float = 0.5) -> None:
    """Time passes, with as many turns as a day of portions takes; the server receives all that comes."""
    for _ in range(round(days / step)):
        bench.wait(step * DAY)
        settle(bench)
        bench.acknowledge()


def settle(bench: Any) -> None:
    bench.wait(10)  # it is looked at again
    for _ in range(200):
        bench.wait(0.01)
        if not bench.core._keeping._purging.busy:
            return
    pytest.fail("the purge does not end")


def in_files(bench: Any) -> bool:
    kept = b"".join(file.read_bytes() for file in bench.path.parent.iterdir()).lower()
    return CANARY.encode() in kept


def bodies(bench: Any) -> bytes:
    """All bodies of the ledger that can still be read."""
    ledger = bench.store.ledger
    found = (ledger.body(ledger.log.row(n)) for n in range(ledger.size))
    return b"\n".join(body[1] for body in found if body is not None)


def erasures(bench: Any) -> bytes:
    ledger = bench.store.ledger
    rows = [ledger.log.row(n) for n in range(ledger.size)]
    return b"\n".join(
        body[1] for row in rows if row.kind is RecordKind.ERASURE and (body := ledger.body(row)) is not None
    )


def outcome(bench: Any, sent: Any) -> tuple[Outcome, str]:
    (result,) = [item for item in bench.payloads(sent) if isinstance(item, CommandResult)]
    return result.outcome, result.detail


def order(bench: Any, body: Any, *, second: str | None = "officer-2") -> tuple[Outcome, str]:
    return outcome(bench, bench.down(bench.command("d-none", Standing.UNKNOWN, body=body, second=second)))


def span(bench: Any, *, before: float = 3600, after: float = 3600) -> dict[str, datetime]:
    return {
        "since": datetime.fromtimestamp(bench.wall - before, UTC),
        "until": datetime.fromtimestamp(bench.wall + after, UTC),
    }


def hold(bench: Any, *, device_id: str | None = None, days: float = 100, hold_id: str = "case-1") -> SetHold:
    review = datetime.fromtimestamp(bench.wall + days * DAY, UTC)
    return SetHold(hold_id=hold_id, device_id=device_id, review=review, reason="A hearing.", **span(bench))


@pytest.mark.req("R64", "N17")
def test_every_table_has_a_rule_or_a_reason(bench: Any) -> None:
    tables = {
        name
        for (name,) in bench.store._db.execute("select name from sqlite_master where type = 'table'")
        if not name.startswith(("sqlite_", "_sqlite"))
    }
    assert tables == {*TABLES, *KEPT}
    assert not set(TABLES) & set(KEPT)
    assert all(reason.endswith(".") and len(reason) > 6 for reason in KEPT.values())


@pytest.mark.req("R64", "N17")
def test_what_is_due_is_gone_and_can_not_be_read(keeper: Any) -> None:
    plant(keeper)
    assert CANARY.encode() in bodies(keeper)
    assert in_files(keeper), "the search can find"
    pass_days(keeper, 6)
    assert in_files(keeper), "not before its time"
    pass_days(keeper, 3)
    assert not in_files(keeper), "working tables: to the day"
    pass_days(keeper, 40)
    assert CANARY.encode() not in bodies(keeper), "the ledger: when the month is over, and the days after it"
    assert b"time is over" in erasures(keeper)
    assert CANARY.encode() not in erasures(keeper)
    assert keeper.device(OWN) is not None, "a device on the register stays on it"
    verified = keeper.store.ledger.log.root_at(keeper.store.ledger.size)
    assert verified == keeper.store.ledger.root, "and the log still is what it was"


@pytest.mark.req("R55", "R64", "N2")
def test_a_third_party_s_device_that_is_gone_is_forgotten(keeper: Any) -> None:
    keeper.sight(THIRD)
    device_id = keeper.device(THIRD).device_id
    keeper.give(OWN, Standing.REGISTERED)
    pass_days(keeper, 10)
    assert keeper.device(THIRD) is None
    for table, column in (("device", "device_id"), ("address", "mac"), ("link", "mac"), ("session", "mac")):
        assert not keeper.store._db.execute(
            f"select 1 from {table} where {column} in (?, ?)",  # noqa: S608 - ours
            (device_id, THIRD),
        ).fetchall()
    assert keeper.store.findings.open_of(device_id) == []
    pass_days(keeper, 40)
    assert device_id.encode() not in bodies(keeper).replace(erasures(keeper), b"")
    kept = b"".join(file.read_bytes() for file in keeper.path.parent.iterdir())
    assert THIRD.encode() not in kept


@pytest.mark.req("N17")
def test_what_is_held_stays_readable_until_the_hold_ends(keeper: Any) -> None:
    device_id = plant(keeper)
    keeper.give(OTHER, Standing.REGISTERED)
    look_up(keeper, OTHER, "sparrowhawk.example")
    assert order(keeper, hold(keeper, device_id=device_id))[0] is Outcome.APPLIED
    pass_days(keeper, 60, step=1)
    assert CANARY.encode() in bodies(keeper)
    assert keeper.names(device_id), "names that were looked up"
    assert b"sparrowhawk" not in bodies(keeper), "only what is held"
    sealed = {hold_id for *_rest, hold_id in keeper.store.vault.table()}
    assert "case-1" in sealed, "under a key of its own"
    assert order(keeper, EndHold(hold_id="case-1"), second=None)[0] is Outcome.APPLIED
    pass_days(keeper, 1)
    assert CANARY.encode() not in bodies(keeper)
    assert not in_files(keeper)
    assert "case-1" not in {hold_id for *_rest, hold_id in keeper.store.vault.table()}


@pytest.mark.req("N17")
def test_a_hold_that_nobody_renews_ends_at_its_review(keeper: Any) -> None:
    plant(keeper)
    assert order(keeper, hold(keeper, days=20))[0] is Outcome.APPLIED
    pass_days(keeper, 15, step=1)
    assert in_files(keeper)
    pass_days(keeper, 7, step=1)
    assert not in_files(keeper)
    assert keeper.store.holds.active() == []


@pytest.mark.req("N17")
def test_one_hold_ends_and_another_goes_on(keeper: Any) -> None:
    device_id = plant(keeper)
    assert order(keeper, hold(keeper, hold_id="one"))[0] is Outcome.APPLIED
    assert order(keeper, hold(keeper, hold_id="two", days=90, device_id=device_id))[0] is Outcome.APPLIED
    pass_days(keeper, 60, step=1)
    order(keeper, EndHold(hold_id="one"), second=None)
    pass_days(keeper, 1)
    assert CANARY.encode() in bodies(keeper)
    order(keeper, EndHold(hold_id="two"), second=None)
    pass_days(keeper, 1)
    assert CANARY.encode() not in bodies(keeper)


@pytest.mark.req("R64", "N17")
def test_after_the_authority_everything_about_devices_goes(make_bench: Callable[..., Any], signed: Any) -> None:
    bench = make_bench(signed(clauses=CLAUSES))  # a day long
    bench.online(credit=100_000)
    plant(bench)
    bench.sight(THIRD)
    pass_days(bench, 89, step=1)
    assert in_files(bench)
    pass_days(bench, 4)
    assert not in_files(bench)
    assert CANARY.encode() not in bodies(bench)
    assert list(bench.core._book.registry) == []
    for table in ("device", "address", "session", "evidence", "hit", "name_visit", "record", "activity", "link"):
        assert bench.rows(table) == 0, table
    left = b"".join(file.read_bytes() for file in bench.path.parent.iterdir())
    assert OWN.encode() not in left
    assert THIRD.encode() not in left
    assert b'"ended":true' in erasures(bench)


@pytest.mark.req("R65")
def test_records_of_one_device_are_erased(keeper: Any) -> None:
    device_id = plant(keeper)
    keeper.give(OTHER, Standing.REGISTERED)
    look_up(keeper, OTHER, "sparrowhawk.bets.example")
    keeper.wait(5)
    old = {key for key, *_rest in keeper.store.vault.table()}
    before = [keeper.store.ledger.log.row(n) for n in range(keeper.store.ledger.size)]
    erase = EraseRecords(device_id=device_id, reason="It was a child's.")
    assert order(keeper, erase, second=None)[0] is Outcome.REFUSED, "it takes two"
    assert order(keeper, erase)[0] is Outcome.APPLIED
    assert not in_files(keeper)
    assert keeper.names(device_id) == {}
    assert keeper.store.findings.open_of(device_id) == []
    assert CANARY.encode() not in bodies(keeper)
    settle(keeper)
    keeper.wait(1)
    settle(keeper)
    assert b"sparrowhawk" in bodies(keeper), "others' records stay"
    lost = [row for row in before if row.key is not None and keeper.store.vault.open(row.key, row.sealed) is not None]
    assert not [row for row in lost if CANARY.encode() in (keeper.store.vault.open(row.key, row.sealed) or b"")]
    assert old - {key for key, *_rest in keeper.store.vault.table()}, "keys of what was erased are gone"
    audit = erasures(keeper)
    assert device_id.encode() in audit
    assert b"officer-2" in audit
    assert CANARY.encode() not in audit
    assert b"child" not in audit, "nor what a person wrote"
    assert order(keeper, EraseRecords(device_id="d-nobody", reason="-"))[0] is Outcome.REFUSED


@pytest.mark.req("R65", "N17")
def test_what_is_held_is_not_erased(keeper: Any) -> None:
    device_id = plant(keeper)
    order(keeper, hold(keeper, device_id=device_id))
    erase = EraseRecords(device_id=device_id, reason="-")
    done, why = order(keeper, erase)
    assert (done, "held for a case" in why) == (Outcome.REFUSED, True)
    other = EraseRecords(device_id=device_id, reason="-", since=datetime.fromtimestamp(keeper.wall + 2 * DAY, UTC))
    assert order(keeper, other)[0] is Outcome.APPLIED, "of another time"
    assert in_files(keeper)


@pytest.mark.req("R54", "N17")
def test_a_hold_needs_two_people_and_a_review(keeper: Any) -> None:
    assert order(keeper, hold(keeper), second=None)[0] is Outcome.REFUSED
    assert order(keeper, hold(keeper, days=-1))[0] is Outcome.REFUSED
    assert order(keeper, hold(keeper, days=401))[0] is Outcome.REFUSED
    backwards = hold(keeper).model_copy(update={"until": datetime.fromtimestamp(0, UTC)})
    assert order(keeper, backwards)[0] is Outcome.REFUSED
    assert order(keeper, EndHold(hold_id="case-1"), second=None)[0] is Outcome.REFUSED
    assert order(keeper, hold(keeper))[0] is Outcome.APPLIED
    assert order(keeper, hold(keeper, days=200))[0] is Outcome.APPLIED, "set anew"
    assert order(keeper, hold(keeper, device_id="d-other"))[0] is Outcome.REFUSED, "another one of the same name"
    told = [item for item in status(keeper) if item.keeping is not None][-1].keeping
    assert [held.hold_id for held in told.holds] == ["case-1"]


def status(bench: Any) -> list[BoxStatus]:
    sent = bench.wait(120)
    opened = [bench.open(message).payload for message in sent if hasattr(message, "topic")]
    return [item for item in opened if isinstance(item, BoxStatus)]


@pytest.mark.req("N17", "N4")
def test_a_clock_that_was_put_ahead_erases_nothing(keeper: Any) -> None:
    plant(keeper)
    with keeper.store.transaction():
        # As a keeper judges that has no authenticated time: the certain moment stands.
        for _ in range(20):
            keeper.core._keeping.tick(None, keeper.core._judgement, at=keeper.wall)
    assert in_files(keeper)


@pytest.mark.req("N17")
def test_portions_and_a_cut_in_between(keeper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    device_id = keeper.give(OWN, Standing.REGISTERED)
    for number in range(30):
        look_up(keeper, OWN, f"{CANARY}-{number}.example")
    keeper.acknowledge()
    monkeypatch.setattr("appliance.keeper.store.purge.PORTION", 10)
    keeper.wait(8 * DAY)
    left = [len(keeper.names(device_id))]
    while keeper.core._keeping._purging.busy and len(left) < 50:
        keeper.wait(0.01)
        left.append(len(keeper.names(device_id)))
    assert {20, 10, 0} <= set(left), "one portion a turn"
    counted = erasures(keeper)
    assert b'"name_visit":30' in counted


def test_a_key_file_that_cannot_be_written_is_tried_again(keeper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(keeper)

    def full(*_: Any) -> None:
        raise VaultError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(Vault, "destroy_keys", full)
        pass_days(keeper, 1)
    before = keeper.core._keeping._purging.purged_at
    keeper.wait(purging.AGAIN_SECONDS)
    settle(keeper)
    after = keeper.core._keeping._purging.purged_at
    assert after is not None
    assert before is None or after > before


def test_a_pass_goes_through_a_table_once(keeper: Any) -> None:
    """Rows that are not due are not looked at again and again."""
    keeper.give(OWN, Standing.REGISTERED)
    for number in range(25):
        look_up(keeper, OWN, f"n{number}.example")
    purge: Purge = keeper.store.purge
    with keeper.store.transaction():
        assert list(purge.aged("name_visit", 0.0)) == [0]
        assert list(purge.aged("name_visit", float("inf"))) == [25]


@pytest.mark.req("R64", "N17")
def test_what_waits_for_a_server_that_is_away_goes_too_but_no_finding(keeper: Any) -> None:
    keeper.give(OWN, Standing.REGISTERED)
    look_up(keeper, OWN, f"{CANARY}.bets.example")
    keeper.hear(Peer.COURIER, BrokerState(connected=False))
    for _ in range(20):
        keeper.wait(0.5 * DAY)
        settle(keeper)
    rows = dict(keeper.store._db.execute("select priority, min(created) from outbox group by priority").fetchall())
    assert all(made > keeper.wall - 8 * DAY for priority, made in rows.items() if priority >= Priority.STATE)
    waiting = keeper.store._db.execute("select body from outbox where type like '%finding%'").fetchall()
    assert any(CANARY in body for (body,) in waiting), "the server has not received it"
    assert len(keeper.store.outbox) == keeper.rows("outbox")


@pytest.mark.req("R64", "N17")
def test_addresses_that_are_not_used_any_more_are_let_go(keeper: Any) -> None:
    device_id = keeper.give(OWN, Standing.REGISTERED)
    device = keeper.device(OWN)
    book = keeper.core._book
    with keeper.store.transaction():
        scope = keeper.core._judgement.scope
        book._arrivals.attach(device, OTHER, Now(scope=scope, ts=keeper.wall, at=keeper.wall), how=JoinedBy.PERSON)
    for _ in range(10):
        keeper.wait(DAY)
        keeper.sight(OWN)
        settle(keeper)
    left = book.registry.by_id(device_id)
    assert left is not None
    assert left.macs == (OWN,)
    assert keeper.device(OTHER) is None
