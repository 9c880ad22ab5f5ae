"""What all forms share: text made tidy, whole numbers, days, and the sentences for what is wrong with them.

Pure. Bounded: every text has a most, and only characters that can be seen are taken.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Errors = tuple[tuple[str, str], ...]
"""Element id and what is wrong there."""

MOST_REASON = 500
INCOMPLETE = "This form was not complete. Check your answers and send it again"
DAY = 86400.0


def tidy(text: str) -> str:
    """A typed text without outer space, with one kind of line end, composed."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())


def reason_errors(field: str, text: str, most: int = MOST_REASON) -> list[tuple[str, str]]:
    """What is wrong with a reason: it is asked for."""
    if not text:
        return [(field, "Enter the reason for your decision")]
    return text_errors(field, "Reason", text.replace("\n", " "), most)


def text_errors(field: str, name: str, text: str, most: int) -> list[tuple[str, str]]:
    """What is wrong with a text of one line that may be empty."""
    if len(text) > most:
        return [(field, f"{name} must be {most} characters or fewer")]
    if not text.isprintable():
        return [(field, f"{name} must only have characters that can be seen")]
    return []


def whole(text: str, most: int) -> int | None:
    """A whole number from 1 to `most`; None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if 1 <= number <= most else None


def until(at: float, days: int | None) -> datetime | None:
    """As `after`; no days are no end."""
    return None if days is None else after(at, days)


def after(at: float, days: int) -> datetime:
    """So many days after `at` (Unix seconds)."""
    return datetime.fromtimestamp(at + days * DAY, UTC)


def day(text: str) -> date | None:
    """A day as a browser sends it (2026-01-31) or as it is typed (31/1/2026); None for anything else."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            found = datetime.strptime(text[:10], form)  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        return found.date() if len(text) <= 10 and 2000 <= found.year < 2200 else None
    return None


def begin(of: date, zone: tzinfo) -> datetime:
    """The moment in UTC at which a day begins there."""
    return datetime.combine(of, time(), zone).astimezone(UTC)


def end(of: date, zone: tzinfo) -> datetime:
    """The moment in UTC at which a day is over there."""
    return begin(of + timedelta(days=1), zone)
