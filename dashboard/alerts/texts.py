"""What messages say: counts, and where to sign in; nothing about a person, a home or a device.

Pure: purposes and texts of deliveries in, a subject and a body out.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.alerts.plan import UNANSWERED

TEST = "This is a test message. Nothing has happened."
ROTA = "The duty rota has a time in the next day when nobody is on duty."
MOST = 300


def alerts(texts: Sequence[str]) -> str:
    """One message for all alerts that go to a channel at once."""
    unanswered = sum(text == UNANSWERED for text in texts)
    new = len(texts) - unanswered
    said = []
    if new:
        said.append(f"{new} new {_alerts(new)}.")
    if unanswered:
        said.append(f"{unanswered} {_alerts(unanswered)} that nobody has answered yet.")
    return " ".join(said)


def digest(*, now: int, today: int, week: int) -> str:
    """The daily summary: counts alone."""
    number = now + today + week
    if not number:
        return "Nothing waits for you."
    return f"{number} {'item waits' if number == 1 else 'items wait'} for you: {now} to act on now, {today} for today, {week} for this week."


def body(text: str, address: str) -> str:
    """A message's text with where to sign in; never a link to anything else."""
    return f"{text} Sign in: {address}"[:MOST]


def _alerts(number: int) -> str:
    return "alert" if number == 1 else "alerts"
