"""Parts of a list: by the keys of the last row, not by counting, so that what is added meanwhile moves nothing.

In: a query, the columns that order it (together unique), a cursor. Out: rows and the next cursor. A cursor is the last
row's keys as base64 of JSON; it names nothing that its holder did not see, and one that was altered reads no more than
another place of the same list.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal, tuple_

MOST_KEY = 160


class CursorError(ValueError):
    """Not a cursor of this list."""


def part(
    connection: Connection,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    *,
    cursor: str,
    limit: int,
    newest_first: bool = False,
) -> tuple[list[dict[str, Any]], str | None]:
    """A part of a list, and the cursor of the next; None at the end.

    Raises:
        CursorError: the cursor is of no list like this.
    """
    if cursor:
        place = tuple_(*(literal(value, key.type) for value, key in zip(_read(cursor, keys), keys, strict=True)))
        here = tuple_(*keys)
        query = query.where(here < place if newest_first else here > place)
    order = [key.desc() if newest_first else key.asc() for key in keys]
    rows = [dict(row) for row in connection.execute(query.order_by(*order).limit(limit + 1)).mappings()]
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], _write([last[key.key or ""] for key in keys])


def _write(values: Sequence[Any]) -> str:
    return urlsafe_b64encode(json.dumps(list(values), separators=(",", ":")).encode()).decode().rstrip("=")


def _read(cursor: str, keys: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        found = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise CursorError("not a cursor of this list") from error
    if not isinstance(found, list) or len(found) != len(keys):
        raise CursorError("not a cursor of this list")
    for value, key in zip(found, keys, strict=True):
        kind = key.type.python_type
        fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
        if not fits or len(str(value)) > MOST_KEY or (isinstance(value, str) and "\x00" in value):
            raise CursorError("not a cursor of this list")
        # What no column holds: a whole number beyond 64 bits, infinity.
        if not isinstance(value, str) and not -(2.0**63) < value < 2.0**63:
            raise CursorError("not a cursor of this list")
    return found
