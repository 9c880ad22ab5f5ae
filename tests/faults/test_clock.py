from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import clock


@pytest.mark.req("R54", "N1")
def test_the_short_form_keeps_its_promise(tmp_path: Path) -> None:
    said: list[str] = []
    result = clock.run(tmp_path, short=True, say=said.append)
    assert result.kept, (result.figures, result.remarks)
    assert result.figures["recorded though outside it"] == "0"
    assert result.figures["records out of order"] == "0"
    assert len(said) == 8
