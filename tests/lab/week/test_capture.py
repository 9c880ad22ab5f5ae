"""The week as files: the box's own reader takes the capture, and its clock is the events' clock."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from appliance.messages import NeighbourChanged, StationChanged
from appliance.sensor.taps.capture import Capture
from lab.week import __main__ as program
from lab.week import capture, cast
from lab.week.plot import Week


@pytest.mark.req("R11")
def test_what_was_written_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--out", str(tmp_path / "new"), "--seed", "3"]) == 0
    folder = tmp_path / "new"
    week = Week(cast.load(), seed=3)
    with Capture(folder / capture.CAPTURE) as frames:
        read = [(frame.ts, frame.data) for frame in frames]
    spoken = [happening for happening in week.happenings() if isinstance(happening, tuple)]
    assert [data for _, data in read] == [frame.data for frame in spoken]
    assert max(abs(ts - frame.ts) for (ts, _), frame in zip(read, spoken, strict=True)) < 2e-6
    lines = (folder / capture.EVENTS).read_bytes().splitlines()
    decoder = msgspec.json.Decoder(StationChanged | NeighbourChanged)
    assert [decoder.decode(line) for line in lines] == [
        happening for happening in week.happenings() if not isinstance(happening, tuple)
    ]
    assert json.loads((folder / capture.TRUTH).read_text()) == week.truth
    assert f"{len(read)} frames" in capsys.readouterr().out


def test_nothing_to_do_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 2
    assert "usage: python -m lab.week" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert program.main(["--out", str(tmp_path / "file" / "below")]) == 2
    assert "lab.week: " in capsys.readouterr().err
