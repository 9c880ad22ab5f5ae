from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts import sessions
from dashboard.accounts.sessions import IDLE_SECONDS, KEPT_SECONDS, SESSION_SECONDS

pytestmark = pytest.mark.req("R66")


@pytest.fixture
def mine(engine: Engine) -> str:
    return auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/131 Safari/537.36 Edg/131", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("<script>" * 900, "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_said_in_words_of_ours(agent: str, words: str) -> None:
    assert sessions.client_words(agent) == words


def test_use_keeps_it_but_not_beyond_its_end(engine: Engine, mine: str, clock: Any) -> None:
    began = clock.at
    with engine.begin() as connection:
        token = sessions.open_session(connection, mine, began, way="passkey", client="Firefox", origin="192.0.2.1")
        at = began
        while at < began + SESSION_SECONDS - IDLE_SECONDS:
            at += IDLE_SECONDS - 1
            who = sessions.signed_in(connection, token=token, now=at)
            assert who is not None
            assert who.way == "passkey"
            sessions.touch(connection, who, at)
        who = sessions.signed_in(connection, token=token, now=began + SESSION_SECONDS - 1)
        assert who is not None
        assert who.ends_at == began + SESSION_SECONDS
        assert sessions.signed_in(connection, token=token, now=began + SESSION_SECONDS) is None
        (shown,) = sessions.sessions_of(connection, mine, began + SESSION_SECONDS - 1)
        assert (shown.client, shown.origin, shown.way) == ("Firefox", "192.0.2.1", "passkey")


def test_a_proof_gets_old_and_is_given_anew(engine: Engine, mine: str, clock: Any) -> None:
    with engine.begin() as connection:
        token = sessions.open_session(connection, mine, clock.at)
        who = sessions.signed_in(connection, token=token, now=clock.at + 599)
        assert who is not None
        assert who.is_fresh(clock.at + 599)
        assert not who.is_fresh(clock.at + 600)
        assert not who.is_fresh(clock.at - 1), "a clock that went back proves nothing"
        sessions.prove(connection, who, clock.at + 700)
        again = sessions.signed_in(connection, token=token, now=clock.at + 710)
        assert again is not None
        assert again.is_fresh(clock.at + 710)


def test_ending_one_leaves_the_others_and_all_but_ones_own(engine: Engine, mine: str, clock: Any) -> None:
    other = auth.add_account(engine, name="two", role=Role.OFFICER, now=0.0)
    with engine.begin() as connection:
        one, two, three = (sessions.open_session(connection, mine, clock.at) for _ in range(3))
        foreign = sessions.open_session(connection, other, clock.at)
        at = clock.at
        assert sessions.end(connection, account_id=mine, session_id=sessions.id_of(sessions.hash_of(one)), now=at) == 1
        assert (
            sessions.end(connection, account_id=mine, session_id=sessions.id_of(sessions.hash_of(foreign)), now=at) == 0
        )
        lasts = [
            sessions.signed_in(connection, token=token, now=at) is not None for token in (one, two, three, foreign)
        ]
        assert lasts == [False, True, True, True]
        assert sessions.end(connection, account_id=mine, but=sessions.hash_of(three), now=at) == 1
        lasts = [
            sessions.signed_in(connection, token=token, now=at) is not None for token in (one, two, three, foreign)
        ]
        assert lasts == [False, False, True, True]


def test_whose_an_ended_one_was_is_known_only_if_it_ended_by_itself(engine: Engine, mine: str, clock: Any) -> None:
    with engine.begin() as connection:
        one, two = (sessions.open_session(connection, mine, clock.at) for _ in range(2))
        sessions.end(connection, account_id=mine, but=sessions.hash_of(one), now=clock.at)
        late = clock.at + SESSION_SECONDS + 5
        assert sessions.signed_in(connection, token=one, now=late) is None
        assert sessions.was_of(connection, token=one, now=late) == mine
        assert sessions.was_of(connection, token=two, now=late) is None
        assert sessions.was_of(connection, token="x", now=late) is None
        assert sessions.was_of(connection, token=one, now=late + KEPT_SECONDS) is None
