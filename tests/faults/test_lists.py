from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import lists


@pytest.mark.req("R31")
def test_a_list_is_renewed_whole_or_not_at_all(tmp_path: Path) -> None:
    result = lists.run(tmp_path, short=True, say=print)

    assert result.kept, dict(result.figures)
    assert result.figures["in use afterwards"] == "v2"
