"""A box is fitted by the dashboard's wizard in a real browser, against a machine: what a clock says, and whose time it is.

At the station: the box comes up for the first time, its card is entered into stock, its code is claimed, the order is
prepared, signed and confirmed by a second officer, and the box is unplugged. At the door: power on, the household is
told, the box is heard, devices are named, the test runs, the visit is signed. A program fills in the forms, so that
what people say and read takes no time here: what is left is the box's own time and the service's.
Bounded: one machine, one browser, each wait has its limit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from lab.client import Client
from lab.host import LabError
from lab.machine.stack import LABEL, BoxStack
from lab.pictures import CHROMIUM
from wire import authority

PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 600.0
"""Seconds that the box may take for one thing; it is emulated."""
_INSTALLER, _SECOND = "installer-1", "officer-2"
_PAUSE = 1.0


@dataclass(slots=True)
class Clock:
    """When what was reached, and how long the box alone was waited for. Seconds since power-on at the door."""

    began: float
    reached: dict[str, float] = field(default_factory=dict)
    box_seconds: float = 0.0

    def mark(self, what: str) -> None:
        """It is reached."""
        self.reached[what] = time.monotonic() - self.began

    @contextmanager
    def box(self) -> Iterator[None]:
        """What is waited for inside is the box's own time."""
        since = time.monotonic()
        try:
            yield
        finally:
            self.box_seconds += time.monotonic() - since


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window.

    Raises:
        LabError: it is not installed.
    """
    if not Path(CHROMIUM).exists():
        raise LabError(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@dataclass(slots=True)
class Visit:
    """One installation."""

    stack: BoxStack
    page: Page
    at: str = ""
    """Address of the installation."""

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def go(self, section: str) -> None:
        """Open a section of the installation."""
        self.page.goto(f"{self.at}/{section}")

    # --- at the station -------------------------------------------------------------------------

    def station(self, device: Client, second: Page) -> None:
        """From a box that has come up for the first time to an order that waits for it.

        Raises:
            LabError: the box shows no label.
            TimeoutError: it showed none in time.
        """
        card = self.stack.wait_page(device, lambda text: '"code_sha256"' in text, path="/card.json", seconds=PATIENCE)
        label = LABEL.search(self.stack.page(device, "/"))
        if label is None:
            raise LabError("the set-up page shows no label")
        self.stack.stock(card)
        _sign_in(self.stack, self.page, _INSTALLER)
        self.page.goto(f"{self.stack.url}/install")
        self.page.get_by_label("Reference of the case").fill("DEMO-1")
        self.press("Begin")
        self.at = self.page.url
        self.go("box")
        self.page.get_by_label("Code on the box").fill(label.group())
        self.press("Claim this box")
        self.stack.site = label.group().partition(".")[0]
        expect(self.page.get_by_text(self.stack.site).first).to_be_visible()
        self._order(second)

    def _order(self, second: Page) -> None:
        today = datetime.now(UTC).date()
        self.go("order")
        self.page.get_by_label("A court order").check()
        self.page.get_by_label("Reference of the order").fill("EX-1")
        self.page.get_by_label("To prevent").check()
        self.page.get_by_label("Responsible: ").fill("duty officer")
        # The first day began yesterday: a clock that is behind another by a second then makes no difference.
        self.page.get_by_label("First day").fill((today - timedelta(days=1)).isoformat())
        self.page.get_by_label("Last day").fill((today + timedelta(days=180)).isoformat())
        self.page.get_by_label("To be reviewed by").fill((today + timedelta(days=90)).isoformat())
        self.page.get_by_label("Devices must be registered").check()
        self.press("Prepare the document")
        document = authority.parse_document(self.page.request.get(f"{self.at}/order/document.json").body())
        self.page.get_by_label("Or paste it here").fill(authority.sign(document, self.stack.issuer).model_dump_json())
        self.press("Check it, and ask to confirm")
        link = self.page.get_by_role("link", name="Confirm order").get_attribute("href")
        if link is None:
            raise LabError("the order cannot be confirmed")
        _sign_in(self.stack, second, _SECOND)
        second.goto(self.stack.url + link)
        second.locator("summary", has_text="Agree, and send it to the box").click()
        second.locator("#agree-reason").fill("Read beside the order.")
        second.get_by_role("button", name="Agree and send").click()

    # --- at the door ----------------------------------------------------------------------------

    def door(self, clock: Clock, laptop: Client) -> None:
        """From power-on to a signed visit; a laptop of the household is there, and a telephone that nobody names.

        Raises:
            AssertionError: a page did not say what it has to (Playwright).
            TimeoutError: the box was not heard in time.
        """
        self.go("people")
        self.page.get_by_label("I explained it").check()
        self.page.get_by_label("Signature, typed by them").fill("X. Y.")
        self.press("Add")
        self.page.get_by_label("Every adult who is at the address").check()
        self.press("Save and go on")
        self.go("never")
        self.page.get_by_label("None of these").check()
        self.press("Save")
        clock.mark("everybody is told")
        self.go("connect")
        with clock.box():
            expect(self.page.locator("#live").get_by_text("The box has been heard.")).to_be_visible(
                timeout=PATIENCE * 1000
            )
        clock.mark("the box is heard")
        self.page.get_by_label("It is off").check()
        self.press("Save and go on")
        with clock.box():
            laptop.lease()
            known, _unnamed = self._seen(laptop), self._seen(self.stack.join("unregistered-phone"))
        clock.mark("devices are seen")
        self.go("devices")
        self.page.locator(f"#standing-{known}").select_option("household")
        self.press("Confirm these devices")
        self.go("test")
        # Its radio is the one part that a machine has not; at a real door somebody sees a telephone join.
        self.page.get_by_label("I saw a telephone join").check()
        self.press("Start the test")
        with clock.box():
            expect(self.page.locator("#live").get_by_text("Everything works.")).to_be_visible(timeout=PATIENCE * 1000)
        clock.mark("monitoring confirmed")
        self.go("sign")
        self.page.get_by_label("Your name or number").fill("Officer 12")
        self.press("Sign and close the visit")
        expect(self.page.get_by_role("link", name="Certificate")).to_be_visible()
        clock.mark("signed")

    def _seen(self, device: Client) -> str:
        """The id that the dashboard gives a device once the box has told of it."""
        device.browse("www.news.example")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.stack.device_id(device.mac)
            if found is not None:
                return found
            time.sleep(_PAUSE)
        raise TimeoutError(f"the box told of no device {device.mac} within {PATIENCE:.0f} s")


def _sign_in(stack: BoxStack, page: Page, name: str) -> None:
    code = stack.sign_in_code(name)
    page.goto(stack.url)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Sign-in code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1).first).to_be_visible()


def walk(stack: BoxStack, started: Browser) -> Clock:
    """The whole of it; the machine is switched off before.

    Raises:
        LabError: the box or the service did not do its part.
        TimeoutError: not in time.
    """
    stack.boot()
    laptop = stack.join("linux-laptop")
    page, second = (started.new_context(viewport=PHONE).new_page() for _ in (_INSTALLER, _SECOND))
    for each in (page, second):
        each.set_default_timeout(60_000)
    visit = Visit(stack, page)
    visit.station(laptop, second)
    stack.machine.press_power()
    stack.machine.power_on()
    clock = Clock(stack.machine.powered_at)
    visit.door(clock, laptop)
    return clock
