"""`household.toml`: what is wrong is said with its place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.household import Household, as_toml, load
from wire.files import FileError

GOOD = """
[lan]
bridge = "br-lan"
address = "192.0.2.1"
network = "192.0.2.0/24"
network6 = "2001:db8:1::/64"
[wan]
interface = "wan0"
[resolver]
upstream = ["203.0.113.10"]
"""


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "household.toml"
    path.write_text(GOOD)
    household = load(path)
    assert str(household.lan.network6[1]) == "2001:db8:1::1"
    assert household.notice_port == 80


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('address = "192.0.2.1"', 'address = "198.51.100.1"', "is not in network"),
        ('address = "192.0.2.1"', 'address = "192.0.2.255"', "may have"),
        ('"203.0.113.10"', '"192.0.2.1"', "names this router itself"),
        ('"203.0.113.10"', '"2001:db8:1::1"', "names this router itself"),
        ('"203.0.113.10"', '"resolver.example"', "upstream"),
        ("[lan]", "notice_port = 53\n[lan]", "is a resolver's"),
        ('network6 = "2001:db8:1::/64"', 'network6 = "2001:db8:1::/56"', "must be a /64"),
        ('interface = "wan0"', 'interface = "wan0; drop"', "wan.interface"),
        ("[wan]", "[wam]", "wam: Extra inputs"),
        ("upstream =", "upstream", "not valid TOML"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "household.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(FileError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


WIFI = """
[wifi]
ssid = "Example"
country = "GB"
radios = [{ interface = "wlan0" }]
"""


@pytest.mark.req("R5")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('interface = "wan0"', 'interface = "ppp0"\nkind = "pppoe"', "needs port"),
        ('interface = "wan0"', 'interface = "eth0"\nkind = "pppoe"\nport = "eth1"\nuser = "u"', "call it ppp0"),
        ('interface = "wan0"', 'interface = "wan0"\nuser = "u"', "are for pppoe"),
        ('interface = "wan0"', 'interface = "ppp0"\nkind = "pppoe"\nport = "eth0"\nuser = "a\\"b"', "wan.user"),
        ('interface = "wan0"', 'interface = "wan0"\nkind = "dial-up"', "wan.kind"),
        ('interface = "wan0"', 'interface = "wlan0"', "one interface has two tasks"),
        ('interface = "wlan0"', 'interface = "wlan0", channel = 14', "channel 14 is none of the 2.4 GHz band"),
        (
            'interface = "wlan0"',
            'interface = "wlan0", band = "5", channel = 52',
            "channel 52 is none of the 5 GHz band",
        ),
        ('interface = "wlan0" }', 'interface = "wlan0" }, { interface = "wlan0", channel = 1 }', "same interface"),
        ('ssid = "Example"', 'ssid = "Example\\nwpa=0"', "wifi.ssid"),
        ('ssid = "Example"', 'ssid = "' + "\u00e9" * 17 + '"', "more than 32 octets"),
        ('country = "GB"', 'country = "gb"', "wifi.country"),
        ('country = "GB"', 'country = "GB"\npassphrase_file = "wifi.psk"', "wifi.passphrase_file"),
        ('country = "GB"', 'country = "GB"\nsecurity = "wpa2-wpa3"\npmf = "off"', "needs pmf"),
        ("[wifi]", '[admin]\nengineer_keys = ["ssh-rsa AAAA"]\n[wifi]', "engineer_keys"),
        ("[wifi]", '[time]\nservers = ["time.example.org iburst"]\n[wifi]', "time.servers"),
        ("[wifi]", "[time]\nservers = []\n[wifi]", "time.servers"),
        ('network6 = "', 'mac = "00:00:5e:00:53:01"\nnetwork6 = "', "lan.mac"),
    ],
)
def test_a_fault_of_wifi_or_way_out_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "household.toml"
    assert old in GOOD + WIFI
    path.write_text((GOOD + WIFI).replace(old, new, 1))
    with pytest.raises(FileError, match=said):
        load(path)


def test_a_file_of_before_says_nothing_of_wifi_and_has_none(tmp_path: Path) -> None:
    path = tmp_path / "household.toml"
    path.write_text(GOOD)
    household = load(path)
    assert household.wifi is None
    assert household.wan.kind == "dhcp"
    assert household.admin.engineer_keys == ()
    assert household.resolver.dnssec == "off"


def test_the_example_in_the_documents_is_whole(root: Path) -> None:
    example = load(root / "docs" / "household.example.toml")
    text = (root / "docs" / "household.example.toml").read_text()
    for section in (example, example.lan, example.wan, example.resolver, example.wifi, example.time, example.admin):
        assert section is not None
        for name in type(section).model_fields:
            assert name in text, name


_NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn", "Co", "Cf")), min_size=1, max_size=8)


@given(ssid=_NAMES, user=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, ssid: str, user: str) -> None:
    raw = tomllib.loads(GOOD + WIFI)
    raw["wifi"]["ssid"] = ssid
    raw["wan"] = {"interface": "ppp0", "kind": "pppoe", "port": "eth0", "user": user}
    try:
        household = Household.model_validate(raw)
    except ValueError:
        assert not ssid.isprintable() or len(ssid.encode()) > 32 or set(user) & {'"', chr(92)}
        return
    path = tmp_path_factory.mktemp("home") / "household.toml"
    path.write_text(as_toml(household), encoding="utf-8")
    assert load(path) == household


def test_a_missing_file_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="give the router's household file"):
        load(tmp_path / "nowhere.toml")
