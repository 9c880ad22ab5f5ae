"""The household's Wi-Fi with the real hostapd, wpa_supplicant, keeper and warden, over radios of memory.

The access point's configuration is the one that the firmware renders. What a real radio does beside the standard is not
shown here.
"""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.guest, pytest.mark.timeout(1000)]


@pytest.mark.req("R1")
def test_the_passphrase_on_the_label_lets_the_installer_in(facts: dict[str, Any]) -> None:
    assert facts["set_up"] == {"key": "setup"}


@pytest.mark.req("N9")
def test_a_device_is_known_by_its_own_passphrase(facts: dict[str, Any]) -> None:
    assert facts["enrolled"]["key"] == "laptop-1"
    assert facts["enrolled"]["open"].count("unregistered-device") == 3


@pytest.mark.req("N9")
def test_one_passphrase_on_two_devices_is_a_finding(facts: dict[str, Any]) -> None:
    assert facts["shared"]["open"].count("passphrase-shared") == 1


@pytest.mark.req("N9", "R28")
def test_passphrases_that_are_tried_are_one_finding(facts: dict[str, Any]) -> None:
    assert facts["guessed"]["tries"] >= 12
    assert facts["guessed"]["findings"] == 1


@pytest.mark.req("N9")
def test_who_was_refused_is_nobody_although_the_access_point_lists_a_name(facts: dict[str, Any]) -> None:
    assert facts["guessed"]["listed"] in {"household", "laptop-1"}
    assert facts["guessed"]["key"] is None


@pytest.mark.req("N9", "R57")
def test_a_new_passphrase_counts_at_once_and_nobody_is_dropped(facts: dict[str, Any]) -> None:
    found = facts["taken_up"]
    assert (found["outcome"], found["key"], found["lost"]) == ("applied", "phone-2", 0)
    assert found["after"] >= found["before"], "whole seconds; they begin anew with each joining"


@pytest.mark.req("N9")
def test_an_ended_passphrase_sends_its_device_away_and_nobody_else(facts: dict[str, Any]) -> None:
    assert facts["ended"] == {"outcome": "applied", "back": False, "others_lost": 0}


@pytest.mark.req("R23", "R57")
def test_a_visit_ends_at_its_time_with_the_keeper_dead(facts: dict[str, Any]) -> None:
    assert facts["visited"] == {"outcome": "applied", "key": "visitor-1"}
    assert facts["visit_ended"] == {"visitor": False, "others": [True] * 4}


@pytest.mark.req("N9")
def test_who_is_sent_away_comes_back_as_the_same_device(facts: dict[str, Any]) -> None:
    assert facts["sent_away"] == {"key": "laptop-1", "devices": 1}


@pytest.mark.req("R57")
def test_twenty_devices_join(facts: dict[str, Any]) -> None:
    assert facts["many"] == {"stations": 20}


@pytest.mark.req("N9")
def test_with_wpa3_a_device_is_not_known_by_a_passphrase(facts: dict[str, Any]) -> None:
    assert facts["wpa3"] == {"sae_key": None, "sae_akm": "SAE", "psk_key": "laptop-1"}


def test_devices_that_protect_their_frames_and_those_that_cannot_both_join(facts: dict[str, Any]) -> None:
    assert facts["enrolled"]["mfp"] == [True, False]


def test_a_device_that_is_held_reaches_nobody_on_its_radio_and_nothing_outside(facts: dict[str, Any]) -> None:
    found = facts["held"]
    assert found["rules"]
    assert found["outcomes"] == ["applied", "applied"]
    assert found["held"] == {"neighbour": False, "from_neighbour": False, "router": True, "outside": False}


@pytest.mark.req("R57")
def test_devices_reach_each_other_before_one_is_held_and_after(facts: dict[str, Any]) -> None:
    assert facts["held"]["free"] == {"neighbour": True, "from_neighbour": True, "router": True, "outside": True}
    assert facts["held"]["lost"] == 0


@pytest.mark.req("R57")
def test_a_home_that_keeps_its_devices_apart_has_its_internet(facts: dict[str, Any]) -> None:
    assert facts["isolated"] == {"neighbour": False, "from_neighbour": False, "router": True, "outside": True}
