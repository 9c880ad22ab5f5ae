from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.store import schema


def claimed(officer: FlaskClient, fitting: Any) -> str:
    fitting.claim(officer)
    return str(fitting.install)


def test_what_must_never_lose_its_connection_is_noted_with_its_place(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    page = f"{at}/never"
    assert "Select what there is" in fitting.post(officer, page, page).text
    assert "Enter where this is plugged in" in fitting.post(officer, page, page, there="telephone").text
    assert fitting.post(officer, page, page, there=["telephone", "none"], telephone="x").status_code == 422
    assert fitting.post(officer, page, page, there="telephone", telephone="Router, green socket").status_code == 303
    assert "Router, green socket" in officer.get(page).text
    fitting.speak()
    fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "Router, green socket" in officer.get(f"{at}/devices").text


@pytest.mark.req("N11")
def test_a_box_counts_as_connected_when_it_was_heard(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    page = officer.get(f"{at}/connect").text
    assert "Waiting for the box to be heard" in page
    assert "<svg" in page
    answer = fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "has not been heard yet" in answer.text
    fitting.speak()
    assert "The box has been heard" in officer.get(f"{at}/connect?part=live").text
    assert "Turn the router" in fitting.post(officer, f"{at}/connect", f"{at}/connect").text
    assert fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes").location == at


@pytest.mark.req("N9")
def test_passphrases_are_shown_once_and_kept_nowhere(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    page, token = f"{at}/wifi", "ef" * 16
    shown = fitting.post(officer, page, page, name="Home", devices="black phone\nlaptop\n", token=token)
    assert shown.status_code == 200
    found = re.findall(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}", shown.text)
    assert len(set(found)) == 2
    assert shown.text.count("gh-qr") == 2
    bound = [row["body"] for row in fitting.seed.rows(schema.command)]
    assert [item["action"] for item in bound] == ["bind-passphrase"] * 2
    assert {item["key_id"] for item in bound} == {row["key_id"] for row in fitting.seed.rows(schema.install_key)}
    everything = str([fitting.seed.rows(table) for table in schema.metadata.sorted_tables])
    assert not [one for one in found if one in everything]
    again = fitting.post(officer, page, page, name="Home", devices="black phone", token=token)
    assert again.status_code == 422
    assert "cannot be shown again" in again.text
    after = officer.get(page).text
    assert "black phone" in after
    assert found[0] not in after


def test_guests_cards_end_and_bad_names_come_back(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    page = f"{at}/wifi"
    assert fitting.post(officer, page, page, name="Home", devices="sofa", guest="yes").status_code == 200
    (row,) = fitting.seed.rows(schema.command)
    assert row["body"]["purpose"] == "guest"
    assert row["body"]["until"].startswith("2026-01-28")
    for values in ({"name": "x" * 33}, {"name": ""}, {"devices": ""}, {"devices": "a\n" * 13}, {"devices": "x" * 61}):
        assert fitting.post(officer, page, page, **({"name": "Home", "devices": "a"} | values)).status_code == 422


@pytest.mark.req("R55", "R56")
def test_ten_devices_are_confirmed_in_one_submit(officer: FlaskClient, fitting: Any) -> None:
    at = claimed(officer, fitting)
    fitting.speak()
    assert officer.get(f"{at}/devices").text.count("Do this first")
    fitting.post(officer, f"{at}/connect", f"{at}/connect", upstream="yes")
    assert "told of no device" in officer.get(f"{at}/devices").text
    for number in range(10):
        fitting.seed.device(f"dev-{number}", site="box-7")
    page = f"{at}/devices"
    fields = {}
    for number in range(10):
        fields[f"standing-dev-{number}"] = "household" if number else "registered"
        fields[f"token-dev-{number}"] = f"{number:02x}" * 16
        fields[f"label-dev-{number}"] = f"device {number}"
    assert "Select whose at least one" in fitting.post(officer, page, page, reason="Shown to me").text
    assert "Enter the reason" in fitting.post(officer, page, page, **fields).text
    bad = fitting.post(officer, page, page, **(fields | {"standing-dev-3": "king", "reason": "Shown to me"}))
    assert bad.status_code == 422
    assert "device 4" in bad.text
    assert fitting.seed.rows(schema.command) == []
    assert fitting.post(officer, page, page, reason="Shown to me", **fields).status_code == 303
    assert len(fitting.seed.rows(schema.command)) == 10
    assert fitting.post(officer, page, page, reason="Shown to me", **fields).status_code == 303
    assert len(fitting.seed.rows(schema.command)) == 10
    assert "Private Wi-Fi Address" in officer.get(page).text


@pytest.mark.req("R6")
def test_a_box_is_taken_away_after_its_recording_was_ended(officer: FlaskClient, fitting: Any) -> None:
    fitting.seed.site("site-1")
    answer = fitting.post(officer, "/install", "/install", kind="removal", site="site-1")
    at = answer.location
    assert "Cannot start yet" in officer.get(at).text
    assert fitting.post(officer, at, f"{at}/collect").status_code == 409
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="").status_code == 422
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended").status_code == 303
    (row,) = fitting.seed.rows(schema.command)
    assert row["body"]["action"] == "withdraw-consent"
    page = officer.get(f"{at}/end").text
    assert "/commands/" in page
    assert f'action="{at}/end"' not in page
    fitting.answer("withdraw-consent", state="expired")
    page = officer.get(f"{at}/end").text
    assert "has not said that it stopped" in page
    assert f'action="{at}/end"' in page
    assert "has not said that it stopped" in officer.get(f"{at}/collect").text
    assert fitting.post(officer, f"{at}/end", f"{at}/end", reason="The order has ended").status_code == 303
    assert fitting.post(officer, f"{at}/collect", f"{at}/collect", done=["box", "cards"]).status_code == 422
    done = ["router", "told", "cards", "box"]
    assert fitting.post(officer, f"{at}/collect", f"{at}/collect", done=done).location == at
    assert fitting.seed.rows(schema.install)[0]["state"] == "done"
    assert fitting.post(officer, "/install", "/install", kind="removal", site="nowhere").status_code == 404
