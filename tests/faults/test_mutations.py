from __future__ import annotations

import random
from pathlib import Path

import pytest

from lab.faults import bundling, mutations


@pytest.mark.req("R68", "N3")
def test_each_alteration_is_refused_and_the_unaltered_bundle_passes(tmp_path: Path) -> None:
    result = mutations.run(tmp_path, short=True, say=lambda _text: None)
    assert result.kept
    assert result.figures["detected"] == str(mutations.SHORT)


def test_the_campaign_reaches_every_check(tmp_path: Path) -> None:
    made = bundling.make(tmp_path, within=2)
    chance = random.Random(7)  # noqa: S311 - it is to be repeated
    said = {
        (mutations.refused(mutate(made, chance)) or "").split(" (")[0]
        for mutate in mutations.MUTATIONS.values()
        for _ in range(24)
    }
    for claim in (
        "The server signed MANIFEST.json",
        "The database holds the same records",
        "Each record fits its place in the log and the commitment to its body",
        "Records are in order, by number and monotonic clock, and none is missing between",
        "They begin and end where the time that was asked for does",
        "Every head is signed, and contains the whole of those before it",
        "This is the log that the server had seen, and all of it",
        "Every authority document is signed by an issuer that the box knows",
    ):
        assert claim in said
