from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from dashboard.pages import wifi_forms


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Any:
    with app.test_request_context():
        yield


@pytest.mark.req("R2")
@pytest.mark.parametrize(
    ("passphrase", "well"),
    [("", True), ("8 letter", True), ("x" * 63, True), ("x" * 64, False), ("short", False), ("p\u00e4ssphrase", False)],
)
def test_a_passphrase_is_what_an_access_point_takes(passphrase: str, well: bool) -> None:
    read, errors = wifi_forms.read_home({"name": "Home", "passphrase": passphrase, "wpa3": "yes"})
    assert (errors == ()) is well
    assert (read.ssid, read.passphrase, read.wpa3, read.isolation) == ("Home", passphrase, True, False)


def test_a_name_is_counted_in_octets() -> None:
    assert wifi_forms.read_home({"name": "\u00e4" * 16})[1] == ()
    assert wifi_forms.read_home({"name": "\u00e4" * 17})[1] != ()


def test_one_device_a_line_and_not_too_many() -> None:
    read, errors = wifi_forms.read_cards({"devices": " black  phone \n\nlaptop\n", "guest": "yes"})
    assert (read.labels, read.guest, errors) == (("black phone", "laptop"), True, ())
    assert wifi_forms.read_cards({"devices": "a\n" * (wifi_forms.MOST_CARDS + 1)})[1] != ()
