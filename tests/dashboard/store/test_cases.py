from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.settings import Reviews
from dashboard.store import cases, schema
from dashboard.store.cases import Case, ChangedMeanwhileError, Risk, TakenError


def _keep(engine: Engine, site: str = "site-1", **values: Any) -> str:
    given: dict[str, Any] = {
        "tenant": "northmoor",
        "site_id": site,
        "reference": "NM/1",
        "name": None,
        "risk": Risk.HIGH,
        "review_days": None,
        "revision": 0,
        "by": "account-1",
        "now": 100.0,
    }
    with engine.begin() as connection:
        return cases.keep_person(connection, **given | values)


def test_a_household_without_a_person_is_a_case_all_the_same(seed: Any, engine: Engine) -> None:
    seed.site()
    with engine.begin() as connection:
        found = cases.case_of(connection, "site-1", 1.0)
    assert found == Case(site="site-1", person=None, order=None)
    assert (found.shown("name", "NM-site-1"), found.risk, found.reference) == ("NM-site-1", Risk.NONE, "")


@pytest.mark.req("R47")
def test_persons_of_one_name_stay_two(seed: Any, engine: Engine) -> None:
    for site in ("site-1", "site-2"):
        seed.site(site)
    first = _keep(engine, name="A. Same")
    second = _keep(engine, "site-2", name="A. Same", reference="NM/2")
    assert first != second
    assert "same" not in first.lower()
    with engine.begin() as connection:
        found = cases.persons_of(connection, ["site-1", "site-2", "site-3"])
    assert {site: row.person_id for site, row in found.items()} == {"site-1": first, "site-2": second}


@pytest.mark.req("R47")
def test_a_reference_of_somebody_else_is_refused_and_nothing_is_joined(seed: Any, engine: Engine) -> None:
    for site in ("site-1", "site-2"):
        seed.site(site)
    _keep(engine)
    with pytest.raises(TakenError):
        _keep(engine, "site-2")
    assert [row["site"] for row in seed.rows(schema.home)] == ["site-1"]


@pytest.mark.req("R48")
def test_a_person_may_have_several_homes(seed: Any, engine: Engine) -> None:
    for site in ("site-1", "site-2"):
        seed.site(site)
    one = _keep(engine)
    with engine.begin() as connection:
        cases.move_home(connection, site_id="site-2", person_id=one, by="account-1", now=200.0)
        homes = cases.homes_of(connection, one)
        assert cases.person_by_reference(connection, "northmoor", "NM/1") == one
        assert cases.person_by_reference(connection, "elsewhere", "NM/1") is None
    assert [(row.site, row.since) for row in homes] == [("site-1", 100.0), ("site-2", 200.0)]


@pytest.mark.req("R48")
def test_the_homes_of_a_person_are_bounded(seed: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for site in ("site-1", "site-2"):
        seed.site(site)
    one = _keep(engine)
    monkeypatch.setattr(cases, "MOST_HOMES", 1)
    with engine.begin() as connection, pytest.raises(TakenError):
        cases.move_home(connection, site_id="site-2", person_id=one, by="account-1", now=200.0)


def test_changes_are_kept_and_audited_but_never_a_name(seed: Any, engine: Engine) -> None:
    seed.site()
    one = _keep(engine, name="A. Name")
    assert _keep(engine, name="A. Name", revision=1) == one
    _keep(engine, name="B. Name", risk=Risk.LOW, revision=1, now=200.0)
    with engine.begin() as connection:
        changes = cases.changes_of(connection, one)
    assert [(row.field, row.before, row.after) for row in changes if row.at == 200.0] == [
        ("risk", "high", "low"),
        ("name", "", ""),
    ]
    audited = [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "change-person"]
    assert audited == ["site-1: reference, name, risk", "site-1: name, risk"]


def test_the_second_of_two_changes_at_once_is_told(seed: Any, engine: Engine) -> None:
    seed.site()
    _keep(engine)
    _keep(engine, revision=1, risk=Risk.LOW)
    with pytest.raises(ChangedMeanwhileError):
        _keep(engine, revision=1, risk=Risk.MEDIUM)


@pytest.mark.req("R40")
def test_how_often_to_look_follows_the_risk_unless_said_otherwise(seed: Any, engine: Engine) -> None:
    seed.site()
    reviews = Reviews()
    _keep(engine, risk=Risk.VERY_HIGH)
    with engine.begin() as connection:
        assert cases.case_of(connection, "site-1").review_days(reviews) == 3
    _keep(engine, review_days=10, risk=Risk.VERY_HIGH, revision=1)
    with engine.begin() as connection:
        assert cases.case_of(connection, "site-1").review_days(reviews) == 10
    assert Case(site="s", person=None, order=None).review_days(reviews) == reviews.unassessed


def test_the_same_form_sent_twice_is_one_change(seed: Any, engine: Engine) -> None:
    seed.site()
    one = _keep(engine)
    assert _keep(engine) == one
    with engine.begin() as connection:
        assert [row.field for row in cases.changes_of(connection, one)] == ["risk", "reference"]


@pytest.mark.req("R47", "R48")
def test_an_entry_left_without_a_home_goes_and_its_reference_is_free(seed: Any, engine: Engine) -> None:
    for site in ("site-1", "site-2", "site-3"):
        seed.site(site)
    one = _keep(engine)
    _keep(engine, "site-2", reference="NM/2", now=150.0)
    with engine.begin() as connection:
        for _twice in range(2):
            cases.move_home(connection, site_id="site-2", person_id=one, by="account-1", now=200.0)
        assert cases.person_by_reference(connection, "northmoor", "NM/2") is None
        changes = cases.changes_of(connection, one)
    assert [(row.at, row.field) for row in changes][:1] == [(200.0, "home")]
    assert ("reference", "NM/2") in {(row.field, row.after) for row in changes}
    assert len(changes) == 5
    assert _keep(engine, "site-3", reference="NM/2") != one


@pytest.mark.req("R47", "R48")
def test_a_home_joined_by_mistake_is_taken_away_again_but_never_the_only_one(seed: Any, engine: Engine) -> None:
    for site in ("site-1", "site-2"):
        seed.site(site)
    one = _keep(engine)
    with engine.begin() as connection:
        cases.move_home(connection, site_id="site-2", person_id=one, by="account-1", now=200.0)
        cases.leave_home(connection, site_id="site-2", by="account-1", now=300.0)
        for site in ("site-1", "site-2"):
            with pytest.raises(TakenError):
                cases.leave_home(connection, site_id=site, by="account-1", now=300.0)
        assert cases.person_of(connection, "site-2") is None
    assert _keep(engine, "site-2", reference="NM/2") != one


@pytest.mark.req("R64")
def test_a_person_is_forgotten_with_the_last_of_the_homes(seed: Any, engine: Engine) -> None:
    for site in ("site-1", "site-2"):
        seed.site(site)
    one = _keep(engine)
    with engine.begin() as connection:
        cases.move_home(connection, site_id="site-2", person_id=one, by="account-1", now=200.0)
        assert cases.forget(connection, "site-1", before=150.0, over=False) == 2
        assert [row.field for row in cases.changes_of(connection, one)] == ["home"]
        assert cases.forget(connection, "site-1", before=150.0, over=True) == 1
        assert cases.person_of(connection, "site-2") is not None
        assert cases.forget(connection, "site-2", before=150.0, over=True) == 3
        assert cases.forget(connection, "site-2", before=150.0, over=True) == 0
    assert (seed.rows(schema.person), seed.rows(schema.home), seed.rows(schema.person_change)) == ([], [], [])
