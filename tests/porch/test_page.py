from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from appliance.messages import Notice
from appliance.porch.page import Page
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
    return page.answer(path).body.decode()


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
            assert tag not in {"script", "img", "iframe", "form", "style"}
            self.found += [value or "" for name, value in attrs if name in {"src", "href", "style"}]

    links = Links()
    links.found = []
    page = Page(SETTINGS)
    links.feed(text(page))
    assert links.found == ["/notice.css"]
    assert page.answer("/notice.css?v=1").content_type.startswith("text/css")
    assert not re.search(rb"url\(|@import", page.answer("/notice.css").body)
    assert page.answer("/notice.cssx").content_type.startswith("text/html")
