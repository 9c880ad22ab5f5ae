"""Until when what a household's box told, and what was decided about it, is kept (R64, N17).

In: the document in force, else `DEFAULT_DAYS`; holds that a box confirmed. Out: moments before which rows are due.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from dashboard.store.law import at_of, documents_in_force, holds_in_force
from wire.authority import Authority, AuthorityError, parse_signed

DAY = 86400.0
DEFAULT_DAYS: Mapping[str, Mapping[str, int]] = {
    purpose: dict(zip(("presence", "findings", "household", "commands", "box", "ended", "copies"), days, strict=True))
    for purpose, days in (("prevent", (90, 180, 90, 730, 730, 28, 28)), ("detect", (180, 365, 180, 730, 730, 90, 90)))
}
"""As the box's own table has them (`copies`: of records that were put together to hand out, as long as after the end of
an authority); the shorter ones count where no document was put in force from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Records of this span are kept for a case."""

    since: float
    until: float
    device_id: str | None
    """None: of all devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Until when rows of a household are due to be erased; Unix seconds."""

    presence: float
    findings: float
    household: float
    commands: float
    box: float
    copies: float
    ended: bool = False
    """The authority has ended so long ago that nothing about devices may be left, open or not."""
    over: bool = False
    """So long ago that nothing of what was decided under it is kept either: nor who the household was about."""


def schedule_of(document: Authority | None, now: float) -> Schedule:
    """Before which moment rows are old enough to be erased."""
    days = dict(DEFAULT_DAYS[document.purpose if document is not None else "prevent"])
    if document is not None:
        said = {keep.data_class: keep.days for keep in getattr(document, "retention", None) or ()}
        days["presence"] = days["household"] = said.get("presence", days["presence"])
        days["findings"] = said.get("list_hits", days["findings"])
        days["commands"] = days["box"] = said.get("box", days["box"])
        last = min(document.not_after, document.withdrawn_at or document.not_after)
        if now >= last.timestamp() + days["ended"] * DAY:
            # What is about devices goes so long after the authority has ended, however young it is.
            return Schedule(
                presence=now,
                findings=now,
                household=now,
                commands=now - days["commands"] * DAY,
                box=now - days["box"] * DAY,
                copies=now,
                ended=True,
                over=now >= last.timestamp() + max(days["ended"], days["commands"]) * DAY,
            )
    return Schedule(
        presence=now - days["presence"] * DAY,
        findings=now - days["findings"] * DAY,
        household=now - days["household"] * DAY,
        commands=now - days["commands"] * DAY,
        box=now - days["box"] * DAY,
        copies=now - days["copies"] * DAY,
    )


def holds_of(connection: Connection, site_id: str, now: float) -> tuple[Hold, ...]:
    """Holds that a box confirmed and nobody ended."""
    bodies = (item.body for item in holds_in_force(connection, site_id, now))
    return tuple(
        Hold(since=at_of(body.get("since")), until=at_of(body.get("until")), device_id=body.get("device_id"))
        for body in bodies
    )


def document_of(connection: Connection, site_id: str, now: float) -> Authority | None:
    """The document in force, as far as it was put in force from here; not one that waits for its day."""
    for row in documents_in_force(connection, site_id):
        try:
            found = parse_signed(str(row.body.get("document")).encode()).document
        except AuthorityError:
            continue
        if found.not_before.timestamp() <= now:
            return found
    return None
