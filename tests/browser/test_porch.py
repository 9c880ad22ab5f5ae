"""The household's pages in a real browser: without a script, on a narrow phone, in light and dark."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from appliance import messages as m
from appliance.porch import page as pages
from appliance.settings import NoticeSettings
from appliance.web import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SETTINGS = NoticeSettings(
    operator="the Example Service",
    contact="Ask the officer at 01632 960000.",
    complaints="Write to complaints@example.org.",
    help_lines=("Example line: 0808 157 0000",),
)
NOTICE = m.Notice(
    recording=True,
    kind="order",
    kept=("Of registered devices: when they are connected.", "Of all other devices: nothing."),
    until=1_900_000_000.0,
)
SECTION = m.OwnSection(title="What was found", lines=("Nothing about this device waits for an officer.",))


@dataclass
class Porch:
    """The real server and pages on loopback; the keeper's answers are the test's."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    heard: list[m.Message] = field(default_factory=list)
    stop: bool = False

    def __post_init__(self) -> None:
        self.page = pages.Page(SETTINGS, ask=self.ask)
        self.page.show(NOTICE)
        self.selector = selectors.DefaultSelector()
        self.server = Server(self.listener, self.page.answer, self.selector)
        self.waiting: list[m.FormAnswered | m.OwnPage] = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def ask(self, message: m.FormSent | m.OwnPageAsked) -> bool:
        self.heard.append(message)
        if isinstance(message, m.FormSent):
            self.waiting.append(m.FormAnswered(ticket=message.ticket, taken=True))
        else:
            sections = (SECTION,) if message.code == "K7QM-2XPA" else ()
            self.waiting.append(m.OwnPage(ticket=message.ticket, sections=sections))
        return True

    def run(self) -> None:
        while not self.stop:
            for answer in self.waiting:
                reply = self.page.answered(answer)
                if reply is not None:
                    self.server.reply(answer.ticket, reply)
            self.waiting.clear()
            self.server.expire(time.monotonic())
            for key, _events in self.selector.select(0.05):
                key.data(time.monotonic())
        self.server.close()
        self.selector.close()
        self.listener.close()


@pytest.fixture
def porch() -> Iterator[Porch]:
    running = Porch()
    yield running
    running.stop = True
    running.thread.join(10)
    assert not running.thread.is_alive()


@pytest.fixture
def open_porch(chromium: Browser, porch: Porch) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_(*, scheme: str = "light", javascript: bool = False) -> Page:
        context = chromium.new_context(
            base_url=porch.url,
            java_script_enabled=javascript,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": 320, "height": 720},
        )
        contexts.append(context)
        return context.new_page()

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.req("R59", "R60", "N12")
def test_a_person_reads_the_notice_says_who_visits_and_complains(porch: Porch, open_porch: Callable[..., Page]) -> None:
    page = open_porch()
    page.goto("/")
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name="Say that this device is a visitor\u2019s").click()
    page.get_by_label("A phone").check()
    page.get_by_label("Three days").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Nobody asked for your name.")).to_be_visible()
    page.goto("/ask")
    page.get_by_label("I want to complain").check()
    page.get_by_label("What should the officers know?").fill("It is slow.\nDŵr & <b>bold</b>")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Your complaint is on its way")).to_be_visible()
    read, visit, complaint = porch.heard
    assert isinstance(read, m.FormSent)
    assert isinstance(visit, m.FormSent)
    assert isinstance(complaint, m.FormSent)
    assert read.kind is m.FormKind.NOTICE_READ
    assert (visit.visitor, visit.seconds) == (m.Visitor.PHONE, 3 * 86400.0)
    assert complaint.text == "It is slow.\nDŵr & <b>bold</b>"
    assert page.context.cookies() == []


@pytest.mark.req("N12", "R76")
def test_a_code_shows_what_the_box_knows_of_this_device(open_porch: Callable[..., Page]) -> None:
    page = open_porch()
    for typed, shown in (("WRONG", "This cannot be shown here."), ("K7QM-2XPA", "Nothing about this device waits")):
        page.goto("/this-device")
        page.get_by_label("One-time code, if you have one").fill(typed)
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text(shown)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_fault_and_no_sideways_scrolling(
    open_porch: Callable[..., Page], scheme: str, artefacts: Path
) -> None:
    page = open_porch(scheme=scheme, javascript=True)
    for path in ("/", "/visitor", "/ask", "/this-device"):
        page.goto(path)
        faults = [found["id"] for found in Axe().run(page).response["violations"]]
        assert faults == [], path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.screenshot(path=artefacts / f"porch-{scheme}-{path.strip('/') or 'notice'}.png", full_page=True)
