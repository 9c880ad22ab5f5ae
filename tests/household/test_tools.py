"""Every tool that goes round a router, and thirty everyday programs, behind a real box."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from lab.stack import Stack
from lab.tools import around, everyday
from lab.tools.run import run
from lab.tools.table import faults, show

pytestmark = [pytest.mark.lab, pytest.mark.timeout(420)]


@pytest.mark.req("R18", "N11")
def test_every_tool_is_found_and_no_everyday_program_reads_as_one() -> None:
    with tempfile.TemporaryDirectory(prefix="signs-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder)) as stack:
            stack.issue_authority(stack.authority(2, signs=True))
            stack.wait_ready()
            verdicts = run(stack, (*everyday.TOOLS, *around.TOOLS), seconds=100, quiet=10)
    show(verdicts, Console(width=150))
    assert [verdict for verdict in verdicts if not verdict.left_out], "no tool could run here"
    assert faults(verdicts) == []
