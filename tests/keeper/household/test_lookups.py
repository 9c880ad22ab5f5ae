from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.household import lookups
from appliance.keeper.lists.formats import Format
from appliance.keeper.lists.match import ADULT, EXCLUDED, load
from appliance.messages import How
from wire.authority import CollectClause, DataClass, ListsClause
from wire.base import Standing
from wire.findings import Finding, FindingKind, Severity
from wire.orders import AddWatch

LAPTOP = "00:00:5e:00:53:01"
HITS_ONLY = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),
    CollectClause(number="3", standings=(Standing.REGISTERED,), classes=(DataClass.LIST_HITS,)),
    ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling", "adult", "secret", "watch")),
)


def use(bench: Any, text: str, id_: str, **more: Any) -> None:
    loaded = load(text.encode(), id_=id_, version="1", title=id_.title(), severity=Severity.TODAY, **more)
    bench.core._book._lookups._lists.replace(loaded)


def look_up(bench: Any, name: str, how: How = How.DNS, asked: str | None = None) -> list[Finding]:
    heard = m.NameLookedUp(ts=bench.wall, mac=LAPTOP, name=name, how=how, generation=bench.generation, asked=asked)
    sent = bench.payloads(bench.hear(Peer.SENSOR, heard))
    bench.acknowledge()
    return [item for item in sent if isinstance(item, Finding)]


def names(bench: Any) -> dict[str, int]:
    found: dict[str, int] = bench.store.evidence.names([LAPTOP])
    return found


def counts(bench: Any) -> dict[str, int]:
    """How often each open list hit was counted, by its subject."""
    device = bench.device(LAPTOP)
    return {item.subject: item.finding.count for item in bench.store.findings.open_of(device.device_id)}


@pytest.fixture
def home(make_bench: Callable[..., Any], signed: Callable[..., bytes]) -> Any:
    """A keeper that may keep list hits of the registered laptop, and no other name."""
    made = make_bench(signed(clauses=HITS_ONLY))
    made.online()
    made.give(LAPTOP, Standing.REGISTERED)
    made.acknowledge()
    return made


@pytest.mark.req("R26", "R29", "R55")
def test_names_hang_on_the_address_and_hits_on_the_device(bench: Any) -> None:
    device_id = bench.give(LAPTOP, Standing.REGISTERED)
    bench.acknowledge()
    sent = bench.payloads(bench.look_up(LAPTOP, "WWW.Bets.Example.", generation=bench.generation))
    (finding,) = [item for item in sent if isinstance(item, Finding)]
    assert finding.hit is not None
    assert (finding.device_id, finding.hit.entry) == (device_id, "bets.example")
    assert bench.payloads(bench.look_up(LAPTOP, "bets.example", generation=bench.generation)) == []
    assert bench.store.evidence.names([LAPTOP]) == {"www.bets.example": 1, "bets.example": 1}
    (row,) = bench.store._db.query("select clause, authority_id from name_visit where name = 'bets.example'")
    assert row == {"clause": "3", "authority_id": "authority-1"}
    bench.look_up(LAPTOP, "no name at all", generation=bench.generation)
    assert bench.core._book.refused == 1


@pytest.mark.req("R61")
def test_only_names_on_a_list_are_kept_where_only_hits_may_be(home: Any) -> None:
    assert look_up(home, "news.example") == []
    (finding,) = look_up(home, "www.bets.example")
    assert finding.kind is FindingKind.LISTED_NAME
    assert names(home) == {"www.bets.example": 1}


@pytest.mark.req("R29")
def test_a_finding_names_the_records_that_it_rests_on(home: Any) -> None:
    (first,) = look_up(home, "www.bets.example")
    assert first.records is not None
    (record,) = first.records
    assert record.startswith("n-")
    assert "bets" not in record
    home.wait(61.0)
    (more,) = look_up(home, "bets.example")
    assert more.records is not None
    assert (len(more.records), more.records[1]) == (2, record), "newest first"
    home.wait(61.0)
    (again,) = look_up(home, "www.bets.example")
    assert again.records == (record, more.records[0]), "the same name is the same record"


@pytest.mark.req("R26")
def test_one_visit_is_one_whatever_shows_it(home: Any) -> None:
    for how in (How.DNS, How.TLS, How.QUIC, How.HTTP):
        look_up(home, "bets.example", how)
        home.wait(5.0)
    assert counts(home) == {"gambling bets.example": 1}
    home.wait(lookups.VISIT_SECONDS)
    look_up(home, "bets.example", How.TLS)
    assert counts(home) == {"gambling bets.example": 2}
    assert names(home) == {"bets.example": 2}


