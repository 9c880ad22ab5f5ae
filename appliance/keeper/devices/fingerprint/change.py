"""A known address that begins to speak like another kind of device: a sign of imitation.

Enters: the hits that were established and those heard of late. Leaves: a `ClassChange` or None.
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.keeper.devices.fingerprint.categories import WORDS, Category, compatible
from appliance.keeper.devices.fingerprint.judge import HEARSAY
from appliance.keeper.devices.fingerprint.rules import Rules
from appliance.keeper.devices.fingerprint.verdict import MAX_REASONS, ClassChange, Hit

FROM = 0.8
"""Both the old and the new must be this sure by themselves."""
ANY_PROGRAMME = frozenset({Category.PHONE, Category.TABLET, Category.LAPTOP, Category.DESKTOP})
"""On these a person puts programmes that may offer whatever another device offers: a printer, a player, a bridge."""


def change(rules: Rules, old_hits: Iterable[Hit], new_hits: Iterable[Hit]) -> ClassChange | None:
    """Whether the recent evidence, on its own and surely, tells another kind of device than the established.

    `old_hits`: established before; `new_hits`: all heard of late, also what was heard before.
    Only what is new counts against the old; kinds that one honest device may appear as do not. What programmes
    say and ask for helps to tell the new kind, but not that it is new: how the device itself speaks must fit it.
    """
    old = set(old_hits)
    fresh = set(new_hits) - old
    if not old or not fresh:
        return None
    was, now = rules.judge(old), rules.judge(fresh)
    if was.category is None or now.category is None or min(was.confidence, now.confidence) < FROM:
        return None
    before, after = Category(was.category), Category(now.category)
    if compatible(before, after):
        return None
    hearsay = HEARSAY | {"services"} if before in ANY_PROGRAMME else HEARSAY
    own = rules.judge(hit for hit in fresh if hit.rule in rules.rules and rules.rules[hit.rule].kind not in hearsay)
    if own.category is None or compatible(before, Category(own.category)):
        return None
    reasons = (
        f"It was known as: {WORDS[before]}. What it shows of late points to: {WORDS[after]}.",
        *now.reasons,
    )
    return ClassChange(
        was=before,
        now=after,
        confidence=round(was.confidence * now.confidence, 2),
        reasons=reasons[:MAX_REASONS],
        alternatives=(
            "Another device may have been given this address on purpose.",
            "The device may share its connection, so that another is heard behind it.",
            "Its software may have been replaced, or the first judgement was wrong.",
        ),
    )
