"""The data partition's program: what it decides, with real sfdisk, real LUKS headers, and a mailbox of our own."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MIB = 1024 * 1024


@pytest.fixture
def data(box_program: Callable[[str], ModuleType]) -> Any:
    return box_program("data")


@pytest.fixture
def common(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A common partition that is always writable."""
    monkeypatch.setattr(data, "remounted", lambda _how: None)
    for name in ("KEY_FILE", "SALT_FILE"):
        monkeypatch.setattr(data, name, tmp_path / "gatehouse" / getattr(data, name).name)
    return tmp_path / "gatehouse"


def disk(path: Path, mib: int) -> dict[str, Any]:
    """A file with the partitions of an image, and what sfdisk says about it."""
    with path.open("wb") as file:
        file.truncate(mib * MIB)
    layout = "label: dos\nunit: sectors\n1M,8M,c,*\n9M,8M,c\n17M,8M,c\n,,5\n,8M\n,8M\n,8M\n".replace(",,5", "25M,40M,5")
    subprocess.run(["/usr/sbin/sfdisk", "-q", path], input=layout.replace("unit: sectors\n", ""), text=True, check=True)
    said = subprocess.run(["/usr/sbin/sfdisk", "--json", path], capture_output=True, text=True, check=True).stdout
    table: dict[str, Any] = json.loads(said)["partitiontable"]
    return table