@pytest.mark.req("R26")
def test_a_thousand_repeats_at_once_are_one_visit(home: Any) -> None:
    for _ in range(1000):
        look_up(home, "bets.example")
        home.wall += 0.01
    assert counts(home) == {"gambling bets.example": 1}
    assert (names(home), home.rows("name_visit"), home.rows("finding")) == ({"bets.example": 1}, 1, 1)


@pytest.mark.req("R26")
def test_a_thousand_visits_are_one_row_and_one_finding(home: Any) -> None:
    raised = 0
    for _ in range(1000):
        raised += sum(1 for finding in look_up(home, "bets.example") if finding.revision == 1)
        home.wait(lookups.VISIT_SECONDS)
    assert raised == 1
    assert counts(home) == {"gambling bets.example": 1000}
    assert (names(home), home.rows("name_visit"), home.rows("finding")) == ({"bets.example": 1000}, 1, 1)


@pytest.mark.req("R67")
def test_excluded_names_leave_no_trace(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    bench.acknowledge()
    use(bench, "help.example\nbets.example\n", "kept-out", category=EXCLUDED)
    before = [list(bench.store._db.table(table).rows) for table in ("name_visit", "finding", "category_day")]
    assert look_up(bench, "www.help.example") == []
    assert look_up(bench, "bets.example") == [], "also where a list in force has it"
    assert look_up(bench, "cdn.example", How.ANSWER, asked="help.example") == []
    after = [list(bench.store._db.table(table).rows) for table in ("name_visit", "finding", "category_day")]
    assert before == after
    dump = "\n".join(bench.store._db.conn.iterdump())
    assert "help.example" not in dump
    assert not bench.core._book._lookups._visits


@pytest.mark.req("R32")
def test_adult_sites_are_a_trend_without_names(home: Any) -> None:
    use(home, "adult.example\n", "adult", category=ADULT)
    for number in range(3):
        assert look_up(home, f"w{number}.adult.example") == []
    assert (names(home), counts(home)) == ({}, {})
    assert list(home.store.categories.days([LAPTOP], ADULT).values()) == [3]
    assert "adult.example" not in "\n".join(home.store._db.conn.iterdump())
    home.give(LAPTOP, Standing.HOUSEHOLD)
    assert home.store.categories.days([LAPTOP], ADULT) == {}, "of a device of another standing nothing stays"


@pytest.mark.req("R32")
def test_adult_sites_are_itemised_where_a_clause_says_so(
    make_bench: Callable[..., Any], signed: Callable[..., bytes]
) -> None:
    clause = ListsClause(number="9", standings=(Standing.REGISTERED,), lists=("adult",), itemise=True)
    home = make_bench(signed(clauses=(*HITS_ONLY[:2], clause)))
    home.online()
    home.give(LAPTOP, Standing.REGISTERED)
    use(home, "adult.example\n", "adult", category=ADULT)
    (finding,) = look_up(home, "adult.example")
    assert (finding.rule.clause, finding.hit is not None and finding.hit.category) == ("9", ADULT)
    assert home.store.categories.days([LAPTOP], ADULT) == {}


@pytest.mark.req("N16")
def test_confidential_names_are_kept_nowhere(home: Any) -> None:
    use(home, "secret.example\n", "secret", confidential=True, key=bytes(32))
    (finding,) = look_up(home, "www.secret.example", How.TLS)
    assert finding.hit is not None
    assert (finding.hit.name, finding.hit.entry[:6]) == (None, "keyed:")
    assert finding.records is None
    assert names(home) == {}
    assert "secret.example" not in "\n".join(home.store._db.conn.iterdump())


@pytest.mark.req("N16")
def test_confidential_names_are_kept_where_all_names_may_be(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    use(bench, "secret.example\n", "gambling", confidential=True, key=bytes(32))
    look_up(bench, "secret.example")
    assert names(bench) == {"secret.example": 1}


@pytest.mark.req("R29")
def test_a_name_that_an_answer_led_to_is_found(home: Any) -> None:
    (finding,) = look_up(home, "front.bets.example", How.ANSWER, asked="shop.example")
    assert finding.hit is not None
    assert (finding.hit.name, finding.hit.asked, finding.hit.how) == ("front.bets.example", "shop.example", "answer")
    assert names(home) == {"front.bets.example": 1}


@pytest.mark.req("R26")
def test_going_where_an_answer_led_is_the_same_visit(home: Any) -> None:
    assert look_up(home, "front.bets.example", How.ANSWER, asked="shop.example")
    for how in (How.DNS, How.TLS, How.ANSWER):
        home.wait(5.0)
        assert look_up(home, "front.bets.example", how, asked="shop.example") == []
    assert counts(home) == {"gambling bets.example": 1}
    assert names(home) == {"front.bets.example": 1}
    home.wait(lookups.VISIT_SECONDS)
    look_up(home, "front.bets.example", How.TLS)
    look_up(home, "front.bets.example", How.ANSWER, asked="shop.example")
    assert counts(home) == {"gambling bets.example": 2}
    assert names(home) == {"front.bets.example": 2}


@pytest.mark.req("R26", "N16")
def test_a_visit_is_kept_where_the_answer_that_led_there_was_not(bench: Any) -> None:
    """Of a confidential list the name in an answer is not kept; all names may be, and then the device goes there."""
    bench.give(LAPTOP, Standing.REGISTERED)
    use(bench, "secret.example\n", "gambling", confidential=True, key=bytes(32))
    look_up(bench, "secret.example", How.ANSWER, asked="shop.example")
    assert names(bench) == {}
    look_up(bench, "secret.example", How.TLS)
    look_up(bench, "secret.example", How.HTTP)
    assert names(bench) == {"secret.example": 1}
    assert list(counts(bench).values()) == [1]


@pytest.mark.req("R32")
def test_a_trend_counts_a_visit_once_too(home: Any) -> None:
    use(home, "adult.example\n", "adult", category=ADULT)
    look_up(home, "www.adult.example", How.ANSWER, asked="shop.example")
    look_up(home, "www.adult.example", How.TLS)
    assert list(home.store.categories.days([LAPTOP], ADULT).values()) == [1]
    assert names(home) == {}


@pytest.mark.req("R26")
def test_what_the_question_told_already_is_not_counted_again(home: Any) -> None:
    look_up(home, "www.bets.example")
    assert look_up(home, "edge.bets.example", How.ANSWER, asked="www.bets.example") == []
    assert counts(home) == {"gambling bets.example": 1}


def test_names_of_answers_are_no_visits_of_their_own(bench: Any) -> None:
    bench.give(LAPTOP, Standing.REGISTERED)
    look_up(bench, "shop.example")
    look_up(bench, "edge.cdn.example", How.ANSWER, asked="shop.example")
    assert names(bench) == {"shop.example": 1}
    look_up(bench, "edge.cdn.example", How.TLS)
    assert names(bench) == {"shop.example": 1, "edge.cdn.example": 1}, "but a visit there is one"


@pytest.mark.req("R35", "R29")
def test_a_homes_own_entry_is_found_with_its_reason(home: Any) -> None:
    order = AddWatch(
        name="forum.example", severity=Severity.ACT_NOW, reason="Agreed at the visit.", expires=stamp(home, 86400.0)
    )
    home.order(order)
    home.acknowledge()
    (finding,) = look_up(home, "www.forum.example")
    assert finding.hit is not None
    assert (finding.hit.list_id, finding.hit.list_version, finding.severity) == ("watch", "1", Severity.ACT_NOW)
    assert "An officer added the entry for this home: Agreed at the visit." in finding.reasons
    home.wait(86400.0)
    assert look_up(home, "a.forum.example") == [], "it ended by itself"
    assert counts(home) == {"watch forum.example": 1}


def stamp(bench: Any, seconds: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(bench.wall + seconds, UTC)


def test_visits_remembered_are_bounded(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MAX_VISITS", 10)
    for number in range(25):
        look_up(home, f"n{number}.example")
    found = home.core._book._lookups
    assert (len(found._visits), found.overflow) == (10, 15)
    home.wait(lookups.VISIT_SECONDS)
    look_up(home, "late.example")
    assert found.overflow == 15, "those that are over are no loss"
    assert home.core._book.overflow() >= 15


@pytest.mark.req("R24", "R67")
def test_the_closest_exclusion_wins_over_every_list(home: Any) -> None:
    """Names made of few parts against lists of few entries: what is excluded is never told, all else is."""
    chance = random.Random(7)  # noqa: S311 - made-up names
    use(home, "a.x.example\n", "kept-out", category=EXCLUDED)
    use(home, "||x.example^\n@@||b.x.example^\n", "gambling", format_=Format.ADBLOCK)
    for _ in range(60):
        name = ".".join([*chance.choices("abc", k=chance.randint(0, 2)), "x", "example"])
        look_up(home, name)
        home.wait(lookups.VISIT_SECONDS)
    assert names(home)
    assert not [name for name in names(home) if name.endswith(("a.x.example", "b.x.example"))]
