"""The roll-call of a visit (N14): devices as the box knows them against those that were shown.

Pure. In: the lines of the sheet, and of each device whether the box has it there now. Out: counts, and what to ask
about. Codes of a paper sheet (`3S 4N 5H`) are read back by `from_paper`; at most `MOST_CODES` of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.i18n import N_, _, ngettext
from dashboard.store.visits import Line

SEEN, NOT_SHOWN, NOT_HOME = "seen", "not-shown", "not-home"
STATES: tuple[tuple[str, str, str], ...] = (
    (SEEN, "S", N_("Seen at the visit")),
    (NOT_SHOWN, "N", N_("Not shown")),
    (NOT_HOME, "H", N_("Not at home")),
)
"""State, its letter on paper, its words."""
HERE = frozenset({"here", "asleep", "flapping"})
"""States of presence in which the box has the device there."""
MOST_CODES = 300
MOST_FOUND = 5
MOST_FOUND_TEXT = 80
_LETTERS = {letter: state for state, letter, _text in STATES}
_CODE = re.compile(r"([0-9]{1,3})\s*([A-Za-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a roll-call stands."""

    seen: int
    not_shown: int
    not_home: int
    open: int
    """Not asked about yet."""
    found: int
    """Shown, and not known to the box."""
    to_ask: tuple[str, ...]
    """Ids of devices that the box has there now and that were not shown or said to be elsewhere."""

    def words(self) -> str:
        """In a sentence or two."""
        text = _(
            "%(seen)s seen, %(not_shown)s not shown, %(not_home)s not at home, %(open)s not asked about yet.",
            seen=self.seen,
            not_shown=self.not_shown,
            not_home=self.not_home,
            open=self.open,
        )
        if self.found:
            text += " " + ngettext(
                "%(num)s device was shown that the box does not know.",
                "%(num)s devices were shown that the box does not know.",
                self.found,
            )
        return text


def called(lines: Iterable[Line], presence: Mapping[str, str], found: Sequence[str]) -> Called:
    """How it stands; `presence` is the box's state of each device by its id."""
    lines = list(lines)
    number = {state: sum(line.state == state for line in lines) for state in (SEEN, NOT_SHOWN, NOT_HOME, "")}
    return Called(
        seen=number[SEEN],
        not_shown=number[NOT_SHOWN],
        not_home=number[NOT_HOME],
        open=number[""],
        found=len(found),
        to_ask=tuple(
            line.device_id
            for line in lines
            if line.state in {NOT_SHOWN, NOT_HOME} and presence.get(line.device_id) in HERE
        ),
    )


def state_words(state: str) -> str:
    """A state in words."""
    return next((_(text) for known, _letter, text in STATES if known == state), _("Not asked about"))


def from_paper(text: str, numbers: Mapping[int, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """States by device id from codes such as `3S 4N`, and the codes that fit no line; `numbers` gives each line's device."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    rest = text[: MOST_CODES * 5]
    for match in list(_CODE.finditer(rest))[:MOST_CODES]:
        device_id, state = numbers.get(int(match[1])), _LETTERS.get(match[2].upper())
        if device_id is None or state is None:
            wrong.append(match[0])
        else:
            found[device_id] = state
    left = _CODE.sub(" ", rest).replace(",", " ").replace(";", " ").split()
    return found, tuple(item[:12] for item in [*wrong, *left])


def number_new(lines: Sequence[Line], devices: Iterable[str], most: int) -> tuple[Line, ...]:
    """The lines, and one more for each device that came since, numbered on; at most `most`."""
    known = {line.device_id for line in lines}
    highest = max((line.number for line in lines), default=0)
    fresh = [name for name in devices if name not in known]
    more = [Line(device_id=name, number=highest + place, state="", note="") for place, name in enumerate(fresh, 1)]
    return (*lines, *more)[:most]
