from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import devices, schema

PATH = "/households/site-1/devices/dev-1"
MACS = ("02:00:5e:00:53:01", "02:00:5e:00:53:02", "00:00:5e:00:53:03")


def _text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _address(mac: str, **values: Any) -> dict[str, Any]:
    return {
        "mac": mac,
        "locally_administered": mac.startswith("02"),
        "first_seen": "2026-01-12T20:00:00Z",
        "last_seen": "2026-01-14T21:00:00Z",
    } | values


@pytest.fixture(autouse=True)
def household(seed: Any, clock: Any) -> None:
    seed.site()
    seed.device(
        label="black phone",
        standing="household",
        looks_like={
            "text": "A phone, probably by Example",
            "confidence": 0.83,
            "reasons": ["It asks for an address as such phones do"],
            "category": "phone",
            "vendor": "Example",
            "conflicts": ["It asked for updates as a television does"],
        },
        addresses=[
            _address(MACS[0], rotating=True),
            _address(MACS[1], rotating=True, joined_by="person"),
            _address(MACS[2], rotating=None, joined_by="passphrase"),
        ],
        correction={"model": "Example One"},
        presence={"state": "asleep", "since": "2026-01-14T20:58:00Z"},
        key_id="k-7",
    )
    seed.device("dev-2", merged_into="dev-1", addresses=[], looks_like=None)
    seed.stay("stay-1", started=clock.at - 7200, ended=clock.at - 3600, asleep_seconds=600, ended_because="It left.")
    seed.stay("stay-2", device_id="dev-2", mac=MACS[1], started=clock.at - 1800)


@pytest.fixture
def send(officer: FlaskClient, csrf: Callable[[TestResponse], str]) -> Callable[..., TestResponse]:
    """Fill one of the forms in and send it; `page` is an earlier copy of it."""

    def do(form: str, page: TestResponse | None = None, **fields: Any) -> TestResponse:
        page = page or officer.get(PATH)
        found = re.search(rf'action="{PATH}/{form}".*?name="token" value="([^"]+)"', page.text, re.DOTALL)
        assert found is not None
        whole = {"csrf_token": csrf(page), "token": found[1], "reason": "Shown at the visit"}
        return officer.post(f"{PATH}/{form}", data=whole | fields)

    return do


@pytest.mark.req("R13", "R17")
def test_says_what_it_looks_like_where_it_was_and_what_counts_as_part_of_it(officer: FlaskClient) -> None:
    text = _text(officer.get(PATH).text)
    for part in (
        "black phone",
        "Household member",
        "A phone, probably by Example Highly likely (about 85%)",
        "Against it: It asked for updates as a television does",
        "It asks for an address as such phones do",
        "Example One (an officer said so)",
        "Quiet since 20:58",
        f"{MACS[0]} Made-up address, changes",
        "An officer said that it is this device",
        f"{MACS[2]} Maker's address",
        "the passphrase that is this device's own",
        "Reference k-7",
        "1 hour",
        "of that 10 minutes quiet",
        "It left.",
        "Still there",
    ):
        assert part in text.replace("&#39;", "'"), part
    assert text.index("14 January 2026, 20:34") < text.index("14 January 2026, 19:04"), "the latest stay first"


@pytest.mark.parametrize(
    ("state", "at", "words"),
    [
        ("here", "2026-01-14T21:01:00Z", "Here since 21:01"),
        ("asleep", "2026-01-13T21:01:00Z", "Quiet since 13 January 2026, 21:01"),
        ("left", "2026-01-14T20:58:00Z", "Left 20:58"),
        ("flapping", "2026-01-14T20:00:00Z", "Comes and goes, since 20:00"),
    ],
)
def test_presence_is_said_in_words(officer: FlaskClient, seed: Any, state: str, at: str, words: str) -> None:
    seed.device("dev-3", presence={"state": state, "since": at})
    assert words in officer.get("/households/site-1/devices").text
    assert words in officer.get("/households/site-1/devices/dev-3").text


def test_presence_of_a_later_version_is_left_out(officer: FlaskClient, seed: Any) -> None:
    seed.device("dev-3", presence={"state": "floating", "since": "?"}, correction={"category": 7})
    page = officer.get("/households/site-1/devices/dev-3")
    assert page.status_code == 200
    assert "gh-presence" not in page.text


@pytest.mark.req("N8")
def test_a_device_that_is_part_of_another_is_shown_as_that_one(officer: FlaskClient, seed: Any) -> None:
    answer = officer.get("/households/site-1/devices/dev-2")
    assert (answer.status_code, answer.location) == (303, PATH)
    seed.finding("find-2", device_id="dev-2")
    seed.device("dev-5", merged_into="dev-2", addresses=[])
    seed.finding("find-5", device_id="dev-5", severity="this_week")
    page = officer.get("/households/site-1/devices").text
    assert page.count('<article class="gh-device"') == 1
    found = officer.get("/households/site-1").text
    assert found.count("<dd><bdi>black phone</bdi></dd>") == 2, "its findings are the other's"
    assert "black phone" in officer.get("/").text
    assert officer.get(PATH).text.count("find-") == 2


