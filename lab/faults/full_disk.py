"""`python -m lab.faults.full_disk`: the N-th write finds no room, N rising until a run completes; one JSON object out.

In a process of its own, since SQLite's default file system is the process's. A run is a box (the real keeper over a
real database) in which new devices turn up one after the other; its disk is full from the N-th write on, once or for
ever: for ever means that files may not grow beyond what they take together then, so giving a file up makes room as on
a real disk. Every run must tell the server of every device, say that the storage is full, keep its database whole, and
be as before when the disk is freed.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from appliance import messages as m
from appliance.keeper.core import Core, Peer, Send
from appliance.keeper.steady import Steady
from appliance.keeper.store.database import Store
from lab.faults.crash_vfs import apsw
from lab.faults.power_cuts import inconsistent
from lab.week.box import Box
from lab.week.speech import ROUTER_MAC
from wire.findings import FindingKind

DEVICES = 5
BALLAST = 1024 * 1024
"""Small, so that it is seen to be enough."""
STARTS = 1_900_000_000.0
_AFTER = 90.0
"""Seconds after which a box with room again must be well."""


@dataclass(slots=True)
class Tally:
    """What came of it."""

    once: int = 0
    """Runs in which one write found no room."""
    ever: int = 0
    """Runs in which all did from then on."""
    corrupt: int = 0
    silent: int = 0
    """Runs in which the server was not told of a device."""
    unsaid: int = 0
    """Runs without room in which nobody was told that the storage is full."""
    stuck: int = 0
    """Runs that were not as before when the disk was freed."""
    gave_up: int = 0
    """Runs in which the ballast was needed."""
    problems: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep the first few."""
        if len(self.problems) < 5:
            self.problems.append(text)


class FullVfs(apsw.VFS):  # type: ignore[misc]  # apsw has no types here
    """SQLite's default file system: counts writes, and has no more room when told so."""

    def __init__(self) -> None:
        self.folder = Path("/nowhere")
        self.writes = 0
        self.fail_at: int | None = None
        self.ever = False
        self.capacity: int | None = None
        """Octets that the folder's files may take; None: as many as they like."""
        super().__init__("full-disk", "unix", makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> object:  # noqa: N802 - apsw's names
        """Open a file, watched when it is below the folder."""
        path = None if name is None else Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        if path is None or path.parent != self.folder:
            return super().xOpen(name, flags)
        return _FullFile(self, path, name, flags)

    def excepthook(self, _kind: object, _error: object, _trace: object) -> None:
        """An error is told to SQLite; nobody else need hear of it."""

    def about_to_write(self, path: Path, end: int) -> None:
        """A write up to octet `end` of a file: may raise that there is no room."""
        self.writes += 1
        if self.writes == self.fail_at:
            if not self.ever:
                raise apsw.FullError("no room, this once")
            self.capacity = self._taken()
        growth = end - path.stat().st_size
        if self.capacity is not None and growth > 0 and self._taken() + growth > self.capacity:
            raise apsw.FullError("no room")

    def _taken(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir())


class _FullFile(apsw.VFSFile):  # type: ignore[misc]  # apsw has no types here
    """One open file."""

    def __init__(self, vfs: FullVfs, path: Path, name: object, flags: list[int]) -> None:
        self._vfs, self._path = vfs, path
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's names
        self._vfs.about_to_write(self._path, offset + len(data))
        super().xWrite(data, offset)

    def excepthook(self, _kind: object, _error: object, _trace: object) -> None:
        """As above."""

    def xSync(self, _flags: int) -> None:  # noqa: N802 - apsw's names
        pass  # nobody cuts the power here


class Going(Box):
    """A box that goes on as the keeper's process does."""

    def _made(self) -> Core | Steady:
        return Steady(self._store, lambda: Core(self._parts(), monotonic=self._monotonic))

    def _take(self, sends: list[Send]) -> None:
        super()._take(sends)
        if isinstance(self._core, Steady) and self._core.take_fresh():
            self._meet()

    def sighted(self, mac: str) -> None:
        """A device is heard."""
        sighting = m.Sighting(ts=self.now, mac=mac, via=m.Via.ARP)
        self._take(self._core.heard(Peer.SENSOR, (sighting,), now=self.now, monotonic=self._monotonic))
        self._soon()


def run(folder: Path, vfs: FullVfs, tally: Tally, *, fail_at: int | None, ever: bool) -> int:
    """One run; how many writes there were."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    vfs.folder, vfs.fail_at, vfs.ever, vfs.capacity = folder, None, ever, None
    store = Store(folder / "keeper.db", ballast=BALLAST)
    vfs.writes, vfs.fail_at = 0, fail_at
    box = Going(folder, starts=STARTS, ends=STARTS + 86_400, router=ROUTER_MAC, store=store)
    macs = [f"00:00:5e:00:53:{number:02x}" for number in range(1, DEVICES + 1)]
    for mac in macs:
        box.sighted(mac)
        box.wait(box.now + 20)
    box.wait(box.now + 60)
    writes, full = vfs.writes, vfs.capacity is not None
    told = {finding.device_id for finding in box.findings.values() if finding.kind is FindingKind.UNREGISTERED_DEVICE}
    if len(told) != DEVICES:
        tally.silent += 1
        tally.note(f"write {fail_at}, {'for ever' if ever else 'once'}: told of {len(told)} of {DEVICES} devices")
    narrow = store.room.narrow
    tally.gave_up += store.room.given_up > 0
    said = [finding for finding in box.findings.values() if finding.kind is FindingKind.STORAGE_FULL]
    if full and narrow and not said:
        tally.unsaid += 1
        tally.note(f"write {fail_at}: nobody was told that the storage is full")
    vfs.capacity, vfs.fail_at = None, None
    box.wait(box.now + _AFTER)
    box.sighted("00:00:5e:00:53:ff")
    box.wait(box.now + _AFTER)
    said = [finding for finding in box.findings.values() if finding.kind is FindingKind.STORAGE_FULL]
    if store.room.narrow or any(finding.state == "open" for finding in said) or len(box.devices) != DEVICES + 1:
        tally.stuck += 1
        tally.note(f"write {fail_at}: not as before ({len(box.devices)} devices, narrow {store.room.narrow})")
    whole = store._db.execute("pragma integrity_check").fetchone()[0]  # noqa: SLF001 - to look
    if whole != "ok" or (wrong := inconsistent(store)) is not None:
        tally.corrupt += 1
        tally.note(f"write {fail_at}: {whole if whole != 'ok' else wrong}")
    store.close()
    return writes


def main() -> int:
    """Exit codes: 0 ran; 69 the disk cannot be put under SQLite here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--step", type=int, default=1)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    vfs, tally = FullVfs(), Tally()
    writes = run(arguments.folder, vfs, tally, fail_at=None, ever=False)
    if not writes:
        sys.stderr.write("sqlite3 does not use the SQLite that apsw uses, so its disk cannot be filled\n")
        return 69
    for ever in (False, True):
        at = 1
        while True:
            try:
                count = run(arguments.folder, vfs, tally, fail_at=at, ever=ever)
            except (sqlite3.Error, OSError) as error:
                tally.corrupt += 1
                tally.note(f"write {at}, {'for ever' if ever else 'once'}: {error}")
                count = writes
            tally.ever += ever
            tally.once += not ever
            if count < at:
                break
            at += arguments.step
    sys.stdout.write(json.dumps(asdict(tally) | {"writes": writes}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
