"""The detection test in a whole household: the box's own question comes back through its taps (R33)."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from lab.service import wait_until
from lab.stack import GATEHOUSE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


def told(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = stack.home.gateway.run(
        [GATEHOUSE, *words, "--config", stack.box_config], check=False, timeout=60
    )
    return done


def status(stack: Stack) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(told(stack, "status", "--json").stdout)["status"]
    return said


@pytest.mark.req("R33", "R31")
def test_the_box_finds_its_own_question_and_makes_no_device_of_it(stack: Stack) -> None:
    before = status(stack)["devices"]
    done = told(stack, "probe", "--kind", "test")
    assert done.returncode == 0, done.stderr
    assert "test: 3 sent" in done.stderr
    wait_until(lambda: status(stack)["test"].endswith("it works."), what="the question to come back", seconds=30)
    after = status(stack)
    assert after["test_missed"] is False
    assert after["devices"] == before
    assert {item["list_id"]: item["entries"] > 0 for item in after["lists"]}["demo-list"]
