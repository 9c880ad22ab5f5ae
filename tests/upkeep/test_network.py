"""Another Wi-Fi, asked for by the keeper and put in force by root."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.cli.serve_request import HANDLERS
from appliance.requests import RefusedError, RequestName, SetNetworkRequest
from appliance.upkeep.network import change
from firmware import household

pytestmark = pytest.mark.req("R57")

HOME = """
[lan]
bridge = "br0"
address = "192.0.2.1"
network = "192.0.2.0/24"
network6 = "2001:db8:1::/64"
lease_seconds = 900
[wan]
interface = "eth0"
[resolver]
upstream = ["203.0.113.53"]
"""
WIFI = """
[wifi]
ssid = "Before"
country = "GB"
pmf = "off"
radios = [{ interface = "wlan0", channel = 6 }]
"""


def request(**changes: object) -> SetNetworkRequest:
    return SetNetworkRequest.model_validate({"request_id": "c-1", "at": 1.9e9, "ssid": "Example Home"} | changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "household.toml"
    made.write_text(HOME + WIFI)
    return made


def well(_words: Sequence[str]) -> int:
    return 0


def test_three_values_change_and_nothing_else(path: Path) -> None:
    before, text = household.load(path), path.read_bytes()
    asked: list[Sequence[str]] = []
    new: list[household.Household] = []

    def run(words: Sequence[str]) -> int:
        asked.append(words)
        new.append(household.load(Path(words[-1])))
        return 0

    change(request(isolation=True), path, run=run)
    assert path.read_bytes() == text, "who puts it in force puts it there"
    (after,) = new
    assert after.wifi is not None
    assert (after.wifi.ssid, after.wifi.isolation) == ("Example Home", True)
    assert before.wifi is not None
    assert after == before.model_copy(
        update={"wifi": before.wifi.model_copy(update={"ssid": "Example Home", "isolation": True})}
    )
    assert asked[0][1:-1] == ["apply", "--household", str(path), "--new"]
    assert list(path.parent.iterdir()) == [path]


def test_what_does_not_work_is_refused(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="in force again"):
        change(request(), path, run=lambda _words: 1)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_is_so_already_is_left_alone(path: Path) -> None:
    change(request(ssid="Before"), path, run=lambda _words: pytest.fail("nothing was to be applied"))


def test_settings_that_do_not_go_together_are_refused(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="do not go together"):
        change(request(security="wpa2-wpa3"), path, run=well)
    assert path.read_bytes() == before


def test_a_home_by_cable_is_given_no_wifi(path: Path) -> None:
    path.write_text(HOME)
    with pytest.raises(RefusedError, match="no Wi-Fi"):
        change(request(), path, run=well)


def test_a_file_that_is_none_is_left_alone(path: Path) -> None:
    path.write_text("nonsense")
    with pytest.raises(RefusedError, match="cannot be used"):
        change(request(), path, run=well)
    assert path.read_text() == "nonsense"


def test_the_keepers_request_comes_here() -> None:
    assert HANDLERS[RequestName.SET_NETWORK] == "appliance.upkeep.network:set_network"
