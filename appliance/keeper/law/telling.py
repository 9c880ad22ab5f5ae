"""How the law of the matter is told: findings about the box, in plain words. Pure.

In: what happened. Out: a `Sign` about the box, which needs no authority to be told (N4). Nothing of it is about a
device of the household; where one is meant, it is meant by its id, in the order that an officer gave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.keeper.authority import Scope
from appliance.keeper.signs.model import Sign
from appliance.keeper.signs.weigh import fit
from wire.findings import FindingKind, Grade

Teller = Callable[[Sign, Scope | None, float], None]
"""Tells a sign about the box, under the scope in force, at a moment."""

Ender = Callable[[FindingKind, str, str, float], None]
"""Closes what was told of this kind and subject, with a sentence why, at a moment."""

CAUSE = "authority"

_ALTERNATIVES = {
    FindingKind.TIME_UNAUTHENTICATED: (
        "The server may be down, or answer too slowly.",
        "An engineer may have given the box another server's key.",
    ),
    FindingKind.AUTHORITY_ENDING: ("A variation may have been issued and not have reached the box yet.",),
    FindingKind.AUTHORITY_CHANGED: ("This is what was ordered; it is told so that it can be looked at.",),
    FindingKind.REVIEW_DUE: ("The review may have been held and its outcome not have reached the box yet.",),
    FindingKind.BREAK_GLASS: ("It may have been right and necessary: the reason is beside it.",),
    FindingKind.RECORDS_DROPPED: (
        "Nothing need have happened in that time.",
        "A power cut while the provider was away does the same.",
    ),
}


def told(
    kind: FindingKind,
    subject: str,
    reasons: Sequence[str],
    grade: Grade,
    *,
    ts: float,
    since: float | None = None,
    count: int = 1,
) -> Sign:
    """A sign about the law of the matter. It is no opinion: the box did it, or was told so."""
    return Sign(
        kind=kind,
        device_id=None,
        subject=subject,
        grade=grade,
        confidence=1.0,
        reasons=fit(reasons),
        alternatives=_ALTERNATIVES[kind],
        cause=CAUSE if kind is not FindingKind.BREAK_GLASS else f"emergency-{subject}"[:64],
        since=ts if since is None else min(since, ts),
        ts=ts,
        count=max(count, 1),
    )
