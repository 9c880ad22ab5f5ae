"""Every way of signing in, in a real browser: passkeys with Chromium's virtual authenticator; a session that ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests
from playwright.sync_api import Page
from sqlalchemy import update

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema

pytestmark = [pytest.mark.browser, pytest.mark.req("R66")]
PHRASE = "heather gravel lantern"


@pytest.fixture
def at_localhost(tmp_path: Path, served: Any) -> Iterator[str]:
    """The same database, served at a name: a passkey belongs to a name, not to a number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://localhost:{listener.getsockname()[1]}"
        config = tmp_path / "named.toml"
        config.write_text(
            f'database_url = "{served.engine.url}"\ntenant = "northmoor"\noperator = "Northmoor Supervision Unit"\n'
            'secret_key_file = "secret"\nsecure_cookies = false\npoll_seconds = 0.2\n'
            f'[sign_in]\npublic_url = "{address}"\n'
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.web", "--config", str(config), "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
    assert requests.get(f"{address}/health", timeout=60).ok  # the socket waits for the process, and so do we
    yield address
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def _code_in(page: Page, address: str, name: str, code: str) -> None:
    page.goto(f"{address}/account")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Sign-in code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Your account").wait_for()


def test_a_passkey_is_added_and_signs_in_and_proves_it_anew(
    open_page: Callable[..., Page], served: Any, at_localhost: str, accessible: Callable[..., None]
) -> None:
    page = open_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    _code_in(page, at_localhost, "officer-1", served.code())
    page.get_by_label("What to call the passkey").fill("My telephone")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("My telephone", exact=True).wait_for()
    accessible(page, "account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").wait_for()
    accessible(page, "sign-in-ways")
    page.goto(f"{at_localhost}/sign-in?next=/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Your account").wait_for()
    assert page.get_by_text(", with a passkey").count() == 1
    with served.engine.begin() as connection:
        connection.execute(update(schema.session).values(proved_at=1.0))
    page.goto(f"{at_localhost}/account/authenticator")
    page.get_by_role("heading", name="Show that it is you").wait_for()
    accessible(page, "again")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Set up an authenticator app").wait_for()


def test_an_authenticator_app_signs_in_with_and_without_script(
    open_page: Callable[..., Page],
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    *,
    scripted: bool,
) -> None:
    page = open_page(java_script_enabled=scripted)
    sign_in(page)
    page.goto("/account/authenticator")
    secret = page.locator("p.gh-mono").inner_text().replace(" ", "")
    if scripted:
        accessible(page, "authenticator")
    page.get_by_label("Passphrase").fill(PHRASE)
    page.get_by_label("Code that the app shows").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    recovery = page.locator("ul.gh-mono li").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("link", name="Use an authenticator app instead").click()
    page.get_by_label("Name", exact=True).fill("officer-1")
    page.get_by_label("Passphrase").fill(PHRASE)
    page.get_by_label("Code", exact=True).fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Today", exact=True).wait_for()


def test_a_session_that_ends_in_a_form_loses_nothing(
    open_page: Callable[..., Page],
    served: Any,
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    *,
    scripted: bool,
) -> None:
    served.seed.site("site-1")
    page = open_page(java_script_enabled=scripted)
    sign_in(page)
    page.goto("/households/site-1/notes")
    page.locator("main textarea").first.fill("A long thought that nobody wants to type twice")
    with served.engine.begin() as connection:
        connection.execute(update(schema.session).values(seen_at=time.time() - 4000))
    page.locator("main form:has(textarea) button[type=submit], main form:has(textarea) button").first.click()
    page.get_by_text("Your session had ended").wait_for()
    page.get_by_label("Name", exact=True).fill("officer-1")
    page.get_by_label("Sign-in code").fill(
        auth.make_code(served.engine, name="officer-1", now=time.time(), lifetime=900)
    )
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="What you typed is still here").wait_for()
    assert "nobody wants to type twice" in page.locator("main textarea").input_value()
    if scripted:
        accessible(page, "held")
    page.get_by_role("button", name="Send it now").click()
    page.get_by_text("A long thought that nobody wants to type twice").first.wait_for()
    assert re.search(r"/households/site-1/notes", page.url)


def test_a_session_is_warned_of_and_kept(
    open_page: Callable[..., Page], served: Any, sign_in: Callable[..., None]
) -> None:
    page = open_page()
    sign_in(page)
    with served.engine.begin() as connection:
        connection.execute(update(schema.session).values(seen_at=time.time() - 3600 + 90))
    # Looked at by itself, the page does not keep the session: the warning is there at once when it is loaded so late.
    page.clock.install()
    page.goto("/account")
    page.clock.run_for(3_500_000)
    page.get_by_text("You will be signed out in two minutes").wait_for()
    page.get_by_role("button", name="Stay signed in").click()
    page.get_by_text("You stay signed in.").wait_for()


def test_a_supervisor_gives_a_household_that_is_nobodys(
    open_page: Callable[..., Page], served: Any, accessible: Callable[..., None], *, scripted: bool
) -> None:
    served.seed.site("site-1", charged=False)
    auth.add_account(served.engine, name="officer-7", role=Role.OFFICER, now=0.0)
    auth.add_account(served.engine, name="boss", role=Role.SUPERVISOR, now=0.0)
    code = auth.make_code(served.engine, name="boss", now=time.time(), lifetime=900)
    page = open_page(java_script_enabled=scripted)
    _code_in(page, served.address, "boss", code)
    page.goto("/accounts")
    if scripted:
        accessible(page, "accounts")
    page.get_by_label("NM-site-1").check()
    page.get_by_label("Give those ticked to").select_option(label="officer-7")
    page.get_by_role("button", name="Give", exact=True).click()
    page.get_by_role("heading", name="Nobody is in charge").wait_for(state="detached")
    page.get_by_role("link", name="officer-7").click()
    page.get_by_role("heading", name="Its households").wait_for()
    if scripted:
        accessible(page, "one-account")
    assert page.get_by_label("NM-site-1").count() == 1
