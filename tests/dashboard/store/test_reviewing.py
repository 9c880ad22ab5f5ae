from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, true, update

from dashboard import auth
from dashboard.access import Role
from dashboard.store import reviewing, reviews, schema
from dashboard.store.outcomes import Action, Outcome, State
from dashboard.store.reviewing import ChangedError, Decided, Given
from wire.findings import Severity

Act = Callable[..., Any]


@pytest.fixture
def people(engine: Engine) -> tuple[str, str]:
    return (
        auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0),
        auth.add_account(engine, name="two", role=Role.OFFICER, now=0.0),
    )


@pytest.fixture
def given(people: tuple[str, str], clock: Any) -> Callable[..., Given]:
    made: list[int] = []

    def make(*, seen: int = 0, second: bool = False, token: str | None = None) -> Given:
        made.append(0)
        return Given(by=people[second], now=clock.at, token=token or f"token-{len(made)}", seen=seen)

    return make


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()


def _decide(engine: Engine, given: Given, **values: Any) -> bool:
    decided = Decided(**({"action": Action.NONE, "reason": "Seen at the visit"} | values))
    with engine.begin() as connection:
        return reviewing.decide(connection, "site-1", "find-1", decided, given)


def _unreviewed(engine: Engine) -> int:
    with engine.begin() as connection:
        return reviews.unreviewed(connection, true()).number


@pytest.mark.req("R37")
def test_a_decision_says_who_when_and_why(
    engine: Engine, given: Callable[..., Given], people: tuple[str, str], seed: Any, clock: Any
) -> None:
    with engine.begin() as connection:
        before = reviews.unreviewed(connection, true())
    assert (before.number, before.oldest) == (1, clock.at - 60)
    assert _decide(engine, given(), outcome=Outcome.EXPLAINED)
    with engine.begin() as connection:
        found = reviews.review_of(connection, "site-1", "find-1")
        (act,) = reviews.history_of(connection, "site-1", "find-1")
        after = reviews.unreviewed(connection, true())
    assert found is not None
    assert (found.by, found.by_name, found.at, found.reason) == (people[0], "one", clock.at, "Seen at the visit")
    assert (found.version, found.state, found.outcome, found.severity) == (1, "settled", "explained", "today")
    assert (act.act, act.by_name, act.reason, act.version) == ("decide", "one", "Seen at the visit", 1)
    assert (after.number, after.oldest) == (0, None)
    assert [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "review-finding"] == ["site-1/find-1"]


@pytest.mark.req("R37")
def test_what_the_box_closed_by_itself_still_waits_for_a_look(engine: Engine, seed: Any) -> None:
    seed.finding("find-2", state="closed")
    seed.finding("find-3", severity="information")
    assert _unreviewed(engine) == 2
    with engine.begin() as connection:
        by_site = reviews.unreviewed_by_site(connection, schema.site.c.site == "site-1")
        other = reviews.unreviewed(connection, schema.site.c.site == "site-2")
    assert by_site["site-1"].number == 2
    assert other == reviews.Unreviewed(number=0, oldest=None)


def test_a_form_sent_twice_is_one_act(engine: Engine, given: Callable[..., Given], seed: Any) -> None:
    assert _decide(engine, given(token="same"))
    assert not _decide(engine, given(token="same"))
    assert len(seed.rows(schema.review_act)) == 1


@pytest.mark.req("R37")
def test_of_two_that_decide_at_once_one_is_taken(engine: Engine, given: Callable[..., Given], seed: Any) -> None:
    assert _decide(engine, given())
    for late in (given(second=True), given(second=True, seen=1)):
        with pytest.raises(ChangedError):
            _decide(engine, late, reason="Something else")
    assert [row["reason"] for row in seed.rows(schema.review_act)] == ["Seen at the visit"]


