from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts import passkeys
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")
URL = "http://localhost"


@pytest.fixture
def mine(engine: Engine) -> str:
    return auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)


@pytest.fixture
def register(engine: Engine, mine: str) -> Callable[..., bool]:
    def do(key: Any, *, account_id: str = mine, **client: Any) -> bool:
        with engine.begin() as connection:
            options = passkeys.registration(connection, account_id=account_id, name="one", service="S", public_url=URL)
            assert options["authenticatorSelection"]["userVerification"] == "required"
            return passkeys.register(
                connection,
                account_id=account_id,
                answer=key.create(options, **client),
                challenge=options["challenge"],
                name="Telephone",
                public_url=URL,
                now=1.0,
            )

    return do


@pytest.fixture
def whose(engine: Engine) -> Callable[..., str | None]:
    def do(key: Any, *, challenge: str = "", **client: Any) -> str | None:
        options = passkeys.asking(URL)
        with engine.begin() as connection:
            return passkeys.whose(
                connection,
                answer=key.get(options, **client),
                challenge=challenge or options["challenge"],
                public_url=URL,
                now=2.0,
            )

    return do


def test_a_registered_key_says_whose_it_is(
    register: Callable[..., bool],
    whose: Callable[..., str | None],
    new_passkey: Callable[..., Any],
    mine: str,
    seed: Any,
) -> None:
    one, two = new_passkey(), new_passkey()
    assert register(one)
    assert register(two)
    assert not register(one), "a key is registered once"
    assert whose(one) == mine
    assert whose(two) == mine
    assert whose(new_passkey()) is None
    rows = {row["credential_id"]: row for row in seed.rows(schema.passkey)}
    assert [(row["sign_count"], row["used_at"], row["name"]) for row in rows.values()] == [(1, 2.0, "Telephone")] * 2


@pytest.mark.parametrize(
    "wrong",
    [{"origin": "http://example.test"}, {"rp_id": "example.test"}, {"verified": False}],
    ids=["origin", "service", "nobody verified"],
)
def test_a_key_of_elsewhere_or_without_its_owner_is_not_registered_nor_taken(
    register: Callable[..., bool],
    whose: Callable[..., str | None],
    new_passkey: Callable[..., Any],
    wrong: dict[str, Any],
) -> None:
    assert not register(new_passkey(**wrong))
    key = new_passkey()
    assert register(key)
    for name, value in wrong.items():
        setattr(key, name, value)
    assert whose(key) is None


def test_an_answer_to_another_challenge_or_of_another_kind_is_not_taken(
    register: Callable[..., bool], whose: Callable[..., str | None], new_passkey: Callable[..., Any]
) -> None:
    key = new_passkey()
    assert not register(key, challenge="AAAA")
    assert not register(key, type="webauthn.get")
    assert register(key)
    assert whose(key, challenge=passkeys.asking(URL)["challenge"]) is None
    assert whose(key, type="webauthn.create") is None


def test_a_copied_key_is_noticed_by_its_count(
    register: Callable[..., bool], whose: Callable[..., str | None], new_passkey: Callable[..., Any], mine: str
) -> None:
    key = new_passkey()
    assert register(key)
    key.count = 5
    assert whose(key) == mine
    key.count = 3
    assert whose(key) is None


def test_a_key_for_another_account_says_nothing(
    register: Callable[..., bool], whose: Callable[..., str | None], new_passkey: Callable[..., Any]
) -> None:
    key = new_passkey()
    assert register(key)
    key.owner = b"YWNjLW90aGVy"
    assert whose(key) is None


def test_an_account_has_few_and_removes_them(
    engine: Engine,
    register: Callable[..., bool],
    new_passkey: Callable[..., Any],
    mine: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passkeys, "MOST_PASSKEYS", 2)
    assert [register(new_passkey()) for _ in range(3)] == [True, True, False]
    with engine.begin() as connection:
        one, two = passkeys.passkeys_of(connection, mine)
        key_id = one.credential_id[: passkeys.KEY_ID]
        assert not passkeys.remove(connection, account_id="other", key_id=key_id)
        assert passkeys.remove(connection, account_id=mine, key_id=key_id)
        assert passkeys.passkeys_of(connection, mine) == (two,)
        assert passkeys.remove_all(connection, account_id=mine) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "{}",
        "x" * 20_000,
        "[" * 9000,
        '{"id": 5}',
        '{"id": "AA", "rawId": "AA", "response": 1}',
        '{"id": null}',
    ],
)
def test_what_is_no_answer_is_none(engine: Engine, mine: str, answer: str) -> None:
    challenge = passkeys.asking(URL)["challenge"]
    with engine.begin() as connection:
        given: dict[str, Any] = {"answer": answer, "challenge": challenge, "public_url": URL, "now": 1.0}
        assert passkeys.whose(connection, **given) is None
        assert not passkeys.register(connection, account_id=mine, name="x", **given)
