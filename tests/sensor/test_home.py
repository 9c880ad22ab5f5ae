from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from appliance.sensor.home import Home, load

LAN = Home((ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/64")))


@pytest.mark.parametrize(
    ("address", "home", "beyond"),
    [
        ("192.0.2.9", True, False),
        ("2001:db8:1::9", True, False),
        ("fe80::1", True, False),
        ("169.254.3.4", True, False),
        ("239.255.255.250", True, False),
        ("ff02::fb", True, False),
        ("255.255.255.255", True, False),
        ("127.0.0.1", True, False),
        ("no address", True, False),
        ("192.168.1.1", False, False),
        ("fd00::1", False, False),
        ("100.64.0.1", False, False),
        ("198.51.100.9", False, True),
        ("2001:db8:2::9", False, True),
    ],
)
def test_home_and_beyond(address: str, home: bool, beyond: bool) -> None:
    assert (LAN.is_home(address), LAN.is_beyond(address)) == (home, beyond)


def test_without_networks_what_is_private_is_somebodys_home() -> None:
    anywhere = Home()
    assert anywhere.is_home("192.168.1.1")
    assert anywhere.is_home("fd00::1")
    assert not anywhere.is_home("192.0.2.9")


def test_the_households_file_says_its_networks(tmp_path: Path) -> None:
    path = tmp_path / "household.toml"
    path.write_text('[lan]\nbridge = "br-lan"\nnetwork = "192.0.2.0/24"\nnetwork6 = "2001:db8:1::/64"\n')
    assert load(path).networks == LAN.networks


@pytest.mark.parametrize("text", ["", "[lan]\n", '[lan]\nnetwork = 5\nnetwork6 = "x"\n', "[[", "\x00"])
def test_a_file_that_does_not_say_them_leaves_them_unknown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "household.toml"
    path.write_text(text)
    assert load(path).networks == ()
    assert load(tmp_path / "none.toml").networks == ()
