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


@pytest.mark.req("N17")
def test_the_key_of_what_is_sealed_may_lie_elsewhere(box_toml: Callable[..., Path]) -> None:
    config = box_toml(extra='storage = { key_file = "keys/vault.key" }')
    assert box_settings.load(config).storage.key_file == config.parent / "keys" / "vault.key"
    assert box_settings.load(box_toml()).storage.key_file is None, "beside the database"


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


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "give either path"),
        ({"path": "a.txt", "manifest": "https://lists.example/a"}, "give either path"),
        ({"path": "a.txt", "version": "1", "title": "A"}, "needs version, title and severity"),
        ({"path": "a.txt", "version": "1", "title": "A", "severity": "today", "publishers": ("k",)}, "with a manifest"),
        ({"manifest": "https://lists.example/a"}, "needs publishers"),
        ({"manifest": "https://lists.example/a", "publishers": ("k",), "title": "A"}, "the manifest says what it is"),
        ({"manifest": "file:///a", "publishers": ("k",)}, "manifest"),
    ],
)
def test_a_list_has_one_source_and_says_what_it_is_once(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        box_settings.ListSource.model_validate({"id": "a", **changes})


@pytest.mark.parametrize(("ids", "says"), [(("a", "a"), "the same id"), (("watch",), "the box itself has a list")])
def test_lists_are_told_apart(box_toml: Callable[..., Path], ids: tuple[str, ...], says: str) -> None:
    config = box_toml()
    for list_id in ids:
        lines = f'[[lists]]\nid = "{list_id}"\nversion = "1"\ntitle = "A"\nseverity = "today"\npath = "a.txt"\n'
        config.write_text(config.read_text() + lines)
    with pytest.raises(FileError, match=says):
        box_settings.load(config)
