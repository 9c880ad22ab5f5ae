from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.keeper.authority import Reason, Refusal
from appliance.keeper.law.desk import Desk, from_store

START = 1_900_000_000.0


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


@pytest.fixture
def desk(issuer: Ed25519PrivateKey) -> Desk:
    return Desk(issuers=[issuer.public_key()], tenant="force-a", site="box-1")


def again(desk: Desk, issuer: Ed25519PrivateKey) -> Desk:
    """The desk after a restart."""
    return from_store(desk.stored().get, issuers=[issuer.public_key()], tenant="force-a", site="box-1")


def number(desk: Desk, moment: float = START) -> int | None:
    scope = desk.judgement(moment).scope
    return None if scope is None else scope.authority.number


@pytest.mark.req("N1")
def test_of_file_and_carried_document_the_higher_number_wins(desk: Desk, signed: Any) -> None:
    desk.offer(signed(number=2), START)
    assert isinstance(desk.carry(signed(number=1), START), Refusal)
    assert desk.carry(signed(number=3), START) is None
    assert number(desk) == 3
    desk.offer(signed(number=4), START)
    assert number(desk) == 4
    assert isinstance(desk.carry(b"no document", START), Refusal)
    assert number(desk) == 4


@pytest.mark.req("N1")
def test_a_carried_variation_waits_for_its_day_over_a_restart(
    desk: Desk, signed: Any, issuer: Ed25519PrivateKey
) -> None:
    desk.offer(signed(), START)
    assert desk.carry(signed(number=2, not_before=at(100)), START) is None
    assert number(desk) == 1
    assert "A variation starts on" in desk.judgement(START).sentence
    desk = again(desk, issuer)
    desk.offer(signed(), START)
    assert number(desk, START + 99) == 1
    assert number(desk, START + 101) == 2


@pytest.mark.req("R54", "N1")
def test_a_clock_that_nobody_vouches_for_does_not_bring_a_variation_forward(desk: Desk, signed: Any) -> None:
    desk.offer(signed(), START)
    desk.offer(signed(number=2, not_before=at(1000)), START, sure=False)
    ahead = desk.judgement(START + 2000, sure=False)
    assert ahead.scope is not None
    assert ahead.scope.authority.number == 1
    assert number(desk, START + 999) == 1
    assert number(desk, START + 1001) == 2


@pytest.mark.req("R54")
def test_taking_the_file_away_withdraws_a_carried_one_too(desk: Desk, signed: Any, issuer: Ed25519PrivateKey) -> None:
    desk.offer(signed(), START)
    desk.carry(signed(number=2), START)
    desk.offer(None, START)
    assert number(desk) is None
    desk = again(desk, issuer)
    desk.offer(signed(), START)
    assert number(desk) is None, "the older file does not start it again"
    assert desk.judgement(START).reason is Reason.OLDER
    desk.offer(signed(number=3), START)
    assert number(desk) == 3


@pytest.mark.req("N1")
def test_what_is_stored_is_verified_again(desk: Desk, signed: Any, issuer: Ed25519PrivateKey) -> None:
    desk.carry(signed(), START)
    assert number(again(desk, issuer)) == 1
    assert number(again(desk, Ed25519PrivateKey.generate())) is None
