"""*Sent to the box*: waits for the box's answer, and says what it was."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from dashboard.pages import words
from dashboard.pages.contexts import CommandPage, Fact
from dashboard.pages.desk import Desk, desk, id_or_404, show
from dashboard.pages.orders import told
from dashboard.store import devices, queries
from dashboard.store.queries import StoredCommand
from wire.models import Outcome

WAIT_SECONDS = 2.0
"""The most that a request waits for the box's answer; it holds one of the server's threads."""
LOOK_SECONDS = 0.1
POLL_SECONDS = 2.0
_PENDING = {
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
_OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.APPLIED: ("Done: the box has applied it", ""),
    Outcome.REFUSED: ("The box refused", "Nothing was changed."),
    Outcome.EXPIRED: ("Too late: nothing was changed", "Send it again."),
    Outcome.OUT_OF_SEQUENCE: ("The box refused: it knew of a later one", "Nothing was changed. Send it again."),
}

pages = Blueprint("command", __name__)


@pages.get("/commands/<command>")
def command(command: str) -> Response:
    """One command and what became of it."""
    at_desk = desk()
    if request.args.get("wait") == "1":
        _wait(at_desk, id_or_404(command))
    with at_desk.reads.connect() as connection:
        found = queries.command_of(connection, at_desk.settings.tenant, id_or_404(command))
        if found is None:
            abort(404)
        home = queries.household(connection, at_desk.settings.tenant, found.site)
        device_id = found.device_id
        device = None if device_id is None else devices.device_of(connection, found.site, device_id)
    heading, explanation, done = outcome_words(found, at_desk.now())
    page = CommandPage(
        heading=heading,
        explanation=explanation,
        state=found.state,
        done=done,
        facts=_facts(at_desk, found, device.label if device else None),
        household=words.plain(home.title if home else found.site, 120),
        household_address=f"/households/{found.site}",
    )
    return show(
        "command",
        page,
        title="Sent to the box",
        action="view-command",
        subject=f"{found.site}/{found.command_id}",
        section="households",
        live=True,
        done=done,
        poll_seconds=min(POLL_SECONDS, at_desk.settings.poll_seconds),
        reload=not done,
    )


def outcome_words(command: StoredCommand, now: float) -> tuple[str, str, bool]:
    """What became of a command: heading, a sentence more, and whether that is the end of it."""
    if command.state == "unsent":
        return *_UNSENT, True
    if command.state == "unanswered" or (command.state in _PENDING and now > command.expires_at):
        return *_UNANSWERED, True
    if command.state in _PENDING:
        return _PENDING[command.state], "This page looks again by itself.", False
    known = _OUTCOMES.get(command.state)
    heading, explanation = known or ("The box answered", f"Its answer was: {words.plain(command.state, 20)}.")
    explanation = explanation or told(command.body).applied
    if command.detail:
        explanation += f" The box says: {words.plain(command.detail)}"
    return heading, explanation, True


def _wait(at_desk: Desk, command_id: str) -> None:
    for _ in range(round(WAIT_SECONDS / LOOK_SECONDS)):
        with at_desk.reads.connect() as connection:
            if queries.command_state(connection, command_id) not in _PENDING:
                return
        at_desk.wait(LOOK_SECONDS)


def _facts(at_desk: Desk, found: StoredCommand, known_label: str | None) -> tuple[Fact, ...]:
    facts: list[tuple[str, str]] = []
    if found.device_id is not None:
        label = found.body.get("label") or known_label
        facts.append(("Device", words.plain(label, 80) if label else f"Device {found.device_id[:12]}"))
    facts += told(found.body, at_desk.zone).facts
    if found.reason:
        facts.append(("Reason", words.plain(found.reason.replace("\n", " "), 500)))
    facts += [
        ("Asked by", words.plain(found.by_name, 120)),
        ("Asked", at_desk.moment(found.created_at).text),
    ]
    if found.answered_at is not None:
        facts.append(("Answered", at_desk.moment(found.answered_at).text))
    return tuple(Fact(key=key, value=value) for key, value in facts)
