"""An installation at the doorstep: the wizard in a real browser, a machine as the box, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser

from lab.machine import doorstep
from lab.machine.stack import BoxStack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3000)]


@pytest.mark.req("R1", "R3")
def test_the_wizard_leads_from_power_on_to_monitoring_confirmed(
    new_box: Callable[[], AbstractContextManager[BoxStack]], chromium: Browser
) -> None:
    with new_box() as stack:
        clock = doorstep.walk(stack, chromium)
    stages = list(clock.reached)
    assert stages == ["everybody is told", "the box is heard", "devices are seen", "monitoring confirmed", "signed"]
    assert 0 < clock.box_seconds <= clock.reached["signed"]
