"""The lists that a box keeps: one folder a list, one small file that says which version is in force.

In: what `jobs` made. Out: lists to match by, and their plain entries where they are kept. `kept.json` names
the files of the version in force; it is replaced whole, so whatever moment the power goes, a list is the old or
the new one and never half of either. What `kept.json` does not name is left over and removed by `tidy`.

The key of the hashes is made once, beside the database, and is left out of backups: a table that is taken away
says nothing of names without it, but whoever has the key can try names that can be guessed.
Bounded: as many lists as the settings name; `Kept` says how large each may be.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from appliance.keeper.lists import jobs
from appliance.keeper.lists.about import About
from appliance.keeper.lists.entries import Item
from appliance.keeper.lists.formats import Format, parse
from appliance.keeper.lists.match import Loaded, NameList
from appliance.keeper.lists.table import open_table
from wire.files import FileError, replace
from wire.findings import Severity

KEY_OCTETS = 32
_KEPT = "kept.json"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The version of a list that is in force. Times are Unix seconds."""

    about: About
    made: jobs.Result
    stem: str
    published: float | None
    """By its manifest; of a local file when that was last changed."""
    renew_by: float | None
    taken_at: float
    etag: str | None = None
    """Of the manifest."""
    seen: tuple[int, int, int] | None = None
    """Of a local file: inode, octets and time of change (ns) when it was taken."""

    @property
    def size(self) -> int:
        """Names and networks in it."""
        return self.made.entries + self.made.networks

    @property
    def meta(self) -> NameList:
        """What a hit says of the list."""
        about = self.about
        return NameList(
            id=about.list_id,
            version=about.version,
            title=about.title,
            severity=Severity(about.severity),
            sha256=self.made.sha256,
            category=about.category,
            owner=about.owner,
            source=about.source,
            confidential=about.confidential,
            published=None if self.published is None else datetime.fromtimestamp(self.published, UTC),
        )


def read_kept(folder: Path, list_id: str) -> Kept | None:
    """What a library in `folder` keeps of a list; None where there is nothing, or nothing that can be read."""
    try:
        found = msgspec.json.decode((folder / list_id / _KEPT).read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.about.list_id == list_id else None


class Library:
    """Folders of lists below one folder."""

    def __init__(self, folder: Path, *, key_file: Path) -> None:
        """Make the folder and the key where they are missing.

        Raises:
            FileError: they cannot be made or read.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.key = _key(key_file)
        except OSError as error:
            raise FileError(f"{error.filename}: lists cannot be kept ({error.strerror})") from error
        self._kept: dict[str, Kept] = {}

    def kept(self, list_id: str) -> Kept | None:
        """The version in force; None where there is none, or none that can be read."""
        if list_id not in self._kept and (found := read_kept(self.folder, list_id)) is not None:
            self._kept[list_id] = found
        return self._kept.get(list_id)

    def open(self, kept: Kept, *, checked: bool = False) -> Loaded:
        """The list as it is matched by; reads its table once, unless a job has just made and checked it.

        Raises:
            TableError: the table is missing or damaged, or of another key.
        """
        table = open_table(jobs.table_path(self._of(kept.about.list_id), kept.stem), self.key, checked=checked)
        return Loaded(meta=kept.meta, table=table)

    def job(self, about: About, *, most: int, sha256: str | None = None, octets: int | None = None) -> jobs.Job:
        """A job under a name that nothing has; the file must have this hash and length, where they are given."""
        return jobs.Job(
            list_id=about.list_id,
            folder=str(self._of(about.list_id)),
            stem=secrets.token_hex(8),
            key=self.key,
            format=about.format,
            reach=about.reach,
            confidential=about.confidential,
            most=most,
            sha256=sha256,
            octets=octets,
        )

    def take(self, kept: Kept) -> None:
        """From now on this version is the one in force; the files of the one before go.

        Raises:
            OSError: it cannot be written; the one before stays in force.
        """
        replace(self._of(kept.about.list_id) / _KEPT, msgspec.json.encode(kept))
        self._kept[kept.about.list_id] = kept
        self._sweep(self._of(kept.about.list_id), kept)

    def discard(self, job: jobs.Job) -> None:
        """What a job made is not wanted."""
        jobs.discard(Path(job.folder), job.stem)

    def entries(self, list_id: str) -> Iterator[Item]:
        """The plain entries of the version in force, in the order of the file; of a confidential list none.

        Raises:
            OSError: the plain file cannot be read.
        """
        kept = self.kept(list_id)
        if kept is None or kept.about.confidential:
            return
        reach = jobs.REACHES[kept.about.reach]
        with jobs.plain_path(self._of(list_id), kept.stem).open("rb") as file:
            yield from parse(file, Format(kept.about.format), plain=reach)

    def tidy(self, list_ids: Collection[str]) -> None:
        """Remove what a killed process left, and lists that nobody wants any more. Never raises."""
        for folder in _children(self.folder):
            wanted = folder.name in list_ids
            self._sweep(folder, self.kept(folder.name) if wanted else None)
            if not wanted:
                self._kept.pop(folder.name, None)
                _quietly(folder.rmdir)

    def _sweep(self, folder: Path, kept: Kept | None) -> None:
        named = {_KEPT, f"{kept.stem}.table", f"{kept.stem}.plain"} if kept is not None else set()
        for path in _children(folder):
            if path.name not in named:
                _quietly(path.unlink)

    def _of(self, list_id: str) -> Path:
        return self.folder / list_id


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _quietly(remove: Callable[[], None]) -> None:
    """What cannot be removed now is tried again at the next start."""
    with contextlib.suppress(OSError):
        remove()


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != KEY_OCTETS:  # missing, or cut short: tables made with another are compiled again
        key = secrets.token_bytes(KEY_OCTETS)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(path, key)
    path.chmod(0o600)
    return key
