from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.pages import agent, agent_feed
from dashboard.store import schema

PATH = "/households/site-1/devices/dev-1/agent"
CSV = b"start,end,events\n2026-01-12T09:00:00Z,2026-01-12T09:30:00Z,4\n"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device(standing="registered", label="grey laptop")


@pytest.fixture
def hand_in(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> Callable[..., TestResponse]:
    """Send the form with a file; `page` is an earlier copy of it."""

    def do(raw: bytes = CSV, page: TestResponse | None = None, **fields: str) -> TestResponse:
        page = page or officer.get(PATH)
        found = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
        assert found is not None
        whole: dict[str, Any] = {"source": "Example agent", "starts": "2026-01-12", "ends": "2026-01-12"}
        whole |= {"csrf_token": csrf(page), "token": found[1], "file": (io.BytesIO(raw), "use.csv")} | fields
        return officer.post(PATH, data=whole, content_type="multipart/form-data")

    return do


@pytest.mark.req("N7")
def test_a_file_becomes_an_order_once(hand_in: Callable[..., TestResponse], officer: FlaskClient, seed: Any) -> None:
    page = officer.get(PATH)
    for _ in range(2):
        assert hand_in(page=page).status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"] == {
        "action": "report-agent",
        "device_id": "dev-1",
        "source": "Example agent",
        "covers_from": "2026-01-12T00:00:00Z",
        "covers_to": "2026-01-13T00:00:00Z",
        "spans": [{"starts": "2026-01-12T09:00:00Z", "ends": "2026-01-12T09:30:00Z", "events": 4}],
    }
    assert (row["device_id"], row["reason"]) == ("dev-1", "Report of software on the device")
    assert f'href="{PATH}"' in officer.get("/households/site-1/devices/dev-1").text


@pytest.mark.req("N7")
def test_a_long_file_is_several_orders_and_still_once(
    hand_in: Callable[..., TestResponse], officer: FlaskClient, seed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_feed, "SPANS_OF_ONE", 2)
    raw = b"start,end\n" + b"".join(
        b"2026-01-12T%02d:00:00Z,2026-01-12T%02d:30:00Z\n" % (hour, hour) for hour in range(5)
    )
    page = officer.get(PATH)
    for _ in range(2):
        assert hand_in(raw, page=page).status_code == 303
    assert [len(row["body"]["spans"]) for row in seed.rows(schema.command)] == [2, 2, 1]


@pytest.mark.req("N7")
def test_a_file_of_today_covers_what_has_passed(hand_in: Callable[..., TestResponse], seed: Any) -> None:
    assert hand_in(b"[]", starts="2026-01-14", ends="14/1/2026").status_code == 303
    (row,) = seed.rows(schema.command)
    assert (row["body"]["covers_to"], row["body"]["spans"]) == ("2026-01-14T21:04:09Z", [])


@pytest.mark.parametrize(
    ("raw", "fields", "text"),
    [
        (CSV, {"source": " "}, "Enter the name of the software"),
        (CSV, {"source": "x" * 81}, "Name must be 80 characters or fewer"),
        (CSV, {"starts": ""}, "Enter the first day of the report"),
        (CSV, {"ends": "x"}, "Enter the last day of the report"),
        (CSV, {"ends": "2026-01-11"}, "The last day must not be before the first"),
        (CSV, {"starts": "2025-12-12"}, "A report must cover 31 days or fewer"),
        (CSV, {"ends": "2026-01-15"}, "The last day has not come yet"),
        (CSV, {"token": "x"}, "This form was not complete"),
        (b"", {}, "Choose a file that is not empty"),
        (b"start,end\nnow,<b>\n", {}, "Line 2: start must be a time with its offset"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_sent(
    hand_in: Callable[..., TestResponse], seed: Any, raw: bytes, fields: dict[str, str], text: str
) -> None:
    answer = hand_in(raw, **fields)
    assert answer.status_code == 422
    assert text in answer.text
    assert seed.rows(schema.command) == []


def test_a_file_may_be_larger_than_other_forms_and_no_larger_than_it_may(
    hand_in: Callable[..., TestResponse], seed: Any
) -> None:
    large = CSV + b"\n" * (agent_feed.MOST_OCTETS - len(CSV))
    assert hand_in(large).status_code == 303
    assert "more than 204,800 bytes" in hand_in(large + b"\n").text
    assert hand_in(b"x" * (agent.MOST_BODY + 1)).status_code == 413
    assert len(seed.rows(schema.command)) == 1


def test_only_who_decides_hands_in_and_only_for_a_device_there_is(
    officer: FlaskClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    assert sign_in_as("auditor-1", Role.AUDITOR).get(PATH).status_code == 403
    for path in ("/households/site-1/devices/none/agent", "/households/site-2/devices/dev-1/agent"):
        assert officer.get(path).status_code == 404
