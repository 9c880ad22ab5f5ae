from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from dashboard.pages import uplink_words as module
from wire.box import BoxStatus, Storage, UplinkState, WifiState

AT = datetime(2026, 3, 1, tzinfo=UTC)


def _said(**values: Any) -> BoxStatus:
    return BoxStatus(online=True, at=AT, **values)


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Any:
    with app.test_request_context():
        yield


@pytest.mark.req("R5", "R10")
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"cable": True, "address": True, "names": True}, ""),
        ({"cable": False, "address": False}, "socket marked INTERNET"),
        ({"kind": "modem", "cable": False}, "mobile stick"),
        ({"cable": True, "address": False}, "Turn the router off and on"),
        ({"kind": "pppoe", "cable": True, "address": False}, "user name and password"),
        ({"kind": "pppoe", "cable": True, "address": False, "login": False}, "does not take the line's user name"),
        ({"kind": "pppoe", "cable": True, "login": False}, "does not take the line's user name"),
        ({"kind": "pppoe", "cable": True, "address": False, "login": True}, "takes the user name and password, but"),
        ({"kind": "pppoe", "cable": True, "address": True, "login": True}, ""),
        ({"cable": True, "address": True, "names": False}, "call the provider"),
    ],
)
def test_what_is_wrong_is_said_with_its_fix(values: dict[str, Any], said: str) -> None:
    text = module.uplink_trouble(UplinkState(**values))
    assert (text == "") is (said == "")
    assert said in text


@pytest.mark.req("R9")
def test_what_a_box_does_not_say_is_said_to_be_unsaid() -> None:
    said = _said()
    assert {module.uplink(said), module.wifi(said), module.storage(said)} == {"The box does not say"}
    assert module.uplink_trouble(None) == module.wifi_trouble(None) == module.storage_trouble(None) == ""
    assert module.upstream_wifi(None)[1] == "wait"
    assert module.upstream_wifi(UplinkState(upstream_wifi=True))[1] == "fail"


@pytest.mark.req("R9")
def test_a_storage_that_fails_or_fills_is_said() -> None:
    well = Storage(size=1000 * module.MIB, free=500 * module.MIB, encrypted="board-key")
    assert module.storage(_said(storage=well)) == "500 of 1000 MB are free, locked with a key inside the box"
    assert "nearly full" in module.storage_trouble(well.model_copy(update={"free": 10 * module.MIB}))
    assert "has faults" in module.storage_trouble(well.model_copy(update={"errors": 1}))
    assert module.storage_trouble(Storage(size=0, free=0)) == ""


def test_the_wifi_and_the_way_out_are_one_line_each() -> None:
    assert module.wifi(_said(wifi=WifiState(up=True, stations=1, passphrases=3))) == (
        "On, 1 device is joined, 3 passphrases"
    )
    assert module.wifi(_said(wifi=WifiState(up=False))) == "Off"
    assert "Pull its plug" in module.wifi_trouble(WifiState(up=False))
    line = module.uplink(_said(uplink=UplinkState(kind="modem", cable=False, upstream_wifi=True)))
    assert line.startswith("Mobile stick. The box does not find its mobile stick")
    assert line.endswith("The router's own Wi-Fi is still on.")


@pytest.mark.req("R57")
def test_how_many_devices_were_at_their_limit_is_said_and_not_which() -> None:
    assert module.at_limit(_said()) == "The box does not say"
    assert module.at_limit(_said(at_limit=0)) == "None in the last minutes"
    assert module.at_limit(_said(at_limit=1)) == (
        "1 device had as many connections at once as one may have. More are refused, so that the other devices go on"
    )
    assert module.at_limit(_said(at_limit=3)).startswith("3 devices had")
