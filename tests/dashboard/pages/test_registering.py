from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from dashboard.pages import forms
from dashboard.pages.desk import Desk, desk
from dashboard.pages.forms import Standed
from dashboard.pages.registering import register_form


@pytest.fixture
def at_desk(app: Flask) -> Iterator[Desk]:
    with app.app_context():
        yield desk()


@pytest.mark.req("R7")
def test_an_unknown_device_is_asked_about_and_nothing_is_chosen(at_desk: Desk) -> None:
    form = register_form(at_desk, "/to", None, asked_for=False)
    assert (form.heading, form.folded, form.target) == ("Register this device", False, "/to")
    assert [item.value for item in form.choices] == list(forms.STANDINGS)
    assert not any(item.checked for item in form.choices)
    assert "person on probation" in form.choices[0].text
    assert (form.label, form.days) == ("", str(forms.GUEST_DAYS))


def test_what_was_typed_comes_back_with_what_is_wrong(at_desk: Desk) -> None:
    typed = Standed(token="x", standing="guest", label="black phone", days="0", reason="Seen")
    errors = (("days", "Days must be a whole number"),)
    form = register_form(at_desk, "/to", None, asked_for=False, typed=typed, errors=errors)
    assert [item.value for item in form.choices if item.checked] == ["guest"]
    assert (form.label, form.days, form.reason, form.errors) == ("black phone", "0", "Seen", errors)
    assert form.token != "x", "a form that comes back is a new one"
