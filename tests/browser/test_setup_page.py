"""The set-up page of a new box in a real browser: without a script, on a narrow phone, in light and dark."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from appliance.fitting.channel import Line, Show
from appliance.fitting.page import MAX_UPLOAD
from appliance.fitting.page import Page as SetUp
from appliance.web import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SHOW = Show(
    site="box-0123456789",
    label="box-0123456789.0123456789abcdef.ABCDEFGHJKMNPQRS",
    link="https://gatehouse.example.org/install/claim#box-0123456789.0123456789abcdef.ABCDEFGHJKMNPQRS",
    fingerprint="0123456789abcdef",
    wifi_name="Gatehouse setup 6789",
    wifi_passphrase="abcd-efgh-jkmn-pqrs",
    card='{"card": 1}',
    request='{"request": 1}',
    operator="the Example Service",
    contact="Call 01632 960000.",
    stage="asking",
    problem="no-names",
    upstream_wifi=True,
)
SEALED = "QUJD" * 40


@dataclass
class Box:
    """The real server and page on loopback; what it is to say, and what was brought, is the test's."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    brought: list[str] = field(default_factory=list)
    entered: list[Line] = field(default_factory=list)
    stop: bool = False

    def __post_init__(self) -> None:
        self.page = SetUp(self.bring, self.enter)
        self.page.show(SHOW)
        self.selector = selectors.DefaultSelector()
        self.server = Server(self.listener, self.page.answer, self.selector, max_body=MAX_UPLOAD, deadline=30)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def bring(self, answer: str) -> bool:
        self.brought.append(answer)
        return True

    def enter(self, line: Line) -> bool:
        self.entered.append(line)
        return True

    def run(self) -> None:
        while not self.stop:
            for key, _events in self.selector.select(0.05):
                key.data(time.monotonic())
            self.server.expire(time.monotonic())

    def close(self) -> None:
        self.stop = True
        self.thread.join()
        self.server.close()
        self.listener.close()


@pytest.fixture
def box() -> Iterator[Box]:
    made = Box()
    yield made
    made.close()


@pytest.mark.req("R10")
def test_a_phone_without_scripts_takes_the_request_and_brings_the_answer(
    box: Box, chromium: Browser, tmp_path: Path
) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(box.url)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take the request of this box").click()
    assert taken.value.suggested_filename == "box-0123456789-request.txt"
    assert Path(taken.value.path()).read_text() == SHOW.request
    answer = tmp_path / "answer.txt"
    answer.write_text(SEALED + "\n")
    page.get_by_label("The answer file").set_input_files(answer)
    page.get_by_role("button", name="Bring the answer").click()
    expect(page.get_by_role("status")).to_contain_text("The box has it")
    page.wait_for_timeout(2200)  # one answer in two seconds
    page.get_by_text("Paste it as text").click()
    page.get_by_label("The answer", exact=True).fill("not an answer")
    page.get_by_role("button", name="Bring the text").click()
    expect(page.get_by_role("alert")).to_contain_text("no answer of the service")
    assert box.brought == [SEALED]
    context.close()


@pytest.mark.req("R5")
def test_a_phone_without_scripts_enters_the_line_of_a_provider(box: Box, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(box.url)
    page.locator("#kind-pppoe").check()
    page.get_by_label("User name of the line").fill("line-1@provider.example")
    page.get_by_label("Password of the line").fill("made-up-word")
    page.get_by_role("button", name="Try this line").click()
    expect(page.get_by_role("status")).to_contain_text("up to two minutes")
    assert box.entered == [Line(kind="pppoe", user="line-1@provider.example", password="made-up-word")]
    context.close()


@pytest.mark.req("R9")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/label"])
def test_every_page_can_be_read_by_everybody(box: Box, chromium: Browser, scheme: str, path: str) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(box.url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.response["violations"] == []
    context.close()


@pytest.mark.req("R2")
def test_the_code_on_the_page_is_big_enough_for_a_camera(box: Box, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(box.url)
    code = page.get_by_role("img", name="Code to scan with a phone")
    size = code.bounding_box()
    assert size is not None
    assert size["width"] >= 240
    expect(page.get_by_text("What is wrong")).to_be_visible()
    context.close()
