from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from appliance import messages as m
from appliance.messages import Notice
from appliance.porch.forms import Tokens
from appliance.porch.page import MAX_ASKED, Page
from appliance.settings import NoticeSettings
from appliance.web import Asked, Reply

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


# --- forms ------------------------------------------------------------------------------------------

OWN_PAGES = ["/", "/read", "/visitor", "/ask", "/this-device"]


def asking(**fields: Any) -> Asked:
    given: dict[str, Any] = {"host": "192.0.2.1", "client": "192.0.2.17", "server": "192.0.2.1", "at": 50.0}
    return Asked(**(given | fields))


@pytest.mark.req("R57", "R59")
def test_forms_for_who_was_led_here_go_to_the_boxs_own_address() -> None:
    """Where it was led from may answer itself by the time that a form is sent."""
    page = Page(SETTINGS)
    page.show(NOTICE)
    reply = said(page, asking(path="/hotspot-detect.html", host="captive.example", own_address=False))
    html = reply.body.decode()
    assert 'action="http://192.0.2.1/read"' in html
    assert reply.forms == "http://192.0.2.1"
    assert re.findall(r'href="(?!http://192\.0\.2\.1/)([^"]*)"', html) == ["/notice.css"]
    own = said(page, asking(path="/"))
    assert 'action="/read"' in own.body.decode()
    assert own.forms == "'self'"


@pytest.mark.req("R53", "R59")
@pytest.mark.parametrize("notice", [None, Notice(recording=False, kind=None, kept=(), until=None)])
def test_there_is_nothing_to_have_read_without_a_notice(notice: Notice | None) -> None:
    page = Page(SETTINGS)
    page.show(notice)
    assert "<form" not in text(page)


@pytest.mark.req("R58", "N12")
@pytest.mark.parametrize("path", OWN_PAGES)
def test_no_page_asks_anybody_to_watch_or_for_a_name(path: str) -> None:
    page = Page(SETTINGS)
    page.show(NOTICE)
    html = said(page, asking(path=path)).body.decode()
    words = re.sub(r"<[^>]+>", " ", html).replace(
        "Nobody in this home is asked to watch or to report anybody else.", ""
    )
    assert not re.search(r"(?i)\b(report|watch|witness|suspicious|tell us (about|who)|your (full )?name is)\b", words)
    assert not re.findall(r'<(?:input|textarea)[^>]*name="(?!token|notice|visitor|hours|kind|text|code)', html)
    assert "<script" not in html


def test_a_form_goes_to_the_keeper_and_its_answer_to_who_waits() -> None:
    heard: list[m.Message] = []

    def ask(message: m.Message) -> bool:
        heard.append(message)
        return True

    page = Page(SETTINGS, ask=ask, tokens=Tokens(b"k" * 32))
    token = Tokens(b"k" * 32).make("/ask", "192.0.2.17", 50.0)
    sent = asking(
        path="/ask",
        ticket=3,
        form=f"token={token}&kind=correction&text=%3Cb%3Emine".encode(),
        form_type="application/x-www-form-urlencoded",
    )
    assert page.answer(sent) is None
    assert heard == [m.FormSent(ticket=3, client="192.0.2.17", kind=m.FormKind.CORRECTION, text="<b>mine")]
    reply = page.answered(m.FormAnswered(ticket=3, taken=True))
    assert reply is not None
    assert b"Your message is on its way" in reply.body
    assert b"mine" not in reply.body, "what somebody wrote is not shown again"
    assert page.answered(m.FormAnswered(ticket=3, taken=True)) is None, "nobody waits any more"


def test_a_form_that_cannot_go_says_so() -> None:
    page = Page(SETTINGS, ask=lambda _message: False, tokens=Tokens(b"k" * 32))
    token = Tokens(b"k" * 32).make("/ask", "192.0.2.17", 50.0)
    sent = {"form": f"token={token}&kind=access".encode(), "form_type": "application/x-www-form-urlencoded"}
    assert said(page, asking(path="/ask", **sent)).status == 503
    assert said(page, asking(path="/elsewhere", **sent)).status == 404
    assert said(page, asking(path="/ask", form=b"", form_type="")).status == 403
    assert said(page, asking(path="/ask", host="evil.example", **sent)).status == 403
    assert b"About the box" in said(page, asking(path="/ask", own_address=False, **sent)).body


@pytest.mark.req("N12")
def test_whoever_is_not_proved_sees_the_same_page() -> None:
    page = Page(SETTINGS, ask=lambda _message: True, tokens=Tokens(b"k" * 32))
    bodies = set()
    for ticket, code in enumerate(("", "WRONG", "K7QM2XPA")):
        token = Tokens(b"k" * 32).make("/this-device", "192.0.2.17", 50.0)
        form = f"token={token}&code={code}".encode()
        kind = "application/x-www-form-urlencoded"
        assert page.answer(asking(path="/this-device", ticket=ticket, form=form, form_type=kind)) is None
        reply = page.answered(m.OwnPage(ticket=ticket))
        assert reply is not None
        bodies.add(reply.body)
    assert len(bodies) == 1


@pytest.mark.req("N12", "R76")
def test_who_is_proved_reads_about_the_device() -> None:
    page = Page(SETTINGS, ask=lambda _message: True, tokens=Tokens(b"k" * 32))
    token = Tokens(b"k" * 32).make("/this-device", "192.0.2.17", 50.0)
    kind = "application/x-www-form-urlencoded"
    page.answer(asking(path="/this-device", ticket=1, form=f"token={token}&code=x".encode(), form_type=kind))
    section = m.OwnSection(title="What was found", lines=("Nothing <i>waits</i>.",))
    reply = page.answered(m.OwnPage(ticket=1, sections=(section,)))
    assert reply is not None
    assert b"<li>Nothing &lt;i&gt;waits&lt;/i&gt;.</li>" in reply.body


def test_answers_that_are_waited_for_are_bounded() -> None:
    page = Page(SETTINGS, ask=lambda _message: True, tokens=Tokens(b"k" * 32))
    kind = "application/x-www-form-urlencoded"
    for ticket in range(MAX_ASKED + 5):
        client = f"192.0.2.{ticket}"
        token = Tokens(b"k" * 32).make("/this-device", client, 50.0)
        asked = asking(
            path="/this-device", ticket=ticket, client=client, form=f"token={token}&code=".encode(), form_type=kind
        )
        assert page.answer(asked) is None
    assert page.answered(m.OwnPage(ticket=4)) is None
    assert page.answered(m.OwnPage(ticket=5)) is not None


@pytest.mark.req("R59")
@pytest.mark.parametrize(
    ("host", "told"),
    [("notice.example.org", True), ('x"},"a":"', False), ("a" * 300, False), ("", False), ("x/../y", False)],
)
def test_a_device_that_was_told_of_it_finds_the_notice_on_demand(host: str, *, told: bool) -> None:
    """RFC 8908 section 5."""
    reply = said(Page(SETTINGS), asking(path="/captive.json", host=host))
    assert reply.content_type == "application/captive+json"
    answer = json.loads(reply.body)
    assert answer["captive"] is False
    assert answer.get("venue-info-url") == (f"https://{host}/" if told else None)
