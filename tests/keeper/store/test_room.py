from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.room import StoreFullError, is_full

BALLAST = 512 * 1024
SHARE = 4 * 1024 * 1024


def fill(store: Store, *, priority: Priority = Priority.RECORD, most: int = 4096) -> int:
    """Fill the database until it says that it is full; how many messages went in."""
    for number in range(most):
        try:
            with store.transaction():
                store.outbox.add(
                    type_="t", subject=f"{priority.name}-{number}", body="x" * 4000, priority=priority, created=1.0
                )
        except StoreFullError:
            return number
    raise AssertionError("it was never full")


def narrow(store: Store) -> bool:
    """Whether only what may never be missing is written now."""
    return store.room.narrow


@pytest.mark.req("R69")
def test_a_full_share_is_mended_and_alerts_are_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "keeper.db", share=SHARE, ballast=BALLAST)
    ballast = tmp_path / "keeper.db.ballast"
    assert ballast.stat().st_blocks * 512 >= BALLAST, "of real blocks"
    count = fill(store)
    assert len(store.outbox) == count, "what found no room is not counted"
    assert store._db.execute("pragma integrity_check").fetchone()[0] == "ok"
    assert store.relieve()
    assert narrow(store)
    assert not ballast.exists()
    assert store.outbox.dropped > 0
    with store.transaction():
        assert store.outbox.add(type_="f", subject="f", body="{}", priority=Priority.FINDING, created=2.0)
        assert not store.outbox.add(type_="s", subject="s", body="{}", priority=Priority.STATE, created=2.0)
    assert store.room.take_skipped() == {"state": 1}
    assert store.room.take_skipped() == {}
    assert store.room.recover(), "what made way is room"
    assert not narrow(store)
    assert ballast.stat().st_size == BALLAST
    store.close()


@pytest.mark.req("R69")
def test_findings_alone_over_the_share_leave_it_narrow(tmp_path: Path) -> None:
    """Nothing is there to make way: it stays narrow, until the server has them."""
    store = Store(tmp_path / "keeper.db", share=SHARE, ballast=BALLAST)
    count = fill(store, priority=Priority.FINDING)
    assert store.relieve()
    with store.transaction():
        store.outbox.add(type_="f", subject="one more", body="x" * 4000, priority=Priority.FINDING, created=2.0)
    assert store.outbox.dropped == 0
    assert not store.room.recover()
    assert narrow(store)
    with store.transaction():
        assert store.outbox.received(store.epoch, 1, count // 2) == count // 2
    assert store.room.recover()
    store.close()


def test_without_room_for_the_ballast_it_is_narrow_from_the_start(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    too_much = disk.f_bavail * disk.f_frsize
    store = Store(tmp_path / "keeper.db", ballast=too_much)
    assert narrow(store)
    assert store.room.spares("activity")
    assert not store.room.recover()
    assert not (tmp_path / "keeper.db.ballast").exists()
    store.close()


def test_what_says_that_there_is_no_room() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert is_full(full)
    assert is_full(OSError(errno.ENOSPC, "no space"))
    assert not is_full(sqlite3.OperationalError("no such table"))
    assert not is_full(OSError(errno.EIO, "worse"))
    assert is_full(StoreFullError("no room"))
    of_the_key_file = OSError("vault.key: cannot be written")
    assert not is_full(of_the_key_file)
    of_the_key_file.__cause__ = OSError(errno.ENOSPC, "no space")
    assert is_full(of_the_key_file)


@pytest.mark.req("N17")
def test_no_room_for_the_key_file_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge on a full disk must not end the keeper: nothing was destroyed, and it is done when there is room."""
    store = Store(tmp_path / "keeper.db")
    with store.transaction():
        key, sealed = store.vault.seal("names", 1.0, b"made up")
    opened = os.open

    def no_room(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and Path(path).name.startswith("vault.key"):
            raise OSError(errno.ENOSPC, "no space")
        return opened(path, flags, mode)

    def destroy() -> None:
        with store.transaction():
            store.vault.destroy_keys([key])

    monkeypatch.setattr(os, "open", no_room)
    with pytest.raises(StoreFullError):
        destroy()
    monkeypatch.undo()
    assert store.vault.open(key, sealed) == b"made up"
    destroy()
    assert store.vault.open(key, sealed) is None
    store.close()


_ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from appliance.keeper.steady import open_store
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.store.room import StoreFullError

folder = Path(sys.argv[1])
MIB = 1024 * 1024
store = Store(folder / "keeper.db", ballast=3 * MIB)
assert not store.room.narrow
(folder / "filler").write_bytes(b"x" * (3 * MIB))  # what another program keeps there
for number in range(4096):
    try:
        with store.transaction():
            store.outbox.add(type_="t", subject=str(number), body="x" * 4000, priority=Priority.RECORD, created=1.0)
    except StoreFullError:
        break
kept = len(store.outbox)
assert 0 < kept == number, kept
assert store.relieve() and store.room.narrow
with store.transaction():
    store.outbox.add(type_="f", subject="f", body="{}", priority=Priority.FINDING, created=2.0)
assert not store.room.recover(), "the filler is still there"
(folder / "filler").unlink()
assert store.room.recover() and not store.room.narrow
assert store._db.execute("pragma integrity_check").fetchone()[0] == "ok"
store.close()
again = Store(folder / "keeper.db", ballast=3 * MIB)
assert [row.type for row in again.outbox.waiting(without=(), most=1)] == ["f"]
again.close()
with (folder / "filler").open("wb", buffering=0) as filler:  # to the last octet
    try:
        while filler.write(b"x" * 512):
            pass
    except OSError:
        pass
sizes = {"outbox_octets": 8 * MIB, "share": 64 * MIB, "ballast": 3 * MIB}
narrow = open_store(folder / "keeper.db", **sizes)
assert narrow.room.narrow and not (folder / "keeper.db.ballast").exists()
with narrow.transaction():
    narrow.outbox.add(type_="f", subject="g", body="{}", priority=Priority.FINDING, created=3.0)
narrow.close()
print("well")
"""


@pytest.mark.req("R69")
def test_on_a_disk_of_eight_megabytes(tmp_path: Path) -> None:
    """A real file system with real ENOSPC: a tmpfs in a namespace of the test."""
    disk = tmp_path / "disk"
    disk.mkdir()
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespace can be made here")
    script = f'mount -t tmpfs -o size=8m tmpfs {disk} && exec "$@"'
    child = [*enter, "sh", "-c", script, "sh", sys.executable, "-c", _ON_A_SMALL_DISK, str(disk)]
    done = subprocess.run(child, capture_output=True, text=True, check=False, timeout=60, cwd=Path.cwd())
    assert done.stdout == "well\n", done.stderr
