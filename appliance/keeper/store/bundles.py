"""Bundles on the box: which were asked for, what became of them, and their sealed parts, one file a bundle.

In and out: rows, parts. The file holds parts sealed to the server, one behind another, all but the last of the same
length; this box cannot read it. A file is written beside its place and moved there when it is whole, so that a cut
leaves none or all of it. Bounded: `MAX_BUNDLES` bundles, `MAX_AUTHORITIES` documents (the oldest go).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from wire.bundles import PART_OCTETS, SEALED_MORE

MAX_BUNDLES = 4
MAX_AUTHORITIES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBundle:
    """A bundle that was asked for."""

    bundle_id: str
    wanted: str
    """What was asked for, as JSON."""
    state: str
    """wanted, built or failed."""
    at: float
    """Unix seconds when it was asked for."""
    expires: float
    told: str | None
    """The `BundleBuilt` that was said of it, as JSON."""


class Bundles:
    """The tables `bundle` and `authority_kept`, and the folder; calls that write belong in the store's transaction."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._folder = folder

    def all(self) -> list[StoredBundle]:
        """Every bundle, the oldest first."""
        rows = self._db.execute(
            "select bundle_id, wanted, state, at, expires, told from bundle order by at, bundle_id"
        ).fetchall()
        return [
            StoredBundle(bundle_id=name, wanted=wanted, state=state, at=at, expires=expires, told=told)
            for name, wanted, state, at, expires, told in rows
        ]

    def want(self, bundle_id: str, *, wanted: str, at: float, expires: float) -> None:
        """Remember that one was asked for."""
        self._db.execute(
            "insert into bundle (bundle_id, wanted, state, at, expires) values (?, ?, 'wanted', ?, ?)",
            (bundle_id, wanted, at, expires),
        )

    def done(self, bundle_id: str, *, state: str, told: str) -> None:
        """What became of it."""
        self._db.execute("update bundle set state = ?, told = ? where bundle_id = ?", (state, told, bundle_id))

    def drop(self, bundle_id: str) -> None:
        """Forget it and delete its file."""
        self._db.execute("delete from bundle where bundle_id = ?", (bundle_id,))
        self.path(bundle_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete files that belong to no bundle, such as one that was being written when the power went."""
        if self._folder.is_dir():
            kept = {self.path(bundle.bundle_id) for bundle in self.all() if bundle.state == "built"}
            for path in self._folder.iterdir():
                if path not in kept:
                    path.unlink(missing_ok=True)

    def path(self, bundle_id: str) -> Path:
        """Where its file lies."""
        return self._folder / f"{bundle_id}.sealed"

    def begin(self, bundle_id: str) -> None:
        """Begin a file.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(self._beside(bundle_id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))

    def append(self, bundle_id: str, sealed: bytes) -> None:
        """Write the next part; nothing is kept open between parts.

        Raises:
            OSError: it cannot be written.
        """
        with self._beside(bundle_id).open("ab") as file:
            file.write(sealed)

    def finish(self, bundle_id: str) -> None:
        """Put a written file in its place, durably.

        Raises:
            OSError: it cannot be written.
        """
        _sync(self._beside(bundle_id), os.O_RDONLY)
        self._beside(bundle_id).replace(self.path(bundle_id))
        _sync(self._folder, os.O_RDONLY | os.O_DIRECTORY)

    def abandon(self, bundle_id: str) -> None:
        """Delete what was written."""
        self._beside(bundle_id).unlink(missing_ok=True)

    def part(self, bundle_id: str, number: int) -> bytes | None:
        """A sealed part; None where there is none."""
        try:
            with self.path(bundle_id).open("rb") as file:
                file.seek(number * (PART_OCTETS + SEALED_MORE))
                return file.read(PART_OCTETS + SEALED_MORE) or None
        except OSError:
            return None

    def keep_authority(self, authority_id: str, number: int, document: str) -> None:
        """Remember a signed document that was accepted."""
        self._db.execute(
            "insert or replace into authority_kept (authority_id, number, document) values (?, ?, ?)",
            (authority_id, number, document),
        )
        self._db.execute(
            "delete from authority_kept where rowid <= (select max(rowid) from authority_kept) - ?", (MAX_AUTHORITIES,)
        )

    def authorities(self) -> list[str]:
        """Signed documents that were accepted, as they came."""
        rows = self._db.execute("select document from authority_kept order by authority_id, number").fetchall()
        return [str(document) for (document,) in rows]

    def _beside(self, bundle_id: str) -> Path:
        return self._folder / f"{bundle_id}.writing"


def _sync(path: Path, how: int) -> None:
    descriptor = os.open(path, how | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
