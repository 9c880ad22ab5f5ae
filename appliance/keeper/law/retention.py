"""How long what is kept is kept: by data class, by what the authority is for, and by what the authority itself says.

In: the shipped table `retention.toml`, an authority, a moment. Out: the moment before which records of a class are
due, or that everything about devices is. Pure. An authority's `retention` goes before the table, for its class and
for those that follow it; the table says what holds otherwise (no period is given by law: R64).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from wire.authority import Authority, DataClass

DAY = 86400.0
BOX = "box"
"""What is about no device."""
HOUSEHOLD = "household"
FINDINGS = "findings"
COMMANDS = "commands"
NOT_ABOUT_DEVICES = frozenset({BOX, COMMANDS})
"""What stays for its own time when an authority has ended."""

Purpose = Literal["prevent", "detect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Of one class, in days."""

    holds: str
    """What it is, in plain words."""
    prevent: int
    detect: int
    follows: str | None = None
    """An authority's period for that class is this one's too."""

    def days(self, purpose: Purpose) -> int:
        """How long records are kept under an authority for this purpose."""
        return self.prevent if purpose == "prevent" else self.detect


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of `retention.toml`."""

    classes: Mapping[str, Period]
    ended: Period
    """After the end of an authority."""


@cache
def shipped() -> Table:
    """The table that comes with the box.

    Raises:
        ValueError: the table lacks a data class, or says something that is no period.
    """
    return parse((resources.files("appliance.keeper.law") / "retention.toml").read_text())


def parse(text: str) -> Table:
    """Read a table.

    Raises:
        ValueError: as `shipped`.
    """
    read = tomllib.loads(text)
    classes = {name: Period(**fields) for name, fields in read["classes"].items()}
    lacking = {*DataClass, BOX, HOUSEHOLD, FINDINGS, COMMANDS} - set(classes)
    if lacking:
        raise ValueError(f"no period for {', '.join(sorted(lacking))}")
    ended = Period(holds="Everything about devices.", **read["ended"])
    for name, period in (*classes.items(), ("ended", ended)):
        if not (period.prevent > 0 and period.detect > 0 and (period.follows is None or period.follows in classes)):
            raise ValueError(f"{name}: periods are whole days from 1, and it follows a class of the table")
    return Table(classes=classes, ended=ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is due at a moment."""

    at: float
    days: Mapping[str, int]
    """By class."""
    ended: bool
    """Whether the authority has ended so long ago that nothing about devices may be left."""

    def before(self, data_class: str) -> float:
        """Records of this class that ended before this moment (Unix seconds) are due."""
        if self.ended and data_class not in NOT_ABOUT_DEVICES:
            return float("inf")
        # A class that this version does not know is kept no longer than what is kept shortest.
        days = self.days.get(data_class, min(self.days.values()))
        return self.at - days * DAY


def terms(authority: Authority | None, *, ended_at: float | None, at: float, table: Table | None = None) -> Terms:
    """What is due at `at`, under the authority in force or the last that was; `ended_at` is when that ended.

    Without any authority nothing was recorded about devices; if there is something, the shorter periods hold.
    """
    table = table or shipped()
    purpose: Purpose = "prevent" if authority is None else authority.purpose
    own = {} if authority is None else {keep.data_class: keep.days for keep in authority.retention or ()}
    named = {str(name): days for name, days in own.items()}
    days = {
        name: named.get(name, named.get(period.follows or name, period.days(purpose)))
        for name, period in table.classes.items()
    }
    over = ended_at is not None and at - ended_at >= table.ended.days(purpose) * DAY
    return Terms(at=at, days=days, ended=over)
