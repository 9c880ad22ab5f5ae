"""A disk under SQLite whose power can be cut: what was written and not synced may stay, go, or be torn.

In: the calls of SQLite's virtual file system, passed on to the real one, so that the database works as ever
(WAL, shared memory and all). Out: `Disk.image`, the folder as it could look had the power gone at this moment.
Each file has what is surely on the disk (all up to its last sync) and the writes since; of those a cut keeps,
drops, reorders (an older of two that overlap stays) and tears in sectors of 512 octets, whole or as rubbish.
A file that was never synced may not be there; one deleted without a sync of its folder may be there still.

Bounded: nothing is kept of a write that was synced. Real syncs are left out: whether the disk keeps its word is the
disk's affair, and this one is imagined. Needs Debian's python3-apsw, which shares libsqlite3 with the standard
library's sqlite3, so that code that knows nothing of this file runs on it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

DEBIAN = "/usr/lib/python3/dist-packages"
if DEBIAN not in sys.path:
    sys.path.append(DEBIAN)  # last, so that nothing of the environment is taken from there
try:
    import apsw  # type: ignore[import-not-found]  # Debian's package, in no environment of pip's
except ImportError:
    sys.stderr.write("Debian's python3-apsw is not there, or is made for another Python\n")
    sys.exit(69)

__all__ = ["CutVfs", "Disk", "Fate", "apsw"]

SECTOR = 512
NAME = "power-cut"
_OPEN_DELETEONCLOSE = 0x08


class Fate(Enum):
    """What the cut does to the writes of a file that were not synced."""

    KEEP = auto()
    DROP = auto()
    PREFIX = auto()
    """Those before some moment are there, the later ones are not."""
    SOME = auto()
    """Any of them, in whatever order the disk liked."""
    TORN = auto()
    """Any sectors of any of them."""
    RUBBISH = auto()
    """The same, and some sectors hold what nobody wrote."""


@dataclass(frozen=True, slots=True)
class _Write:
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Truncate:
    size: int


@dataclass(slots=True)
class _Kept:
    """One file: what is safe, and what is not yet."""

    safe: bytearray = field(default_factory=bytearray)
    there: bool = False
    """Whether its name is on the disk for sure."""
    since: list[_Write | _Truncate] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.since:
            _apply(self.safe, change)
        self.since.clear()
        self.there = True


class Disk:
    """All files that SQLite has opened below a folder."""

    def __init__(self, folder: Path, chance: random.Random, *, before_step: Callable[[], None] = lambda: None) -> None:
        """What lies in `folder` already counts as synced; `before_step` is called where a cut could fall."""
        self.folder = folder
        self.steps = 0
        """Writes, truncations, syncs and deletions so far: the moments between which a cut can fall."""
        self.written = 0
        """Octets that SQLite wrote."""
        self.chance = chance
        self._before_step = before_step
        self._files: dict[str, _Kept] = {}
        self._deleted: dict[str, _Kept] = {}
        """Files of which nobody made sure that they are gone."""
        for path in folder.iterdir():
            if path.is_file() and path.suffix not in (".db-shm", ".lock"):
                self._files[path.name] = _Kept(safe=bytearray(path.read_bytes()), there=True)

    def step(self) -> None:
        """Something is about to reach the file system."""
        self._before_step()
        self.steps += 1

    def opened(self, name: str) -> None:
        """A file was opened, or made."""
        self._files.setdefault(name, _Kept())

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Octets were written."""
        self.step()
        self.written += len(data)
        self._files[name].since.append(_Write(offset, data))

    def truncate(self, name: str, size: int) -> None:
        """A file was cut."""
        self.step()
        self._files[name].since.append(_Truncate(size))

    def sync(self, name: str) -> None:
        """A file was synced. With the first sync of a new log SQLite syncs the folder too (`unixSync` in os_unix.c)."""
        self.step()
        if not self._files[name].there:
            self._deleted.clear()
        self._files[name].sync()

    def delete(self, name: str, *, synced: bool) -> None:
        """A file was deleted, and its folder synced or not."""
        self.step()
        gone = self._files.pop(name, None)
        if synced:
            self._deleted.clear()
        elif gone is not None and gone.there:
            self._deleted[name] = gone

    def image(self) -> dict[str, bytes]:
        """The folder after a cut now: contents by name."""
        found: dict[str, bytes] = {}
        for name, kept in {**self._deleted, **self._files}.items():
            if (name not in self._files or not kept.there) and self.chance.random() < 0.5:
                continue
            fate = self.chance.choice(tuple(Fate)) if kept.since else Fate.KEEP
            found[name] = self._after(kept, fate)
        for path in self.folder.iterdir():  # what others write: keys, the lock
            if path.is_file() and path.name not in self._files and path.suffix != ".db-shm":
                found.setdefault(path.name, path.read_bytes())
        return found

    def _after(self, kept: _Kept, fate: Fate) -> bytes:
        content = bytearray(kept.safe)
        changes = kept.since
        if fate is Fate.DROP:
            changes = []
        elif fate is Fate.PREFIX:
            changes = changes[: self.chance.randrange(len(changes) + 1)]
        elif fate is not Fate.KEEP:
            changes = [change for change in changes if self.chance.random() < 0.5]
        for change in changes:
            if isinstance(change, _Write) and fate in (Fate.TORN, Fate.RUBBISH):
                for part in self._sectors(change, rubbish=fate is Fate.RUBBISH):
                    _apply(content, part)
            else:
                _apply(content, change)
        return bytes(content)

    def _sectors(self, write: _Write, *, rubbish: bool) -> list[_Write]:
        """What is there of one write: sectors of the disk, so they begin where the disk's do."""
        found: list[_Write] = []
        at, end = write.offset, write.offset + len(write.data)
        while at < end:
            after = min(end, (at // SECTOR + 1) * SECTOR)
            dice = self.chance.random()
            if dice < 0.5:
                found.append(_Write(at, write.data[at - write.offset : after - write.offset]))
            elif rubbish and dice < 0.75:
                found.append(_Write(at, self.chance.randbytes(after - at)))
            at = after
        return found


def _apply(content: bytearray, change: _Write | _Truncate) -> None:
    if isinstance(change, _Truncate):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    content.extend(bytes(max(change.offset - len(content), 0)))
    content[change.offset : change.offset + len(change.data)] = change.data


class CutVfs(apsw.VFS):  # type: ignore[misc]  # apsw has no types here
    """SQLite's default file system from now on; files below the folder of `disk` are watched."""

    def __init__(self) -> None:
        self.disk: Disk | None = None
        super().__init__(NAME, "unix", makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> object:  # noqa: N802 - apsw's names
        """Open a file: watched when it is one of the database's."""
        path = None if name is None else Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        if self.disk is None or path is None or path.parent != self.disk.folder or flags[0] & _OPEN_DELETEONCLOSE:
            return super().xOpen(name, flags)
        return _CutFile(self.disk, path.name, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802 - apsw's names
        """Delete a file."""
        path = Path(name)
        if self.disk is not None and path.parent == self.disk.folder:
            self.disk.delete(path.name, synced=bool(syncdir))
        super().xDelete(name, syncdir)


class _CutFile(apsw.VFSFile):  # type: ignore[misc]  # apsw has no types here
    """One open file: each change is noted and passed on."""

    def __init__(self, disk: Disk, own: str, name: object, flags: list[int]) -> None:
        self._disk, self._own = disk, own
        disk.opened(own)
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's names
        self._disk.write(self._own, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - apsw's names
        self._disk.truncate(self._own, size)
        super().xTruncate(size)

    def xSync(self, _flags: int) -> None:  # noqa: N802 - apsw's names
        self._disk.sync(self._own)
