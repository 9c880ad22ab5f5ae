"""Passphrases are being tried: a few findings, however many tries and addresses."""

from __future__ import annotations

import pytest

from appliance.keeper.household.guessing import (
    ADDRESSES,
    CALM_SECONDS,
    FEW,
    MANY,
    MAX_GUESSERS,
    MAX_TOLD,
    TOGETHER,
    Guessing,
)
from appliance.messages import PassphraseGuessed
from wire.findings import FindingKind, Grade

pytestmark = pytest.mark.req("N9", "R28")

AT = 1_900_000_000.0
MAC = "02:00:5e:00:53:0a"


def tried(mac: str | None = MAC, count: int = 1, *, since: float = AT, ts: float = AT) -> PassphraseGuessed:
    return PassphraseGuessed(ts=ts, since=since, mac=mac, count=count, addresses=1 if mac else count)


def mac(number: int) -> str:
    return f"02:00:5e:03:{number // 256:02x}:{number % 256:02x}"


def test_a_typing_error_is_nothing() -> None:
    guessing = Guessing()
    guessing.heard(tried(count=FEW - 1))
    assert guessing.news(AT) == ()


def test_one_address_is_one_sign_that_is_counted_on() -> None:
    guessing = Guessing()
    guessing.heard(tried(count=FEW))
    ((who, sign),) = guessing.news(AT)
    assert (who, sign.kind, sign.subject, sign.count) == (MAC, FindingKind.PASSPHRASE_GUESSED, MAC, FEW)
    assert sign.grade is Grade.LOW
    assert guessing.news(AT + 1) == ()
    guessing.heard(tried(count=MANY, ts=AT + 60))
    ((_, sign),) = guessing.news(AT + 60)
    assert (sign.count, sign.grade, sign.since, sign.ts) == (FEW + MANY, Grade.MEDIUM, AT, AT + 60)


def test_who_joins_after_a_few_tries_had_mistyped() -> None:
    guessing = Guessing()
    guessing.heard(tried(count=FEW - 1))
    guessing.joined(MAC)
    guessing.heard(tried(count=FEW - 1))
    assert guessing.news(AT) == ()


def test_joining_does_not_take_back_what_was_told() -> None:
    guessing = Guessing()
    guessing.heard(tried(count=FEW))
    guessing.news(AT)
    guessing.joined(MAC)
    guessing.heard(tried(count=1, ts=AT + 5))
    ((_, sign),) = guessing.news(AT + 5)
    assert sign.count == FEW + 1


def test_many_addresses_with_a_few_tries_are_one_sign() -> None:
    guessing = Guessing()
    for number in range(ADDRESSES):
        guessing.heard(tried(mac(number), 3))
    ((who, sign),) = guessing.news(AT)
    assert (who, sign.subject, sign.count, sign.grade) == (None, TOGETHER, 3 * ADDRESSES, Grade.MEDIUM)


def test_addresses_without_end_are_a_few_signs_and_nothing_grows() -> None:
    guessing = Guessing()
    for number in range(5000):
        guessing.heard(tried(mac(number), FEW + 1))
    told = guessing.news(AT)
    assert len(told) == MAX_TOLD + 1
    assert sum(sign.count for _, sign in told) == 5000 * (FEW + 1)
    assert guessing.overflow == 5000 - MAX_GUESSERS


def test_what_the_warden_could_not_tell_apart_counts_together() -> None:
    guessing = Guessing()
    guessing.heard(tried(None, 400))
    ((who, sign),) = guessing.news(AT)
    assert (who, sign.count) == (None, 400)


def test_it_begins_anew_when_nobody_tried_for_half_an_hour() -> None:
    guessing = Guessing()
    guessing.heard(tried(count=FEW))
    guessing.heard(tried(None, FEW))
    guessing.news(AT)
    assert guessing.news(AT + CALM_SECONDS) == ()
    late = AT + CALM_SECONDS + 1
    guessing.heard(tried(count=1, since=late, ts=late))
    assert guessing.news(late) == ()


def test_nothing_is_remembered_without_an_authority() -> None:
    guessing = Guessing()
    guessing.heard(tried(count=FEW - 1))
    guessing.forget()
    guessing.heard(tried(count=1))
    assert guessing.news(AT) == ()
