"""Records of a bundle, read from its lines; and the same as an SQLite database, the same octets each time.

In: `records.jsonl` as a box gave it. Out: `Record`s, or a database of one table (made with sqlite-utils). Whether the
records hold is `verify`'s business; a line that cannot be read is a `BundleError`.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

import verify
from dashboard.bundles.parts import BundleError

_TIMES = ("wall_ms", "mono_ms", "boot", "clock", "error_ms")
_PAGE = 4096
_COUNTER, _VERSION_VALID, _LIBRARY = 24, 92, 96  # https://sqlite.org/fileformat2.html section 1.3
_FIXED_LIBRARY = 3_040_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line."""

    leaf: dict[str, Any]
    raw: str
    """The leaf, as it was hashed."""
    salt: str | None
    state: str
    view: str | None
    body: str | None

    @property
    def plain(self) -> dict[str, Any]:
        """The body, or else the view; empty where neither is given."""
        text = self.body or self.view
        if text is None:
            return {}
        found = json.loads(text)
        return found if isinstance(found, dict) else {}


def read(lines: bytes) -> Iterator[Record]:
    """Records in their order.

    Raises:
        BundleError: a line is none of a record.
    """
    for number, line in enumerate(lines.splitlines(), start=1):
        found = verify.LINE.fullmatch(line.decode("utf-8", "replace"))
        if found is None:
            raise BundleError(f"line {number} of the records cannot be read")
        raw, salt, state, view, body = found.groups()
        try:
            leaf = json.loads(raw)
        except ValueError:
            raise BundleError(f"line {number} of the records cannot be read") from None
        yield Record(leaf=leaf, raw=raw, salt=None if salt == "null" else salt[1:-1], state=state, view=view, body=body)


def database(records: Iterable[Record]) -> bytes:
    """The octets of a database with these records. What SQLite counts of its own writing is set to fixed values.

    Raises:
        BundleError: two records have one number, or one is none that a database takes.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.db"
        made = Database(path, execute_plugins=False)
        made.execute(f"pragma page_size={_PAGE}")
        made.execute("pragma journal_mode=off")
        made.execute(f"CREATE TABLE record ({verify.COLUMNS})")
        try:
            made.table("record").insert_all((_row(record) for record in records), batch_size=1000)
            made.execute("vacuum")
        except (sqlite3.Error, KeyError, TypeError, OverflowError, AttributeError) as error:
            raise BundleError(f"the records do not make a database ({type(error).__name__})") from None
        finally:
            made.close()
        octets = bytearray(path.read_bytes())
    octets[_COUNTER : _COUNTER + 4] = octets[_VERSION_VALID : _VERSION_VALID + 4] = (1).to_bytes(4, "big")
    octets[_LIBRARY : _LIBRARY + 4] = _FIXED_LIBRARY.to_bytes(4, "big")
    return bytes(octets)


def _row(record: Record) -> dict[str, Any]:
    leaf = record.leaf
    at = leaf["at"]
    return {
        "n": leaf["n"],
        "kind": leaf["kind"],
        "data_class": leaf["data_class"],
        **{name: at.get(name) for name in _TIMES},
        "leaf": record.raw,
        "salt": record.salt,
        "state": record.state,
        "view": record.view,
        "body": record.body,
    }
