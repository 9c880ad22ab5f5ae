from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth, tokens
from dashboard.access import May, Role
from dashboard.accounts.sessions import SignedIn
from dashboard.store import schema


@pytest.fixture
def who(engine: Engine) -> SignedIn:
    account_id = auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)
    return SignedIn(account_id=account_id, name="officer-1", role=Role.OFFICER, token_hash="0" * 64, expires_at=0.0)


def _make(engine: Engine, who: SignedIn, now: float, **values: Any) -> str:
    given: dict[str, Any] = {"name": "n", "rights": {May.SEE}, "days": 1, "service": None} | values
    return tokens.make(engine, by=who, now=now, **given)


def _holder(engine: Engine, token: str, now: float) -> tokens.Holder | None:
    with engine.connect() as connection:
        return tokens.holder_of(connection, token=token, now=now)


def test_a_token_works_until_its_day_is_over(engine: Engine, who: SignedIn, clock: Any) -> None:
    token = _make(engine, who, clock.at)
    assert tokens.TOKEN.fullmatch(token)
    found = _holder(engine, token, clock.at + 86399)
    assert found is not None
    assert found.who.account_id == who.account_id
    assert _holder(engine, token, clock.at + 86400) is None
    assert _holder(engine, token[:-1] + ("A" if token[-1] != "A" else "B"), clock.at) is None
    for other in ("", "ghp_", token + "A", token[4:], "ghp_" + "\x00" * 43):
        assert _holder(engine, other, clock.at) is None


def test_an_account_has_so_many_at_once_and_ended_ones_make_room(engine: Engine, who: SignedIn, clock: Any) -> None:
    for _ in range(tokens.MOST_TOKENS):
        _make(engine, who, clock.at)
    with pytest.raises(tokens.TokenError, match="work already"):
        _make(engine, who, clock.at)
    with engine.connect() as connection:
        first = tokens.tokens_for(connection, who)[0]
    assert tokens.end(engine, token_id=first.token_id, by=who, now=clock.at)
    assert not tokens.end(engine, token_id=first.token_id, by=who, now=clock.at)
    _make(engine, who, clock.at + 1)
    with pytest.raises(tokens.TokenError):
        _make(engine, who, clock.at + 1)


def test_those_that_are_over_are_gone_after_a_while(engine: Engine, who: SignedIn, clock: Any, seed: Any) -> None:
    _make(engine, who, clock.at)
    later = clock.at + 86400 + tokens.KEPT_SECONDS
    _make(engine, who, later - 1)
    assert len(seed.rows(schema.api_token)) == 2
    _make(engine, who, later)
    assert len(seed.rows(schema.api_token)) == 2


def test_use_is_kept_to_the_minute(engine: Engine, who: SignedIn, clock: Any, seed: Any) -> None:
    _make(engine, who, clock.at)
    token_id = seed.rows(schema.api_token)[0]["token_id"]
    for after, kept in ((0, 0), (59, 0), (61, 61)):
        tokens.note_use(engine, token_id=token_id, now=clock.at + after)
        assert seed.rows(schema.api_token)[0]["used_at"] == clock.at + kept


@pytest.mark.parametrize("right", [May.EXPORT, May.MANAGE, May.SEE_AUDIT])
def test_no_token_has_what_its_account_has_not_or_what_wants_a_person(
    engine: Engine, who: SignedIn, clock: Any, right: May
) -> None:
    with pytest.raises(tokens.TokenError):
        _make(engine, who, clock.at, rights={May.SEE, right})


def test_services_are_bounded_and_of_one_kind_each(engine: Engine, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_SERVICES", 1)
    account_id = auth.add_account(engine, name="chief-1", role=Role.SUPERVISOR, now=0.0)
    chief = SignedIn(account_id=account_id, name="chief-1", role=Role.SUPERVISOR, token_hash="0" * 64, expires_at=0.0)
    _make(engine, chief, clock.at, service=Role.AUDITOR)
    _make(engine, chief, clock.at, service=Role.AUDITOR)
    with pytest.raises(tokens.TokenError, match="other things"):
        _make(engine, chief, clock.at, service=Role.ENGINEER, rights={May.SEE_BOXES})
    with pytest.raises(tokens.TokenError, match="services already"):
        _make(engine, chief, clock.at, name="m", service=Role.AUDITOR)
    for role in (Role.OFFICER, Role.SUPERVISOR, Role.INSTALLER):
        with pytest.raises(tokens.TokenError, match="only read"):
            _make(engine, chief, clock.at, service=role)
