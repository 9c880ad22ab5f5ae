"""Values that imitate: what does not go together shows as a conflict, and nothing stays sure."""

from __future__ import annotations

import pytest

from appliance.keeper.devices.fingerprint import Hit, Rules, change
from appliance.traits import Trait

ANDROID = [
    (Trait.DHCP4_PARAMETERS, "1,3,6,15,26,28,51,58,59,43,114,108"),
    (Trait.DHCP4_VENDOR_CLASS, "android-dhcp-14"),
]
IPHONE = [(Trait.DHCP4_PARAMETERS, "1,121,3,6,15,108,114,119,252"), (Trait.PLATFORM, "apple-mobile")]
WINDOWS = [
    (Trait.DHCP4_PARAMETERS, "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
    (Trait.DHCP4_VENDOR_CLASS, "MSFT 5.0"),
]
SMALL = [(Trait.DHCP4_PARAMETERS, "1,3,28,6")]
LG = [
    (Trait.SSDP_TYPE, "urn:lge-com:service:webos-second-screen:1"),
    (Trait.SSDP_SERVER, "WebOS/4.1.0 UPnP/1.0"),
    (Trait.DHCP4_HOST_NAME, "LGwebOSTV"),
    (Trait.PLATFORM, "lg-tv"),
]


def hits(rules: Rules, traits: list[tuple[Trait, str]]) -> list[Hit]:
    return [hit for trait, value in traits for hit in rules.hits(trait, value)]


@pytest.mark.req("R12", "S5")
@pytest.mark.parametrize(
    "traits",
    [
        [*ANDROID, (Trait.DHCP4_HOST_NAME, "HS100")],
        [*ANDROID, (Trait.DHCP4_HOST_NAME, "HS100"), (Trait.PLATFORM, "tp-link-kasa")],
        [*ANDROID[:1], (Trait.DHCP4_HOST_NAME, "HS100(EU)")],
        [*IPHONE, (Trait.DHCP4_HOST_NAME, "HP1A2B3C"), (Trait.MDNS_SERVICE, "_ipp._tcp")],
        [*WINDOWS, (Trait.DHCP4_HOST_NAME, "LGwebOSTV"), (Trait.SSDP_TYPE, "roku:ecp")],
        [*WINDOWS, (Trait.DHCP4_HOST_NAME, "DCS-930L")],
        [*WINDOWS, (Trait.DHCP4_HOST_NAME, "iPhone")],
        [(Trait.DHCP4_VENDOR_CLASS, "webOS.TV"), (Trait.DHCP4_HOST_NAME, "LAPTOP-1A2B3C4D")],
        [*SMALL, (Trait.DHCP4_HOST_NAME, "Galaxy-S23")],
        [*SMALL, (Trait.DHCP4_HOST_NAME, "LAPTOP-1A2B3C4D")],
        [(Trait.DHCP4_HOST_NAME, "BRW0011223344AA"), *LG[:1]],
        [(Trait.DHCP4_VENDOR_CLASS, "PS5"), (Trait.MDNS_TXT, "_hue._tcp modelid=BSB002")],
    ],
    ids=lambda traits: " and ".join(value for _, value in traits[-2:]),
)
def test_what_does_not_go_together_is_not_sure(rules: Rules, traits: list[tuple[Trait, str]]) -> None:
    verdict = rules.judge(hits(rules, traits))
    assert verdict.conflicts
    assert verdict.confidence < 0.8, verdict
    assert verdict.text_confidence < 0.85, verdict


@pytest.mark.req("R12", "S5")
def test_a_stolen_television_address_that_speaks_like_a_phone(rules: Rules) -> None:
    agent = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile"
    first_minute = [
        (Trait.DHCP4_HOST_NAME, "Galaxy-S23"),
        (Trait.MDNS_ASKED, "_googlecast._tcp"),
        (Trait.HTTP_USER_AGENT, agent),
        (Trait.PLATFORM, "samsung-mobile"),
    ]
    found = change(rules, hits(rules, LG), hits(rules, [*ANDROID, *first_minute]))
    assert found is not None
    assert (found.was, found.now) == ("tv", "phone")
