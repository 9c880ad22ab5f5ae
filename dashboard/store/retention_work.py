"""What is due of what people did in a case: visits, history that came with a transfer, shares, installations.

In: a household, until when its decisions are kept (`schedule.Schedule.commands`; what is about devices goes with the
class of presence), and what is held for a case. Out: which rows of which tables are due, children before what they
belong to. A hold of one device holds visits too: their roll-call names it.
Bounded: as `retention.purge`, so many rows of a table a round; a parent stays until its children are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, exists, select

from dashboard.store.schema import (
    history,
    install,
    install_adult,
    install_key,
    install_step,
    outcome,
    relay,
    share,
    share_note,
    share_session,
    visit,
    visit_addendum,
    visit_line,
    wifi_key,
)

Due = tuple[Table, tuple[str, ...], ColumnElement[bool]]
Free = Callable[[ColumnElement[Any]], list[ColumnElement[bool]]]


def due(site_id: str, *, decided: float, presence: float, free: Free = lambda _at: []) -> Iterator[Due]:
    """Rows that are older than these moments (Unix seconds); `free` says of a row's time that no hold keeps it."""
    visits = and_(visit.c.site == site_id, visit.c.started_at < decided, *free(visit.c.started_at))
    old = select(visit.c.visit_id).where(visits)
    for child in (visit_addendum, visit_line):
        yield _line(child, and_(child.c.site == site_id, child.c.visit_id.in_(old)))
    yield _line(visit, and_(visits, *_childless(visit, ("site", "visit_id"), (visit_addendum, visit_line))))
    yield _line(history, and_(history.c.site == site_id, history.c.at < presence, *free(history.c.at)))
    shares = and_(share.c.site == site_id, share.c.until < decided)
    gone = select(share.c.share_id).where(shares)
    for child in (share_session, share_note):
        yield _line(child, child.c.share_id.in_(gone))
    yield _line(share, and_(shares, *_childless(share, ("share_id",), (share_session, share_note))))
    yield _line(outcome, and_(outcome.c.site == site_id, outcome.c.made_at < decided, *free(outcome.c.made_at)))
    installs = and_(install.c.site == site_id, install.c.closed_at < decided)
    closed = select(install.c.install_id).where(installs)
    children = (install_key, install_adult, install_step, relay)
    for child in children:
        yield _line(child, child.c.install_id.in_(closed))
    # A passphrase that was ended is of no use; those that count are said anew each time, and go with the box.
    ended = and_(wifi_key.c.site == site_id, wifi_key.c.ended_at < decided)
    yield _line(wifi_key, ended)
    yield _line(install, and_(installs, *_childless(install, ("install_id",), children)))


def _line(table: Table, which: ColumnElement[bool]) -> Due:
    return table, tuple(column.name for column in table.primary_key), which


def _childless(parent: Table, key: tuple[str, ...], children: tuple[Table, ...]) -> Iterator[ColumnElement[Any]]:
    for child in children:
        yield ~exists().where(*(child.c[name] == parent.c[name] for name in key))
