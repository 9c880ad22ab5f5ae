from __future__ import annotations

from pathlib import Path

import pytest

from lab.faults import malice


@pytest.mark.req("R69")
def test_a_hostile_broker_gets_nothing_in_and_keeps_nothing_out(tmp_path: Path) -> None:
    said: list[str] = []
    result = malice.run(tmp_path, short=True, say=said.append)
    assert result.kept, (result, said)
    assert result.figures["accepted that should not be"] == result.figures["genuine and missing"] == "0"
    assert result.figures["new because of a replay"] == "0", (
        "receipts, answers about the time, counter-signatures, commands"
    )
    assert int(result.figures["commands followed, and too late after a later one"].partition(",")[0]) > 0
    for kind in ("altered", "cross-delivered", "cut", "dropped", "held back", "moved", "relabelled", "repeated"):
        assert int(result.figures[kind]) > 0, kind
