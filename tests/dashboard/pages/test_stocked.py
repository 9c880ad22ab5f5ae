from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from dashboard.access import Role
from dashboard.store import schema
from wire.claim import sign_card

STOCK = "/boxes/stock"


@pytest.fixture
def engineer(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as("engineer", Role.ENGINEER)


def _card(fitting: Any, site: str, **values: Any) -> bytes:
    raw: str = sign_card(fitting.card(site, **values), fitting.signing).model_dump_json()
    return raw.encode()


def _hand_in(fitting: Any, engineer: FlaskClient, *cards: bytes, **fields: str) -> Any:
    files = [(io.BytesIO(raw), f"card-{number}.json") for number, raw in enumerate(cards)]
    return fitting.post(engineer, STOCK, STOCK, file=files, **fields)


@pytest.mark.req("R1", "R66")
def test_an_engineer_enters_boxes_lists_them_and_takes_one_out(engineer: FlaskClient, fitting: Any) -> None:
    assert STOCK in engineer.get("/boxes").text
    assert "Select the cards" in fitting.post(engineer, STOCK, STOCK).text
    assert _hand_in(fitting, engineer, _card(fitting, "box-1"), _card(fitting, "box-2")).status_code == 303
    pasted = fitting.post(engineer, STOCK, STOCK, pasted=_card(fitting, "box-3").decode())
    assert pasted.status_code == 303
    page = engineer.get(STOCK).text
    assert "3 boxes wait to be fitted." in page
    assert "box-2" in page
    assert fitting.post(engineer, STOCK, f"{STOCK}/box-2/remove").status_code == 303
    assert fitting.post(engineer, STOCK, f"{STOCK}/box-2/remove").status_code == 404
    assert {row["site"] for row in fitting.seed.rows(schema.box_stock)} == {"box-1", "box-3"}
    lines = {(row["action"], row["subject"]) for row in fitting.seed.rows(schema.audit)}
    assert {("stock-box", "box-1"), ("unstock-box", "box-2")} <= lines


def test_of_cards_that_are_handed_in_together_all_count_or_none(engineer: FlaskClient, fitting: Any) -> None:
    good = _card(fitting, "box-1")
    for bad, said in (
        (b"{}", "this is no card of a box"),
        (_card(fitting, "box-2", tenant="another"), "another operator"),
        (good.replace(b"box-1", b"box-9"), "this is no card of a box"),
    ):
        answer = _hand_in(fitting, engineer, good, bad)
        assert answer.status_code == 422
        assert said in answer.text
        assert fitting.seed.rows(schema.box_stock) == []


@pytest.mark.req("R69")
def test_a_box_in_use_may_ask_once_more_only_with_the_keys_it_has(
    engineer: FlaskClient, officer: FlaskClient, fitting: Any
) -> None:
    fitting.claim(officer)
    card = _card(fitting, "box-7")
    assert "is in use" in _hand_in(fitting, engineer, card).text
    assert "no household has this box" in _hand_in(fitting, engineer, _card(fitting, "box-8"), again="yes").text
    assert _hand_in(fitting, engineer, card, again="yes").status_code == 303
    (row,) = fitting.seed.rows(schema.box_access)
    assert row["reopened_at"] == fitting.clock.at


@pytest.mark.req("R69")
def test_a_box_is_revoked_and_the_page_says_when_its_connection_was_ended(engineer: FlaskClient, fitting: Any) -> None:
    fitting.seed.site("box-7")
    at = "/boxes/box-7/revoke"
    assert at in engineer.get("/boxes/box-7").text
    assert "Say that you mean this box" in fitting.post(engineer, at, at).text
    assert fitting.post(engineer, at, at, sure="yes").status_code == 303
    with fitting.seed.engine.connect() as connection:
        assert connection.execute(select(schema.site.c.revoked_at)).scalar() == fitting.clock.at
    assert "Not yet." in engineer.get(at).text
    with fitting.seed.engine.begin() as connection:
        values = {"site": "box-7", "answers": 0, "cut_at": fitting.clock.at + 3}
        connection.execute(schema.box_access.insert().values(**values))
    assert "Not yet." not in engineer.get(at).text
    with fitting.seed.engine.begin() as connection:
        connection.execute(update(schema.box_access).values(cut_at=fitting.clock.at - 1))
    assert "Not yet." in engineer.get(at).text, "that was of an earlier revocation"
    assert engineer.get("/boxes/none/revoke").status_code == 404


@pytest.mark.req("R66")
@pytest.mark.parametrize("role", [Role.OFFICER, Role.INSTALLER, Role.AUDITOR])
def test_others_may_not(sign_in_as: Callable[..., FlaskClient], fitting: Any, role: Role) -> None:
    client = sign_in_as("somebody", role)
    fitting.seed.site("box-7")
    assert client.get(STOCK).status_code == 403
    assert client.get("/boxes/box-7/revoke").status_code == 403
    assert "/revoke" not in client.get("/boxes/box-7").text
    assert STOCK not in client.get("/boxes").text
