from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from dashboard import auth
from dashboard.access import Role
from dashboard.auth import SignedIn
from dashboard.store import charge, queries, schema
from dashboard.store.engine import reading

pytestmark = pytest.mark.req("R39")
DAY = 86400.0


@pytest.fixture
def person(engine: Engine) -> Callable[..., SignedIn]:
    def make(name: str, role: Role = Role.OFFICER) -> SignedIn:
        account_id = auth.add_account(engine, name=name, role=role, now=0.0)
        return SignedIn(account_id=account_id, name=name, role=role, token_hash="", expires_at=0.0)

    return make


@pytest.fixture
def seen(engine: Engine, clock: Any) -> Callable[[SignedIn], list[str]]:
    def look(who: SignedIn) -> list[str]:
        within = charge.sees(who, clock.at, "northmoor")
        with reading(engine).connect() as connection:
            rows = queries.households(connection, "northmoor", within=within)
            assert queries.count_households(connection, "northmoor", within=within) == len(rows)
            for row in rows:
                assert charge.may_see(connection, who, row.site, clock.at)
        return [row.site for row in rows]

    return look


def test_each_role_sees_what_it_is_for(
    engine: Engine, seed: Any, person: Callable[..., SignedIn], seen: Callable[[SignedIn], list[str]], clock: Any
) -> None:
    seed.site("site-1")
    seed.site("site-2")
    seed.site("site-3", tenant="elsewhere")
    people = {role: person(role.value, role) for role in Role}
    with engine.begin() as connection:
        for role in (Role.OFFICER, Role.INSTALLER):
            mine = people[role].account_id
            given = charge.assign(connection, sites=["site-1", "site-3"], account_id=mine, by=None, now=clock.at)
            assert given == ("site-1", "site-3")
            assert charge.assign(connection, sites=["site-1"], account_id=mine, by=None, now=clock.at) == ()
    assert {role: seen(who) for role, who in people.items()} == {
        Role.OFFICER: ["site-1"],
        Role.INSTALLER: ["site-1"],
        Role.SUPERVISOR: ["site-1", "site-2"],
        Role.AUDITOR: ["site-1", "site-2"],
        Role.ENGINEER: [],
    }
    with reading(engine).connect() as connection:
        assert not charge.may_see(connection, people[Role.OFFICER], "site-2", clock.at)
        assert not charge.may_see(connection, people[Role.SUPERVISOR], "none", clock.at)
        assert charge.count_nobodys(connection, "northmoor", clock.at) == 1
        assert [*charge.officers_by_site(connection, "northmoor", clock.at)] == ["site-1"]
        assert [row.role for row in charge.in_charge_of(connection, "site-1", clock.at)] == ["installer", "officer"]


def test_standing_in_begins_and_ends_by_itself_and_is_not_passed_on(
    engine: Engine, seed: Any, person: Callable[..., SignedIn], seen: Callable[[SignedIn], list[str]], clock: Any
) -> None:
    one, two, three = person("one"), person("two"), person("three")
    seed.site("site-1", charged=False)
    seed.charge(one.account_id, "site-1")
    with engine.begin() as connection:
        for who, whom in ((two, one), (three, two)):
            charge.add_cover(
                connection,
                account_id=who.account_id,
                for_account=whom.account_id,
                since=clock.at + 10,
                until=clock.at + DAY,
                by=one.account_id,
                now=clock.at,
            )
    assert seen(two) == []
    clock.at += 10
    assert seen(two) == ["site-1"]
    assert seen(three) == []
    with reading(engine).connect() as connection:
        deciders = select(schema.account.c.name).where(charge.seers("site-1", clock.at))
        assert sorted(connection.execute(deciders).scalars()) == ["one", "two"]
        assert [row.name for row in charge.covers_of(connection, one.account_id, clock.at)] == ["two"]
        assert len(charge.covers_of(connection, None, clock.at)) == 2
    with engine.begin() as connection:
        pair = {"account_id": two.account_id, "for_account": one.account_id, "by": two.account_id}
        assert charge.end_cover(connection, **pair, now=clock.at)
        assert not charge.end_cover(connection, **pair, now=clock.at)
    assert seen(two) == []
    clock.at += DAY
    assert seen(three) == []
    acts = [row["action"] for row in seed.rows(schema.audit) if "cover" in row["action"]]
    assert acts == ["cover", "cover", "end-cover"]


@pytest.mark.parametrize(
    "case",
    [(0.0, -1.0, "later"), (5.0, 5.0, "later"), (0.0, 93 * DAY, "three months")],
)
def test_a_standing_in_that_makes_no_sense_is_refused(
    engine: Engine, person: Callable[..., SignedIn], clock: Any, case: tuple[float, float, str]
) -> None:
    since, until, text = case
    one, two = person("one"), person("two")
    with engine.begin() as connection, pytest.raises(ValueError, match=text):
        charge.add_cover(
            connection,
            account_id=one.account_id,
            for_account=two.account_id,
            since=clock.at + since,
            until=clock.at + until,
            by=None,
            now=clock.at,
        )


def test_only_officers_stand_in_and_not_for_themselves_nor_for_everybody(
    engine: Engine, person: Callable[..., SignedIn], clock: Any
) -> None:
    one, auditor = person("one"), person("auditor", Role.AUDITOR)
    others = [person(f"officer-{number}") for number in range(charge.MOST_COVERS + 1)]

    def cover(who: SignedIn, whom: SignedIn) -> None:
        with engine.begin() as connection:
            charge.add_cover(
                connection,
                account_id=who.account_id,
                for_account=whom.account_id,
                since=clock.at,
                until=clock.at + DAY,
                by=None,
                now=clock.at,
            )

    for who, whom, text in ((one, one, "themselves"), (auditor, one, "officer"), (one, auditor, "officer")):
        with pytest.raises(ValueError, match=text):
            cover(who, whom)
    for whom in others[:-1]:
        cover(one, whom)
    with pytest.raises(ValueError, match=f"{charge.MOST_COVERS} others"):
        cover(one, others[-1])


def test_what_is_taken_away_is_nobodys_and_the_audit_says_by_whom(
    engine: Engine, seed: Any, person: Callable[..., SignedIn], seen: Callable[[SignedIn], list[str]], clock: Any
) -> None:
    one, boss = person("one"), person("boss", Role.SUPERVISOR)
    seed.site("site-1")
    seed.site("site-2")
    with engine.begin() as connection:
        taken = charge.unassign(
            connection, sites=["site-1", "none"], account_id=one.account_id, by=boss.account_id, now=clock.at
        )
        assert taken == ("site-1",)
    assert seen(one) == ["site-2"]
    with engine.begin() as connection:
        assert charge.end_all(connection, account_id=one.account_id, by=boss.account_id, now=clock.at) == 1
        assert charge.count_nobodys(connection, "northmoor", clock.at) == 2
    assert seen(one) == []
    lines = [(row["subject"], row["account_id"]) for row in seed.rows(schema.audit) if row["action"] == "unassign"]
    assert lines == [(f"{site}/{one.account_id}", boss.account_id) for site in ("site-1", "site-2")]
    clock.at += 1
    with engine.begin() as connection:
        charge.assign(connection, sites=["site-1"], account_id=one.account_id, by=boss.account_id, now=clock.at)
    assert seen(one) == ["site-1"], "it can be given back"
