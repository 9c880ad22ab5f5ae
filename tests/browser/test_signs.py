"""An officer and the signs: reading one, finding it not relevant, handing in a report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SIZES = {"1280": {"width": 1280, "height": 900}, "390": {"width": 390, "height": 844}}


def _shoot(page: Page, folder: Path, name: str) -> None:
    for width, size in SIZES.items():
        page.set_viewport_size(size)
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)


@pytest.mark.req("R26", "R30")
def test_an_officer_reads_a_sign_and_finds_it_not_relevant(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], artefacts: Path
) -> None:
    served.seed.site("site-9", title="NM-2026-0009")
    served.seed.device("dev-2", site="site-9", standing="registered", label="grey laptop")
    served.signs()
    page = open_page(viewport=SIZES["390"], java_script_enabled=False)
    sign_in(page)
    expect(page.locator(".gh-card")).to_have_count(1)
    expect(page.locator(".gh-card")).to_contain_text("3 signs, one cause")
    _shoot(page, artefacts, "today-signs")
    page.get_by_role("link", name="Look at the details").click()
    expect(page.get_by_text("It looks like WireGuard")).to_be_visible()
    expect(page.get_by_text("3 independent signals agree")).to_be_visible()
    page.locator("#details-quiet summary").click()
    page.get_by_label("Work, school or health care needs it").check()
    page.get_by_label("How you know (optional)").fill("Letter of the employer")
    _shoot(page, artefacts, "finding-quiet")
    page.locator("#details-quiet").get_by_role("button", name="Send to the box").click()
    command = served.wait_for_command()
    assert (command["body"]["action"], command["body"]["rule"], command["body"]["narrow"]) == (
        "quiet-rule",
        "tunnel",
        True,
    )
    served.answer(command)
    page.goto("/households/site-9/arrangements")
    expect(page.get_by_text("Not relevant here: this subject, on this device: Done")).to_be_visible()
    page.get_by_role("button", name="Let it speak again").click()
    assert served.wait_for_command()["body"] == {"action": "end-quiet", "quiet_id": "q-1"}
    _shoot(page, artefacts, "arrangements-sent")


@pytest.mark.req("N7")
def test_an_officer_hands_in_a_report(
    served: Any, open_page: Callable[..., Page], sign_in: Callable[..., None], tmp_path: Path
) -> None:
    served.seed.site()
    served.seed.device(standing="registered", label="grey laptop")
    page = open_page()
    sign_in(page)
    page.goto("/households/site-1/devices/dev-1")
    page.get_by_role("link", name="Hand in a report of software on this device").click()
    day = datetime.fromtimestamp(served.seed.clock.at - 2 * 86400, UTC).date().isoformat()
    page.get_by_label("Name of the software").fill("Example agent")
    page.get_by_label("First day of the report").fill(day)
    page.get_by_label("Last day of the report").fill(day)
    file = tmp_path / "use.csv"
    file.write_text(f"start,end\n{day}T09:00:00Z,soon\n")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Send to the box").click()
    expect(page.get_by_text("Line 2: end must be a time with its offset")).to_be_visible()
    file.write_text(f"start,end\n{day}T09:00:00Z,{day}T09:30:00Z\n")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Send to the box").click()
    command = served.wait_for_command()
    assert command["body"]["action"] == "report-agent"
    assert len(command["body"]["spans"]) == 1
