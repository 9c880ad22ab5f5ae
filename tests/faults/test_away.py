"""A box that falls silent and one that is replaced, in their short form."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from lab.faults import replaced, silence
from lab.faults.result import Campaign

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


@pytest.mark.req("N15")
@pytest.mark.parametrize("campaign", [silence, replaced], ids=lambda campaign: campaign.NAME)
def test_the_promise_is_kept(campaign: Campaign) -> None:
    # Not pytest's own folder: the box's processes run under uids of their own and must reach theirs.
    with tempfile.TemporaryDirectory(prefix="test-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        result = campaign.run(Path(folder), short=True, say=print)

    assert result.kept, dict(result.figures)
