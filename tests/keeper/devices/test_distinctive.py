from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.devices import likelihoods
from appliance.keeper.devices.distinctive import distinctive
from appliance.traits import Sort, Trait, sort

SURE, OWN = likelihoods.IDENTIFIER_SURE, likelihoods.NAME_OF_ITS_OWN


@pytest.mark.req("R47")
@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "iPhone",
        "iPad (2)",
        "android",
        "localhost",
        "Galaxy-S24-Ultra",
        "SM-X000B",
        "Pixel-8",
        "MacBook-Pro-3",
        "redmi-note-12",
        "DCS-930L",
        "HS110",
        "LGwebOSTV",
        "XBOXONE",
        "Chromecast",
        "raspberrypi",
        "samsung",
        "PC",
    ],
)
def test_names_that_makers_give_tell_no_two_devices_apart(name: str) -> None:
    assert distinctive(Trait.DHCP4_HOST_NAME, name) <= 0.05


@pytest.mark.req("R17")
@pytest.mark.parametrize(
    "name",
    [
        "DESKTOP-A1B2C3D",
        "LAPTOP-0Z9Y8X7W",
        "android-6f3e1a2b3c4d5e6f",
        "ESP_A1B2C3",
        "amazon-3f2a9c1b7",
        "Chromecast-1234567890abcdef",
        "12345678-9abc-4def-8123-456789abcdef",
    ],
)
def test_names_with_a_number_of_their_own_do(name: str) -> None:
    assert distinctive(Trait.DHCP4_HOST_NAME, name) >= 0.9


@pytest.mark.req("R17", "R47")
def test_a_given_name_is_worth_less_than_a_name_somebody_thought_of() -> None:
    given_name = {distinctive(Trait.MDNS_HOST, name) for name in ("Robins-iPhone", "Robin's iPad", "iPhone von Robin")}
    thought_of = {
        distinctive(Trait.MDNS_HOST, name) for name in ("sparrow", "smith-laptop", "Küchenradio")
    }  # codespell:ignore
    assert max(given_name) < min(thought_of)
    assert min(given_name) >= OWN


@pytest.mark.req("N8")
@pytest.mark.parametrize(
    ("trait", "value", "sure"),
    [
        (Trait.DHCP6_DUID, "000100012c3d4e5f02005e100101", True),
        (Trait.DHCP6_DUID, "00020000ab11a1b2c3d4e5f60718", True),
        (Trait.DHCP6_DUID, "0003000102005e100101", True),
        (Trait.DHCP6_DUID, "00030001000000000000", False),
        (Trait.DHCP6_DUID, "0004" + "1c" * 16, True),
        (Trait.DHCP6_DUID, "0004" + "ff" * 16, False),
        (Trait.DHCP6_DUID, "0004", False),
        (Trait.DHCP6_DUID, "0099a1b2c3d4e5f60718", False),
        (Trait.DHCP4_CLIENT_ID, "ff5e10010100020000ab11a1b2c3d4e5f60718", True),
        (Trait.DHCP4_CLIENT_ID, "00" + b"iPhone".hex(), False),
        (Trait.DHCP4_CLIENT_ID, "00zz", False),
        (Trait.DHCP4_CLIENT_ID, "02a1b2c3d4e5f6", True),
        (Trait.DHCP4_CLIENT_ID, "02000000000000", False),
        (Trait.IP6_INTERFACE_ID, "a1b2c3d4e5f60718", True),
        (Trait.IP6_INTERFACE_ID, "0000000000000001", False),
        (Trait.IP6_INTERFACE_ID, "no number", False),
        (Trait.MDNS_ID, "homekit:A1:B2:C3:D4:E5:F6", True),
        (Trait.MDNS_ID, "cast:0f1e2d3c4b5a69788796a5b4c3d2e1f0", True),
        (Trait.MDNS_ID, "cast:1", False),
        (Trait.SSDP_UUID, "2f402f80-da50-11e1-9b23-02005e100101", True),
        (Trait.SSDP_UUID, "12345678-1234-1234-1234-123456789abc", False),
        (Trait.SSDP_UUID, "00000000-0000-0000-0000-000000000000", False),
        (Trait.WIFI_KEY, "household", False),
    ],
)
def test_identifiers_count_only_where_they_are_one_device_s_own(trait: Trait, value: str, sure: bool) -> None:
    assert (distinctive(trait, value) >= SURE) is sure


@given(st.sampled_from(Trait), st.text(max_size=600))
def test_any_value_gives_a_number_from_0_to_1(trait: Trait, value: str) -> None:
    worth = distinctive(trait, value)
    assert 0.0 <= worth <= 1.0
    if sort(trait) is Sort.HABIT:
        assert worth < OWN
