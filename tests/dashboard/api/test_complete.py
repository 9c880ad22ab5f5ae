"""The interface does what the pages do: each page and each form is in it, or says why not; and it is described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from dashboard import access
from dashboard.api import acts_table, views
from dashboard.api.install import EXTENSION, described
from dashboard.tokens import OFFERED

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


def _endpoints(app: Flask, method: str) -> set[str]:
    found = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        fresh = access.wants_fresh(view)  # for a person alone
        if method in (rule.methods or ()) and not rule.rule.startswith("/api/") and not fresh:
            found |= {rule.endpoint} if access.need_of(view) in OFFERED else set()
    return found


def _made_of(app: Flask, start: str) -> str:
    return " ".join(one.name for one in app.extensions[EXTENSION].api.operations if one.name.startswith(start))


def test_every_form_of_a_page_is_an_act_or_says_why_not(app: Flask) -> None:
    acts = {act.endpoint for act in acts_table.ACTS}
    others = _made_of(app, "form_").split()
    for endpoint in _endpoints(app, "POST") - acts - set(acts_table.EXEMPT):
        assert "form_" + endpoint.replace(".", "_") in others
    assert acts - set(app.view_functions) == set(), "acts of forms that are no more"
    assert not acts & set(acts_table.EXEMPT)


def test_every_page_is_there_as_data_or_says_why_not(app: Flask) -> None:
    made = _made_of(app, "page_").split()
    files = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.endswith(views._FILES)}
    for endpoint in _endpoints(app, "GET") - set(views.EXEMPT) - files:
        assert "page_" + endpoint.replace(".", "_") in made
    assert set(views.VIEWS) - set(app.view_functions) == set(), "pages that are no more"
    assert set(views.VIEWS.values()) - set(views.contexts()) == set(), "contexts that are no more"
    assert not set(views.VIEWS) & set(views.EXEMPT)


def test_no_token_reaches_what_wants_a_person(app: Flask) -> None:
    offered = {*OFFERED, access.May.BE_HERE}
    for one in app.extensions[EXTENSION].api.operations:
        assert one.need in offered, one.name
        assert one.need is not access.May.BE_HERE or one.name in {"me", "read_message"}, one.name


def test_names_of_operations_are_their_own(app: Flask) -> None:
    names = [one.name for one in app.extensions[EXTENSION].api.operations]
    assert len(set(names)) == len(names)
    assert all(one.summary.endswith(".") for one in app.extensions[EXTENSION].api.operations)


def test_the_document_in_the_repository_is_that_of_the_program(app: Flask) -> None:
    made = described(app.extensions[EXTENSION].api)
    assert json.loads(DOCUMENT.read_text()) == json.loads(json.dumps(made)), "make it anew: python -m dashboard.api"


@pytest.mark.req("R42")
def test_no_word_of_the_document_speaks_of_persons_or_accuses(app: Flask) -> None:
    text = json.dumps(described(app.extensions[EXTENSION].api)).lower()
    assert "breach" not in text
    assert "offender" not in text
