from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance import fresh, requests
from appliance.fresh import Fresh
from appliance.keeper.machine_side import MachineSide
from appliance.requests import RequestName, WipeRequest

ASKED = WipeRequest(request_id="removal-1", at=5.0, removal_id="removal-1")


def test_what_root_wrote_and_the_disk_are_seen(tmp_path: Path) -> None:
    side = MachineSide(run_dir=tmp_path, state_dir=tmp_path)
    assert side.fresh() is None
    fresh.write(tmp_path / "fresh.json", Fresh(at=5.0, keys=2))
    assert side.fresh() == Fresh(at=5.0, keys=2)
    disk = side.disk()
    assert disk is not None
    assert 0 < disk[1] <= disk[0]
    assert MachineSide(run_dir=tmp_path, state_dir=tmp_path / "none").disk() is None


@pytest.mark.req("R6")
def test_a_wipe_is_asked_of_root(tmp_path: Path) -> None:
    side = MachineSide(run_dir=tmp_path / "run", state_dir=tmp_path)
    assert side.wipe(ASKED)
    assert requests.take(tmp_path / "run", RequestName.WIPE, owners=frozenset({os.geteuid()})) == ASKED
    (tmp_path / "file").write_text("")
    assert not MachineSide(run_dir=tmp_path / "file", state_dir=tmp_path).wipe(ASKED)
