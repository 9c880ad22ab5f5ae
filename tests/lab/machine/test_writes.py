"""A log of writes and what a cut leaves of them: by the real `qemu-io`, and by lots that are drawn."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.host import LabError
from lab.machine import writes
from lab.machine.writes import SECTOR, Replay, Write

needs_qemu = pytest.mark.skipif(shutil.which("qemu-io") is None, reason="qemu-io (qemu-utils) is not installed")
SIZE = 4 * 1024 * 1024
DONE = """write -P 0x41 0 4096
write -P 0x42 8192 512
flush
write -f -P 0x43 16384 4096
discard 2M 64k
write -P 0x44 1024 1024
write -z 1M 64k
"""


@pytest.fixture
def logged(tmp_path: Path) -> tuple[Path, Path]:
    """A disk that was written to, and the log of it."""
    disk, log = tmp_path / "disk.img", tmp_path / "log"
    disk.write_bytes(b"\xff" * SIZE)
    log.touch()
    words = f"driver=blklogwrites,file.driver=file,file.filename={disk},log.driver=file,log.filename={log}"
    subprocess.run(
        ["qemu-io", "--image-opts", words], input=DONE, text=True, check=True, capture_output=True, timeout=60
    )
    return disk, log


@needs_qemu
def test_a_replay_of_all_entries_makes_the_disk_that_qemu_made(logged: tuple[Path, Path], tmp_path: Path) -> None:
    disk, log = logged
    again = tmp_path / "again.img"
    again.write_bytes(b"\xff" * SIZE)
    entries = writes.read(log)
    late = Replay(again, log, entries).keep_until(len(entries) - 1)
    writes.put(again, log, late)
    made, replayed = bytearray(disk.read_bytes()), again.read_bytes()
    discarded = slice(2 * 1024 * 1024, 2 * 1024 * 1024 + 65536)
    made[discarded] = replayed[discarded]  # it may be anything
    assert bytes(made) == replayed


@needs_qemu
def test_what_came_before_the_last_flush_is_kept_and_the_rest_is_left_to_lots(
    logged: tuple[Path, Path], tmp_path: Path
) -> None:
    _, log = logged
    entries = writes.read(log)
    first = next(number for number, entry in enumerate(entries) if entry.flush)
    replay = Replay(tmp_path / "again.img", log, entries)
    (tmp_path / "again.img").write_bytes(bytes(SIZE))
    assert [write.start for write in replay.keep_until(first - 1)] == [0, 8192]
    assert (tmp_path / "again.img").read_bytes() == bytes(SIZE)
    assert replay.keep_until(first) == []
    assert (tmp_path / "again.img").read_bytes()[:4096] == b"\x41" * 4096
    with pytest.raises(ValueError, match="before what was replayed"):
        replay.keep_until(first - 1)


def _luck() -> random.Random:
    return random.Random(7)  # noqa: S311 (lots, no secret)


def test_lots_keep_lose_and_tear_whole_sectors_and_never_what_was_to_be_kept_at_once() -> None:
    some = [Write(start=n * 8192, size=8192, at=0, flush=False, at_once=n % 10 == 0) for n in range(1000)]
    kept = {write.start: write for write in writes.by_lot(some, _luck())}
    whole = {start for start, write in kept.items() if write.size == 8192}
    assert {write.start for write in some if write.at_once} <= whole
    assert 0 < len(kept.keys() - whole) < len(whole) < 1000
    assert len(kept) < 1000
    assert not [write for write in kept.values() if write.size % SECTOR]
    assert kept == {write.start: write for write in writes.by_lot(some, _luck())}


def test_a_file_that_is_no_log_is_refused_and_a_log_that_was_cut_ends_at_its_last_whole_entry(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"something else" * 100)
    with pytest.raises(LabError, match="no log of writes"):
        writes.read(log)
    head = (0x6A736677736872).to_bytes(8, "little") + bytes(16) + SECTOR.to_bytes(4, "little")
    entry = b"".join(number.to_bytes(8, "little") for number in (3, 1, 0, 0))
    log.write_bytes(head.ljust(SECTOR, b"\0") + entry.ljust(SECTOR, b"\0") + b"x" * SECTOR + entry.ljust(SECTOR, b"\0"))
    assert [(write.start, write.size) for write in writes.read(log)] == [(3 * SECTOR, SECTOR)]
    log.write_bytes(head[:24] + (4096).to_bytes(4, "little"))
    with pytest.raises(LabError, match="4096 octets"):
        writes.read(log)
