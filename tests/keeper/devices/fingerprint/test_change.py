"""A known address that begins to speak like another kind of device."""

from __future__ import annotations

import pytest

from appliance.keeper.devices.fingerprint import Hit, Rules, change
from appliance.traits import Trait

TV = [(Trait.SSDP_TYPE, "urn:lge-com:service:webos-second-screen:1"), (Trait.DHCP4_HOST_NAME, "LGwebOSTV")]
PHONE = [(Trait.DHCP4_HOST_NAME, "Galaxy-S23"), (Trait.DHCP4_VENDOR_CLASS, "android-dhcp-14")]
TABLET = [(Trait.DHCP4_HOST_NAME, "Galaxy-Tab-S9")]
AGENT = [(Trait.HTTP_USER_AGENT, "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 Mobile Safari/537.36")]


def hits(rules: Rules, traits: list[tuple[Trait, str]]) -> list[Hit]:
    return [hit for trait, value in traits for hit in rules.hits(trait, value)]


def test_a_television_that_begins_to_speak_like_a_phone(rules: Rules) -> None:
    found = change(rules, hits(rules, TV), hits(rules, TV + PHONE))
    assert found is not None
    assert (found.was, found.now) == ("tv", "phone")
    assert 0.6 < found.confidence <= 0.97
    assert "television" in found.reasons[0]
    assert "phone" in found.reasons[0]
    assert found.alternatives


@pytest.mark.parametrize(
    ("old", "new"),
    [(TV, TV), (TV, []), ([], PHONE), (PHONE, TABLET), (TV, AGENT), (TV, [(Trait.DHCP4_PARAMETERS, "1,3,6")])],
    ids=["nothing new", "silent", "not known before", "a near kind", "only a programme's word", "nothing of a device"],
)
def test_what_is_no_change(rules: Rules, old: list[tuple[Trait, str]], new: list[tuple[Trait, str]]) -> None:
    assert change(rules, hits(rules, old), hits(rules, new)) is None


def test_hits_of_rules_that_are_gone_say_nothing(rules: Rules) -> None:
    assert change(rules, hits(rules, TV), [Hit("gone")]) is None
    assert change(rules, [Hit("gone")], hits(rules, PHONE)) is None
