from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import settings as box_settings
from wire.files import FileError


def test_paths_count_from_the_file(box_toml: Callable[..., Path]) -> None:
    config = box_toml()
    settings = box_settings.load(config)
    assert settings.broker.ca == config.parent / "ca.pem"
    assert settings.database == config.parent / "state" / "keeper" / "keeper.db"
    assert settings.warden_socket == config.parent / "run" / "warden" / "sensor.sock"
    assert settings.keeper_socket("porch") == config.parent / "run" / "keeper" / "porch.sock"


def test_a_process_is_admitted_by_its_own_uid_and_root(box_toml: Callable[..., Path]) -> None:
    settings = box_settings.load(box_toml(extra="uids = { sensor = 901 }"))
    assert settings.allowed_uids("sensor") == {0, 901}
    assert settings.allowed_uids("status") == {0, os.getuid()}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('tenant = "No Spaces"', "tenant"),
        ("heartbeat_seconds = 0", "heartbeat_seconds"),
        ("uids = { root = 0 }", "uids"),
        ("surprise = 1", "surprise"),
    ],
)
def test_each_wrong_value_is_named(box_toml: Callable[..., Path], wrong: str, named: str) -> None:
    config = box_toml()
    lines = [line for line in config.read_text().splitlines() if not line.startswith(wrong.split(" ", 1)[0] + " ")]
    config.write_text("\n".join([wrong, *lines]))
    with pytest.raises(FileError, match=named):
        box_settings.load(config)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        box_settings.load(tmp_path / "box.toml")
