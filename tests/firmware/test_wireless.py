"""The Wi-Fi: what each setting becomes, and that nothing in a name adds a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firmware import layout, render, wireless
from firmware.household import CHANNELS, Household, Wifi
from firmware.wireless import Secrets, WirelessError, household_passphrase

RADIO = wireless.path("wlan0")


def settings(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = dict(line.split("=", 1) for line in lines)
    assert len(found) == len(lines), "no setting twice"
    return found


def with_wifi(home: Household, **values: object) -> Household:
    raw = home.model_dump(mode="json")
    raw["wifi"] = raw["wifi"] | values
    return Household.model_validate(raw)


@pytest.mark.req("N9")
def test_passphrases_come_from_the_wardens_file_and_who_joins_is_told_to_the_warden(
    homes: dict[str, Household],
) -> None:
    said = settings(wireless.render(homes["wifi"], Secrets())[RADIO])
    assert said["wpa_psk_file"] == layout.PASSPHRASE_FILE
    assert said["ctrl_interface"] == "/run/hostapd"
    assert said["ctrl_interface_group"] == str(layout.UIDS["warden"])
    assert said["wpa_key_mgmt"] == "WPA-PSK"
    assert said["rsn_pairwise"] == "CCMP"
    assert said["wpa"] == "2"
    assert said["ieee80211w"] == "1"
    assert not {"wpa_passphrase", "sae_password", "wpa_pairwise", "wps_state"} & set(said)


@pytest.mark.req("R55")
def test_who_joins_is_not_written_into_the_journal(homes: dict[str, Household]) -> None:
    said = settings(wireless.render(homes["wifi"], Secrets())[RADIO])
    assert said["logger_syslog_level"] == said["logger_stdout_level"] == "4"  # warnings


def test_wpa3_stands_beside_wpa2_and_its_cost_is_said(homes: dict[str, Household], secrets: Secrets) -> None:
    text = wireless.render(homes["wpa3"], secrets)[RADIO]
    said = settings(text)
    assert said["wpa_key_mgmt"] == "WPA-PSK SAE"
    assert said["sae_password"] == secrets.passphrase
    assert said["sae_require_mfp"] == "1"
    assert "Its cost" in text


def test_wpa3_takes_no_passphrase_that_hostapd_would_cut(homes: dict[str, Household]) -> None:
    with pytest.raises(WirelessError, match="has a part"):
        wireless.render(homes["wpa3"], Secrets(passphrase="long enough|id=other"))


@pytest.mark.parametrize(
    ("pmf", "number", "keys"),
    [("off", "0", "WPA-PSK"), ("optional", "1", "WPA-PSK"), ("required", "2", "WPA-PSK WPA-PSK-SHA256")],
)
def test_protected_management_frames_are_a_setting(
    homes: dict[str, Household], pmf: str, number: str, keys: str
) -> None:
    said = settings(wireless.render(with_wifi(homes["wifi"], pmf=pmf), Secrets())[RADIO])
    assert (said["ieee80211w"], said["wpa_key_mgmt"]) == (number, keys)


def test_isolation_is_a_setting(homes: dict[str, Household]) -> None:
    for wanted, number in ((True, "1"), (False, "0")):
        said = settings(wireless.render(with_wifi(homes["wifi"], isolation=wanted), Secrets())[RADIO])
        assert said["ap_isolate"] == number


def test_each_channel_of_5_ghz_is_as_wide_as_its_block_allows(homes: dict[str, Household]) -> None:
    wide = {}
    for channel in CHANNELS["5"]:
        radios = [{"interface": "wlan0", "band": "5", "channel": channel}]
        said = settings(wireless.render(with_wifi(homes["wifi"], radios=radios), Secrets())[RADIO])
        wide[channel] = (said["ht_capab"][:7], said.get("vht_oper_centr_freq_seg0_idx"))
    assert wide[36] == wide[44] == ("[HT40+]", "42")
    assert wide[40] == wide[48] == ("[HT40-]", "42")
    assert wide[149] == wide[157] == ("[HT40+]", "155")
    assert wide[153] == wide[161] == ("[HT40-]", "155")
    assert wide[165] == ("[SHORT-", None)


@given(name=st.text(min_size=1, max_size=32))
def test_no_name_of_a_wifi_adds_a_line(name: str) -> None:
    try:
        wifi = Wifi.model_validate({"ssid": name, "country": "GB", "radios": [{"interface": "wlan0"}]})
    except ValidationError:
        assert not name.isprintable() or len(name.encode("utf-8", "replace")) > 32
        return
    home = Household.model_validate(
        {
            "lan": {"bridge": "b", "address": "192.0.2.1", "network": "192.0.2.0/24", "network6": "fd00:1::/64"},
            "wan": {"interface": "w"},
            "resolver": {"upstream": ["203.0.113.1"]},
            "wifi": wifi.model_dump(mode="json"),
        }
    )
    said = settings(wireless.render(home, Secrets())[RADIO])
    assert bytes.fromhex(said["ssid2"]).decode() == name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("keyid=household 00:00:00:00:00:00 correct horse battery\n", "correct horse battery"),
        ("# a line\nkeyid=laptop 00:00:00:00:00:00 other one\nkeyid=household 00:00:00:00:00:00 the = one 1\n", "the = one 1"),
        ("keyid=laptop 00:00:00:00:00:00 keyid=household 00:00:00:00:00:00 x\n", None),
        ("keyid=household 00:00:00:00:00:00 short\n", None),
        ("keyid=householder 00:00:00:00:00:00 correct horse\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_homes_passphrase_is_found_in_the_wardens_file(text: str, found: str | None) -> None:
    assert household_passphrase(text) == found


@given(text=st.text(max_size=400))
def test_whatever_is_in_that_file_it_is_a_passphrase_or_nothing(text: str) -> None:
    found = household_passphrase(text)
    assert found is None or (8 <= len(found) <= 63 and found.isascii() and found.isprintable())


def test_the_bridge_is_not_hostapds_to_make(homes: dict[str, Household]) -> None:
    unit = render.render(homes["wifi"])[wireless.UNIT]
    assert "After=sys-subsystem-net-devices-br\\x2dlan.device\n" in unit
