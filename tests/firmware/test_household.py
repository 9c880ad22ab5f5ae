"""`household.toml`: what is wrong is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.household import load
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


def test_a_missing_file_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="give the router's household file"):
        load(tmp_path / "nowhere.toml")