def test_devices_that_name_each_other_end_nothing(officer: FlaskClient, seed: Any) -> None:
    seed.device("dev-8", merged_into="dev-9")
    seed.device("dev-9", merged_into="dev-8")
    seed.finding("find-8", device_id="dev-8")
    assert officer.get("/").status_code == 200
    assert officer.get("/households/site-1/findings/find-8").status_code == 200


@pytest.mark.req("R13")
def test_a_correction_becomes_a_command(send: Callable[..., TestResponse], seed: Any, officer: FlaskClient) -> None:
    answer = send("correction", category="tv", vendor="Example", os_family="", model="")
    assert answer.status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"] == {
        "action": "correct-device",
        "device_id": "dev-1",
        "correction": {"category": "tv", "vendor": "Example"},
    }
    assert [item["action"] for item in seed.rows(schema.audit) if item["outcome"] == "asked"] == ["correct-device"]
    assert "It is: television or television box, Example: Waiting to be sent to the box" in officer.get(PATH).text
    sent = _text(officer.get(answer.location.removesuffix("?wait=1")).text)
    assert "Kind television or television box" in sent


def test_the_form_holds_what_is_locked(officer: FlaskClient) -> None:
    page = officer.get(PATH).text
    assert re.search(r'id="correct-model"[^>]*value="Example One"', page)
    assert re.search(r'<option value=""\s+selected>Leave it to the box', page)


@pytest.mark.req("N8")
def test_a_split_is_asked_twice_and_sent_once(
    send: Callable[..., TestResponse], seed: Any, officer: FlaskClient, csrf: Callable[[TestResponse], str]
) -> None:
    page = send("split", macs=[MACS[1], MACS[2]])
    assert page.status_code == 200
    assert seed.rows(schema.command) == []
    text = _text(page.text)
    assert "Take these addresses out of the device?" in text
    assert f"Goes {MACS[1]} {MACS[2]} Stays {MACS[0]}" in text
    hidden = re.findall(r'<input type="hidden" name="(token|confirmed|macs|reason)" value="([^"]+)"', page.text)
    data: dict[str, Any] = {"csrf_token": csrf(page), "macs": [value for name, value in hidden if name == "macs"]}
    data |= {name: value for name, value in hidden if name != "macs"}
    first, second = (officer.post(f"{PATH}/split", data=data) for _ in range(2))
    assert first.status_code == 303
    assert first.location == second.location
    (row,) = seed.rows(schema.command)
    assert row["body"] == {"action": "split-device", "device_id": "dev-1", "macs": [MACS[1], MACS[2]]}
    assert row["reason"] == "Shown at the visit"


def test_a_device_of_one_address_cannot_be_split(officer: FlaskClient, seed: Any) -> None:
    seed.device("dev-3")
    assert "details-split" not in officer.get("/households/site-1/devices/dev-3").text


@pytest.mark.req("N9")
def test_a_passphrase_is_given_a_purpose(send: Callable[..., TestResponse], seed: Any, officer: FlaskClient) -> None:
    assert re.search(r'id="key-id"[^>]*value="k-7"', officer.get(PATH).text)
    assert send("passphrase", key_id="k-7", purpose="guest", days="2").status_code == 303
    (row,) = seed.rows(schema.command)
    assert row["body"]["until"].startswith("2026-01-16T21:04:09")
    assert "device_id" not in row["body"]
    assert row["device_id"] == "dev-1"


@pytest.mark.req("R7")
def test_a_device_without_a_finding_can_be_registered(send: Callable[..., TestResponse], seed: Any) -> None:
    assert send("standing", standing="work", label="grey laptop", days="14").status_code == 303
    assert seed.rows(schema.command)[0]["body"] == {
        "action": "set-standing",
        "device_id": "dev-1",
        "standing": "work",
        "label": "grey laptop",
    }


@pytest.mark.parametrize(
    ("form", "fields", "field"),
    [
        ("standing", {"standing": ""}, "standing"),
        ("correction", {"category": "boat"}, "correct-category"),
        ("correction", {"model": "x" * 81}, "correct-model"),
        ("correction", {"os_family": "a\u202eb"}, "correct-os"),
        ("split", {}, "split-macs"),
        ("split", {"macs": list(MACS)}, "split-macs"),
        ("split", {"macs": [MACS[0]], "reason": ""}, "split-reason"),
        ("passphrase", {"key_id": "k 7", "purpose": "device"}, "key-id"),
        ("passphrase", {"key_id": "k-7", "purpose": ""}, "key-purpose"),
        ("passphrase", {"key_id": "k-7", "purpose": "guest", "days": "0"}, "key-days"),
    ],
)
def test_bad_input_is_named_beside_its_field(
    send: Callable[..., TestResponse], seed: Any, form: str, fields: dict[str, Any], field: str
) -> None:
    answer = send(form, **fields)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert "<title>Error: " in answer.text
    assert re.search(r'<details class="govuk-details" id="details-\w+" open>', answer.text)
    assert seed.rows(schema.command) == []


