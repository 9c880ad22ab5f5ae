from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.app import create_app
from dashboard.i18n import N_, _, ngettext
from dashboard.settings import DashboardSettings


def test_a_text_outside_a_request_stays_as_it_is() -> None:
    assert _("%(number)s devices", number=3) == "3 devices"
    assert N_("Today") == "Today"
    assert _("100 %") == "100 %", "nothing is filled in where there are no values"
    assert [ngettext("%(num)s box", "%(num)s boxes", number) for number in (1, 2)] == ["1 box", "2 boxes"]
    assert ngettext("%(num)s box %(where)s", "%(num)s boxes %(where)s", 2, num="two", where="here") == "two boxes here"


def test_each_request_has_its_own_language_also_of_numbers(make_settings: Callable[..., DashboardSettings]) -> None:
    app = create_app(make_settings(languages=["en", "cy"]))
    found = []
    for asked in ("cy", "en", "cy"):
        with app.test_request_context(headers={"Accept-Language": asked}):
            counted = ngettext("%(num)s box does not report.", "%(num)s boxes do not report.", 1)
            shown = app.jinja_env.from_string('{{ _("Today") }} {{ _("%(what)s", what="<b>") }}').render()
            found.append((_("Today"), counted, shown))
    welsh, english, again = found
    assert welsh == again
    assert english == ("Today", "1 box does not report.", "Today &lt;b&gt;")
    assert welsh[0] != english[0]
    assert welsh[1] != english[1]
    assert welsh[2] == f"{welsh[0]} &lt;b&gt;"


@pytest.fixture
def stranger_of_two(make_settings: Callable[..., DashboardSettings]) -> FlaskClient:
    return create_app(make_settings(languages=["en", "cy"])).test_client()


def test_the_language_is_the_browsers_until_one_is_chosen(
    stranger_of_two: FlaskClient, csrf: Callable[[TestResponse], str]
) -> None:
    assert 'lang="en-GB"' in stranger_of_two.get("/sign-in").text
    welsh = stranger_of_two.get("/sign-in", headers={"Accept-Language": "cy, en;q=0.5"})
    assert '<html lang="cy"' in welsh.text
    assert "gan beiriant" in welsh.text, "that no person has read it is said in it"
    form = stranger_of_two.get("/sign-in")
    sent = stranger_of_two.post("/language", data={"language": "cy", "csrf_token": csrf(form)})
    assert (sent.status_code, sent.location) == (303, "/")
    assert '<html lang="cy"' in stranger_of_two.get("/sign-in", headers={"Accept-Language": "en"}).text
    assert stranger_of_two.post("/language", data={"language": "xx", "csrf_token": csrf(form)}).status_code == 400


def test_one_language_offers_no_choice(stranger: FlaskClient) -> None:
    assert "/language" not in stranger.get("/sign-in").text
