from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard import access
from dashboard.access import GIVEN, May, Role, need_of, needs
from dashboard.admission import PUBLIC
from dashboard.pages import offline, shared
from dashboard.store import schema


def test_every_role_has_rights_and_every_right_a_role() -> None:
    assert set(GIVEN) == set(Role)
    assert frozenset().union(*GIVEN.values()) == set(May)
    assert all(May.BE_HERE in rights for rights in GIVEN.values())


@pytest.mark.req("R66")
def test_who_only_looks_never_decides_and_an_engineer_sees_no_household() -> None:
    assert not Role.AUDITOR.acts
    assert not {May.SEE, May.DECIDE, May.EXPORT} & GIVEN[Role.ENGINEER]
    assert not {May.SEE, May.DECIDE, May.EXPORT} & GIVEN[Role.INSTALLER]


@pytest.mark.req("R66")
def test_every_view_but_those_for_strangers_says_what_it_needs(app: Flask) -> None:
    without = {name for name, view in app.view_functions.items() if need_of(view) is None}
    assert without == PUBLIC | {"api.document"} | offline.ENDPOINTS | shared.ENDPOINTS


def test_what_a_view_needs_can_be_asked() -> None:
    @needs(May.SEE)
    def view() -> None:
        """Nothing."""

    assert access.need_of(view) is May.SEE


@pytest.mark.req("R66")
def test_what_a_role_does_not_have_is_refused_and_written_down(
    sign_in_as: Callable[..., FlaskClient], seed: Any
) -> None:
    seed.site()
    engineer = sign_in_as("engineer-1", Role.ENGINEER)
    assert engineer.get("/households/site-1").status_code == 403
    (line,) = [row for row in seed.rows(schema.audit) if row["action"] == "denied"]
    assert (line["subject"], line["outcome"]) == ("GET /households/site-1", "refused")
