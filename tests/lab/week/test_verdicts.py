"""From a persona's frames to a verdict: the plumbing from the wire to the rules. Not a measure of accuracy.

Personas and rules are written by the same hands; what the rules are worth is measured on labelled
captures of real devices.
"""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from appliance.keeper.devices.fingerprint import Verdict, shipped
from appliance.sensor.dissect import Dissector
from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.traits_of import traits_of
from appliance.traits import Trait
from lab import personas
from lab.week.plot import rolls
from lab.week.speech import Speaker

SURE = 0.8


def shown(name: str) -> dict[Trait, set[str]]:
    """What the sensor tells the keeper of a persona that joins."""
    persona = personas.load(name)
    dice = rolls(1, name)
    speaker = Speaker(persona=persona, device=name, mac=persona.mac, ip4=IPv4Address("192.0.2.30"), dice=dice)
    dissector, found = Dissector(), dict[Trait, set[str]]()
    for ts, data in sorted(speaker.join(1000.0)):
        for fact in dissector.feed(Frame(ts=ts, tap=Tap.FILE, link=LinkType.ETHERNET, data=data)):
            for mac, trait, value in traits_of(fact):
                if mac == persona.mac:
                    found.setdefault(trait, set()).add(value)
    return found


def verdict(name: str) -> Verdict:
    rules = shipped()
    return rules.judge(
        hit for trait, values in shown(name).items() for value in values for hit in rules.hits(trait, value)
    )


@pytest.mark.req("R12")
@pytest.mark.parametrize("name", personas.names())
def test_every_habit_of_a_persona_reaches_the_keeper(name: str) -> None:
    persona, seen = personas.load(name), shown(name)
    expected = {
        Trait.DHCP4_PARAMETERS: True,
        Trait.DHCP4_HOST_NAME: persona.host_name,
        Trait.DHCP4_VENDOR_CLASS: persona.vendor_class,
        Trait.DHCP6_DUID: persona.dhcp6,
        Trait.MDNS_SERVICE: persona.services,
        Trait.MDNS_ASKED: persona.asks,
        Trait.SSDP_SERVER: persona.ssdp,
        Trait.SSDP_ASKED: persona.ssdp_asks,
        Trait.NBNS_NAME: persona.netbios,
        Trait.HTTP_USER_AGENT: persona.user_agent,
        Trait.TLS_JA4: persona.reports_to,
        Trait.TCP_SYN: persona.reports_to,
    }
    assert {trait for trait, has in expected.items() if has} <= seen.keys()
    assert not {trait for trait, has in expected.items() if not has} & seen.keys()


@pytest.mark.parametrize("name", personas.names())
def test_no_persona_is_surely_taken_for_something_else(name: str) -> None:
    truth, judged = personas.load(name).truth, verdict(name)
    assert truth
    assert judged.category in {None, truth.category} or judged.confidence <= SURE, judged.reasons


def test_most_personas_are_known_for_what_they_are() -> None:
    judged = {name: verdict(name).category for name in personas.names()}
    right = [
        name for name, category in judged.items() if (truth := personas.load(name).truth) and category == truth.category
    ]
    assert len(right) >= 12, judged
