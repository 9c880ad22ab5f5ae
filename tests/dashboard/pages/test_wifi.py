from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import update

from dashboard.access import Role
from dashboard.store import schema
from wire.keys import public_text
from wire.wifi import open_passphrase

AT = "/households/site-1/wifi"
FRESH = r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}"


@pytest.fixture
def box(seed: Any) -> X25519PrivateKey:
    """The sealing key of the household's box."""
    key = X25519PrivateKey.generate()
    seed.site(seal_key=public_text(key))
    return key


def _post(client: FlaskClient, target: str, **fields: str) -> Any:
    page = client.get(AT).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    return client.post(target, data={"csrf_token": token.group(1), "token": secrets.token_hex(16)} | fields)


def _keys(seed: Any) -> dict[str, Any]:
    return {row["key_id"]: row for row in seed.rows(schema.wifi_key)}


@pytest.mark.req("N9")
def test_a_card_is_made_and_ended_and_the_passphrase_is_for_the_box_alone(
    officer: FlaskClient, seed: Any, box: X25519PrivateKey
) -> None:
    assert "Not entered here" in officer.get(AT).text
    assert "first" in _post(officer, f"{AT}/cards", devices="black phone").text
    assert _post(officer, f"{AT}/home", name="Home", passphrase="the words of this home").status_code == 303
    shown = _post(officer, f"{AT}/cards", devices="black phone")
    (found,) = set(re.findall(FRESH, shown.text))
    (key_id,) = set(_keys(seed)) - {"household"}
    row = _keys(seed)[key_id]
    assert open_passphrase(row["sealed"], site="site-1", key_id=key_id, recipient=box) == found
    page = officer.get(AT).text
    assert found not in page
    assert key_id in page
    assert f"{AT}/household/end" not in page, "everybody would be out"
    assert _post(officer, f"{AT}/household/end").status_code == 409
    assert _post(officer, f"{AT}/{key_id}/end").status_code == 303
    assert _post(officer, f"{AT}/{key_id}/end").status_code == 404
    row = _keys(seed)[key_id]
    assert (row["sealed"], row["ended_at"]) == (None, seed.clock.at)
    assert "lets it in until it was told" in officer.get(AT).text


def test_devices_that_joined_with_a_passphrase_stand_beside_it(
    officer: FlaskClient, seed: Any, box: X25519PrivateKey
) -> None:
    assert public_text(box)
    _post(officer, f"{AT}/home", name="Home", passphrase="the words of this home")
    _post(officer, f"{AT}/cards", devices="black phone")
    (key_id,) = set(_keys(seed)) - {"household"}
    seed.device("dev-1", key_id=key_id)
    seed.device("dev-2", key_id="router-list-3")
    page = officer.get(AT).text
    assert "/households/site-1/devices/dev-1" in page
    assert 'not made here: <span class="gh-mono">router-list-3' in " ".join(page.split()).replace("here:  ", "here: ")


def test_what_became_of_telling_the_box_is_said(officer: FlaskClient, seed: Any, box: X25519PrivateKey) -> None:
    assert public_text(box)
    _post(officer, f"{AT}/home", name="Home", passphrase="the words of this home")
    by = seed.rows(schema.account)[0]["account_id"]
    with seed.engine.begin() as connection:
        connection.execute(
            schema.command.insert().values(
                command_id="c" * 32,
                site="site-1",
                body={"action": "set-passphrase"},
                reason="Wi-Fi",
                by=by,
                created_at=1.0,
                expires_at=2.0,
                state="refused",
                detail="it does not open",
            )
        )
        connection.execute(update(schema.wifi_key).values(order_id="c" * 32))
    assert "The box refused it. it does not open" in officer.get(AT).text
    for state, said in (("applied", "In force"), ("unsent", "Is sent again"), ("sent", "Sent to the box")):
        with seed.engine.begin() as connection:
            connection.execute(update(schema.command).values(state=state))
        assert said in officer.get(AT).text


@pytest.mark.req("R66")
def test_who_may_only_look_has_no_form_and_strangers_see_nothing(
    sign_in_as: Callable[..., FlaskClient], officer: FlaskClient, seed: Any, box: X25519PrivateKey
) -> None:
    assert public_text(box)
    _post(officer, f"{AT}/home", name="Home", passphrase="the words of this home")
    auditor = sign_in_as("auditor", Role.AUDITOR)
    page = auditor.get(AT).text
    assert "Everybody" in page
    assert f"{AT}/home" not in page
    assert sign_in_as("fitter", Role.INSTALLER).get(AT).status_code == 403
    other = sign_in_as("other", Role.OFFICER, charged=False)
    assert other.get(AT).status_code == 404
    with seed.engine.begin() as connection:
        connection.execute(update(schema.site).values(revoked_at=1.0))
    assert f"{AT}/home" not in officer.get(AT).text, "a revoked box is told nothing"


def test_a_box_whose_key_is_none_gets_a_plain_word(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    answer = _post(officer, f"{AT}/home", name="Home", passphrase="the words of this home")
    assert answer.status_code in (303, 422)
    assert "the words of this home" not in str(seed.rows(schema.wifi_key))


@pytest.mark.req("R57")
@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("refused", "did not take the last change of the Wi-Fi. The box says: These do not go together. What was"),
        ("failed", "could not make the last change of the Wi-Fi. The box says: These do not go together. What was"),
        ("under-way", "The box is changing its Wi-Fi."),
        ("done", ""),
    ],
)
def test_what_became_of_a_change_of_the_wifi_is_said_with_what_to_do(
    outcome: str, says: str, officer: FlaskClient, seed: Any, box: X25519PrivateKey
) -> None:
    assert public_text(box)
    form = {"name": "Home", "passphrase": "the words of this home"}
    assert _post(officer, f"{AT}/home", **form).status_code == 303
    order = "c" * 32
    with seed.engine.begin() as connection:
        connection.execute(update(schema.wifi).values(order_id=order, tries=1))
    change = {"about": order, "action": "set-network", "outcome": outcome, "at": "2026-01-14T21:00:00Z"}

    def speak(about: str) -> str:
        said = {"online": True, "at": "2026-01-14T21:04:00Z"}
        said["changes"] = [change | {"about": about, "detail": "These do not go together."}]
        with seed.engine.begin() as connection:
            connection.execute(update(schema.site).values(status=said))
        return " ".join(officer.get(AT).text.split())

    assert "last change of the Wi-Fi" not in speak("another"), "it is about an earlier order"
    page = speak(order)
    assert says in page
    assert ("last change of the Wi-Fi" in page) == (outcome in {"refused", "failed"})
    _post(officer, f"{AT}/home", name="Home")
    (row,) = seed.rows(schema.wifi)
    assert (row["order_id"] is None) == (outcome in {"refused", "failed"}), "what did not work is ordered once more"
