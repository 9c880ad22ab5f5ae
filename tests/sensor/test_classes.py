from __future__ import annotations

import pytest

from appliance.sensor.classes import _TABLE, CLASSES, name_class


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
