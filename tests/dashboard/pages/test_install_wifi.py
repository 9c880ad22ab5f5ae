from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient

from dashboard.enrol.line import open_uplink
from dashboard.pages.desk import Desk
from dashboard.settings import Boxes
from dashboard.store import schema
from wire.keys import public_text
from wire.wifi import open_passphrase

FRESH = r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}"


def _everything(fitting: Any) -> str:
    return str([fitting.seed.rows(table) for table in schema.metadata.sorted_tables])


def _opened(fitting: Any) -> dict[str, str]:
    """As the box reads it, by id."""
    return {
        row["key_id"]: open_passphrase(row["sealed"], site="box-7", key_id=row["key_id"], recipient=fitting.sealing)
        for row in fitting.seed.rows(schema.wifi_key)
    }


@pytest.mark.req("R2")
def test_the_homes_own_passphrase_goes_to_the_box_and_nobody_else_can_read_it(
    officer: FlaskClient, fitting: Any
) -> None:
    fitting.claim(officer)
    at = f"{fitting.install}/wifi"
    assert "Wi-Fi name has 1 to 32" in fitting.home(officer, name="").text
    assert "8 to 63" in fitting.home(officer, passphrase="short").text
    again = fitting.home(officer, name="x" * 33, passphrase="the words of this home").text
    assert "the words of this home" not in again, "a passphrase never comes back"
    assert fitting.home(officer).status_code == 303
    assert _opened(fitting) == {"household": "the words of this home"}
    assert "the words of this home" not in _everything(fitting)
    page = officer.get(at).text
    assert "the words of this home" not in page
    assert "Waits for the box" in page
    assert "The box gets all of this when it is set up" in page
    assert fitting.home(officer, name="Home 2", passphrase="").status_code == 303
    assert _opened(fitting) == {"household": "the words of this home"}, "an empty field keeps it"
    assert fitting.seed.rows(schema.wifi)[0]["ssid"] == "Home 2"


@pytest.mark.req("R2")
def test_where_the_home_has_no_passphrase_one_is_made_and_shown_once(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    shown = fitting.home(officer, passphrase="")
    assert shown.status_code == 200
    (found,) = set(re.findall(FRESH, shown.text))
    assert "For everybody who lives here" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert _opened(fitting) == {"household": found}
    assert found not in _everything(fitting)
    assert fitting.home(officer, passphrase="").status_code == 303
    assert _opened(fitting) == {"household": found}


@pytest.mark.req("N9")
def test_passphrases_are_shown_once_and_are_readable_for_the_box_alone(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    page, token = f"{fitting.install}/wifi", "ef" * 16
    first = fitting.post(officer, page, page, devices="black phone", token=token)
    assert "Enter the home" in first.text, "a card holds the Wi-Fi's name"
    fitting.home(officer)
    shown = fitting.post(officer, page, page, devices="black phone\nlaptop\n", token=token)
    assert shown.status_code == 200
    found = set(re.findall(FRESH, shown.text))
    assert len(found) == 2
    assert shown.text.count("gh-qr") == 2
    opened = _opened(fitting)
    assert found == {value for key, value in opened.items() if key != "household"}
    assert {row["key_id"] for row in fitting.seed.rows(schema.install_key)} == set(opened) - {"household"}
    assert not [one for one in found if one in _everything(fitting)]
    again = fitting.post(officer, page, page, devices="black phone", token=token)
    assert again.status_code == 422
    assert "cannot be shown again" in again.text
    after = officer.get(page).text
    assert "black phone" in after
    assert not [one for one in found if one in after]


def test_guests_cards_end_and_bad_devices_come_back(officer: FlaskClient, fitting: Any) -> None:
    fitting.claim(officer)
    fitting.home(officer)
    page = f"{fitting.install}/wifi"
    assert fitting.post(officer, page, page, devices="sofa", guest="yes").status_code == 200
    (row,) = [row for row in fitting.seed.rows(schema.wifi_key) if row["key_id"] != "household"]
    assert (row["purpose"], row["until"]) == ("guest", fitting.clock.at + 14 * 86400)
    assert "Until 28 January 2026" in officer.get(page).text
    for values in ({"devices": ""}, {"devices": "a\n" * 13}, {"devices": "x" * 61}, {"token": "short"}):
        assert fitting.post(officer, page, page, **({"devices": "a"} | values)).status_code == 422


@pytest.mark.req("R5")
def test_what_a_provider_gave_for_the_line_is_sealed_to_the_desk(
    officer: FlaskClient, fitting: Any, app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    fitting.claim(officer)
    page = f"{fitting.install}/wifi"
    line = f"{page}/line"
    assert "first" in fitting.post(officer, page, line, kind="dhcp").text
    fitting.home(officer)
    given = {"kind": "pppoe", "user": "line@provider.example", "password": "secret-of-the-line"}
    assert "cannot keep it safely" in fitting.post(officer, page, line, **given).text
    assert "User name of the line" not in officer.get(page).text
    opener = X25519PrivateKey.generate()
    _settings(
        app,
        monkeypatch,
        Boxes(
            enrol_url="https://desk.example.org",
            ca=tmp_path / "ca.pem",
            server_verify=("a",),
            release_keys=("a",),
            uplink_seal=public_text(opener),
        ),
    )
    assert "User name of the line" in officer.get(page).text
    wrong = fitting.post(officer, page, line, **(given | {"password": ""}))
    assert "as the provider gave it" in wrong.text
    assert fitting.post(officer, page, line, kind="pigeon").status_code == 422
    for user in ('a"b', "a\\b", "a b"):
        assert fitting.post(officer, page, line, **(given | {"user": user})).status_code == 422, "no box would take it"
    assert fitting.post(officer, page, line, **given).status_code == 303
    (row,) = fitting.seed.rows(schema.wifi)
    assert row["uplink"] == "pppoe"
    assert open_uplink(row["uplink_sealed"], site="box-7", recipient=opener) == {
        "user": "line@provider.example",
        "password": "secret-of-the-line",
    }
    assert "secret-of-the-line" not in _everything(fitting)
    assert "line@provider.example" not in _everything(fitting)
    assert fitting.post(officer, page, line, **(given | {"kind": "modem"})).status_code == 303, (
        "a stick dials by itself"
    )
    assert fitting.seed.rows(schema.wifi)[0]["uplink_sealed"] is None
    fitting.speak()
    assert "The home&#39;s way to the internet" not in officer.get(page).text, "a box at work has its way already"
    assert fitting.post(officer, page, line, **given).status_code == 409


def _settings(app: Flask, monkeypatch: pytest.MonkeyPatch, boxes: Boxes) -> None:
    at_desk = app.extensions["gatehouse"]
    assert isinstance(at_desk, Desk)
    changed = at_desk.settings.model_copy(update={"boxes": boxes})
    monkeypatch.setitem(app.extensions, "gatehouse", _replaced(at_desk, changed))


def _replaced(at_desk: Desk, settings: Any) -> Desk:
    make: Callable[..., Desk] = type(at_desk)
    return make(**{name: getattr(at_desk, name) for name in at_desk.__dataclass_fields__} | {"settings": settings})
