from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.answers import settle
from dashboard.store.reviewing import Given

Settle = Callable[..., dict[str, str | None]]


@pytest.fixture
def settled(engine: Engine, seed: Any, clock: Any) -> Settle:
    by = auth.add_account(engine, name="one", role=Role.OFFICER, now=0.0)
    seed.site()

    def do(body: dict[str, Any], **values: Any) -> dict[str, str | None]:
        given = Given(by=by, now=clock.at, token="a" * 32)
        with engine.begin() as connection:
            settle(connection, "site-1", body, given, **({"reason": "Seen at the visit", "finding_id": None} | values))
        return {row["finding_id"]: row["outcome"] for row in seed.rows(schema.review)}

    return do


@pytest.mark.req("R37", "R55")
@pytest.mark.parametrize(
    ("standing", "outcome"),
    [("registered", "registered"), ("household", "household"), ("guest", "visitor"), ("work", "work")],
)
def test_saying_whose_a_device_is_answers_what_asks_for_that(
    settled: Settle, seed: Any, standing: str, outcome: str
) -> None:
    seed.device()
    seed.device("part", merged_into="dev-1")
    seed.finding("asks")
    seed.finding("of-part", device_id="part")
    seed.finding("sign", kind="tunnel")
    seed.finding("other", device_id="dev-2")
    seed.finding("closed", state="closed")
    said = settled({"action": "set-standing", "device_id": "dev-1", "standing": standing})
    assert said == {"asks": outcome, "of-part": outcome}
    assert {row["command_id"] for row in seed.rows(schema.review)} == {"a" * 32}


def test_the_finding_it_was_asked_from_is_answered_too(settled: Settle, seed: Any) -> None:
    seed.finding("quieted", kind="listed-name", hit=seed.hit())
    seed.finding("other", kind="listed-name", hit=seed.hit())
    assert settled({"action": "quiet-rule", "rule": "listed-name"}, finding_id="quieted") == {"quieted": "not-relevant"}
    (row,) = seed.rows(schema.review)
    assert (row["action"], row["list_id"], row["state"]) == ("none", "demo-list", "settled")


def test_one_device_under_a_new_address_is_answered(settled: Settle, seed: Any) -> None:
    seed.proposal()
    seed.finding("new", kind="same-device", device_id="dev-2")
    refused = {"action": "answer-proposal", "proposal_id": "prop-1", "confirm": False}
    assert settled(refused) == {}
    assert settled(refused | {"confirm": True}) == {"new": "same-device"}
    assert settled(refused | {"confirm": True, "proposal_id": "none"}) == {"new": "same-device"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"action": "bind-passphrase", "device_id": "dev-1"}, "passphrase-shared"),
        ({"action": "correct-device", "device_id": "dev-1"}, "class-changed"),
    ],
)
def test_other_answers(settled: Settle, seed: Any, body: dict[str, Any], kind: str) -> None:
    seed.finding("it", kind=kind)
    seed.finding("sign", kind="tunnel")
    assert settled(body) == {"it": "explained"}
    assert settled({"action": "run-probe"}) == {"it": "explained"}


@pytest.mark.req("N13")
def test_what_takes_two_waits_for_the_second(settled: Settle, seed: Any) -> None:
    seed.finding("it")
    settled(
        {"action": "set-standing", "device_id": "dev-1", "standing": "work"},
        needs_second=((), ("today",)),
    )
    assert [row["state"] for row in seed.rows(schema.review)] == ["second"]
