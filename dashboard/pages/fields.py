"""Fields of the forms that `parts/act.html` shows, made in few words; and times of day as they are typed.

Pure. In: what a field is called, what was typed, what is wrong. Out: an `ActField`; minutes of a day or None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.pages.contexts import ActField, Choice
from dashboard.pages.typed import Errors

DAY_MINUTES = 24 * 60


def field(
    kind: str,
    name: str,
    label: str,
    *,
    typed: Mapping[str, str],
    errors: Errors,
    hint: str = "",
    choices: Iterable[tuple[str, str]] = (),
    at_first: str = "",
) -> ActField:
    """A field; what was typed stands in it, `at_first` where nothing was sent yet."""
    value = typed.get(name, at_first)
    return ActField(
        id=name,
        name=name,
        kind=kind,
        label=label,
        hint=hint,
        value=value,
        choices=tuple(Choice(value=key, text=text, hint="", checked=key == value) for key, text in choices),
        error=dict(errors).get(name, ""),
    )


def minutes(text: str) -> int | None:
    """Minute of the day of a typed time, such as 7:30 or 22.15 or 0730; None for anything else."""
    text = text.strip().replace(".", ":")
    if ":" not in text and len(text) == 4:
        text = f"{text[:2]}:{text[2:]}"
    hours, _, rest = text.partition(":")
    if not (hours.isascii() and hours.isdecimal() and len(hours) <= 2):
        return None
    if not rest:
        rest = "00"
    if not (rest.isascii() and rest.isdecimal() and len(rest) == 2):
        return None
    found = int(hours) * 60 + int(rest)
    if found == DAY_MINUTES:
        return 0
    return found if int(rest) < 60 and found < DAY_MINUTES else None


def clock(minute: int) -> str:
    """A minute of the day as it is read: `07:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"
