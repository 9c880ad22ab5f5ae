"""U-Boot itself runs the script of a Pi's image: which slot it takes, what it remembers, and when it takes the other.

The loader is Debian's, built for QEMU's machine; cards are small, and what stands for a kernel says which slot it is and
then ends well or starts anew. `tests/image_build/test_slot.py` proves the same rule for RAUC's hand on it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from firmware import machine
from lab.machine import disk, uboot

ROOT = Path(__file__).resolve().parents[2]
IMAGE_BUILD = ROOT / "image-build"
if str(IMAGE_BUILD) not in sys.path:
    sys.path.insert(0, str(IMAGE_BUILD))

pytestmark = [
    pytest.mark.machine,
    pytest.mark.req("R4"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(uboot.why_not() is not None, reason=uboot.why_not() or ""),
]
SECONDS = 120.0
MIB = 36
"""The smallest FAT32."""
GOOD, BAD = "off", "again"


def lines() -> dict[str, str]:
    """The kernel's command lines of a Pi's image, and some words more: U-Boot takes sixteen of a command."""
    from imaging.boards import SLOTS, command_line, partuuid

    texts = {slot: machine.boot("pi4", root=f"PARTUUID={partuuid(root)}") for slot, (_, root) in SLOTS.items()}
    more = " ".join(f"gatehouse.word{number}" for number in range(20))
    return {slot: f"{command_line(slot, files[machine.CMDLINE])} {more}" for slot, files in texts.items()}


@pytest.fixture(scope="module")
def slot() -> Any:
    loader = SourceFileLoader("box_slot", str(IMAGE_BUILD / "overlay/common/usr/libexec/gatehouse/slot"))
    spec = spec_from_loader("box_slot", loader)
    assert spec is not None
    module = module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    path: Path
    common: int
    """Where the first partition begins, in octets."""
    store: Any

    def memory(self) -> dict[str, str]:
        return dict(self.store.read(disk.read_file(self.path, self.common, "/slots.env")))

    def remember(self, raw: bytes | dict[str, str]) -> None:
        data = raw if isinstance(raw, bytes) else self.store.write(raw)
        disk.write_file(self.path, self.common, "/slots.env", data)

    def boot(self) -> list[str]:
        """Power on, to the machine's own end; the slots it chose, and what ran, in order.

        What runs has the whole command line of its slot: seen here each time.
        """
        said = uboot.run(uboot.argv(self.path), seconds=SECONDS).replace("\r", "")
        for name, line in re.findall(r"^([AB]) runs (.*)$", said, re.MULTILINE):
            assert line == lines()[name]
        return re.findall(r"^(slot [AB]|[AB] runs|no slot has a try left)", said, re.MULTILINE)


@pytest.fixture
def card(tmp_path: Path, slot: Any) -> Callable[..., Card]:
    """A fresh card whose slots are `GOOD`, `BAD`, or None: nothing written to it yet."""

    def make(a: str | None, b: str | None) -> Card:
        from imaging import boot, pi
        from imaging import disk as partitions
        from imaging.boards import BOARDS
        from imaging.run import tool

        parts = tmp_path / "parts"
        parts.mkdir()
        (parts / "boot.cmd").write_text(pi.boot_script(lines()))
        (parts / "slots.env").write_bytes(pi.fresh_memory())
        tool("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-d", parts / "boot.cmd", parts / "boot.scr")
        files = {name: parts / name for name in ("boot.scr", "slots.env")}
        boot.fat(parts / "common.vfat", files, mib=MIB, label="X", serial=1, epoch=1_700_000_000)
        for name, how in (("A", a), ("B", b)):
            (parts / "initrd.img").write_bytes(b"\0" * 512)
            files = {"initrd.img": parts / "initrd.img"}
            if how in (GOOD, BAD):
                (parts / "vmlinuz").write_bytes(uboot.kernel(f"{name} runs", how))  # type: ignore[arg-type]
                files["vmlinuz"] = parts / "vmlinuz"
            boot.fat(parts / f"{name}.vfat", files, mib=MIB, label="X", serial=2, epoch=1_700_000_000)
        shutil.copyfile(parts / "A.vfat", parts / "boot.vfat")
        (parts / "root.squashfs").write_bytes(b"\0")
        small = replace(BOARDS["pi4"], common_mib=MIB, boot_mib=MIB, root_mib=1, data_mib=1)
        path = partitions.compose(small, parts=parts, out=tmp_path, image="card.img", loader=None)
        starts = {part.number: part.start for part in disk.partitions(path)}
        if b is not None:
            with path.open("r+b") as file, (parts / "B.vfat").open("rb") as content:
                file.seek(starts[3])
                shutil.copyfileobj(content, file)
        return Card(path=path, common=starts[1], store=slot.UbootStore)

    return make


def test_a_fresh_card_starts_slot_a_and_a_try_is_gone_until_it_proves_well(
    card: Callable[..., Card], slot: Any
) -> None:
    made = card(GOOD, None)
    assert made.boot() == ["slot A", "A runs"]
    assert made.memory() == {"BOOT_ORDER": "A", "BOOT_A_LEFT": "2", "BOOT_B_LEFT": "0"}
    made.remember(slot.with_state(made.memory(), "A", "good"))
    assert made.boot() == ["slot A", "A runs"]
    assert made.memory()["BOOT_A_LEFT"] == "2"


def test_an_update_that_never_proves_well_is_left_after_three_tries(card: Callable[..., Card], slot: Any) -> None:
    made = card(GOOD, BAD)
    made.remember(slot.with_primary(made.memory(), "B"))
    assert made.boot() == ["slot B", "B runs"] * 3 + ["slot A", "A runs"]
    words = made.memory()
    assert words == {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "2", "BOOT_B_LEFT": "0"}
    assert slot.primary(words) == "A"


def test_a_slot_whose_kernel_cannot_be_read_is_left_as_well(card: Callable[..., Card]) -> None:
    made = card("no kernel", GOOD)
    made.remember({"BOOT_ORDER": "A B", "BOOT_A_LEFT": "2", "BOOT_B_LEFT": "3"})
    assert made.boot() == ["slot A"] * 2 + ["slot B", "B runs"]


@pytest.mark.parametrize("octet", [0, 17, 1023])
def test_a_damaged_memory_counts_as_a_then_b_three_tries_each(card: Callable[..., Card], octet: int) -> None:
    made = card(GOOD, GOOD)
    raw = bytearray(made.store.write({"BOOT_ORDER": "B A", "BOOT_A_LEFT": "1", "BOOT_B_LEFT": "3"}))
    raw[octet] ^= 0xFF
    made.remember(bytes(raw))
    assert made.memory() == {}
    assert made.boot() == ["slot A", "A runs"]
    assert made.memory() == {"BOOT_ORDER": "A B", "BOOT_A_LEFT": "2", "BOOT_B_LEFT": "3"}


def test_no_memory_at_all_is_made_anew(card: Callable[..., Card]) -> None:
    made = card(BAD, GOOD)
    subprocess.run(["mdel", "-i", f"{made.path}@@{made.common}", "::slots.env"], check=True)
    assert made.boot() == ["slot A", "A runs"] * 3 + ["slot B", "B runs"]
    assert made.memory() == {"BOOT_ORDER": "A B", "BOOT_A_LEFT": "0", "BOOT_B_LEFT": "2"}


def test_where_no_slot_has_a_try_left_all_begin_anew(card: Callable[..., Card]) -> None:
    made = card(GOOD, GOOD)
    made.remember({"BOOT_ORDER": "B A", "BOOT_A_LEFT": "0", "BOOT_B_LEFT": "0"})
    assert made.boot() == ["no slot has a try left", "slot B", "B runs"]
    assert made.memory() == {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "2"}


def test_a_slot_that_was_called_bad_is_not_tried(card: Callable[..., Card], slot: Any) -> None:
    """RAUC says so before it writes; a cut of the power while it writes leaves half a slot."""
    made = card(BAD, GOOD)
    made.remember(slot.with_state(slot.with_primary(made.memory(), "B"), "A", "bad"))
    assert made.boot() == ["slot B", "B runs"]
    assert made.memory() == {"BOOT_ORDER": "B", "BOOT_A_LEFT": "0", "BOOT_B_LEFT": "2"}


def test_what_the_loader_writes_changes_nothing_else_of_its_partition(card: Callable[..., Card]) -> None:
    """A cut while it writes may cost the file, never the partition: it stays where it was, and so does all else."""
    made = card(GOOD, None)
    before = made.path.read_bytes()
    made.boot()
    after = made.path.read_bytes()
    sectors = [at for at in range(0, len(before), 512) if before[at : at + 512] != after[at : at + 512]]
    changed = [after[at : at + 512] for at in sectors]
    assert sum(b"BOOT_A_LEFT=2" in sector for sector in changed) == 1, "the words lie in one sector: no half of them"
    rest = [sector for sector in changed if b"BOOT_A_LEFT=2" not in sector]
    assert len(rest) <= 1, "beside it, at most the folder's entry, for the time"
    assert all(b"SLOTS   ENV" in sector for sector in rest)
