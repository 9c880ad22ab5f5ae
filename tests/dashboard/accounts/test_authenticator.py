from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts import authenticator
from dashboard.accounts.sealing import Sealer, sealer
from dashboard.store import schema

pytestmark = pytest.mark.req("R66", "S2")
PHRASE = "heather gravel lantern"


@dataclass
class Desk:
    """An account with an authenticator app, and what it takes to sign in to it."""

    engine: Engine
    clock: Any
    seal: Sealer
    account_id: str
    secret: str
    codes: tuple[str, ...]

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.clock.at), counter_offset=steps)

    def sign_in(self, code: str, phrase: str = PHRASE, name: str = "one") -> str | None:
        return authenticator.sign_in(self.engine, self.seal, name=name, phrase=phrase, code=code, now=self.clock.at)


@pytest.fixture
def desk(engine: Engine, clock: Any) -> Desk:
    account_id = auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)
    seal, secret = sealer(os.urandom(32), "authenticator"), authenticator.new_secret()
    with engine.begin() as connection:
        given = {"account_id": account_id, "secret": secret, "phrase_hash": authenticator.hash_phrase(PHRASE)}
        assert authenticator.set_up(connection, seal, code="000", now=clock.at, **given) is None
        first = pyotp.TOTP(secret).at(int(clock.at))
        codes = authenticator.set_up(connection, seal, code=first, now=clock.at, **given)
    assert codes is not None
    clock.at += 60
    return Desk(engine, clock, seal, account_id, secret, codes)


def test_name_phrase_and_code_sign_in_and_a_code_is_taken_once(desk: Desk, seed: Any) -> None:
    code = desk.code()
    assert desk.sign_in(code) is not None
    assert desk.sign_in(code) is None
    assert desk.sign_in(desk.code(-1)) is None, "none before it counts any more"
    desk.clock.at += 30
    assert desk.sign_in(desk.code()) is not None
    assert [row["way"] for row in seed.rows(schema.session)] == ["authenticator", "authenticator"]
    assert desk.secret not in str(seed.rows(schema.authenticator))
    assert PHRASE not in str(seed.rows(schema.authenticator))


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_a_little_off(desk: Desk, steps: int) -> None:
    assert desk.sign_in(desk.code(steps)) is not None


@pytest.mark.parametrize("steps", [-2, 2])
def test_but_not_more(desk: Desk, steps: int) -> None:
    assert desk.sign_in(desk.code(steps)) is None


def test_nothing_less_than_all_of_it_does(desk: Desk) -> None:
    assert desk.sign_in(desk.code(), phrase="another phrase altogether") is None
    assert desk.sign_in("", PHRASE) is None
    assert desk.sign_in("é" * 6, PHRASE) is None
    assert desk.sign_in(desk.code(), name="nobody") is None
    assert desk.sign_in(desk.code()) is not None, "a wrong phrase did not take the code"


def test_wrong_tries_close_the_name_for_a_while(desk: Desk, seed: Any) -> None:
    for _ in range(auth.MOST_FAILURES):
        assert desk.sign_in("000000") is None
    assert desk.sign_in(desk.code()) is None
    assert [row["outcome"] for row in seed.rows(schema.audit) if row["action"] == "sign-in-failed"][-1] == "locked"
    desk.clock.at += auth.LOCKED_SECONDS + 30
    assert desk.sign_in(desk.code()) is not None


def test_a_recovery_code_does_once_in_the_place_of_the_app(desk: Desk, seed: Any) -> None:
    assert len(desk.codes) == authenticator.RECOVERY_CODES
    assert desk.sign_in(desk.codes[0], phrase="another phrase altogether") is None
    assert desk.sign_in(desk.codes[0].upper()) is not None
    assert desk.sign_in(desk.codes[0]) is None
    with desk.engine.begin() as connection:
        since, left = authenticator.since(connection, desk.account_id)
        assert (since, left) == (desk.clock.at - 60, authenticator.RECOVERY_CODES - 1)
        assert desk.codes[1].replace("-", "") not in str(seed.rows(schema.recovery_code))
        assert authenticator.remove(connection, account_id=desk.account_id)
        assert not authenticator.remove(connection, account_id=desk.account_id)
    assert desk.sign_in(desk.codes[1]) is None


def test_who_is_signed_in_proves_it_anew(desk: Desk) -> None:
    given = {"account_id": desk.account_id, "phrase": PHRASE, "now": desk.clock.at}
    code = desk.code()
    assert not authenticator.check(desk.engine, desk.seal, code="1", **given)
    assert authenticator.check(desk.engine, desk.seal, code=code, **given)
    assert not authenticator.check(desk.engine, desk.seal, code=code, **given)


def test_under_another_secret_file_it_does_not_open(desk: Desk) -> None:
    desk.seal = sealer(os.urandom(32), "authenticator")
    assert desk.sign_in(desk.code()) is None


@pytest.mark.parametrize(
    ("phrase", "wrong"),
    [("short", True), ("a" * 20, True), ("abababababababab", True), ("x" * 201, True), (PHRASE, False)],
)
def test_a_phrase_is_long_and_not_one_letter(phrase: str, wrong: bool) -> None:
    assert bool(authenticator.phrase_error(phrase)) is wrong


def test_the_code_for_the_app_has_no_style_in_it() -> None:
    drawn = authenticator.qr("A" * 32, name="<one>", service="Northmoor & Co")
    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert "<one>" not in drawn
    assert authenticator.grouped("ABCDEFGH") == "ABCD EFGH"
