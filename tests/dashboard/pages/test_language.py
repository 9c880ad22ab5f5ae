from __future__ import annotations

from collections.abc import Callable

from werkzeug.test import TestResponse

from dashboard.app import create_app
from dashboard.settings import DashboardSettings


def test_the_choice_is_kept_from_scripts_and_other_sites(
    make_settings: Callable[..., DashboardSettings], csrf: Callable[[TestResponse], str]
) -> None:
    client = create_app(make_settings(languages=["en", "cy"])).test_client()
    sent = client.post("/language", data={"language": "cy", "csrf_token": csrf(client.get("/sign-in"))})
    cookie = next(line for line in sent.headers.getlist("Set-Cookie") if line.startswith("language=cy"))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
