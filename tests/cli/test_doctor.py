from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from appliance.cli import main


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--config", str(config), *words])


def test_each_fault_is_a_sentence_with_a_fix(box_toml: Callable[..., Path]) -> None:
    shown = run(box_toml())
    assert shown.exit_code == 1
    assert "There is no authority at" in shown.output
    assert "Start the box: gatehouse up --config box.toml" in shown.output
    assert "checks are to be mended." in shown.output


def test_json_has_every_check(box_toml: Callable[..., Path]) -> None:
    read = json.loads(run(box_toml(), "--json").output)
    assert read["ok"] is False
    names = [check["name"] for check in read["checks"]]
    assert names[0] == "settings"
    assert {"keys", "authority", "nft", "nflog", "clock", "disk", "lan", "wan", "broker", "processes"} <= set(names)
    assert all(check["fix"] for check in read["checks"] if not check["ok"])


def test_broken_settings_stop_it_there(tmp_path: Path) -> None:
    config = tmp_path / "box.toml"
    config.write_text("tenant = 3\n")
    shown = run(config, "--json")
    assert shown.exit_code == 1
    assert [check["name"] for check in json.loads(shown.output)["checks"]] == ["settings"]
