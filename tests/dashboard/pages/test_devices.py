"""*Devices*: the list, its filters, several at once, and what is in use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.pages import devices as pages
from dashboard.store import schema

AT = "/households/site-1/devices"
DAY = 86400.0


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()


def _names(html: str) -> list[str]:
    return re.findall(r'id="link-device-([a-z0-9-]+)"', html)


def _field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, name
    return found[1]


def _ask(client: FlaskClient, csrf: Callable[[TestResponse], str], **fields: Any) -> TestResponse:
    form = {"standing": "household", "reason": "Said so at the visit", "days": "14", "device": ["dev-1", "dev-2"]}
    return client.post(AT, data={"csrf_token": csrf(client.get(AT))} | form | fields)


@pytest.mark.req("R13", "R20")
def test_all_devices_ever_seen_are_listed_with_what_is_not_covered(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.device("dev-1", last_seen=clock.at - 200 * DAY, first_seen=clock.at - 300 * DAY, standing="guest")
    seed.device("dev-2", standing="unknown")
    seed.device("dev-3", merged_into="dev-2")
    html = officer.get(AT).text
    assert _names(html) == ["dev-2", "dev-1"]
    assert "2 devices ever seen" in html
    assert "a device that is not in this list may still be in the home" in html
    assert "mobile data" in html


def test_filters_are_in_the_address_and_narrow_the_list(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.device("dev-1", standing="registered", label="100% grey", looks_like=None)
    seed.device("dev-2", standing="guest", last_seen=clock.at - 3 * DAY, first_seen=0.0)
    seed.device("dev-3", standing="guest", last_seen=clock.at - 20 * DAY, first_seen=0.0)
    for query, expected in (
        ("standing=guest", ["dev-2", "dev-3"]),
        ("standing=guest&seen=week", ["dev-2"]),
        ("seen=month", ["dev-1", "dev-2", "dev-3"]),
        ("text=GREY", ["dev-1"]),
        ("text=100%25", ["dev-1"]),
        ("text=%25", ["dev-1"]),
        ("text=phone", ["dev-2", "dev-3"]),
        ("standing=nonsense&seen=nonsense&page=nonsense", ["dev-1", "dev-2", "dev-3"]),
        ("text=nothing", []),
        ("text=02:00:5E", ["dev-1", "dev-2", "dev-3"]),
        ("text=00:5e:00", []),
        ("text=mac", []),
        ("text=seen", []),
    ):
        assert sorted(_names(officer.get(f"{AT}?{query}").text)) == expected, query


@pytest.mark.req("R7")
def test_several_devices_are_named_and_given_a_standing_in_one_form(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    seed.device("dev-1")
    seed.device("dev-2", label="old name")
    asked = _ask(officer, csrf)
    assert asked.status_code == 200
    assert "Confirm whose these devices are" in asked.text
    assert 'value="old name"' in asked.text
    assert seed.rows(schema.command) == []
    sent = {
        "csrf_token": csrf(asked),
        "token": _field(asked.text, "token"),
        "confirmed": "1",
        "standing": _field(asked.text, "standing"),
        "reason": _field(asked.text, "reason"),
        "days": _field(asked.text, "days"),
        "device": ["dev-1", "dev-2"],
        "label-dev-1": "black phone",
        "label-dev-2": "old name",
    }
    for _twice in range(2):
        done = officer.post(AT, data=sent)
        assert (done.status_code, done.headers["Location"]) == (303, f"{AT}#asked")
    rows = sorted(seed.rows(schema.command), key=lambda row: row["device_id"])
    assert [(row["device_id"], row["body"]["standing"], row["body"]["label"]) for row in rows] == [
        ("dev-1", "household", "black phone"),
        ("dev-2", "household", "old name"),
    ]
    audited = [row for row in seed.rows(schema.audit) if row["action"] == "register-device"]
    assert len(audited) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ({"device": []}, "bulk-devices", "Select the devices"),
        ({"device": [f"dev-{number}" for number in range(51)]}, "bulk-devices", "Select 50 devices or fewer"),
        ({"device": ["elsewhere"]}, "bulk-devices", "Select the devices"),
        ({"standing": "lodger"}, "bulk-standing", "Select whose device this is"),
        ({"standing": "guest", "days": "0"}, "bulk-days", "Days must be a whole number"),
        ({"reason": " "}, "bulk-reason", "Enter the reason"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_comes_back(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], wrong: tuple[dict[str, Any], str, str]
) -> None:
    fields, field, said = wrong
    seed.device("dev-1")
    seed.device("dev-2")
    answer = _ask(officer, csrf, **fields)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert said in answer.text
    if "device" not in fields:
        assert len(re.findall(r'name="device"[^>]* checked', answer.text)) == 2
    if "reason" not in fields:
        assert "Said so at the visit" in answer.text


def test_a_label_that_cannot_be_is_said_on_the_page_that_asks_again(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    seed.device("dev-1")
    asked = _ask(officer, csrf, device=["dev-1"])
    fields = {"confirmed": "1", "token": _field(asked.text, "token"), "device": ["dev-1"], "label-dev-1": "x" * 90}
    answer = _ask(officer, csrf, **fields)
    assert answer.status_code == 422
    assert "Label must be 80 characters or fewer" in answer.text
    assert "x" * 90 in answer.text
    assert seed.rows(schema.command) == []


def test_who_may_only_look_has_no_forms(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    seed.device()
    client = sign_in_as("auditor", Role.AUDITOR)
    html = client.get(AT).text
    assert 'name="device"' not in html
    assert "Look once" not in html
    for path in (AT, "/households/site-1/in-use", "/households/site-1/look-round"):
        assert client.post(path, data={}).status_code in {400, 403}, path
    assert seed.rows(schema.command) == []


@pytest.mark.req("R51")
def test_each_look_at_what_is_in_use_is_written_down_and_only_registered_devices_are_told(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    here = {"state": "here", "since": "2026-01-14T20:00:00Z"}
    seed.device("dev-1", standing="registered", label="grey laptop", presence=here)
    seed.device("dev-2", standing="household", label="kitchen tablet", presence=here)
    assert "Here since" not in re.sub(r"<article.*?</article>", "", officer.get(AT).text, flags=re.DOTALL)
    assert officer.get("/households/site-1/in-use").status_code == 405
    for _twice in range(2):
        answer = officer.post("/households/site-1/in-use", data={"csrf_token": csrf(officer.get(AT))})
        assert answer.status_code == 200
    assert "grey laptop" in answer.text
    assert "Here since" in answer.text
    assert "kitchen tablet" not in answer.text
    assert "data-live" not in answer.text
    assert [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "look-in-use"] == ["site-1"] * 2


@pytest.mark.req("R41")
def test_the_list_is_paged(officer: FlaskClient, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_SHOWN", 2)
    for number in range(5):
        seed.device(f"dev-{number}")
    shown = [_names(officer.get(f"{AT}?page={page}&seen=day").text) for page in (1, 2, 3, 4)]
    assert [len(names) for names in shown] == [2, 2, 1, 0]
    assert len({name for names in shown for name in names}) == 5
    middle = officer.get(f"{AT}?page=2&seen=day").text
    assert f'href="{AT}?seen=day"' in middle
    assert "seen=day&amp;page=3" in middle


def test_ticks_of_a_further_page_come_back(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_SHOWN", 2)
    for number in range(5):
        seed.device(f"dev-{number}")
    html = officer.get(f"{AT}?page=2&seen=day").text
    target = f"{AT}?seen=day&amp;page=2"
    assert f'action="{target}"' in html
    last = _names(html)[-1]
    data = {"csrf_token": csrf(officer.get(AT)), "device": [last]}
    answer = officer.post(target.replace("&amp;", "&"), data=data)
    assert answer.status_code == 422
    assert re.search(rf'id="tick-{last}" checked', answer.text)


@pytest.mark.req("R13", "R66")
def test_the_list_is_taken_as_a_file_without_hardware_addresses(officer: FlaskClient, seed: Any) -> None:
    seed.device("dev-1", standing="guest", label="=cmd")
    seed.device("dev-2", standing="household", label="kitchen tablet")
    assert f'href="{AT}.csv?standing=guest"' in officer.get(f"{AT}?standing=guest").text
    taken = officer.get(f"{AT}.csv?standing=guest")
    assert taken.status_code == 200
    lines = taken.text.splitlines()
    assert lines[0].endswith("Label,Whose,Looks like,How sure,First seen,Last seen")
    assert lines[1].startswith("'=cmd,Guest,a phone,")
    assert len(lines) == 3
    assert "kitchen" not in taken.text
    assert "02:00:5e" not in taken.text
    row = next(row for row in seed.rows(schema.audit) if row["action"] == "export-devices")
    assert (row["outcome"], row["subject"].split()[0]) == ("exported", "site-1")


@pytest.mark.req("R66")
def test_the_file_is_for_who_is_in_charge_and_may_export(
    sign_in_as: Callable[..., FlaskClient], seed: Any, clock: Any
) -> None:
    seed.device()
    auditor = sign_in_as("auditor", Role.AUDITOR)
    assert ".csv" not in auditor.get(AT).text
    assert auditor.get(f"{AT}.csv").status_code == 403
    assert sign_in_as("other", charged=False).get(f"{AT}.csv").status_code == 404
    officer = sign_in_as("late")
    clock.at += 700
    assert officer.get(f"{AT}.csv").headers["Location"].startswith("/again?next=")
    assert [row for row in seed.rows(schema.audit) if row["action"] == "export-devices"] == []


def test_an_operator_of_another_household_sees_nothing(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-x", tenant="elsewhere")
    for path in ("devices", "timeline", "coverage", "activity", "box", "notes", "person"):
        assert officer.get(f"/households/site-x/{path}").status_code == 404, path
    assert officer.get("/boxes/site-x").status_code == 404
