"""Commands of the dashboard: checked, applied once, always answered.

In: a `Command` whose signature and seal held. Out: changes of the book and a `CommandResult` in the
outbox, in the caller's transaction. The box's registry rules; the dashboard shows "sent" until the
answer comes. A command that was answered before is not applied again, its answer is sent again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from appliance.keeper.authority import Scope
from appliance.keeper.book import Book
from appliance.keeper.devices.model import Device
from appliance.keeper.law.acts import Acts
from appliance.keeper.now import Now
from appliance.keeper.probing import Probing
from appliance.keeper.store.database import Store
from appliance.messages import MAX_MASKED, ProbeKind
from wire.acts import opens
from wire.base import Standing
from wire.ledger import RecordKind
from wire.models import TYPES, Command, CommandResult, Outcome
from wire.orders import (
    AddWatch,
    AnswerProposal,
    BindPassphrase,
    CorrectDevice,
    EndAway,
    EndQuiet,
    EndWatch,
    QuietRule,
    ReportAgent,
    RunProbe,
    SetAway,
    SetStanding,
    SplitDevice,
)

GUEST_SECONDS = 7 * 24 * 3600.0
"""How long a visit lasts when the instruction does not say: a guest always ends."""

_LAST = "command_sequence"
_RESULT_TYPE = next(entry.ce_type for entry in TYPES.values() if entry.model is CommandResult)

_FULL = "As much is arranged with this home as the box can tell of. End something first, or give shorter reasons."


def could_be_old(store: Store, *, authenticated: bool) -> bool:
    """Whether nothing here tells an order from one that was followed long ago: no number and no time to go by.

    A box that lost its database keeps no number of the last one, and before anybody vouched for the time its clock may
    show any; whoever kept old orders could give them all again.
    """
    return not authenticated and store.get(_LAST) is None


def handle(
    command: Command, *, store: Store, book: Book, probing: Probing, acts: Acts, scope: Scope | None, at: float
) -> CommandResult:
    """Apply a command if it may be, and answer it."""
    answered = store.command(command.command_id)
    if answered is not None:
        outcome, detail, then = answered
        result = _result(command, Outcome(outcome), detail, then)
        if not store.outbox.holds(type_=_RESULT_TYPE, subject=command.command_id):
            book.answer(result, at)
        return result
    last = int(store.get(_LAST) or "0")
    if command.sequence <= last:
        outcome_, detail = Outcome.OUT_OF_SEQUENCE, "A later instruction has already been handled."
    else:
        store.set(_LAST, str(command.sequence))
        if command.expires_at.timestamp() <= at:
            outcome_, detail = Outcome.EXPIRED, "The instruction reached the box too late and was not followed."
        else:
            refusal = _apply(command, book=book, probing=probing, acts=acts, scope=scope, at=at)
            outcome_, detail = (Outcome.APPLIED, "") if refusal is None else (Outcome.REFUSED, refusal)
    decided = {
        "event": "order",
        "command": command.command_id,
        "action": command.body.action,
        "by": command.by,
        "second": command.second or "",
        "broken": command.break_glass is True,
        "outcome": outcome_.value,
    }
    store.ledger.note(RecordKind.DECISION, decided)
    store.put_command(command.command_id, sequence=command.sequence, outcome=outcome_.value, detail=detail, at=at)
    result = _result(command, outcome_, detail, at)
    book.answer(result, at)
    return result


def _apply(command: Command, *, book: Book, probing: Probing, acts: Acts, scope: Scope | None, at: float) -> str | None:
    """None when applied, else why not."""
    if acts.knows(command.body):
        return acts.apply(command, scope=scope, at=at)
    if scope is None:
        return "No authority is in force at the box, so nothing about devices may be changed."
    return _about_devices(command, book=book, probing=probing, scope=scope, at=at)


def _about_devices(  # noqa: PLR0911 - one return an order reads best
    command: Command, *, book: Book, probing: Probing, scope: Scope, at: float
) -> str | None:
    match command.body:
        case AnswerProposal(proposal_id=proposal_id, confirm=confirm):
            return book.proposals.answer(proposal_id, confirm=confirm, by=command.by, scope=scope, at=at)
        case BindPassphrase() as order:
            return book.keys.bind(order, at)
        case QuietRule() | EndQuiet() | SetAway() | EndAway() | AddWatch() | EndWatch() as order:
            return _arrange(order, book=book, by=command.by, scope=scope, at=at)
        case ReportAgent() as order:
            return book.agents.report(order, Now(scope=scope, ts=at, at=at))
        case RunProbe(kind=kind):
            return probing.want(ProbeKind(kind), scope, at)
        case SetStanding() | CorrectDevice() | SplitDevice() as order:
            device = book.registry.by_id(order.device_id)
            if device is None:
                return "The box does not know this device."
            if device.merged_into is not None:
                return "The device counts as part of another one now."
            alone = command.second in {None, command.by}
            if isinstance(order, SetStanding) and alone and opens(device.standing, order.standing):
                return "A device that was another's counts as the person's own only if two people say so."
            return _of_device(order, device, book=book, scope=scope, at=at)
        case _:
            return "This box cannot do that."


def _arrange(  # noqa: PLR0911 - one return an order reads best
    order: QuietRule | EndQuiet | SetAway | EndAway | AddWatch | EndWatch,
    *,
    book: Book,
    by: str,
    scope: Scope,
    at: float,
) -> str | None:
    match order:
        case QuietRule() | SetAway() | AddWatch() if not book.quiet.has_room(order):
            return _FULL
        case QuietRule():
            return book.quiet.add(order, by=by, at=at)
        case EndQuiet(quiet_id=quiet_id):
            return book.quiet.end(quiet_id)
        case SetAway():
            return book.away.set(order, by=by, at=at)
        case EndAway():
            return book.away.end(order, at=at)
        case AddWatch():
            return book.watch.add(order, by=by, at=at, scope=scope)
        case EndWatch(watch_id=watch_id):
            return book.watch.end(watch_id)


def _of_device(
    order: SetStanding | CorrectDevice | SplitDevice, device: Device, *, book: Book, scope: Scope, at: float
) -> str | None:
    match order:
        case SetStanding():
            return _set_standing(order, device, book=book, scope=scope, at=at)
        case CorrectDevice(correction=correction):
            book.correct(device, correction, at)
        case SplitDevice(macs=macs):
            if book.kin.split(device, macs, scope=scope, at=at) is None:
                return "These are not addresses of the device, or none would be left to it."
    return None


def _set_standing(order: SetStanding, device: Device, *, book: Book, scope: Scope, at: float) -> str | None:
    guest_until = None if order.guest_until is None else order.guest_until.timestamp()
    if order.standing is Standing.GUEST and guest_until is None:
        guest_until = at + GUEST_SECONDS
    if guest_until is not None and guest_until <= at:
        return "The visit would already be over."
    if scope.names_leave(order.standing) and not scope.names_leave(device.standing):
        named = sum(len(other.addresses) for other in book.registry if scope.names_leave(other.standing))
        if named + len(device.addresses) > MAX_MASKED:
            return f"The box can keep names of {MAX_MASKED} addresses at most."
    book.set_standing(device, standing=order.standing, label=order.label, guest_until=guest_until, scope=scope, at=at)
    return None


def _result(command: Command, outcome: Outcome, detail: str, at: float) -> CommandResult:
    return CommandResult(
        command_id=command.command_id, outcome=outcome, detail=detail, at=datetime.fromtimestamp(at, UTC)
    )
