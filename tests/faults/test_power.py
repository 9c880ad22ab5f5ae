from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import power


@pytest.mark.req("R69", "N3")
def test_what_was_committed_survives_power_cuts(tmp_path: Path) -> None:
    said: list[str] = []
    result = power.run(tmp_path, short=True, say=said.append)
    if power.NOT_RUN in result.figures:
        pytest.skip(result.figures[power.NOT_RUN])
    assert result.kept, result
    assert result.figures["committed records lost"] == result.figures["databases corrupt"] == "0"
    assert "seed" in said[0]
