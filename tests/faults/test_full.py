from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import full, power


@pytest.mark.req("R69", "N3")
def test_a_disk_without_room_harms_nothing(tmp_path: Path) -> None:
    result = full.run(tmp_path, short=True, say=lambda _line: None)
    if power.NOT_RUN in result.figures:
        pytest.skip(result.figures[power.NOT_RUN])
    assert result.kept, result
    assert result.figures["databases corrupt"] == "0"
    assert result.figures["runs in which an alert did not go out"] == "0"
