"""*Sent to the box*: waits for the box's answer, and says what it was."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, request
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.pages import second, words
from dashboard.pages.contexts import CommandPage, Fact
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.orders import told
from dashboard.pages.outcomes import PENDING, outcome_words
from dashboard.store import devices, queries, vouched
from dashboard.store.arrangements import names_of
from dashboard.store.queries import StoredCommand

WAIT_SECONDS = 2.0
"""The most that a request waits for the box's answer; it holds one of the server's threads."""
LOOK_SECONDS = 0.1
POLL_SECONDS = 2.0
pages = Blueprint("command", __name__)


@pages.get("/commands/<command>")
@needs(May.SEE)
def command(command: str) -> Response:
    """One command and what became of it."""
    at_desk = desk()
    if request.args.get("wait") == "1":
        with at_desk.reads.connect() as connection:
            _found(connection, command)
        _wait(at_desk, command)
    with at_desk.reads.connect() as connection:
        found = _found(connection, command)
        home = household_or_404(connection, found.site)
        device_id = found.device_id
        people = names_of(connection, {name for name in (found.second, found.reviewed_by) if name})
        is_apart = vouched.are_apart(connection, found.by, who().account_id, at_desk.now())
        device = None if device_id is None else devices.device_of(connection, found.site, device_id)
    heading, explanation, done = outcome_words(found, at_desk.now())
    page = CommandPage(
        heading=heading,
        explanation=explanation,
        state=found.state,
        done=done,
        facts=_facts(at_desk, found, device.label if device else None, people),
        household=words.plain(home.title, 120),
        household_address=f"/households/{found.site}",
        wrong="wrong" in request.args,
        forms=second.forms(found, who(), typed_={}, errors=(), is_apart=is_apart),
        not_apart=not is_apart and found.by != who().account_id and not done,
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
        reload=not done and found.state in PENDING,
    )


def _found(connection: Connection, command_id: str) -> StoredCommand:
    found = queries.command_of(connection, desk().settings.tenant, id_or_404(command_id))
    if found is None:
        abort(404)
    household_or_404(connection, found.site)
    return found


def _wait(at_desk: Desk, command_id: str) -> None:
    for _ in range(round(WAIT_SECONDS / LOOK_SECONDS)):
        with at_desk.reads.connect() as connection:
            if queries.command_state(connection, command_id) not in PENDING:
                return
        at_desk.wait(LOOK_SECONDS)


def _facts(at_desk: Desk, found: StoredCommand, known_label: str | None, people: Mapping[str, str]) -> tuple[Fact, ...]:
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
    if found.break_glass:
        facts.append(("Emergency", "Done by one person alone; somebody else must look at it"))
    if found.seconded_at is not None and found.second_reason is not None:
        facts.append(
            (
                "Second person",
                f"{words.plain(people.get(found.second or '', 'An account'), 120)}, {at_desk.moment(found.seconded_at).text}",
            )
        )
        facts.append(("Said", words.plain(found.second_reason, 500)))
    if found.reviewed_at is not None:
        facts.append(
            (
                "Looked at by",
                f"{words.plain(people.get(found.reviewed_by or '', 'An account'), 120)}, {at_desk.moment(found.reviewed_at).text}",
            )
        )
        facts.append(("Found", words.plain(found.review_note or "", 500)))
    if found.answered_at is not None:
        facts.append(("Answered", at_desk.moment(found.answered_at).text))
    return tuple(Fact(key=key, value=value) for key, value in facts)
