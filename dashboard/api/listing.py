"""What operations that list have in common: whose rows, which part of them, and what of text goes out.

In: a call and a query. Out: a page of a list; one connection and one or two statements, and a line in the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Response
from sqlalchemy import ColumnElement, Connection, Select

from dashboard.api import problems
from dashboard.api.frame import Call
from dashboard.api.models import Page
from dashboard.api.paging import CursorError, part
from dashboard.pages import words
from dashboard.pages.desk import audit_view, household_or_404, who
from dashboard.store import charge

Declared = tuple[tuple[str, Callable[[Call], Any], Any, str], ...]
"""Address, function, model, tag."""


def mine(call: Call) -> ColumnElement[bool]:
    """The households that the token's account is in charge of, as a condition."""
    return charge.sees(who(), call.at_desk.now(), call.at_desk.settings.tenant)


def part_of(
    call: Call,
    connection: Connection,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    *,
    newest_first: bool = False,
) -> tuple[Any, str | None]:
    """Rows and the next cursor; a problem document in the rows' place where the cursor is of another list."""
    try:
        return part(
            connection, query, keys, cursor=call.query.cursor, limit=call.query.limit, newest_first=newest_first
        )
    except CursorError as error:
        return problems.problem(422, errors=[("cursor", str(error))]), None


def list_of(
    call: Call,
    query: Select[Any],
    whose: ColumnElement[Any],
    keys: Sequence[ColumnElement[Any]],
    shown: Callable[[dict[str, Any]], Any],
    *,
    action: str,
    newest_first: bool = False,
) -> Page[Any] | Response:
    """A part of a list about one household."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        rows, following = part_of(call, connection, query.where(whose == home.site), keys, newest_first=newest_first)
    if isinstance(rows, Response):
        return rows
    audit_view(action, home.site)
    return Page(items=[shown(row) for row in rows], next=following)


def plain(texts: Iterable[Any]) -> list[str]:
    """Texts of a list, harmless to print."""
    return [words.plain(item) for item in texts]
