"""Faults at a running box, in their short form: kills and hangs, and floods from a device of the household."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from lab.faults import announcements, processes, questions, starvation
from lab.faults.result import Campaign

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.mark.req("R57", "N4", "R28")
@pytest.mark.parametrize(
    "campaign", [processes, starvation, announcements, questions], ids=lambda campaign: campaign.NAME
)
def test_the_promise_is_kept(campaign: Campaign) -> None:
    # Not pytest's own folder: the box's processes run under uids of their own and must reach theirs.
    with tempfile.TemporaryDirectory(prefix="test-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        result = campaign.run(Path(folder), short=True, say=print)

    assert result.kept, dict(result.figures)
