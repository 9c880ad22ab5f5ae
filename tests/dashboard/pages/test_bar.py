"""The bar above every page about a household."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from dashboard.access import Role
from dashboard.pages.bar import TABS
from dashboard.store import cases
from dashboard.store.cases import Risk

DAY = 86400.0


def _person(engine: Engine, **values: Any) -> None:
    given: dict[str, Any] = {"reference": "NM/7", "name": "A. Person", "risk": Risk.HIGH, "review_days": None}
    with engine.begin() as connection:
        cases.keep_person(
            connection, tenant="northmoor", site_id="site-1", revision=0, by="a", now=1.0, **given | values
        )


def _bar(client: FlaskClient, path: str = "") -> str:
    html = client.get(f"/households/site-1{path}").text
    return html[html.index("gh-identity") : html.index("<main")]


def test_each_tab_that_is_served_says_which_it_is(officer: FlaskClient, seed: Any, app: Flask) -> None:
    seed.site()
    served = {rule.rule for rule in app.url_map.iter_rules()}
    for key, _text, path in TABS:
        assert f"/households/<site>{path}" in served, key
        bar = _bar(officer, path)
        assert re.findall(r'id="tab-([a-z]+)" aria-current="page"', bar) == [key]
        assert len(re.findall(r'id="tab-', bar)) == len(TABS)


def test_a_person_is_shown_by_reference_unless_the_operator_shows_names(
    seed: Any, engine: Engine, officer: FlaskClient
) -> None:
    seed.site()
    _person(engine)
    bar = _bar(officer)
    assert "NM/7" in bar
    assert "A. Person" not in bar


def test_only_a_risk_has_a_badge(officer: FlaskClient, seed: Any, engine: Engine) -> None:
    seed.site()
    assert "gh-badge" not in _bar(officer)
    _person(engine)
    assert '<strong class="gh-badge gh-badge--high">High risk</strong>' in _bar(officer)


def test_the_dates_of_the_order_are_said(
    officer: FlaskClient, seed: Any, put_in_force: Callable[..., None], clock: Any
) -> None:
    seed.site()
    assert "No order was put in force from here" in _bar(officer)
    put_in_force()
    assert "Order from 6 October 2025 to 1 April 2026" in _bar(officer)
    clock.at += 78 * DAY
    assert "Order ended on 1 April 2026" not in officer.get("/households").text


@pytest.mark.req("R54")
def test_an_order_that_is_over_is_said_in_bold(
    officer: FlaskClient, seed: Any, put_in_force: Callable[..., None]
) -> None:
    seed.site()
    put_in_force(ends=-DAY)
    assert "<strong>Order ended on 13 January 2026</strong>" in _bar(officer)


def test_a_silent_box_is_said_on_every_tab(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site(heard_at=clock.at - 4000)
    assert "The box has stopped reporting" in _bar(officer, "/notes")


def test_no_name_is_in_a_title(sign_in_as: Callable[..., FlaskClient], seed: Any, engine: Engine) -> None:
    seed.site()
    _person(engine)
    client = sign_in_as("one", Role.SUPERVISOR)
    for _key, _text, path in TABS:
        title = re.search(r"<title>(.*?)</title>", client.get(f"/households/site-1{path}").text)
        assert title is not None
        assert "Person" not in title[1]
        assert "NM" not in title[1]
