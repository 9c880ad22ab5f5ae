"""What made way in the outbox is said in the ledger, in the same transaction: a signed gap, never silence (R69).

In: rows that made way, from the outbox. Out: one gap record a class, and their sum in `meta` until the household's
part tells it as a finding (`take_untold`), so that neither is lost with the process. Bounded: one row of `meta`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wire.ledger import RecordKind

if TYPE_CHECKING:
    from appliance.keeper.store.database import Store  # which says what it dropped itself

_UNTOLD = "dropped_untold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """Rows that made way since it was told last."""

    count: int
    since: float
    """When the oldest and the newest of them were made, Unix seconds."""
    until: float


def say_dropped(store: Store, *, cause: str = "quota") -> int:
    """Write down what made way in this transaction; how many rows."""
    count = 0
    for dropped in store.outbox.take_dropped():
        count += dropped.count
        store.ledger.note(
            RecordKind.GAP,
            {
                "cause": cause,
                "class": dropped.priority.name.lower(),
                "dropped": dropped.count,
                "first_seq": dropped.first_seq,
                "last_seq": dropped.last_seq,
                "from": round(dropped.since),
                "to": round(dropped.until),
            },
        )
        before = untold(store)
        now = Untold(
            count=dropped.count + (before.count if before else 0),
            since=min(dropped.since, before.since if before else dropped.since),
            until=max(dropped.until, before.until if before else dropped.until),
        )
        store.set(_UNTOLD, json.dumps([now.count, now.since, now.until]))
    return count


def untold(store: Store) -> Untold | None:
    """What was not told yet."""
    kept = store.get(_UNTOLD)
    if not kept:
        return None
    count, since, until = json.loads(kept)
    return Untold(count=count, since=since, until=until)


def take_untold(store: Store) -> Untold | None:
    """The same, and it is told now."""
    found = untold(store)
    if found is not None:
        store.set(_UNTOLD, "")
    return found
