from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from appliance.messages import Notice
from appliance.porch.page import Page
from appliance.porch.server import Asked, Reply
from appliance.settings import NoticeSettings

SETTINGS = NoticeSettings(
    operator="the <b>Example</b> Service",
    contact="Ask the officer at 01632 960000.",
    complaints="Write to complaints@example.org.",
    help_lines=("Example line: 0808 157 0000",),
)
NOTICE = Notice(
    recording=True,
    kind="order",
    kept=("Which devices join <script>alert(1)</script>", "Of registered devices: the names of sites."),
    until=1768381200.0,  # 14 January 2026, 09:00 UTC
)


def text(page: Page, path: str = "/") -> str:
    return said(page, Asked(path=path)).body.decode()


def said(page: Page, asked: Asked) -> Reply:
    """An answer that does not wait for anybody."""
    reply = page.answer(asked)
    assert reply is not None
    return reply


@pytest.mark.req("R59", "R20")
def test_page_says_what_is_kept_what_cannot_be_seen_and_whom_to_ask() -> None:
    page = Page(SETTINGS)
    page.show(NOTICE)
    html = text(page)
    assert "keeping records under a court order, until 14 January 2026 at 09:00 (UTC)" in html
    assert "Of registered devices: the names of sites." in html
    assert "What it cannot see" in html
    assert "Ask the officer at 01632 960000." in html
    assert "Write to complaints@example.org." in html


@pytest.mark.req("S6")
def test_help_lines_are_on_the_page() -> None:
    assert "Example line: 0808 157 0000" in text(Page(SETTINGS))


@pytest.mark.req("R58", "S8")
def test_page_says_that_nobody_is_asked_to_watch() -> None:
    assert "Nobody in this home is asked to watch or to report anybody else." in text(Page(SETTINGS))


def test_without_the_keeper_the_general_text_stays() -> None:
    page = Page(SETTINGS)
    page.show(NOTICE)
    page.show(None)
    html = text(page)
    assert "Details are not available right now" in html
    assert "court order" not in html
    assert "What it cannot see" in html


@pytest.mark.req("R53")
def test_without_an_authority_it_says_that_nothing_is_kept() -> None:
    page = Page(SETTINGS)
    page.show(Notice(recording=False, kind=None, kept=(), until=None))
    assert "keeping no records about devices" in text(page)


def test_what_comes_from_outside_is_escaped() -> None:
    page = Page(SETTINGS)
    page.show(NOTICE)
    assert "<script>" not in text(page)
    assert "<b>Example" not in text(page)


def test_page_loads_nothing_but_its_own_style() -> None:
    class Links(HTMLParser):
        found: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in {"script", "img", "iframe", "style"}
            self.found += [value or "" for name, value in attrs if name in {"src", "href", "style"}]

    links = Links()
    links.found = []
    page = Page(SETTINGS)
    links.feed(text(page))
    assert links.found == ["/notice.css", "/visitor", "/this-device", "/ask"]
    assert said(page, Asked(path="/notice.css?v=1")).content_type.startswith("text/css")
    assert not re.search(rb"url\(|@import", said(page, Asked(path="/notice.css")).body)
    assert said(page, Asked(path="/notice.cssx")).content_type.startswith("text/html")


def refused(page: Page, host: str, *, own_address: bool = True) -> tuple[int, str]:
    reply = said(page, Asked(path="/some/page", host=host, own_address=own_address))
    return reply.status, reply.body.decode()


@pytest.mark.req("R22", "S6")
def test_another_name_for_the_box_is_an_address_that_is_refused() -> None:
    page = Page(SETTINGS)
    page.show(NOTICE)
    status, html = refused(page, "www.example.com")
    assert status == 403
    assert "This address is not available on this device" in html
    assert "under a court order" in html
    assert "Example line: 0808 157 0000" in html
    assert "Ask the officer at 01632 960000." in html
    assert "Write to complaints@example.org." in html
    assert 'href="http://gatehouse.home.arpa/"' in html
    assert "example.com" not in html, "which address it was is nobody else's to read"
    assert "<script" not in html


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80", "Gatehouse", "gatehouse.home.arpa.", ""]
)
def test_the_boxs_own_names_show_the_notice(host: str) -> None:
    status, html = refused(Page(SETTINGS), host)
    assert status == 200
    assert "About the box on this internet connection" in html


@pytest.mark.parametrize("host", ["gatehouse.example.com", "192.0.2.1.example", "x" * 4000, "\x00", "a.b:c:d"])
def test_any_other_host_is_a_refused_one(host: str) -> None:
    assert refused(Page(SETTINGS), host)[0] == 403


def test_who_was_led_here_from_another_address_reads_the_notice() -> None:
    """A device that is held back, and one that checks for a sign-in page: neither asked for a refused name."""
    status, html = refused(Page(SETTINGS), "captive.example", own_address=False)
    assert status == 200
    assert "About the box" in html
