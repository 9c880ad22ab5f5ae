from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner

from appliance import fresh
from appliance.cli.first_boot import first_boot
from appliance.fitting.places import Places
from appliance.fresh import Problem
from firmware import layout


def test_without_the_operators_card_it_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(first_boot, ["--root", str(tmp_path)])
    assert done.exit_code == 2
    assert "operator.toml" in done.output
    assert "at the station" in done.output
    said = fresh.read(Places(root=tmp_path).at(layout.FRESH), owners=frozenset({os.geteuid()}))
    assert said is not None
    assert (said.stage, said.problem) == ("fault", Problem.NO_CARD), "the light says it too"
