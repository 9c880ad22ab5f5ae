"""Devices do on the wire what their personas say, with real programs, through the real router."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any

import pytest

from lab import addresses, personas
from lab.client import Client, random_mac
from lab.host import LabError
from lab.household import Household

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.dhcp import DHCP
    from scapy.layers.dns import DNS
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
    from scapy.layers.l2 import ARP, Ether

pytestmark = pytest.mark.lab
Maker = Callable[..., Client]


def dhcp_of(frame: Any) -> dict[str, Any]:
    return {item[0]: item[1] for item in frame[DHCP].options if isinstance(item, tuple)}


def is_dhcp(kind: int, mac: str) -> Callable[[Any], bool]:
    return lambda frame: DHCP in frame and frame.src == mac and dhcp_of(frame)["message-type"] == kind


@pytest.mark.parametrize("name", personas.names())
def test_a_lease_is_asked_for_exactly_as_the_persona_asks(device: Maker, ear: Any, name: str) -> None:
    client = device(name)
    lease = client.lease()
    options = dhcp_of(ear.hear(is_dhcp(1, client.mac)))
    persona = personas.load(name)
    assert tuple(options["param_req_list"]) == persona.parameters
    assert options.get("hostname", b"").decode() == (persona.host_name or "")
    assert options.get("vendor_class_id", b"").decode() == (persona.vendor_class or "")
    own = b"\x01" + bytes.fromhex(client.mac.replace(":", "")) if persona.client_id == "mac" else b""
    assert options.get("client_id", b"") == own
    assert set(options) <= {"message-type", "param_req_list", "hostname", "vendor_class_id", "client_id"}
    granted = dhcp_of(ear.hear(lambda frame: DHCP in frame and dhcp_of(frame)["message-type"] == 5))
    assert str(lease.server) == granted["server_id"] == "192.0.2.1"
    assert lease.address in client_network()
    assert lease.resolvers == lease.routers == (IPv4Address("192.0.2.1"),)
    assert lease.seconds == 3600


def client_network() -> Any:
    from lab.household import default

    return default().lan.network


def test_it_chooses_an_ipv6_address_from_the_routers_prefix(device: Maker, home: Household) -> None:
    assert device().address6() in home.prefix6


def test_without_a_router_there_is_no_lease_and_it_is_said(home: Household, device: Maker) -> None:
    import lab.dhcp

    client = device()
    home.gateway.ip(f"link set {home.config.lan.bridge} down")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lab.dhcp, "ANSWER_SECONDS", 2)
            short = lab.dhcp.DhcpClient(client, client.persona)
            with pytest.raises(LabError, match="no lease"):
                short.lease()
    finally:
        home.gateway.ip(f"link set {home.config.lan.bridge} up", "address replace fe80::1/64 dev br-lan nodad")
        home.gateway.ip("address replace 2001:db8:1::1/64 dev br-lan nodad")


def test_names_are_looked_up_by_way_of_the_box(device: Maker) -> None:
    client = device()
    client.lease()
    assert sorted(client.lookup("www.news.example")) == ["203.0.113.85", "203.0.113.86"]
    assert client.lookup("www.news.example", "CNAME") == ["news.global.example."]
    assert client.lookup("anything.at-all.test", "AAAA") == [str(addresses.site_of("anything.at-all.test")[1])]
    assert client.lookup("nobody.invalid") == []
    assert client.lookup("gatehouse.home.arpa") == ["192.0.2.1"]
    assert client.resolve("four.only.example") == ["203.0.113.84"]
    assert 'alpn="h3"' in client.lookup("video.example", "HTTPS")[0]


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("resolver", addresses.OTHER_RESOLVER)
def test_a_question_to_another_resolver_is_answered_by_the_box(
    device: Maker, home: Household, resolver: str, *, tcp: bool
) -> None:
    client = device()
    client.lease()
    client.address6()
    (told,) = client.lookup("answered-by.example", "TXT", resolver=resolver, tcp=tcp)
    assert told.strip('"') in addresses.RESOLVER
    # The other resolver is really there: who is not behind the box reaches it.
    reached = home.hq.run(["getent", "ahosts", "dns.public.example"])
    assert addresses.OTHER_RESOLVER[0] in reached.stdout
    direct = Client.lookup(home.hq, "answered-by.example", "TXT", resolver=addresses.OTHER_RESOLVER[0])  # type: ignore[arg-type]
    assert direct == [f'"{addresses.OTHER_RESOLVER[0]}"']


def test_a_device_with_a_resolver_of_its_own_does_not_use_the_leased_one(device: Maker, ear: Any) -> None:
    client = device("smart-tv")
    client.lease()
    assert client.browse("video.example") == 200
    asked = ear.hear(lambda frame: DNS in frame and frame.src == client.mac)
    assert (asked[IPv6] if IPv6 in asked else asked[IP]).dst in addresses.OTHER_RESOLVER


def test_pages_come_over_tls_and_plain(device: Maker) -> None:
    client = device()
    client.lease()
    assert client.browse("www.news.example") == 200
    assert client.browse("never-heard-of.it.test") == 200
    assert client.browse("portal.isp.example", scheme="http") == 200
    assert client.browse_tls("mail.example") is True
    assert client.browse("nobody.invalid") == 0
    client.address6()
    assert client.browse("six.only.example", family=6) == 200


def test_a_certificate_of_another_ca_is_not_taken(device: Maker, tmp_path: Any) -> None:
    from lab.pki import CertificateAuthority

    client = device()
    client.lease()
    client._ca = CertificateAuthority(tmp_path).certificate_path
    assert client.browse("mail.example") == 0
    assert client.browse_tls("mail.example") is False


@pytest.mark.parametrize("family", [4, 6])
def test_pages_come_over_quic(device: Maker, ear: Any, family: Any) -> None:
    client = device()
    client.lease()
    client.address6()
    assert client.quic("video.example", family=family) == 200
    datagram = ear.hear(lambda frame: UDP in frame and frame[UDP].dport == 443 and frame.src == client.mac)
    assert bytes(datagram[UDP].payload)[0] & 0xC0 == 0xC0, "a long header, RFC 9000 section 17.2"
    assert client.quic("nobody.invalid", family=family) == 0


def test_announcements_are_heard_on_the_bridge(device: Maker, ear: Any) -> None:
    client = device("printer")
    client.lease()
    client.announce()
    ssdp = ear.hear(lambda frame: UDP in frame and frame[UDP].dport == 1900 and frame.src == client.mac)
    assert b"NT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n" in bytes(ssdp[UDP].payload)
    wanted = b"\x0chall-printer\x04_ipp\x04_tcp\x05local\x00"
    mdns = ear.hear(
        lambda frame: (
            UDP in frame
            and frame[UDP].dport == 5353
            and frame.src == client.mac
            and bytes(frame[UDP].payload)[2] & 0x80
        )
    )
    assert wanted in bytes(mdns[UDP].payload) or b"\x0chall-printer" in bytes(mdns[UDP].payload)


def test_a_speaker_names_its_maker_and_a_computer_looks_for_screens(device: Maker, ear: Any) -> None:
    def ssdp(frame: Any, mac: str, words: bytes) -> bool:
        return UDP in frame and frame[UDP].dport == 1900 and frame.src == mac and words in bytes(frame[UDP].payload)

    speaker = device("speaker")
    speaker.lease()
    speaker.announce()
    ear.hear(lambda frame: ssdp(frame, speaker.mac, b"SERVER: Linux UPnP/1.0 Sonos/"))
    chromebook = device("chromebook")
    chromebook.lease()
    chromebook.announce()
    asked = ear.hear(lambda frame: ssdp(frame, chromebook.mac, b"M-SEARCH * HTTP/1.1"))
    assert b"ST: urn:dial-multiscreen-org:service:dial:1\r\nUSER-AGENT: Google Chrome/" in bytes(asked[UDP].payload)
    ear.hear(
        lambda frame: (
            UDP in frame
            and frame[UDP].dport == 5353
            and frame.src == chromebook.mac
            and b"\x0b_googlecast\x04_tcp\x05local\x00" in bytes(frame[UDP].payload)
        )
    )


def test_a_new_mac_is_a_new_lease(device: Maker, ear: Any) -> None:
    client = device("unregistered-phone")
    first_mac, first = client.mac, client.lease()
    second = client.change_mac()
    assert client.mac != first_mac
    assert re.fullmatch(r".[26ae](:[0-9a-f]{2}){5}", client.mac), "locally administered, individual"
    assert second.address != first.address
    assert client.leased == second
    asked = dhcp_of(ear.hear(is_dhcp(1, client.mac)))
    assert "requested_addr" not in asked, "nothing of the old lease is told under the new address"
    assert client.browse("social.example") == 200
    third = client.change_mac(first_mac)
    assert third.address == first.address, "the router knows the old address again"


def test_a_mac_that_may_be_somebodys_is_refused(device: Maker) -> None:
    client = device()
    with pytest.raises(ValueError, match="may be somebody's"):
        client.change_mac("00:11:22:33:44:55")
    with pytest.raises(ValueError, match="group address"):
        client.change_mac("03:00:5e:00:00:01")


def test_made_up_macs_are_individual_and_locally_administered() -> None:
    for _ in range(200):
        assert personas.made_up(random_mac())
        assert int(random_mac()[:2], 16) & 3 == 2


def test_who_leaves_gives_the_lease_back(home: Household, device: Maker, ear: Any) -> None:
    client = device()
    lease = client.lease()
    mac = client.mac
    home.leave(client)
    released = ear.hear(is_dhcp(7, mac))
    assert released[IP].src == str(lease.address)


def test_who_is_idle_asks_no_names(device: Maker, ear: Any) -> None:
    client = device("games-console")
    client.lease()
    client.idle(0.1)
    client.lookup("marker.example")
    heard: list[Any] = []

    def until_marker(frame: Any) -> bool:
        if frame.src == client.mac:
            heard.append(frame)
        return DNS in frame and frame.src == client.mac

    question = ear.hear(until_marker)
    assert question[DNS].qd[0].qname == b"marker.example."
    # Before it nothing but joining: DHCP, address resolution, IPv6's own housekeeping.
    assert all(DHCP in frame or ARP in frame or IPv6 in frame or IPv6ExtHdrHopByHop in frame for frame in heard[:-1])
    assert all(isinstance(frame, Ether) for frame in heard)