def test_the_same_form_with_other_answers_asks_again(
    send: Callable[..., TestResponse], seed: Any, officer: FlaskClient
) -> None:
    page = officer.get(PATH)
    assert send("correction", page, category="tv").status_code == 303
    answer = send("correction", page, category="phone")
    assert answer.status_code == 422
    assert "You have sent this form already" in answer.text
    assert len(seed.rows(schema.command)) == 1


def test_who_may_only_look_finds_no_form_and_cannot_send(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    looks = sign_in_as("looker", Role.AUDITOR)
    page = looks.get(PATH).text
    assert "black phone" in page
    assert "What you can say" not in page
    assert "Let the box look round" not in looks.get("/households/site-1/devices").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    for target in (f"{PATH}/standing", f"{PATH}/correction", f"{PATH}/split", f"{PATH}/passphrase"):
        assert looks.post(target, data={"csrf_token": token[1]}).status_code == 403
    assert looks.post("/households/site-1/look-round", data={"csrf_token": token[1]}).status_code == 403
    assert seed.rows(schema.command) == []


def test_a_form_without_its_secret_is_not_taken(officer: FlaskClient, seed: Any) -> None:
    for form in ("standing", "correction", "split", "passphrase"):
        assert officer.post(f"{PATH}/{form}", data={"reason": "x"}).status_code == 400
    assert seed.rows(schema.command) == []


def test_a_device_of_another_operator_does_not_exist(officer: FlaskClient, seed: Any) -> None:
    seed.site("site-2", tenant="elsewhere")
    seed.device("dev-1", site="site-2")
    for path in ("/households/site-2/devices/dev-1", "/households/site-1/devices/none", "/households/site-1/devices/A"):
        assert officer.get(path).status_code == 404, path


def test_a_look_at_a_device_is_recorded(officer: FlaskClient, seed: Any) -> None:
    officer.get(PATH)
    lines = [row for row in seed.rows(schema.audit) if row["action"] == "view-device"]
    assert [line["subject"] for line in lines] == ["site-1/dev-1"]


def test_stays_are_bounded_and_counted(officer: FlaskClient, seed: Any, clock: Any) -> None:
    for number in range(devices.MOST_STAYS + 3):
        seed.stay(f"more-{number}", started=clock.at - 10_000 - number, ended=clock.at - 9_000)
    page = officer.get(PATH).text
    assert page.count('<th scope="row"') == devices.MOST_STAYS
    assert "5 earlier ones are not shown." in page


def test_text_from_the_network_does_no_harm(officer: FlaskClient, seed: Any) -> None:
    hostile = '<img src=x onerror="alert(1)">\u202e'
    seed.device(
        "dev-3",
        label=None,
        looks_like={
            "text": hostile,
            "confidence": 0.5,
            "reasons": [hostile],
            "vendor": hostile,
            "conflicts": [hostile],
        },
        correction={"model": hostile},
        key_id=hostile,
    )
    seed.stay("stay-3", device_id="dev-3", mac="<b>", ended=1.0, ended_because=hostile)
    seed.proposal(device_id="dev-3", other_id="dev-1", reasons=[hostile], against=[hostile])
    for path in ("/households/site-1", "/households/site-1/devices/dev-3", "/households/site-1/proposals/prop-1"):
        html = officer.get(path).text
        assert "<img" not in html, path
        assert "<b>" not in html, path
        # Only where an officer's own field is typed again does it stand as it is.
        assert html.count("\u202e") <= 2, path


@pytest.mark.req("R13")
def test_how_sure_of_the_kind_is_not_how_sure_of_the_words(officer: FlaskClient, seed: Any) -> None:
    looks = {"text": "Phone or tablet", "confidence": 0.83, "reasons": [], "category": "phone"}
    seed.device("vague", looks_like=looks)
    seed.device("told", looks_like=looks | {"category_confidence": 0.62})
    pages = {name: officer.get(f"/households/site-1/devices/{name}").text for name in ("vague", "told")}
    assert "phone. The box does not say how sure" in pages["vague"]
    assert "phone. Likely (about 60%)" in pages["told"]
    assert all("Highly likely (about 85%)" in page for page in pages.values())


def test_a_device_that_names_itself_as_its_whole_has_a_page(officer: FlaskClient, seed: Any) -> None:
    seed.device("self", merged_into="self")
    seed.device("ring-1", merged_into="ring-2")
    seed.device("ring-2", merged_into="ring-1")
    for name in ("self", "ring-1", "ring-2"):
        assert officer.get(f"/households/site-1/devices/{name}").status_code == 200, name
