from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.sensor.classes import _PLATFORM_OF, _TABLE, CLASSES, PLATFORMS, name_class, platform, platforms
from appliance.traits import Sort, Trait, sort


def test_the_classes_are_the_closed_six() -> None:
    assert {"push", "captive", "time", "update", "resolver", "relay"} == CLASSES


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("captive.apple.com", "captive"),
        ("1-courier.push.apple.com", "push"),
        ("2.debian.pool.ntp.org", "time"),
        ("_dns.resolver.arpa", "resolver"),
        ("mask.icloud.com", "relay"),
    ],
)
def test_itself_and_the_names_below(name: str, found: str) -> None:
    assert name_class(name) == found


@pytest.mark.req("R24")
@pytest.mark.parametrize(
    "name", ["", "com", "apple.com", "notcaptive.apple.com", "push.apple.com.example", "dns.google.example"]
)
def test_whole_labels_only_and_never_above(name: str) -> None:
    assert name_class(name) is None


def test_every_entry_is_in_the_one_spelling() -> None:
    for suffixes in _TABLE.values():
        for suffix in suffixes:
            assert suffix == suffix.lower().strip(".")
            assert "." in suffix
            assert name_class(f"a.b.{suffix}") == name_class(suffix)


@pytest.mark.req("R12")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("captive.apple.com", "apple"),
        ("swscan.apple.com", "apple-mac"),
        ("a.b.logs.roku.com", "roku"),
        ("dus01.ps5.update.playstation.net", "playstation"),
        ("fp2e7a.wpc.windowsupdate.com", "windows"),
    ],
)
def test_a_platform_and_the_names_below(name: str, found: str) -> None:
    assert platform(name) == found


@pytest.mark.req("R24")
@pytest.mark.parametrize(
    "name",
    ["", "com", "apple.com", "www.apple.com", "roku.com", "www.roku.com", "nintendo.net", "captive.apple.com.example"],
)
def test_a_makers_own_pages_say_no_platform(name: str) -> None:
    assert platform(name) is None


def test_a_platform_is_a_habit_that_a_makers_devices_share() -> None:
    assert sort(Trait.PLATFORM) is Sort.HABIT


def test_every_platform_entry_is_in_the_one_spelling_and_stands_once() -> None:
    names = [name for entry in platforms() for name in entry.names]
    assert len(names) == len(set(names))
    assert len({entry.value for entry in platforms()}) == len(platforms())
    for name in names:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])", name), name
        assert "." in name
        assert platform(f"a.b.{name}") == platform(name) == _PLATFORM_OF[name]
        covered = [other for other in names if name.endswith("." + other)]
        assert not covered, f"{name} stands under {covered}"


@pytest.mark.req("R55")
def test_no_platform_entry_is_a_web_site_of_its_own() -> None:
    """A name that a person types is a look-up of a person; these two `www.` are connection checks."""
    checks = {"www.msftconnecttest.com", "www.msftncsi.com"}
    assert {name for name in _PLATFORM_OF if name.startswith(("www.", "shop.", "store.", "support."))} == checks


def test_the_head_of_the_file_lists_the_values(root: Path) -> None:
    text = (root / "appliance" / "sensor" / "platforms.toml").read_text(encoding="utf-8")
    head = text.split("\nversion = ")[0]
    listed = set(re.findall(r"[a-z0-9-]+", head.split("Values, by what they speak of:")[1]))
    headings = {
        "systems",
        "phones",
        "screens",
        "amazon",
        "readers",
        "games",
        "sound",
        "home",
        "wearables",
        "printers",
        "network",
    }
    assert listed - headings == PLATFORMS
