"""What an order to a box says about findings: whoever asks for it has looked at them, and decided.

In: an order that was just asked for, and from which finding. Out: reviews of the findings that it answers, in the same
transaction: of the finding it was asked from, and of those of the device about whose device it is, what it looks like,
or its passphrase. Bounded as `reviewing`: at most `MOST_TOGETHER` findings by one order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from dashboard.store.outcomes import Action, Outcome
from dashboard.store.reviewing import Decided, Given, decide_alike
from dashboard.store.reviews import MOST_TOGETHER, waits
from dashboard.store.schema import device, finding, proposal
from wire.base import Standing
from wire.findings import FindingKind

WHOSE = (
    FindingKind.UNREGISTERED_DEVICE,
    FindingKind.SAME_DEVICE,
    FindingKind.VISIT_OVER,
    FindingKind.KEY_SHARED,
    FindingKind.KEY_ENDED,
)
"""Findings that are answered when somebody says whose a device is."""
_SAME = (FindingKind.UNREGISTERED_DEVICE, FindingKind.SAME_DEVICE)
_PASSPHRASE = (FindingKind.KEY_SHARED, FindingKind.KEY_ENDED)
_OUTCOMES = {
    Standing.REGISTERED: Outcome.REGISTERED,
    Standing.HOUSEHOLD: Outcome.HOUSEHOLD,
    Standing.GUEST: Outcome.VISITOR,
    Standing.WORK: Outcome.WORK,
    Standing.INFRASTRUCTURE: Outcome.HOUSEHOLD,
}


def settle(
    connection: Connection,
    site_id: str,
    body: Mapping[str, Any],
    given: Given,
    *,
    reason: str,
    finding_id: str | None,
    needs_second: tuple[Collection[str], Collection[str]] = ((), ()),
) -> int:
    """Write down that an order is the decision about what it answers; how many findings.

    Args:
        connection: in the transaction that stores the order.
        site_id: household.
        body: payload of the order.
        given: who asked; the token is the command's id.
        reason: why it was asked for.
        finding_id: from which finding's page.
        needs_second: kinds, and severities, about which somebody else has to agree.
    """
    which, outcome = _answers(connection, site_id, body)
    if finding_id is not None:
        which = or_(which, finding.c.finding_id == finding_id)
    query = select(finding.c.finding_id).where(finding.c.site == site_id, which, waits)
    ids = connection.execute(query.order_by(finding.c.raised_at).limit(MOST_TOGETHER)).scalars().all()
    action = Action.NONE if body["action"] == "quiet-rule" else Action.REGISTER
    decided = Decided(action=action, outcome=outcome, reason=reason[:500], command_id=given.token)
    return decide_alike(connection, site_id, ids, decided, given, needs_second=needs_second)


def _answers(
    connection: Connection, site_id: str, body: Mapping[str, Any]
) -> tuple[ColumnElement[bool], Outcome | None]:
    device_id = body.get("device_id")
    match body["action"]:
        case "set-standing":
            return _about(site_id, device_id, WHOSE), _OUTCOMES.get(body["standing"])
        case "bind-passphrase":
            return _about(site_id, device_id, _PASSPHRASE), Outcome.EXPLAINED
        case "correct-device":
            return _about(site_id, device_id, (FindingKind.CLASS_CHANGED,)), Outcome.EXPLAINED
        case "answer-proposal" if body["confirm"]:
            same = and_(proposal.c.site == site_id, proposal.c.proposal_id == body["proposal_id"])
            other = connection.execute(select(proposal.c.other_id).where(same)).scalar_one_or_none()
            return _about(site_id, other, _SAME), Outcome.SAME_DEVICE
        case "quiet-rule":
            return false(), Outcome.NOT_RELEVANT
    return false(), None


def _about(site_id: str, device_id: str | None, kinds: Collection[FindingKind]) -> ColumnElement[bool]:
    if device_id is None:
        return false()
    parts = select(device.c.device_id).where(device.c.site == site_id, device.c.merged_into == device_id)
    return and_(
        finding.c.state == "open",
        finding.c.kind.in_([str(kind) for kind in kinds]),
        or_(finding.c.device_id == device_id, finding.c.device_id.in_(parts)),
    )
