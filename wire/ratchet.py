r"""Forward-secure MACs over leaves: what an offline stretch of the ledger can prove afterwards (Schneier and Kelsey 1998).

In: the first key of a stretch (`LedgerSeed`, held by the server), leaves' hashes with the step they were made in.
Out: whether each MAC is the one that the box could only make in that step. Keys go forward by a one-way function and
the box overwrites the one before, so who takes the box at step s can forge steps from s on, and none before.

    key(0)    = HMAC-SHA-256(seed, "gatehouse/ratchet/v1 begin\n" | epoch | "\n" | stretch in decimal)
    key(s+1)  = HMAC-SHA-256(key(s), "gatehouse/ratchet/v1 next")
    mac(leaf) = HMAC-SHA-256(key(s), "gatehouse/ratchet/v1 mac\n" | leaf hash)

Bounded: at most `MAX_STEPS` steps are worked out in one go.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

STEP_SECONDS = 3600.0
MAX_STEPS = 24 * 366 * 2
"""Two years of hours: a claim beyond is not followed."""
_CONTEXT = b"gatehouse/ratchet/v1 "


def first_key(seed: bytes, *, epoch: str, stretch: int) -> bytes:
    """Key of step 0 of a stretch."""
    return _hmac(seed, b"begin\n" + f"{epoch}\n{stretch}".encode())


def next_key(key: bytes) -> bytes:
    """Key of the step after; there is no way back."""
    return _hmac(key, b"next")


def mac(key: bytes, leaf_hash: bytes) -> bytes:
    """MAC of a leaf's hash."""
    return _hmac(key, b"mac\n" + leaf_hash)


def broken(seed: bytes, marked: Iterable[tuple[int, bytes, bytes]], *, epoch: str, stretch: int) -> tuple[int, ...]:
    """Which leaves of a stretch do not hold: their places among `marked` (step, leaf hash, MAC), in order of the log.

    A step that is smaller than one before it does not hold either: time in a stretch goes one way.
    """
    key, at, wrong = first_key(seed, epoch=epoch, stretch=stretch), 0, []
    for place, (step, leaf_hash, given) in enumerate(marked):
        if not at <= step <= MAX_STEPS:
            wrong.append(place)
            continue
        while at < step:
            key, at = next_key(key), at + 1
        if not hmac.compare_digest(mac(key, leaf_hash), given):
            wrong.append(place)
    return tuple(wrong)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, _CONTEXT + message, "sha256")
