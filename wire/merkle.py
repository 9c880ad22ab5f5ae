"""The Merkle tree of the ledger, as RFC 9162 section 2.1 defines it: roots, proofs, and their verification.

In: hashes of leaves (32 octets each, from `leaf_hash`), or a function that knows the complete subtrees of a log that is
too long to hold. Out: roots, proofs (hashes, the lowest first), and whether a proof holds. Nothing recurses; a proof is
at most `MAX_PROOF` hashes and a longer one never holds. Verifying raises nothing, whatever the proof is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH = 32
"""Octets of a hash."""
MAX_PROOF = 64
EMPTY = hashlib.sha256(b"").digest()
"""Root of a log without leaves."""

Subtree = Callable[[int, int], bytes]
"""Given a level and an index, the hash of the complete subtree over leaves `index << level` up to `(index + 1) << level`;
level 0 are the leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf's octets (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def subtrees_of(hashes: Sequence[bytes]) -> Subtree:
    """The complete subtrees of a log whose leaves are at hand."""

    def subtree(level: int, index: int) -> bytes:
        row = hashes[index << level : (index + 1) << level]
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    return subtree


# --- roots and proofs ---------------------------------------------------------------------------


def root(hashes: Sequence[bytes]) -> bytes:
    """Root over these leaves."""
    return root_of(subtrees_of(hashes), len(hashes))


def root_of(subtree: Subtree, size: int) -> bytes:
    """Root of a log of `size` leaves (RFC 9162 section 2.1.1)."""
    return _span(subtree, 0, size) if size else EMPTY


def inclusion_proof(hashes: Sequence[bytes], n: int) -> tuple[bytes, ...]:
    """Proof that the leaf at position `n` is among these."""
    return inclusion_of(subtrees_of(hashes), n, len(hashes))


def inclusion_of(subtree: Subtree, n: int, size: int) -> tuple[bytes, ...]:
    """Proof that the leaf at position `n` is in a log of `size` leaves (RFC 9162 section 2.1.3.1).

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= n < size:
        raise IndexError(f"no leaf {n} in a log of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if n < middle:
            proof.append(_span(subtree, middle, end))
            end = middle
        else:
            proof.append(_span(subtree, start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(hashes: Sequence[bytes], m: int) -> tuple[bytes, ...]:
    """Proof that the first `m` of these leaves are as they were."""
    return consistency_of(subtrees_of(hashes), m, len(hashes))


def consistency_of(subtree: Subtree, m: int, size: int) -> tuple[bytes, ...]:
    """Proof that a log of `size` leaves begins with the log of `m` leaves (RFC 9162 section 2.1.4.1).

    Empty for `m` = 0, since every log begins with the empty one, and for `m` = `size`.

    Raises:
        IndexError: the log is shorter than `m`.
    """
    if not 0 <= m <= size:
        raise IndexError(f"a log of {size} has no beginning of {m}")
    if m in (0, size):
        return ()
    proof: list[bytes] = []
    start, end, whole = 0, size, True
    while m != end:
        middle = start + _split(end - start)
        if m <= middle:
            proof.append(_span(subtree, middle, end))
            end = middle
        else:
            proof.append(_span(subtree, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_span(subtree, start, end))
    return tuple(reversed(proof))


def _split(size: int) -> int:
    """The largest power of two below `size` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _span(subtree: Subtree, start: int, end: int) -> bytes:
    """Hash over leaves `start` to `end`; `start` is a multiple of the first power of two that is not below the span."""
    peaks: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(subtree(level, start >> level))
        start += 1 << level
    found = peaks.pop()
    while peaks:
        found = node_hash(peaks.pop(), found)
    return found


# --- verification -------------------------------------------------------------------------------


def verify_inclusion(*, leaf: bytes, n: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf of this hash is at position `n` of the log of `size` leaves (RFC 9162 section 2.1.3.2)."""
    if not 0 <= n < size or not _is_proof(proof):
        return False
    at, last, found = n, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, other)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    *, first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Whether the log of `second` leaves begins with the log of `first` leaves (RFC 9162 section 2.1.4.2)."""
    if not 0 <= first <= second or not _is_proof(proof):
        return False
    if first in (0, second):
        return not proof and first_root == (second_root if first else EMPTY)
    path = [first_root, *proof] if first.bit_count() == 1 else list(proof)
    if not path:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            older, newer = node_hash(other, older), node_hash(other, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, other)
        at, last = at >> 1, last >> 1
    return last == 0 and older == first_root and newer == second_root


def _is_proof(proof: Sequence[bytes]) -> bool:
    return len(proof) <= MAX_PROOF and all(len(item) == HASH for item in proof)


# --- growing ------------------------------------------------------------------------------------


class Frontier:
    """The right edge of a growing log: what is needed to add a leaf and to know the root, at most 64 hashes."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """`peaks` are the complete subtrees of a log of `size` leaves, the largest first.

        Raises:
            ValueError: they do not fit the size.
        """
        self.size = size
        self._peaks = list(peaks)
        if size < 0 or size.bit_count() != len(self._peaks) or any(len(peak) != HASH for peak in self._peaks):
            raise ValueError("these are not the subtrees of a log of that size")

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf's hash; the subtrees that it completed, as (level, index, hash), level 1 first."""
        completed: list[tuple[int, int, bytes]] = []
        found, carry, level = leaf, self.size, 0
        while carry & 1:
            found = node_hash(self._peaks.pop(), found)
            carry >>= 1
            level += 1
            completed.append((level, carry, found))
        self._peaks.append(found)
        self.size += 1
        return completed

    @property
    def root(self) -> bytes:
        """Root of the log as it stands."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            found = node_hash(peak, found)
        return found

    def dump(self) -> bytes:
        """Size (8 octets, big-endian) and subtrees, the largest first."""
        return self.size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def load(cls, raw: bytes) -> Frontier:
        """What `dump` wrote.

        Raises:
            ValueError: it is not that.
        """
        if len(raw) < 8 or (len(raw) - 8) % HASH:
            raise ValueError("not the right edge of a log")
        return cls(int.from_bytes(raw[:8], "big"), (raw[at : at + HASH] for at in range(8, len(raw), HASH)))
