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


AGENT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"
)
LATER_PHONES = {
    "one that says its model": [
        *ANDROID,
        (Trait.DHCP4_HOST_NAME, "Galaxy-S23"),
        (Trait.MDNS_ASKED, "_googlecast._tcp"),
    ],
    "one that hides its model": [*ANDROID, (Trait.MDNS_ASKED, "_googlecast._tcp"), (Trait.HTTP_USER_AGENT, AGENT)],
    "an iPhone": [*IPHONE, (Trait.DHCP4_HOST_NAME, "iPhone"), (Trait.MDNS_ASKED, "_companion-link._tcp")],
}


@pytest.mark.req("R12", "S5")
@pytest.mark.parametrize("phone", LATER_PHONES.values(), ids=LATER_PHONES)
@pytest.mark.parametrize(
    "before",
    [
        LG,
        [(Trait.DHCP4_VENDOR_CLASS, "Hewlett-Packard JetDirect"), (Trait.DHCP4_HOST_NAME, "HP1A2B3C")],
        [(Trait.DHCP4_HOST_NAME, "HS110(EU)"), (Trait.PLATFORM, "tp-link-kasa")],
    ],
    ids=["television", "printer", "plug"],
)
def test_a_stolen_address_that_speaks_like_a_phone(
    rules: Rules, before: list[tuple[Trait, str]], phone: list[tuple[Trait, str]]
) -> None:
    found = change(rules, hits(rules, before), hits(rules, phone))
    assert found is not None
    assert found.now == "phone"
    assert found.reasons


LAPTOP = [*WINDOWS, (Trait.DHCP4_HOST_NAME, "LAPTOP-1A2B3C4D"), (Trait.PLATFORM, "windows")]
MACBOOK = [(Trait.MDNS_TXT, "_device-info._tcp model=MacBookAir10,1")]
PHONE = LATER_PHONES["one that says its model"]
ROUTER = [(Trait.SSDP_TYPE, "urn:schemas-upnp-org:device:InternetGatewayDevice:1"), (Trait.ND_ROUTER, "advertises")]
HONEST = {
    "a television after an update": (LG, [(Trait.SSDP_SERVER, "WebOS/6.0.0 UPnP/1.0"), *SMALL]),
    "a television that begins to play sound": (
        LG,
        [(Trait.MDNS_SERVICE, "_spotify-connect._tcp"), (Trait.MDNS_SERVICE, "_airplay._tcp")],
    ),
    "another system on a laptop": (
        LAPTOP,
        [
            (Trait.DHCP4_PARAMETERS, "1,2,6,12,15,26,28,121,3,33,40,41,42,119,249,252,17"),
            (Trait.DHCP4_HOST_NAME, "fedora"),
        ],
    ),
    "a laptop that shares a printer": (
        MACBOOK,
        [(Trait.MDNS_SERVICE, "_ipp._tcp"), (Trait.MDNS_TXT, "_ipp._tcp ty=HP LaserJet 1020")],
    ),
    "a laptop that plays and bridges": (
        LAPTOP,
        [
            (Trait.MDNS_SERVICE, "_xbmc-jsonrpc-h._tcp"),
            (Trait.MDNS_TXT, "_hap._tcp ci=2"),
            (Trait.SSDP_TYPE, "roku:ecp"),
        ],
    ),
    "a phone with new programmes": (
        PHONE,
        [(Trait.PLATFORM, name) for name in ("ring", "sonos", "samsung-tv", "xbox")],
    ),
    "a phone after an update": (PHONE, [(Trait.DHCP4_VENDOR_CLASS, "android-dhcp-15"), (Trait.PLATFORM, "android")]),
    "a router with devices behind it": (
        ROUTER,
        [(Trait.HTTP_USER_AGENT, "Mozilla/5.0 (Web0S; Linux/SmartTV)"), (Trait.PLATFORM, "lg-tv")],
    ),
    "a browser that calls itself another": (LG, [(Trait.HTTP_USER_AGENT, AGENT)]),
}


@pytest.mark.parametrize(("before", "later"), HONEST.values(), ids=HONEST)
def test_what_honest_devices_begin_to_show_is_no_change(
    rules: Rules, before: list[tuple[Trait, str]], later: list[tuple[Trait, str]]
) -> None:
    assert rules.judge(hits(rules, before)).category is not None
    assert change(rules, hits(rules, before), hits(rules, before + later)) is None
    assert change(rules, hits(rules, before), hits(rules, later)) is None
