"""What became of a command, in words. Pure: a stored command in, a heading and a sentence out."""

from __future__ import annotations

from dashboard.pages import words
from dashboard.pages.orders import told
from dashboard.second import DISAGREED, LAPSED, NEEDS_SECOND, TAKEN_BACK
from dashboard.store.queries import StoredCommand
from wire.models import Outcome

PENDING = {
    "waiting": "Waiting to be sent to the box",
    "sent": "Sent to the box; waiting for its answer",
}
_UNSENT = (
    "Not sent: nothing was changed",
    "It could not be sent while it still counted. Send it again, or tell whoever looks after this service.",
)
_UNANSWERED = (
    "No answer from the box in time",
    "The box may have followed it all the same. Look at the household first, then send it again if you must.",
)
_SECOND = {
    NEEDS_SECOND: ("Waiting for a second person", "Another officer must agree before it is sent. It waits for a day."),
    DISAGREED: ("Refused by a second person", "Nothing was sent."),
    TAKEN_BACK: ("Taken back", "Nothing was sent."),
    LAPSED: ("Nobody agreed in time", "Nothing was sent. Ask again if it is still needed."),
}
_OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.APPLIED: ("Done: the box has applied it", ""),
    Outcome.REFUSED: ("The box refused", "Nothing was changed."),
    Outcome.EXPIRED: ("Too late: nothing was changed", "Send it again."),
    Outcome.OUT_OF_SEQUENCE: ("The box refused: it knew of a later one", "Nothing was changed. Send it again."),
}


def outcome_words(command: StoredCommand, now: float) -> tuple[str, str, bool]:
    """What became of a command: heading, a sentence more, and whether that is the end of it."""
    if command.state in _SECOND:
        return *_SECOND[command.state], command.state != NEEDS_SECOND
    if command.state == "unsent":
        return *_UNSENT, True
    if command.state == "unanswered" or (command.state in PENDING and now > command.expires_at):
        return *_UNANSWERED, True
    if command.state in PENDING:
        return PENDING[command.state], "This page looks again by itself.", False
    known = _OUTCOMES.get(command.state)
    heading, explanation = known or ("The box answered", f"Its answer was: {words.plain(command.state, 20)}.")
    explanation = explanation or told(command.body).applied
    if command.detail:
        explanation += f" The box says: {words.plain(command.detail)}"
    return heading, explanation, True
