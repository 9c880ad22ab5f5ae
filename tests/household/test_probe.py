"""The probe asks the real keeper for leave, looks round the household, and ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.stack import GATEHOUSE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.mark.req("R13", "S6")
def test_it_looks_round_with_leave_and_not_twice_in_a_quarter_of_an_hour(stack: Stack) -> None:
    phone = stack.join("household-phone", mac="02:00:00:0a:00:07")
    command: list[str | Path] = [GATEHOUSE, "probe", "--config", stack.box_config, "--kind", "sweep"]
    first = stack.home.gateway.run(command, check=False, timeout=90)
    assert first.returncode == 0, first.stderr
    assert "sweep: 254 sent" in first.stderr
    again = stack.home.gateway.run(command, check=False, timeout=90)
    assert again.returncode == 1
    assert "less than a quarter of an hour ago" in again.stderr
    assert phone.mac not in first.stderr + again.stderr, "who answered is told to the keeper alone"
    stack.home.leave(phone)
