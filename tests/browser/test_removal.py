"""A box is taken away on a telephone, from the last recording to the certificate, with the keyboard alone where there is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select, update

from dashboard.installing.steps import REMOVAL
from dashboard.pages.install_removal import COLLECT
from dashboard.store import schema

pytestmark = pytest.mark.browser
PHONE: Any = {"width": 390, "height": 844}
SITE = "box-7"
MOST_TABS = 40
"""From the top of a page to anything on it."""


class Box:
    """The box, as ingest stores what it says."""

    def __init__(self, served: Any) -> None:
        served.seed.site(SITE, title="NM-0042")
        self.served = served

    def says(self, **values: Any) -> None:
        """How it is."""
        now = self.served.seed.clock.at
        said = {"online": True, "at": datetime.fromtimestamp(now, UTC).isoformat(), **values}
        with self.served.engine.begin() as connection:
            of = update(schema.site).where(schema.site.c.site == SITE)
            connection.execute(of.values(status=said, status_at=now, heard_at=now))

    def follows(self, action: str) -> dict[str, Any]:
        """The order, which it applies."""
        of, now = schema.command.c.body["action"].as_string() == action, self.served.seed.clock.at
        with self.served.engine.begin() as connection:
            connection.execute(update(schema.command).where(of).values(state="applied", answered_at=now))
            body: dict[str, Any] = connection.execute(select(schema.command.c.body).where(of)).scalar_one()
        return body


class Keys:
    """Works a page as somebody does who has no mouse: Tab until a thing has the focus, then a key on it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, thing: Locator) -> None:
        """Give it the focus; from the skip link on, as after each page."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if thing.evaluate("thing => thing === document.activeElement"):
                expect(thing).to_be_in_viewport()
                return
        raise AssertionError(f"the keyboard does not reach {thing}")

    def press(self, name: str) -> None:
        self.to(self.page.get_by_role("button", name=name))
        self.page.keyboard.press("Enter")

    def follow(self, name: str) -> None:
        self.to(self.page.get_by_role("link", name=name).first)
        self.page.keyboard.press("Enter")

    def tick(self, label: str) -> None:
        self.to(self.page.get_by_label(label))
        self.page.keyboard.press("Space")

    def write(self, label: str, text: str) -> None:
        self.to(self.page.get_by_label(label))
        self.page.keyboard.type(text)


@pytest.mark.req("R6", "R60")
@pytest.mark.timeout(240)
def test_a_box_is_taken_away_by_keyboard(  # noqa: PLR0915 - one journey, told in its order
    served: Any,
    open_page: Callable[..., Page],
    sign_in: Callable[..., None],
    accessible: Callable[..., None],
    scripted: bool,
) -> None:
    box = Box(served)
    page = open_page(java_script_enabled=scripted, viewport=PHONE)
    sign_in(page)
    keys = Keys(page)

    def look(name: str) -> None:
        if scripted:
            accessible(page, f"removal-{name}")
            page.set_viewport_size(PHONE)

    page.goto("/install")
    keys.to(page.locator("summary").filter(has_text="Take a box away"))
    page.keyboard.press("Enter")
    keys.to(page.get_by_label("Household"))
    page.keyboard.type("NM-0042")
    keys.press("Begin taking it away")
    expect(page.get_by_role("heading", name="Taking a box away")).to_be_visible()
    at = page.url
    expect(page.get_by_text("Cannot start yet")).to_have_count(len(REMOVAL) - 1)
    look("tasks")

    keys.follow("End the recording")
    keys.press("End the recording")
    expect(page.get_by_role("alert")).to_contain_text("reason")
    look("end-wrong")
    keys.write("Reason", "The order has ended")
    keys.press("End the recording")
    expect(page.get_by_text("Waiting to be sent to the box")).to_be_visible()
    assert box.follows("withdraw-consent")["reason"] == "The order has ended"
    page.goto(f"{at}/end")
    look("end")

    page.goto(f"{at}/wipe")
    keys.press("Empty the box")
    expect(page.get_by_role("alert")).to_contain_text("downloaded")
    keys.tick("What a court or the person is to have was downloaded")
    keys.press("Empty the box")
    expect(page.get_by_text("Wait until the box says that it is done", exact=False)).to_be_visible()
    removal = box.follows("wipe-box")["removal_id"]
    told = datetime.fromtimestamp(served.seed.clock.at, UTC).isoformat()
    gone = {"removal_id": removal, "at": told, "keys_destroyed": 31, "files_removed": 57}
    bad = {"about": removal, "action": "wipe-box", "outcome": "failed", "at": told, "detail": "The storage is busy."}
    box.says(removed=gone, changes=[bad])
    page.goto(f"{at}/wipe")
    expect(page.get_by_text("The box has not destroyed what it keeps.", exact=False)).to_contain_text("storage is busy")
    look("wipe-failed")
    box.says(removed=gone, changes=[bad | {"outcome": "done", "detail": ""}])
    page.goto(f"{at}/wipe")
    expect(page.get_by_text("31", exact=True)).to_be_visible()
    look("wipe")

    page.goto(f"{at}/collect")
    keys.press("The box was taken away")
    expect(page.get_by_role("alert")).to_contain_text("Do all of it")
    look("collect")
    for _key, text in COLLECT:
        keys.tick(text)
    keys.press("The box was taken away")
    page.wait_for_url(at)
    keys.follow("Certificate")
    expect(page.get_by_role("heading", name="Certificate of removal").first).to_be_visible()
    expect(page.get_by_text("31", exact=True).first).to_be_visible()
    look("certificate")
    assert page.request.get(f"{at}/removal.pdf").body().startswith(b"%PDF")
    with served.engine.connect() as connection:
        revoked = select(schema.site.c.revoked_at).where(schema.site.c.site == SITE)
        assert connection.execute(revoked).scalar_one() is not None, "nothing it says counts any more"
