"""Who does more with a message than keep it: one handler a payload class, and what it answers goes down, signed.

A message of the outbox is kept first (`event`) and handed on once, when it is new; its answer may be lost on the
way, so what matters is said again with the next one. A `telemetry` message is outside the outbox: it is not kept,
not receipted, and handed on whenever it comes, also when a broker repeats it. Handlers work in the transaction of
their batch; their answers leave after the commit. Bounded: `MAX_ANSWERS` answers to one message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection

from dashboard.bundles.shelf import take_built, take_part
from dashboard.ingest.heads import take_head, take_seed
from dashboard.ingest.requests import take_notice, take_request
from dashboard.ingest.timing import tell_time
from wire.base import Payload
from wire.bundles import BundleBuilt, BundlePart
from wire.codec import Opened
from wire.household import HouseholdRequest, Notice
from wire.ledger import Head, LedgerSeed
from wire.timing import TimeRequest

MAX_ANSWERS = 8

Handler = Callable[[Connection, Opened, float], Iterable[Payload]]
"""(the batch's connection, a message whose seal, signature and schema held, Unix seconds) -> answers to its box."""
Handlers = Mapping[type[Payload], Handler]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What handlers may work with."""

    tenant: str
    signing_key: Ed25519PrivateKey
    """Of the dashboard: signs what goes down, and counter-signs heads."""
    sealing_key: X25519PrivateKey
    """Of the dashboard: opens what a box sealed to it."""


def assemble(means: Means) -> Handlers:
    """Every handler there is, by the class of the payload that it takes."""
    return {
        BundleBuilt: take_built,
        BundlePart: take_part,
        Head: partial(take_head, signing_key=means.signing_key),
        LedgerSeed: take_seed,
        HouseholdRequest: take_request,
        Notice: take_notice,
        TimeRequest: partial(tell_time, sealing_key=means.sealing_key),
    }