@pytest.mark.req("N13")
def test_a_second_person_is_another_one(
    engine: Engine, given: Callable[..., Given], people: tuple[str, str], clock: Any
) -> None:
    assert _decide(engine, given(), second=True)

    def answer(who: Given, *, agrees: bool) -> bool:
        with engine.begin() as connection:
            return reviewing.second(connection, "site-1", "find-1", who, agrees=agrees, reason="I looked")

    with engine.begin() as connection:
        mine = reviews.due(connection, true(), account_id=people[0], now=clock.at, referred_before=clock.at - 60)
        others = reviews.due(connection, true(), account_id=people[1], now=clock.at, referred_before=clock.at - 60)
    assert mine == ()
    assert [item.state for item in others] == ["second"]
    with pytest.raises(ChangedError):
        answer(given(seen=1), agrees=True)
    assert answer(given(seen=1, second=True), agrees=False)
    assert _unreviewed(engine) == 1
    assert _decide(engine, given(seen=2, second=True), second=True)
    assert answer(given(seen=3), agrees=True)
    assert _unreviewed(engine) == 0
    with engine.begin() as connection:
        found = reviews.review_of(connection, "site-1", "find-1")
        history = reviews.history_of(connection, "site-1", "find-1")
    assert found is not None
    assert found.state == State.SETTLED
    assert [(act.act, act.by_name) for act in history] == [
        ("agree", "one"),
        ("decide", "two"),
        ("disagree", "two"),
        ("decide", "one"),
    ]


def test_what_is_to_be_asked_comes_back_on_its_day(
    engine: Engine, given: Callable[..., Given], people: tuple[str, str], clock: Any
) -> None:
    assert _decide(engine, given(), action=Action.ASK, follow_up_at=clock.at + 3600)
    with engine.begin() as connection:
        assert reviews.due(connection, true(), account_id=people[0], now=clock.at, referred_before=clock.at - 60) == ()
        (item,) = reviews.due(
            connection, true(), account_id=people[0], now=clock.at + 3600, referred_before=clock.at - 60
        )
    assert (item.state, item.finding_id, item.follow_up_at) == ("follow-up", "find-1", clock.at + 3600)
    assert _unreviewed(engine) == 0
    # The answer of the person is the next decision.
    assert _decide(engine, given(seen=1), outcome=Outcome.VISITOR)


def test_what_was_referred_waits_for_that_account_and_after_a_while_for_everybody(
    engine: Engine, given: Callable[..., Given], people: tuple[str, str], clock: Any
) -> None:
    assert _decide(engine, given(), action=Action.REFER, referred_to=people[1])

    def states(before: float) -> list[list[str]]:
        with engine.begin() as connection:
            found = [
                reviews.due(connection, true(), account_id=who, now=clock.at, referred_before=before) for who in people
            ]
        return [[item.state for item in items] for items in found]

    assert states(clock.at - 60) == [[], ["referred"]]
    assert states(clock.at) == [["unanswered"], ["referred"]]


@pytest.mark.req("R37")
def test_reopened_it_waits_again_and_nothing_said_is_lost(
    engine: Engine, given: Callable[..., Given], seed: Any
) -> None:
    assert _decide(engine, given())

    def again(who: Given) -> bool:
        with engine.begin() as connection:
            return reviewing.reopen(connection, "site-1", "find-1", who, reason="It came up again")

    with pytest.raises(ChangedError):
        again(given())
    assert again(given(seen=1, token="again"))
    assert not again(given(seen=1, token="again"))
    assert _unreviewed(engine) == 1
    assert [row["reason"] for row in seed.rows(schema.review_act)] == ["Seen at the visit", "It came up again"]
    assert _decide(engine, given(seen=2))


def test_several_are_decided_with_one_reason_but_none_that_was_decided_meanwhile(
    engine: Engine, given: Callable[..., Given], seed: Any
) -> None:
    for number in (2, 3):
        seed.finding(f"find-{number}", state="closed")
    assert _decide(engine, given(), reason="First")
    decided = Decided(action=Action.NONE, reason="A visit", outcome=Outcome.VISITOR)
    names = ["find-1", "find-2", "find-3", "never-seen"]
    with engine.begin() as connection:
        assert reviewing.decide_alike(connection, "site-1", names, decided, given(token="all")) == 2
        assert reviewing.decide_alike(connection, "site-1", names, decided, given(token="all")) == 0
    assert _unreviewed(engine) == 0
    said = {row["finding_id"]: row["reason"] for row in seed.rows(schema.review)}
    assert said == {"find-1": "First", "find-2": "A visit", "find-3": "A visit"}


