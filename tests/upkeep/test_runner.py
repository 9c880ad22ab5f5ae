from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.releases import Record, read_record
from appliance.upkeep import runner
from appliance.upkeep.update import take


def test_one_runner_at_a_time(tmp_path: Path) -> None:
    with runner.alone(tmp_path), pytest.raises(runner.BusyError), runner.alone(tmp_path):
        pass
    with runner.alone(tmp_path):
        pass


def test_a_record_that_is_torn_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "update.json").write_bytes(b'{"stage": "wri')
    assert read_record(tmp_path) == Record()
    (tmp_path / "update.json").write_bytes(b" " * 40_000)
    assert read_record(tmp_path) == Record()


def test_how_much_is_written_is_told_in_tenths(tmp_path: Path, board: Any, signed: Any, now: float) -> None:
    board.quiet_now = False
    seen: list[int | None] = []
    write = board.write

    def told(release: Any, progress: Any) -> str:
        for percent in (0, 3, 9, 12, 55, 250):
            progress(percent)
            seen.append(read_record(tmp_path).percent)
        return str(write(release, lambda _: None))

    board.write = told
    runner.save(tmp_path, take(Record(), signed(), board.running(), now))
    record = runner.go_on(tmp_path, board, lambda: now)
    assert seen == [0, 0, 0, 12, 55, 100]
    assert (record.stage, record.percent) == ("waiting", None)