@pytest.mark.skipif(not Path("/usr/sbin/sfdisk").exists(), reason="sfdisk (fdisk) is not installed")
def test_the_data_partition_takes_what_room_the_card_has(data: Any, tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    table = disk(card, 200)
    lines = data.growing(table, 200 * MIB)
    assert [number for number, _ in lines] == [4, 7]
    for number, line in lines:
        subprocess.run(
            ["/usr/sbin/sfdisk", "-q", "--no-reread", "--no-tell-kernel", "-N", str(number), card],
            input=line, text=True, check=True,
        )  # fmt: skip
    said = subprocess.run(["/usr/sbin/sfdisk", "--json", card], capture_output=True, text=True, check=True).stdout
    grown = json.loads(said)["partitiontable"]
    assert data.growing(grown, 200 * MIB) == []
    before, after = (
        {item["node"][-1]: (item["start"], item["size"]) for item in found["partitions"]} for found in (table, grown)
    )
    assert all(before[number] == after[number] for number in "12356")
    assert after["7"][0] == before["7"][0]
    assert (after["7"][0] + after["7"][1]) * 512 == 200 * MIB


@pytest.mark.skipif(not Path("/usr/sbin/sfdisk").exists(), reason="sfdisk (fdisk) is not installed")
def test_a_cut_between_the_two_changes_is_no_harm(data: Any, tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    table = disk(card, 120)
    number, line = data.growing(table, 120 * MIB)[0]
    subprocess.run(
        ["/usr/sbin/sfdisk", "-q", "--no-reread", "--no-tell-kernel", "-N", str(number), card],
        input=line, text=True, check=True,
    )  # fmt: skip
    said = subprocess.run(["/usr/sbin/sfdisk", "--json", card], capture_output=True, text=True, check=True).stdout
    assert data.growing(json.loads(said)["partitiontable"], 120 * MIB)[1][0] == 7


def mailbox(secret: bytes, *, answered: bool = True) -> Callable[[int, int, bytearray, bool], int]:
    """The Pi's property mailbox, as /dev/vcio answers."""

    def ask(_descriptor: int, request: int, message: bytearray, _mutate: bool) -> int:
        assert request == 0xC0086400
        size, code, tag, room, _asked, row, rows = struct.unpack_from("<7I", message)
        assert (size, code, tag, room, row, rows) == (len(message), 0, 0x00030081, 40, 0, 8)
        message[28:60] = secret
        struct.pack_into("<I", message, 4, 0x80000000 if answered else 0x80000001)
        return 0

    return ask


def test_a_board_s_own_secret_is_asked_for_and_never_burnt(data: Any) -> None:
    secret = bytes(range(1, 33))
    there = Path(os.devnull)
    assert data.board_secret(there, mailbox(secret)) == secret
    assert data.board_secret(there, mailbox(bytes(32))) is None  # nothing burnt
    assert data.board_secret(there, mailbox(secret, answered=False)) is None
    assert data.board_secret(Path("/dev/there-is-no-such-mailbox")) is None


def test_the_key_of_a_board_depends_on_secret_and_salt(data: Any) -> None:
    found = {data.derived(bytes([a]) * 32, bytes([b]) * 32) for a in range(3) for b in range(3)}
    assert len(found) == 9
    assert {len(key) for key in found} == {32}


@pytest.mark.req("R69")
def test_a_new_card_has_a_key_of_its_own_and_keeps_it(data: Any, common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "board_secret", lambda: None)
    key, where = data.key_for(None)
    assert (len(key), where) == (32, "file-key")
    assert data.key_for("file-key") == (key, "file-key")
    assert data.key_for(None)[0] != key
    assert (common / "data.key").stat().st_mode & 0o777 == 0o600


def test_a_card_in_another_board_is_refused_and_never_formatted(
    data: Any, common: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "board_secret", lambda: b"s" * 32)
    key, where = data.key_for(None)
    assert where == "board-key"
    assert data.key_for("board-key") == (key, "board-key")
    assert not (common / "data.key").exists()
    monkeypatch.setattr(data, "board_secret", lambda: None)
    with pytest.raises(data.Fault, match="another board"):
        data.key_for("board-key")
    with pytest.raises(data.Fault, match="not on the card"):
        data.key_for("file-key")


@pytest.mark.skipif(shutil.which("cryptsetup") is None, reason="cryptsetup is not installed")
def test_a_partition_counts_as_made_only_with_its_label(data: Any, tmp_path: Path) -> None:
    partition = tmp_path / "partition"
    with partition.open("wb") as file:
        file.truncate(32 * MIB)
    assert data.made_with(str(partition)) is None
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    subprocess.run(
        ["cryptsetup", "luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
         "--key-file", key, partition], check=True,
    )  # fmt: skip
    assert data.made_with(str(partition)) is None  # the power went while the files' system was made
    subprocess.run(["cryptsetup", "config", partition, "--label", data.LABEL, "--subsystem", "board-key"], check=True)
    assert data.made_with(str(partition)) == "board-key"
    # The power goes in the middle of `erase`: no key is left, and a box that never formats what has its label is dead.
    subprocess.run(["cryptsetup", "luksErase", "-q", partition], check=True)
    assert data.made_with(str(partition)) is None


@pytest.mark.parametrize("code", range(16))
def test_files_that_a_cut_left_in_the_middle_are_mended_whatever_is_wrong(
    data: Any, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    asked = []

    def run(program: str, how: str, _mapped: str, *, accept: Any) -> tuple[str, int]:
        asked.append(how)
        said = code if how == "-p" else 1
        if said not in accept:
            raise data.Fault(program)
        return "", said

    monkeypatch.setattr(data, "run", run)
    assert data.check_files() is (code >= 4)
    assert asked == (["-p", "-y"] if code >= 4 else ["-p"])


def test_wrong_words_are_refused(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "image.json").write_text("{}")
    monkeypatch.setattr(data, "IMAGE", tmp_path / "image.json")
    assert data.main(["format"]) == 2


def test_a_card_that_does_not_read_is_not_taken_for_an_empty_one(
    data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "run", lambda *_, **__: ("", 1))
    with pytest.raises(OSError, match="directory"):  # reading it fails, as that of a worn card does
        data.made_with(str(tmp_path))
    (tmp_path / "empty").write_bytes(bytes(100))
    assert data.made_with(str(tmp_path / "empty")) is None