def test_what_became_worse_is_decided_anew(engine: Engine, given: Callable[..., Given]) -> None:
    assert _decide(engine, given())
    with engine.begin() as connection:
        connection.execute(update(schema.finding).values(severity="act_now", looked_at=None))
    assert _decide(engine, given(seen=1), reason="Looked again")
    with engine.begin() as connection:
        found = reviews.review_of(connection, "site-1", "find-1")
    assert found is not None
    assert (found.severity, found.version) == ("act_now", 2)


@pytest.mark.req("R40")
def test_a_household_is_looked_through_as_a_whole(engine: Engine, given: Callable[..., Given], clock: Any) -> None:
    for token in ("first", "first", "second"):
        with engine.begin() as connection:
            reviewing.look_through(connection, "site-1", given(token=token), reason="All well")
        clock.at += 60
    with engine.begin() as connection:
        assert reviews.looked_through(connection, true()) == {"site-1": clock.at - 60}
        assert [act.act for act in reviews.history_of(connection, "site-1")] == ["look", "look"]
    assert _unreviewed(engine) == 1


@pytest.mark.req("R30")
def test_entries_said_to_be_wrong_are_counted_for_their_list(engine: Engine, given: Callable[..., Given]) -> None:
    assert _decide(engine, given(), outcome=Outcome.LIST_WRONG, list_id="demo-list")
    with engine.begin() as connection:
        assert reviews.wrong_of_list(connection, "demo-list") == 1
        assert reviews.wrong_of_list(connection, "other") == 0


@pytest.mark.req("R64")
def test_a_review_goes_with_its_finding(engine: Engine, given: Callable[..., Given], seed: Any) -> None:
    assert _decide(engine, given())
    with engine.begin() as connection:
        reviewing.look_through(connection, "site-1", given(), reason="All well")
        assert reviewing.forget(connection, "site-1") == 0
        connection.execute(delete(schema.finding))
        assert reviewing.forget(connection, "site-1") == 2
    assert seed.rows(schema.review) == []
    assert [row["act"] for row in seed.rows(schema.review_act)] == ["look"]


def test_no_finding_no_decision(engine: Engine, given: Callable[..., Given]) -> None:
    with engine.begin() as connection, pytest.raises(LookupError):
        reviewing.decide(connection, "site-1", "none", Decided(action=Action.NONE, reason="x"), given())
    with engine.begin() as connection:
        assert connection.execute(select(schema.review)).first() is None


@pytest.mark.req("N13", "R30")
def test_of_several_decided_alike_each_is_asked_for_its_own_second_person_and_list(
    engine: Engine, given: Callable[..., Given], seed: Any
) -> None:
    seed.finding("urgent", severity="act_now", state="closed")
    for number in (1, 2):
        hit = seed.hit(list_id=f"list-{number}")
        seed.finding(f"hit-{number}", kind="listed-name", severity="this_week", hit=hit)
    decided = Decided(action=Action.NONE, outcome=Outcome.LIST_WRONG, reason="All of one visit")
    with engine.begin() as connection:
        ids = ["urgent", "hit-1", "hit-2", "nothing"]
        done = reviewing.decide_alike(
            connection, "site-1", ids, decided, given(), needs_second=((), (Severity.ACT_NOW,))
        )
    assert done == 3
    rows = {row["finding_id"]: (row["state"], row["list_id"]) for row in seed.rows(schema.review)}
    assert rows == {
        "urgent": ("second", None),
        "hit-1": ("settled", "list-1"),
        "hit-2": ("settled", "list-2"),
    }
