from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.accounts.oidc import Claimed, Provider, ProviderError
from dashboard.app import create_app
from dashboard.settings import Operator
from dashboard.store import schema

pytestmark = pytest.mark.req("R66")
BACK = "http://localhost/sign-in/operator/back"


@pytest.fixture
def operator(tmp_path: Path, provider: Any) -> Callable[..., Operator]:
    def make(**values: Any) -> Operator:
        secret = tmp_path / "client-secret"
        secret.write_text(provider.secret + "\n")
        given = {
            "name": "Northmoor",
            "issuer": provider.address,
            "client_id": "gatehouse",
            "client_secret_file": secret,
        }
        return Operator.model_validate(given | values)

    return make


@pytest.fixture
def sign_in(operator: Callable[..., Operator], clock: Any) -> Callable[..., Claimed]:
    """All the way: to the provider over HTTP, and back with what it gave."""
    one = Provider(settings=operator(role_claim="groups"), now=clock.now)

    def do(*, state: str | None = None, again: bool = False, data: dict[str, Any] | None = None) -> Claimed:
        begun = one.begin(back=BACK, again=again)
        sent = requests.get(begun.address, allow_redirects=False, timeout=5)
        got = parse_qs(urlsplit(sent.headers["Location"]).query)
        return one.finish(
            begun.data | (data or {}), state=got["state"][0] if state is None else state, code=got["code"][0], back=BACK
        )

    return do


def test_a_right_answer_says_who_it_is(sign_in: Callable[..., Claimed], provider: Any, clock: Any) -> None:
    provider.claims = {"groups": ["unit-7", 5, "unit-8"]}
    found = sign_in()
    assert (found.issuer, found.subject, found.name) == (provider.address, "person-1", "Person One")
    assert found.roles == ("unit-7", "unit-8")
    assert found.auth_time == int(clock.at)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 7},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["gatehouse", "another"]},
        {"aud": ["gatehouse", "another"], "azp": "another"},
        {"iss": "http://127.0.0.1:1"},
        {"exp": 1000},
        {"exp": None},
        {"exp": "never"},
        {"iat": 9_999_999_999},
        {"sub": ""},
        {"sub": None},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_not_taken(
    sign_in: Callable[..., Claimed], provider: Any, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    with pytest.raises(ProviderError):
        sign_in()


def test_a_token_that_is_not_signed_by_the_provider_is_not_taken(
    sign_in: Callable[..., Claimed], provider: Any
) -> None:
    provider.algorithm = "none"
    with pytest.raises(ProviderError, match="does not hold"):
        sign_in()
    provider.algorithm, provider.other_key = "RS256", True
    with pytest.raises(ProviderError, match="does not hold"):
        sign_in()


def test_another_state_or_verifier_ends_it(sign_in: Callable[..., Claimed]) -> None:
    with pytest.raises(ProviderError, match="state"):
        sign_in(state="another")
    with pytest.raises(ProviderError, match="no token"):
        sign_in(data={"verifier": "x" * 50})


def test_keys_that_the_provider_changed_are_fetched_anew(
    sign_in: Callable[..., Claimed], provider: Any, clock: Any
) -> None:
    from joserfc.jwk import RSAKey

    sign_in()
    provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    with pytest.raises(ProviderError):
        sign_in()  # not again at once: a stranger must not make us ask and ask
    clock.at += 61
    assert sign_in().subject == "person-1"


def test_a_fresh_proof_is_asked_for_as_such(operator: Callable[..., Operator], clock: Any) -> None:
    one = Provider(settings=operator(), now=clock.now)
    asked = parse_qs(urlsplit(one.begin(back=BACK, again=True).address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert "prompt" not in parse_qs(urlsplit(one.begin(back=BACK, again=False).address).query)
    assert one.leave(after="http://localhost/sign-in") is not None


def test_a_provider_that_is_not_there_or_another_is_said(
    operator: Callable[..., Operator], provider: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Provider(settings=operator(issuer="http://127.0.0.1:9"), now=clock.now)
    with pytest.raises(ProviderError, match="cannot be reached"):
        gone.begin(back=BACK, again=False)
    assert gone.leave(after="/") is None
    monkeypatch.setattr(provider, "describe", lambda: {"issuer": "http://127.0.0.1:1"})
    with pytest.raises(ProviderError, match="another issuer"):
        Provider(settings=operator(), now=clock.now).begin(back=BACK, again=False)
    monkeypatch.setattr(provider, "describe", lambda: {"issuer": provider.address, "x": "y" * 300_000})
    with pytest.raises(ProviderError, match="as it should"):
        Provider(settings=operator(), now=clock.now).begin(back=BACK, again=False)
    monkeypatch.setattr(
        provider, "describe", lambda: {"issuer": provider.address, "authorization_endpoint": "file:///"}
    )
    with pytest.raises(ProviderError, match="authorization_endpoint"):
        Provider(settings=operator(), now=clock.now).begin(back=BACK, again=False)


def test_all_the_way_through_the_pages(
    *,
    operator: Callable[..., Operator],
    make_settings: Callable[..., Any],
    engine: Engine,
    provider: Any,
    clock: Any,
    seed: Any,
) -> None:
    given = {"public_url": "http://localhost", "operator": operator().model_dump()}
    client = create_app(make_settings(sign_in=given), engine=engine, now=clock.now).test_client()

    def through(path: str) -> str:
        gone = client.get(path)
        assert gone.location.startswith(provider.address), gone.location
        back = requests.get(gone.location, allow_redirects=False, timeout=5).headers["Location"]
        assert back.startswith(BACK)
        answer = client.get(back.removeprefix("http://localhost"))
        assert client.get(back.removeprefix("http://localhost")).location.find("wrong=operator") > 0, "once"
        return str(answer.location)

    assert through("/sign-in/operator") == "/sign-in?wrong=operator&next=%2F", "nobody is linked yet"
    auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)
    code = auth.make_code(engine, name="one", now=clock.at, lifetime=900)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert token is not None
    client.post("/sign-in", data={"csrf_token": token[1], "name": "one", "code": code})
    assert through("/account/operator") == "/account"
    assert "Linked to Northmoor" in client.get("/account").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert token is not None
    client.post("/sign-out", data={"csrf_token": token[1]})
    assert through("/sign-in/operator?next=/households") == "/households"
    clock.at += 700
    assert client.get("/households.csv").location.startswith("/again")
    provider.claims = {"auth_time": int(clock.at) - 700}
    assert (
        through("/sign-in/operator?again=1&next=/households.csv") == "/again?wrong=operator&next=%2Fhouseholds.csv"
    ), "it must ask anew"
    provider.claims, provider.subject = {}, "person-2"
    assert (
        through("/sign-in/operator?again=1&next=/households.csv") == "/again?wrong=operator&next=%2Fhouseholds.csv"
    ), "somebody else"
    provider.subject = "person-1"
    assert through("/sign-in/operator?again=1&next=/households.csv") == "/households.csv"
    assert client.get("/households.csv").status_code == 200
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert token is not None
    left = client.post("/sign-out", data={"csrf_token": token[1]})
    away = client.get(left.location)
    assert away.location.startswith(f"{provider.address}/logout?")
    requests.get(away.location, allow_redirects=False, timeout=5)
    assert provider.logged_out == 1
    ways = [row["way"] for row in seed.rows(schema.session)]
    assert sorted(ways) == ["code", "operator"]
