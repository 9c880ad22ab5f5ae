from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.caseload import PAGE
from dashboard.store.saved import MOST_SAVED


def _titles(page: TestResponse) -> list[str]:
    return re.findall(r'id="row-\d+"><bdi>NM-([\w-]+)</bdi>', page.text)


@pytest.fixture
def homes(seed: Any, clock: Any) -> None:
    for site in ("calm", "worst", "week", "silent", "old"):
        seed.site(site, **({"heard_at": clock.at - 900} if site == "silent" else {}))
        seed.device(site=site, standing="registered" if site == "calm" else "unknown")
    for site, severity, age in (("worst", "act_now", 10), ("week", "this_week", 9000), ("old", "today", 90000)):
        seed.finding(site=site, severity=severity, raised_at=clock.at - age)
    for site, risk, reference in (("worst", "high", "C-11"), ("calm", "", "C-22")):
        person = {"person_id": f"p-{site}", "tenant": "northmoor", "reference": reference, "risk": risk, "by": "x"}
        seed._insert(schema.person, person | {"revision": 1, "changed_at": 0.0})
        since = clock.at - 20 * 86400 if site == "calm" else clock.at
        seed._insert(schema.home, {"site": site, "person_id": f"p-{site}", "since": since, "by": "x"})
    seed.finding("ends", site="calm", kind="authority-ending", device_id=None, severity="information")


@pytest.mark.req("R36")
@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["worst", "old", "week", "calm", "silent"]),
        ("sort=name", ["calm", "old", "silent", "week", "worst"]),
        ("sort=oldest", ["old", "week", "worst", "calm", "silent"]),
        ("sort=heard", ["silent"]),
        ("severity=today", ["worst", "old"]),
        ("severity=this_week", ["worst", "old", "week"]),
        ("severity=nonsense", ["worst", "old", "week", "calm", "silent"]),
        ("standing=registered", ["calm"]),
        ("risk=high", ["worst"]),
        ("risk=none", ["old", "week", "calm", "silent"]),
        ("silent=1", ["silent"]),
        ("due=1", ["calm"]),
        ("ending=1", ["calm"]),
        ("q=C-11", ["worst"]),
        ("q=nm-w", ["worst", "week"]),
        ("q=%25", []),
        ("q=_", []),
        ("severity=today&silent=1", []),
        ("page=99", ["worst", "old", "week", "calm", "silent"]),
        ("page=-1", ["worst", "old", "week", "calm", "silent"]),
    ],
)
def test_the_address_narrows_the_list_down(officer: FlaskClient, query: str, found: list[str]) -> None:
    titles = _titles(officer.get(f"/households?{query}"))
    assert titles[: len(found)] == found if query == "sort=heard" else titles == found


def test_a_thousand_households_are_pages_of_as_many_statements(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-0")
    statements: list[str] = []
    event.listen(seed.engine, "before_cursor_execute", lambda *rest: statements.append(rest[2]))
    officer.get("/households")
    few = len(statements)
    for number in range(1, PAGE + 10):
        seed.site(f"site-{number}", title=f"NM-{number:04d}")
        seed.finding(site=f"site-{number}")
    statements.clear()
    first = officer.get("/households")
    assert len(statements) <= few
    assert len(_titles(first)) == PAGE
    assert f"{PAGE + 10} households" in first.text
    second = officer.get("/households?page=2")
    assert len(_titles(second)) == 10
    assert not set(_titles(first)) & set(_titles(second))
    assert 'aria-current="page">2</strong>' in second.text
    assert 'rel="prev" href="/households?"' in second.text


def test_a_narrowed_list_looks_again_for_the_same(officer: FlaskClient, seed: Any) -> None:
    seed.site("calm")
    seed.site("worst")
    seed.finding(site="worst")
    page = officer.get("/households?severity=today&q=NM&wait=1").text
    address = re.search(r'data-live="([^"]+)"', page)
    assert address is not None
    assert address[1] == "/households?severity=today&amp;q=NM&amp;part=live"
    assert _titles(officer.get(address[1].replace("&amp;", "&"))) == ["worst"]


@pytest.mark.req("R66")
def test_an_officer_lists_and_takes_only_what_is_theirs(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    for site in ("mine", "theirs"):
        seed.site(site)
    chief = sign_in_as("chief", Role.SUPERVISOR)
    officer = sign_in_as("officer-1")
    with seed.engine.begin() as connection:
        connection.execute(schema.assignment.delete())
    me = next(row["account_id"] for row in seed.rows(schema.account) if row["name"] == "officer-1")
    seed.charge(me, "mine")
    assert _titles(officer.get("/households")) == ["mine"]
    assert sorted(_titles(chief.get("/households"))) == ["mine", "theirs"]
    assert _titles(chief.get(f"/households?officer={me}")) == ["mine"]
    assert "In charge" in chief.get("/households").text
    taken = officer.get("/households.csv")
    assert taken.status_code == 200
    assert "NM-mine" in taken.text
    assert "NM-theirs" not in taken.text
    assert [row["action"] for row in seed.rows(schema.audit)].count("export-households") == 1


def _keep(client: FlaskClient, name: str, query: str = "severity=today") -> TestResponse:
    page = client.get(f"/households?{query}").text
    token = re.search(r'csrf_token" value="([^"]+)', page)
    assert token is not None
    return client.post("/households/filters", data={"csrf_token": token[1], "query": query, "name": name})


def test_a_filter_is_kept_under_a_name_and_bounded(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    assert _keep(officer, "Urgent").location == "/households?severity=today"
    assert 'href="/households?severity=today"' in officer.get("/households").text
    _keep(officer, "Urgent", "silent=1&nonsense=<script>")
    assert [(row["name"], row["query"]) for row in seed.rows(schema.saved_search)] == [("Urgent", "silent=1")]
    assert _keep(officer, "").status_code == 422
    assert _keep(officer, "x" * 61).status_code == 422
    for number in range(MOST_SAVED - 1):
        assert _keep(officer, f"n-{number}").status_code == 303
    full = _keep(officer, "one more")
    assert full.status_code == 422
    assert "which is the most" in full.text
    assert 'value="one more"' in full.text
    token = re.search(r'csrf_token" value="([^"]+)', full.text)[1]  # type: ignore[index]
    gone = officer.post("/households/filters", data={"csrf_token": token, "forget": "Urgent"})
    assert gone.status_code == 303
    assert len(seed.rows(schema.saved_search)) == MOST_SAVED - 1
    gone = [row["action"] for row in seed.rows(schema.audit)]
    assert (gone.count("keep-filter"), gone.count("forget-filter")) == (MOST_SAVED + 1, 1)


@pytest.mark.parametrize("query", ["&".join(["a=1"] * 30), "officer=%00", "q=%00", "risk=%FF&severity=%00", "=&&="])
def test_an_address_of_somebody_else_s_making_is_an_address_all_the_same(
    officer: FlaskClient, seed: Any, query: str
) -> None:
    seed.site()
    assert officer.get(f"/households?{query}").status_code == 200
    assert _keep(officer, "Odd", query).status_code == 303
    token = re.search(r'csrf_token" value="([^"]+)', officer.get("/households").text)[1]  # type: ignore[index]
    assert officer.post("/households/filters", data={"csrf_token": token, "forget": "\0"}).status_code == 303
