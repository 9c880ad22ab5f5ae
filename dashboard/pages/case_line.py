"""One line about a visit to paste into a case system (R45). Pure: counts in, text out.

Bounded: at most `MOST` characters, as the shortest fields of such systems take; only letters, digits and marks that
every one of them keeps. It names the household by reference and the person only where the operator's settings say so.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from dashboard.i18n import _
from dashboard.pages.roll_call import Called

MOST = 250
_MOST_NAME = 40
_MOST_OUTCOME = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the line says."""

    day: str
    """In words."""
    household: str
    person: str
    """Name or reference; empty to leave it out."""
    called: Called
    open_findings: int
    reporting: bool
    outcome: str
    reference: str
    """Of the visit."""


def case_line(said: Said) -> str:
    """The line."""
    roll = said.called
    parts = [
        _("Home visit %(day)s, %(household)s", day=said.day, household=_ascii(said.household, _MOST_NAME)),
        _ascii(said.person, _MOST_NAME),
        _("devices: %(seen)s seen, %(not_shown)s not shown, %(not_home)s not at home", **_numbers(roll)),
        _("%(found)s shown that the box did not know", found=roll.found) if roll.found else "",
        _("%(number)s to ask about", number=len(roll.to_ask)) if roll.to_ask else "",
        _("open findings: %(number)s", number=said.open_findings),
        "" if said.reporting else _("box not reporting"),
        _ascii(said.outcome, _MOST_OUTCOME),
    ]
    end = _("Ref %(reference)s", reference=said.reference[:8])
    line = "; ".join(part for part in parts if part)
    room = MOST - len(end) - 2
    return f"{line[:room]}. {end}" if len(line) <= room else f"{line[: room - 1]}~. {end}"


def _numbers(roll: Called) -> dict[str, int]:
    return {"seen": roll.seen, "not_shown": roll.not_shown, "not_home": roll.not_home}


def _ascii(text: str, most: int) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(sign for sign in plain if sign.isprintable()).replace(";", ",").split())[:most]
