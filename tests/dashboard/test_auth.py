from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.accounts.sessions import IDLE_SECONDS, KEPT_SECONDS
from dashboard.auth import CODE_LENGTH, LOCKED_SECONDS, MOST_FAILURES, MOST_SESSIONS, SESSION_SECONDS, Role
from dashboard.store import schema
from dashboard.store.engine import reading


@pytest.fixture
def account(engine: Engine) -> str:
    return auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)


def _sign_in(engine: Engine, code: str, now: float, name: str = "officer-1") -> str | None:
    return auth.sign_in(engine, name=name, code=code, now=now)


@pytest.mark.usefixtures("account")
class TestCode:
    def test_works_once(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        code = new_code("officer-1")
        assert _sign_in(engine, code, clock.at) is not None
        assert _sign_in(engine, code, clock.at) is None

    def test_is_taken_as_people_type_it(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        code = new_code("officer-1")
        assert len(code.replace("-", "")) == CODE_LENGTH
        assert _sign_in(engine, f"  {code.lower().replace('-', ' ')} ", clock.at, name=" officer-1 ") is not None

    def test_runs_out(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        code = new_code("officer-1")
        assert _sign_in(engine, code, clock.at + 900) is None
        assert _sign_in(engine, code, clock.at + 899) is not None

    def test_is_replaced_by_a_fresh_one(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        old = new_code("officer-1")
        new = new_code("officer-1")
        assert _sign_in(engine, old, clock.at) is None
        assert _sign_in(engine, new, clock.at) is not None

    def test_is_not_stored(self, seed: Any, new_code: Callable[[str], str]) -> None:
        code = new_code("officer-1")
        assert code.replace("-", "") not in repr(seed.rows(schema.account))

    def test_of_one_account_opens_no_other(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        auth.add_account(engine, name="officer-2", role=Role.OFFICER, now=0.0)
        code = new_code("officer-1")
        new_code("officer-2")
        assert _sign_in(engine, code, clock.at, name="officer-2") is None

    @pytest.mark.parametrize("typed", ["", "x", "-" * 5000, "\x00", "x" * 100_000])
    def test_nonsense_is_refused(self, engine: Engine, clock: Any, typed: str) -> None:
        assert _sign_in(engine, typed, clock.at) is None


@pytest.mark.usefixtures("account")
class TestLockOut:
    def test_closes_the_name_after_five_failures_even_for_the_right_code(
        self, engine: Engine, clock: Any, new_code: Callable[[str], str]
    ) -> None:
        code = new_code("officer-1")
        for _ in range(MOST_FAILURES):
            assert _sign_in(engine, "WRONG", clock.at) is None
        assert _sign_in(engine, code, clock.at + LOCKED_SECONDS - 1) is None
        assert _sign_in(engine, code, clock.at + LOCKED_SECONDS) is not None

    def test_four_failures_do_not(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        code = new_code("officer-1")
        for _ in range(MOST_FAILURES - 1):
            _sign_in(engine, "WRONG", clock.at)
        assert _sign_in(engine, code, clock.at) is not None

    def test_counts_anew_after_the_lock_ran_out(self, engine: Engine, clock: Any, seed: Any) -> None:
        for _ in range(MOST_FAILURES):
            _sign_in(engine, "WRONG", clock.at)
        _sign_in(engine, "WRONG", clock.at + LOCKED_SECONDS)
        row = seed.rows(schema.account)[0]
        assert (row["failures"], row["locked_until"]) == (1, None)

    def test_writes_no_more_lines_while_closed(self, engine: Engine, clock: Any, seed: Any) -> None:
        for _ in range(MOST_FAILURES * 4):
            _sign_in(engine, "WRONG", clock.at)
        outcomes = [row["outcome"] for row in seed.rows(schema.audit) if row["action"] == "sign-in-failed"]
        assert outcomes == ["failed"] * (MOST_FAILURES - 1) + ["locked"]

    def test_an_unknown_name_leaves_a_line_if_it_is_news_and_never_what_was_typed(
        self, engine: Engine, clock: Any, seed: Any
    ) -> None:
        before = len(seed.rows(schema.audit))
        names = ("nobody", "", "nobody\x00", "\u202e", "x" * 100_000)
        for name in names:
            assert auth.sign_in(engine, name=name, code="WRONG", now=clock.at, is_news=lambda: False) is None
        assert len(seed.rows(schema.audit)) == before
        assert _sign_in(engine, "WRONG", clock.at, name="nobody") is None
        last = seed.rows(schema.audit)[-1]
        assert (last["account_id"], last["action"], last["subject"]) == (None, "sign-in-failed", "no such name")


@pytest.mark.usefixtures("account")
class TestSession:
    def test_names_its_account(self, engine: Engine, clock: Any, account: str, new_code: Callable[[str], str]) -> None:
        token = _sign_in(engine, new_code("officer-1"), clock.at)
        assert token is not None
        with reading(engine).connect() as connection:
            who = auth.signed_in(connection, token=token, now=clock.at)
        assert who is not None
        assert (who.account_id, who.name, who.role) == (account, "officer-1", Role.OFFICER)

    def test_ends(self, engine: Engine, clock: Any, new_code: Callable[[str], str]) -> None:
        token = _sign_in(engine, new_code("officer-1"), clock.at)
        assert token is not None
        with reading(engine).connect() as connection:
            assert auth.signed_in(connection, token=token, now=clock.at + IDLE_SECONDS - 1) is not None
            assert auth.signed_in(connection, token=token, now=clock.at + IDLE_SECONDS) is None
            late, day = clock.at + SESSION_SECONDS, 86400.0
            assert auth.signed_in(connection, token=token, now=late - 1, idle=day) is not None
            assert auth.signed_in(connection, token=token, now=late, idle=day) is None
            assert auth.signed_in(connection, token=token + "x", now=clock.at) is None

    def test_only_its_hash_is_stored(
        self, engine: Engine, clock: Any, seed: Any, new_code: Callable[[str], str]
    ) -> None:
        token = _sign_in(engine, new_code("officer-1"), clock.at)
        assert token is not None
        assert [row["token_hash"] for row in seed.rows(schema.session)] == [hashlib.sha256(token.encode()).hexdigest()]

    def test_an_account_has_a_bounded_number(self, engine: Engine, clock: Any, account: str, seed: Any) -> None:
        tokens = []
        for _ in range(MOST_SESSIONS + 3):
            clock.at += 1
            with engine.begin() as connection:
                tokens.append(auth._open_session(connection, account, clock.at))
        assert len(seed.rows(schema.session)) == MOST_SESSIONS
        with reading(engine).connect() as connection:
            assert auth.signed_in(connection, token=tokens[0], now=clock.at) is None
            assert auth.signed_in(connection, token=tokens[-1], now=clock.at) is not None

    def test_old_ones_are_cleared_away(
        self, engine: Engine, clock: Any, seed: Any, new_code: Callable[[str], str]
    ) -> None:
        _sign_in(engine, new_code("officer-1"), clock.at)
        clock.at += SESSION_SECONDS + KEPT_SECONDS + 1
        _sign_in(engine, new_code("officer-1"), clock.at)
        assert len(seed.rows(schema.session)) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "officer\n1"])
def test_a_bad_name_makes_no_account(engine: Engine, name: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        auth.add_account(engine, name=name, role=Role.OFFICER, now=0.0)


@pytest.mark.usefixtures("account")
def test_a_name_is_given_once(engine: Engine) -> None:
    with pytest.raises(ValueError, match="already"):
        auth.add_account(engine, name="officer-1", role=Role.AUDITOR, now=0.0)


def test_no_code_for_nobody(new_code: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match="no account"):
        new_code("nobody")
