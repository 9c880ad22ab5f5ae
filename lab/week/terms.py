"""What a box of a story may do: its order, and how finely it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from appliance.keeper.lists.match import Loaded
from wire.authority import Authority, Clause, CollectClause, DataClass, RegisterClause
from wire.base import Standing

TENANT, SITE = "lab", "week"
TICKS_AFTER = (1.0, 2.0, 3.0, 6.0)
"""Seconds after something happened at which the keeper's clock ticks; a live one ticks every second."""
GATHER = 0.25
"""Observations of so many seconds go to the keeper in one turn, as the sensor sends them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the box may do."""

    clauses: tuple[Clause, ...] = (
        CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
        RegisterClause(number="2"),
        CollectClause(number="3", standings=(Standing.REGISTERED,), classes=(DataClass.FULL_NAMES,)),
    )
    """Of everybody what devices look like and when they are there; of the registered also names."""
    lists: tuple[Loaded, ...] = field(default=())
    watched: bool = False
    """Whether the box watches itself: its power, its ports, its clock."""
    ticks: tuple[float, ...] = TICKS_AFTER
    gather: float = GATHER
    """As they are above; weeks with much traffic are told more coarsely."""


def authority(starts: float, ends: float, clauses: tuple[Clause, ...]) -> Authority:
    """The order, not signed yet, from `starts` to `ends` (Unix seconds) and a little more."""
    return Authority(
        id="authority-1",
        number=1,
        kind="order",
        reference="EX-0001",
        purpose="detect",
        tenant=TENANT,
        site=SITE,
        responsible_officer="duty officer",
        issued_at=_utc(starts - 7200),
        not_before=_utc(starts - 3600),
        not_after=_utc(ends + 60 * 86400),  # no reminder within the story
        review_date=_utc(ends + 30 * 86400),
        clauses=clauses,
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
