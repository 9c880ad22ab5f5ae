"""RAUC's hand on the loaders, and that GRUB's own reader and U-Boot's own maker agree with it."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

STORES = ("GrubStore", "UbootStore")


@pytest.fixture
def slot(box_program: Callable[[str], ModuleType]) -> Any:
    return box_program("slot")


@pytest.fixture
def on_box(slot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The program as RAUC calls it, with a common partition below `tmp_path`."""

    def with_loader(loader: str) -> Any:
        (tmp_path / "image.json").write_text(json.dumps({"loader": loader}))
        monkeypatch.setattr(slot, "IMAGE", tmp_path / "image.json")
        monkeypatch.setattr(slot, "_remount", lambda _how: None)
        store = slot.UbootStore if loader == "u-boot" else slot.GrubStore
        monkeypatch.setattr(store, "path", tmp_path / "memory")
        return store

    return with_loader


@pytest.mark.req("R4")
@pytest.mark.parametrize("loader", ["grub", "u-boot"])
def test_an_update_that_is_good_and_one_that_is_not(
    slot: Any, on_box: Callable[[str], Any], loader: str, capsys: pytest.CaptureFixture[str]
) -> None:
    on_box(loader)

    def ask(*words: str) -> str:
        assert slot.main(list(words)) == 0
        return capsys.readouterr().out.strip()

    assert ask("get-primary") == "A"  # nothing remembered: the loaders' own order
    ask("set-state", "B", "bad")  # RAUC says so before it writes
    assert (ask("get-state", "B"), ask("get-primary")) == ("bad", "A")
    ask("set-primary", "B")
    assert (ask("get-state", "B"), ask("get-primary")) == ("good", "B")
    ask("set-state", "B", "bad")  # it did not prove well
    assert (ask("get-primary"), ask("get-state", "A")) == ("A", "good")
    ask("set-state", "B", "good")
    assert ask("get-primary") == "A"


@pytest.mark.parametrize("wrong", [[], ["get-primary", "A"], ["set-state", "C", "good"], ["set-state", "A", "fine"]])
def test_wrong_words_are_refused(slot: Any, on_box: Callable[[str], Any], wrong: list[str]) -> None:
    on_box("grub")
    assert slot.main(wrong) == 2


@pytest.mark.parametrize("name", STORES)
def test_memory_keeps_its_size(slot: Any, name: str) -> None:
    store = getattr(slot, name)
    words: dict[str, str] = {}
    sizes = set()
    for change in itertools.product("AB", ("good", "bad")):
        words = slot.with_state(words, *change)
        raw = store.write(words)
        assert store.read(raw) == words
        sizes.add(len(raw))
    assert sizes == {1024}
    with pytest.raises(ValueError, match="full"):
        store.write({"x": "y" * 2000})


@pytest.mark.parametrize("name", STORES)
def test_whatever_lies_there_is_read_as_words_or_as_nothing(slot_module: Any, name: str) -> None:
    store = getattr(slot_module, name)

    @given(st.binary(max_size=2048))
    def check_arbitrary(raw: bytes) -> None:
        words = store.read(raw)
        assert slot_module.primary(words) in {"A", "B", None}

    @given(st.integers(0, 1023), st.integers(0, 255))
    def check_one_octet_changed(at: int, octet: int) -> None:
        raw = bytearray(store.write({"BOOT_ORDER": "B A", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "1"}))
        raw[at] = octet
        assert slot_module.primary(store.read(bytes(raw))) in {"A", "B", None}

    check_arbitrary()
    check_one_octet_changed()


@pytest.fixture
def slot_module(box_program: Callable[[str], ModuleType]) -> ModuleType:
    return box_program("slot")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ({}, "A"),
        ({"BOOT_ORDER": "B A"}, "B"),
        ({"BOOT_ORDER": "B A", "BOOT_B_LEFT": "0"}, "A"),
        ({"BOOT_ORDER": "B", "BOOT_B_LEFT": "0"}, None),
        ({"BOOT_ORDER": ""}, None),
        ({"BOOT_ORDER": "C B B", "BOOT_B_LEFT": "x"}, None),
    ],
)
def test_which_slot_is_next(slot_module: Any, words: dict[str, str], wanted: str | None) -> None:
    assert slot_module.primary(words) == wanted


def test_grub_s_own_program_reads_and_writes_the_same_block(slot_module: Any, tmp_path: Path) -> None:
    if shutil.which("grub-editenv") is None:
        pytest.skip("grub-editenv is not installed (tools/apt-image.txt)")
    block = tmp_path / "grubenv"
    block.write_bytes(slot_module.GrubStore.write(slot_module.with_primary({}, "B")))
    said = subprocess.run(["grub-editenv", block, "list"], capture_output=True, text=True, check=True).stdout
    assert set(said.split("\n")) >= {"BOOT_B_LEFT=3", "BOOT_ORDER=B A"}
    subprocess.run(["grub-editenv", block, "set", "BOOT_B_LEFT=1"], check=True)
    assert slot_module.GrubStore.read(block.read_bytes()) == {"BOOT_B_LEFT": "1", "BOOT_ORDER": "B A"}


def test_fresh_cards_begin_with_slot_a_and_know_that_b_is_empty(slot_module: Any) -> None:
    from imaging import boot, pi

    for words in (
        slot_module.GrubStore.read(boot.grub_memory()),
        slot_module.UbootStore.read(pi.fresh_memory()),
    ):
        assert words == {"BOOT_A_LEFT": "3", "BOOT_B_LEFT": "0", "BOOT_ORDER": "A"}
        assert slot_module.primary(words) == "A"
        assert not slot_module.is_good(words, "B")
