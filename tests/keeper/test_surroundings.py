from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from appliance.keeper import surroundings
from appliance.keeper.surroundings import MAX_FILE


class Section:
    """As much of the settings as is read."""

    def __init__(self, folder: Path, *, box: str = "{}", authority: str = "authority.json") -> None:
        self.state_dir = folder
        self.household = folder / "household.toml"
        self.box = box
        self.authority: Any = type("Authority", (), {"path": folder / authority, "issuers": ("k2", "k1")})()

    def model_dump_json(self, *, exclude: set[str]) -> str:
        assert exclude == {"authority"}
        return self.box


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in (
        ("proc/sys/kernel/random/boot_id", "b-1\n"),
        ("etc/machine-id", "m-1\n"),
        ("proc/self/mountinfo", ""),
        ("household.toml", '[wan]\ninterface = "wan0"\n'),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def read(root: Path, **changes: Any) -> Any:
    return surroundings.read(Section(root, **changes), root=root)  # type: ignore[arg-type] # as much as is read


def on(root: Path, kind: str) -> None:
    device = root.stat().st_dev
    line = f"36 35 {os.major(device)}:{os.minor(device)} / /state rw - {kind} /dev/sd rw\n"
    (root / "proc/self/mountinfo").write_text(f"nonsense\n{line}")


@pytest.mark.req("N15")
def test_the_same_box_reads_the_same(root: Path) -> None:
    assert read(root) == read(root)
    assert read(root).wan == "wan0"


@pytest.mark.req("N15", "R19")
def test_each_change_shows_in_its_own_place(root: Path) -> None:
    before = read(root)
    (root / "proc/sys/kernel/random/boot_id").write_text("b-2\n")
    assert read(root).place.boot != before.place.boot
    (root / "etc/machine-id").write_text("m-2\n")
    assert read(root).place.machine != before.place.machine
    changed = dict(read(root, box='{"a":1}').place.settings)
    kept = dict(before.place.settings)
    assert [name for name in kept if kept[name] != changed[name]] == ["the settings of the box"]
    changed = dict(read(root, authority="other.json").place.settings)
    assert [name for name in kept if kept[name] != changed[name]] == ["which authority counts"]
    (root / "household.toml").write_text('[wan]\ninterface = "wan1"\n')
    changed = dict(read(root).place.settings)
    assert [name for name in kept if kept[name] != changed[name]] == ["the settings of the home network"]


@pytest.mark.req("N15")
def test_a_board_is_told_by_its_own_number_whatever_its_system_calls_itself(root: Path) -> None:
    (root / "proc/device-tree").mkdir()
    (root / "proc/device-tree/serial-number").write_bytes(b"10000000deadbeef\0")
    before = read(root).place.machine
    (root / "etc/machine-id").write_text("m-2\n")
    assert read(root).place.machine == before
    (root / "proc/device-tree/serial-number").write_bytes(b"10000000deadbeee\0")
    assert read(root).place.machine not in {None, before}


@pytest.mark.req("N15")
def test_an_id_that_is_made_anew_with_every_start_tells_nothing(root: Path) -> None:
    (root / "proc/self/mountinfo").write_text("25 1 0:30 / / rw,relatime - overlay overlay rw,lowerdir=/ro\n")
    assert read(root).place.machine is None


def test_no_name_of_the_machine_leaves(root: Path) -> None:
    assert "m-1" not in repr(read(root))
    assert "b-1" not in repr(read(root))


@pytest.mark.req("N15")
def test_only_a_file_system_with_a_steady_id_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(root).place.filesystem is None
    on(root, "tmpfs")
    assert read(root).place.filesystem is None
    on(root, "ext4")
    monkeypatch.setattr(os, "statvfs", lambda _path: type("Stat", (), {"f_fsid": 7})())
    first = read(root).place.filesystem
    assert first is not None
    monkeypatch.setattr(os, "statvfs", lambda _path: type("Stat", (), {"f_fsid": 8})())
    assert read(root).place.filesystem != first


@pytest.mark.req("N15")
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"wan = 3", b"[wan]\ninterface = 4", b"[other]\n", b"[["])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path).place == read(tmp_path).place
    assert (read(tmp_path).wan, read(tmp_path).place.boot, read(tmp_path).place.machine) == (None, None, None)
    (tmp_path / "household.toml").write_bytes(content)
    assert read(tmp_path).wan is None


def test_a_large_file_is_told_by_its_size(root: Path) -> None:
    (root / "etc/machine-id").write_bytes(b"a" * (MAX_FILE + 1))
    one = read(root).place.machine
    (root / "etc/machine-id").write_bytes(b"b" * (MAX_FILE + 1))
    assert read(root).place.machine == one
    (root / "etc/machine-id").write_bytes(b"b" * (MAX_FILE + 2))
    assert read(root).place.machine != one
