from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.authority import Scope
from appliance.keeper.household.watch import LONGEST, WATCH, WATCH_EXCLUDED, Watch
from appliance.keeper.lists.match import Lists
from appliance.keeper.store import watch as stored
from wire.authority import ListsClause
from wire.base import Standing
from wire.findings import Severity
from wire.orders import AddWatch, EndWatch

AT = 1_900_000_000.0


def order(name: str = "forum.example", *, lasts: float = 86400.0, **more: Any) -> AddWatch:
    return AddWatch(name=name, reason="Agreed.", expires=datetime.fromtimestamp(AT + lasts, UTC), **more)


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def watch(bench: Any, lists: Lists) -> Watch:
    return Watch(bench.core._book._record, lists)


def found(lists: Lists, name: str) -> list[str]:
    return [match.entry for match in lists.match(name, [WATCH])]


@pytest.mark.req("R35")
def test_an_entry_is_kept_with_reason_author_and_end_and_found(bench: Any, watch: Watch, lists: Lists) -> None:
    with bench.store.transaction():
        assert watch.add(order("*.Forum.Example.", severity=Severity.ACT_NOW), by="officer-1", at=AT) is None
        assert watch.add(order("only.example", below=False), by="officer-1", at=AT) is None
    first, second = watch.all()
    assert (first.name, first.by, first.reason, first.severity) == (
        "forum.example",
        "officer-1",
        "Agreed.",
        Severity.ACT_NOW,
    )
    assert (first.expires.timestamp(), second.below) == (AT + 86400, False)
    assert found(lists, "www.forum.example") == ["forum.example"]
    assert found(lists, "www.only.example") == []
    assert found(lists, "only.example") == ["only.example"]
    entry = watch.entry("forum.example")
    assert entry is not None
    assert entry.watch_id == first.watch_id
    loaded = lists.get(WATCH)
    assert loaded is not None
    assert (loaded.meta.version, loaded.meta.owner) == ("2", "the officers in charge")


@pytest.mark.req("R35")
def test_entries_end_by_themselves_and_by_order(bench: Any, watch: Watch, lists: Lists) -> None:
    with bench.store.transaction():
        watch.add(order("a.example", lasts=10.0), by="o", at=AT)
        watch.add(order("b.example", lasts=20.0), by="o", at=AT)
        watch.tick(AT + 9.0)
        assert len(watch.all()) == 2
        bench.core._book._record.arranged = False
        watch.tick(AT + 10.0)
        assert [entry.name for entry in watch.all()] == ["b.example"]
        assert bench.core._book._record.arranged, "the officers are told"
        (left,) = watch.all()
        assert watch.end(left.watch_id) is None
        assert watch.end(left.watch_id) == "There is no such entry. It may have ended by itself."
    assert (watch.all(), found(lists, "a.example"), found(lists, "b.example")) == ((), [], [])


@pytest.mark.req("R67")
def test_excluded_entries_need_no_clause_and_erase_what_was_kept(
    bench: Any, watch: Watch, lists: Lists, scope: Scope
) -> None:
    bench.give("00:00:5e:00:53:01", Standing.REGISTERED)
    for name in ("help.example", "www.help.example", "nothelp.example"):
        bench.look_up("00:00:5e:00:53:01", name, generation=bench.generation)
    with bench.store.transaction():
        assert watch.add(order("help.example", excluded=True), by="o", at=AT, scope=scope) is None
    assert lists.excluded("www.help.example")
    assert found(lists, "help.example") == []
    assert bench.store.evidence.names(["00:00:5e:00:53:01"]) == {"nothelp.example": 1}
    assert lists.get(WATCH_EXCLUDED) is not None


@pytest.mark.req("R24", "R35")
@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (order("co.uk"), "belongs to everybody"),
        (order("https://forum.example/page"), "is not the name of a site"),
        (order("two words"), "is not the name of a site"),
        (order(lasts=0.0), "already past"),
        (order(lasts=LONGEST + 1), "a year at most"),
    ],
)
def test_what_is_refused_says_why(bench: Any, watch: Watch, refused: AddWatch, why: str) -> None:
    with bench.store.transaction():
        answer = watch.add(refused, by="o", at=AT)
    assert answer is not None
    assert why in answer
    assert len(answer) <= 300
    assert watch.all() == ()


@pytest.mark.req("R35", "N1")
def test_without_a_clause_there_are_no_entries_to_be_found(bench: Any, watch: Watch, make_authority: Any) -> None:
    with bench.store.transaction():
        answer = watch.add(order(), by="o", at=AT, scope=Scope(authority=make_authority()))
        assert answer is not None
        assert "no clause" in answer
        clause = ListsClause(number="8", standings=(Standing.REGISTERED,), lists=(WATCH,))
        assert watch.add(order(), by="o", at=AT, scope=Scope(authority=make_authority(clauses=(clause,)))) is None


def test_a_name_has_one_entry_and_there_is_a_bound(bench: Any, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MAX_WATCHED", 2)
    with bench.store.transaction():
        assert watch.add(order("a.example"), by="o", at=AT) is None
        assert watch.add(order("a.example", lasts=99.0), by="o", at=AT) is None
        assert len(watch.all()) == 1, "renewed"
        assert watch.add(order("b.example"), by="o", at=AT) is None
        assert watch.add(order("c.example"), by="o", at=AT) == "There are 256 entries already. Take one off first."
        assert watch.add(order("b.example"), by="o", at=AT) is None, "to renew one there is always room"
    assert [entry.name for entry in watch.all()] == ["a.example", "b.example"]


@pytest.mark.req("R35")
def test_entries_outlive_a_restart(bench: Any, watch: Watch) -> None:
    with bench.store.transaction():
        watch.add(order(), by="o", at=AT)
    lists = Lists()
    again = Watch(bench.core._book._record, lists)
    assert (len(again.all()), found(lists, "forum.example")) == (1, ["forum.example"])
    (entry,) = again.all()
    bench.order(EndWatch(watch_id=entry.watch_id))
    assert again.all() == ()
