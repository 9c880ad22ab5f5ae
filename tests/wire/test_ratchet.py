from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import ratchet

SEED = bytes(range(32))


def marked(steps: list[int]) -> list[tuple[int, bytes, bytes]]:
    found, key, at = [], ratchet.first_key(SEED, epoch="0badcafe", stretch=3), 0
    for number, step in enumerate(steps):
        while at < step:
            key, at = ratchet.next_key(key), at + 1
        leaf = hashlib.sha256(bytes([number])).digest()
        found.append((step, leaf, ratchet.mac(key, leaf)))
    return found


def test_the_formula_is_the_documented_one() -> None:
    def hmac_sha256(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, hashlib.sha256).digest()

    first = hmac_sha256(SEED, b"gatehouse/ratchet/v1 begin\n0badcafe\n3")
    assert ratchet.first_key(SEED, epoch="0badcafe", stretch=3) == first
    assert ratchet.next_key(first) == hmac_sha256(first, b"gatehouse/ratchet/v1 next")
    assert ratchet.mac(first, b"x" * 32) == hmac_sha256(first, b"gatehouse/ratchet/v1 mac\n" + b"x" * 32)


@pytest.mark.req("R68")
@given(steps=st.lists(st.integers(0, 40), min_size=1, max_size=20).map(sorted), data=st.data())
def test_what_was_marked_holds_and_nothing_else(steps: list[int], data: st.DataObject) -> None:
    made = marked(steps)
    assert ratchet.broken(SEED, made, epoch="0badcafe", stretch=3) == ()
    at = data.draw(st.integers(0, len(made) - 1))
    step, leaf, mac = made[at]
    altered = [*made[:at], (step, hashlib.sha256(leaf).digest(), mac), *made[at + 1 :]]
    assert ratchet.broken(SEED, altered, epoch="0badcafe", stretch=3) == (at,)
    assert len(ratchet.broken(SEED, made, epoch="0badcafe", stretch=4)) == len(made)
    assert len(ratchet.broken(bytes(32), made, epoch="0badcafe", stretch=3)) == len(made)


@pytest.mark.req("R68")
def test_who_has_a_later_key_cannot_make_an_earlier_mark() -> None:
    made = marked([0, 1, 2])
    thief = ratchet.next_key(ratchet.next_key(ratchet.first_key(SEED, epoch="0badcafe", stretch=3)))
    forged = hashlib.sha256(b"forged").digest()
    in_the_past = [made[0], (1, forged, ratchet.mac(thief, forged)), made[2]]
    assert ratchet.broken(SEED, in_the_past, epoch="0badcafe", stretch=3) == (1,)


def test_steps_go_one_way_and_are_bounded() -> None:
    made = marked([0, 5])
    assert ratchet.broken(SEED, made[::-1], epoch="0badcafe", stretch=3) == (1,)
    far = [(ratchet.MAX_STEPS + 1, made[0][1], made[0][2]), (-1, made[0][1], made[0][2])]
    assert ratchet.broken(SEED, far, epoch="0badcafe", stretch=3) == (0, 1)
