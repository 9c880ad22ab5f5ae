"""What a persona says in the capture is what its file says, as the box's own dissector reads it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Kind, MessageHeard
from appliance.sensor.frame import Frame, LinkType, Tap
from lab import personas
from lab.week import datagrams
from lab.week.plot import rolls
from lab.week.speech import ROUTER_MAC, Speaker

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.l2 import Ether
    from scapy.layers.netbios import NBNSRegistrationRequest

MAC = "02:00:00:00:00:77"
OPTION_KINDS = {"eol": 0, "nop": 1, "mss": 2, "ws": 3, "sok": 4, "ts": 8}


def speaker(name: str, mac: str = MAC) -> Speaker:
    ip4 = IPv4Address("192.0.2.30")
    return Speaker(persona=personas.load(name), device="thing", mac=mac, ip4=ip4, dice=rolls(5))


def facts(name: str, mac: str = MAC) -> Iterator[MessageHeard]:
    dissector = Dissector()
    for ts, data in sorted(speaker(name, mac).join(1000.0)):
        for fact in dissector.feed(Frame(ts=ts, tap=Tap.FILE, link=LinkType.ETHERNET, data=data)):
            if isinstance(fact, MessageHeard):
                yield fact
    assert dissector.counters(Tap.FILE).unparsed == 0


def of(kind: Kind, name: str, mac: str = MAC) -> list[MessageHeard]:
    return [fact for fact in facts(name, mac) if fact.kind is kind and fact.mac != ROUTER_MAC]


@pytest.mark.req("R12")
@pytest.mark.parametrize("name", personas.names())
def test_it_asks_for_an_address_as_its_persona_does(name: str) -> None:
    persona = personas.load(name)
    discover, request = of(Kind.DHCP4, name)
    assert discover.message.parameters == request.message.parameters == persona.parameters
    assert (discover.message.host_name or None) == persona.host_name
    assert (discover.message.vendor_class or None) == persona.vendor_class
    codes = [code for code, _ in discover.message.options]
    assert codes == [code for code in persona.options if code in codes]
    assert {53, 55} <= set(codes)
    # Only what has no value in the persona is left out.
    assert not set(persona.options) - set(codes) - {12, 60, 61, 77, 50, 54}


@pytest.mark.parametrize("name", [name for name in personas.names() if personas.load(name).services])
def test_it_announces_every_service_with_its_text(name: str) -> None:
    persona = personas.load(name)
    told = [fact.message for fact in of(Kind.MDNS, name) if fact.message.response]
    assert len(told) == len(persona.services)
    answers = [answer.name for message in told for answer in message.answers]
    for service in persona.services:
        assert f"{service.kind}.local" in answers


@pytest.mark.parametrize("name", [name for name in personas.names() if personas.load(name).captive])
def test_it_says_what_it_is_to_the_captive_check(name: str) -> None:
    persona = personas.load(name)
    (asked,) = of(Kind.HTTP_REQUEST, name)
    assert (asked.message.host, asked.message.user_agent) == (persona.captive, persona.user_agent)


@pytest.mark.parametrize("name", [name for name in personas.names() if personas.load(name).reports_to])
def test_it_opens_connections_as_its_system_does(name: str) -> None:
    persona = personas.load(name)
    hellos = {fact.message.sni for fact in of(Kind.TLS_CLIENT_HELLO, name)}
    assert hellos == set(persona.reports_to[:3])
    assert persona.syn
    for fact in of(Kind.TCP_SYN, name):
        assert (fact.message.ttl, fact.message.window) == (persona.syn.ttl, persona.syn.window)
        names = persona.syn.options
        shown = names[: names.index("eol") + 1] if "eol" in names else names
        assert fact.message.options == tuple(OPTION_KINDS[name] for name in shown)


@pytest.mark.req("R17")
def test_an_identifier_of_the_machine_outlives_its_address_and_one_of_the_address_does_not() -> None:
    other = "02:00:00:00:00:78"
    linux = {of(Kind.DHCP6, "linux-laptop", mac)[0].message.client_duid for mac in (MAC, other)}
    assert len(linux) == 1
    assert linux.pop()[:2] == b"\0\4", "a UUID, RFC 6355"
    assert speaker("linux-laptop").link_local == speaker("linux-laptop", other).link_local
    assert speaker("iphone").link_local != speaker("iphone", other).link_local
    assert speaker("plug").link_local.packed[8:] == bytes.fromhex("000000fffe000077"), "RFC 4291 appendix A"


def test_a_computer_claims_its_name_by_netbios() -> None:
    said = datagrams.netbios(personas.load("windows-desktop"), transaction=7, ip4=IPv4Address("192.0.2.30"))
    claim = NBNSRegistrationRequest(said[12:])
    assert claim.QUESTION_NAME.strip() == b"DESKTOP-7QK2M9A"
    assert claim.NB_ADDRESS == "192.0.2.30"


def test_who_asks_nothing_by_dhcpv6_has_no_identifier() -> None:
    assert of(Kind.DHCP6, "galaxy-phone") == []
    with pytest.raises(ValueError, match="asks nothing"):
        datagrams.dhcp6(personas.load("galaxy-phone"), "thing", transaction=1)
    with pytest.raises(ValueError, match="no identifier"):
        datagrams.duid(personas.load("galaxy-phone"), "thing")


def test_the_routers_answers_are_the_routers() -> None:
    senders = {Ether(data).src for _, data in speaker("iphone").join(0.0)}
    assert senders == {MAC, ROUTER_MAC}
