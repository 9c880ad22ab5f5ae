from __future__ import annotations

from typing import Any

import pytest

from appliance.messages import Via
from appliance.sensor import traits_of as module
from appliance.sensor.facts import Heard, Kind, MessageHeard, NeighbourHeard, Parsed
from appliance.sensor.frame import Tap
from appliance.sensor.packet import dhcp4, dhcp6, dns, handshake, http, icmp6, nbns, ssdp, syn, tls
from appliance.sensor.traits_of import traits_of
from appliance.traits import MAX_VALUE, Trait

MAC = "00:00:5e:00:53:01"


def fact(kind: Kind, message: Parsed, *, src: str | None = "192.0.2.7") -> MessageHeard:
    return MessageHeard(
        ts=1.0,
        tap=Tap.CHATTER,
        mac=MAC,
        via=Via.FLOW,
        src=src,
        sport=40000,
        dst="198.51.100.9",
        dport=443,
        kind=kind,
        message=message,
    )


def seen(kind: Kind, message: Parsed, **more: Any) -> dict[Trait, str]:
    """Traits of a message, of which each must be of the sender and come once."""
    found = traits_of(fact(kind, message, **more))
    assert {mac for mac, _, _ in found} <= {MAC}
    assert len({trait for _, trait, _ in found}) == len(found)
    return {trait: value for _, trait, value in found}


def dhcp(*options: tuple[int, bytes], from_client: bool = True, client: bytes | None = None) -> dhcp4.Message:
    return dhcp4.Message(
        from_client=from_client,
        transaction=5,
        client_mac=client if client is not None else bytes.fromhex(MAC.replace(":", "")),
        client_ip=bytes(4),
        your_ip=bytes(4),
        options=options,
    )


@pytest.mark.req("R12")
def test_dhcp() -> None:
    message = dhcp(
        (53, b"\x01"),
        (61, b"\xff\x01\x02\x03"),
        (12, b"tv"),
        (60, b"maker-1.0"),
        (77, b"\x03abc"),
        (93, b"\x00\x07"),
        (55, b"\x01\x03\x06"),
    )
    assert seen(Kind.DHCP4, message) == {
        Trait.DHCP4_PARAMETERS: "1,3,6",
        Trait.DHCP4_OPTIONS: "53,61,12,60,77,93,55",
        Trait.DHCP4_VENDOR_CLASS: "maker-1.0",
        Trait.DHCP4_USER_CLASS: "abc",
        Trait.DHCP4_ARCHITECTURE: "7",
        Trait.DHCP4_HOST_NAME: "tv",
        Trait.DHCP4_CLIENT_ID: "ff010203",
    }


def test_never_sent_differs_from_sent_empty() -> None:
    assert Trait.DHCP4_HOST_NAME not in seen(Kind.DHCP4, dhcp((53, b"\x03")))
    assert seen(Kind.DHCP4, dhcp((53, b"\x03"), (12, b"")))[Trait.DHCP4_HOST_NAME] == ""


def test_a_client_id_that_repeats_the_address_is_none() -> None:
    assert Trait.DHCP4_CLIENT_ID not in seen(Kind.DHCP4, dhcp((61, bytes.fromhex("0100005e005301"))))
    assert Trait.DHCP4_CLIENT_ID in seen(Kind.DHCP4, dhcp((61, bytes.fromhex("0100005e005302"))))


def test_options_are_listed_of_a_discover_or_request_only() -> None:
    assert Trait.DHCP4_OPTIONS not in seen(Kind.DHCP4, dhcp((53, b"\x08"), (12, b"tv")))


def test_a_repeater_speaks_for_the_client_behind_it() -> None:
    behind = bytes.fromhex("02000000000a")
    assert {mac for mac, _, _ in traits_of(fact(Kind.DHCP4, dhcp((12, b"tv"), client=behind)))} == {"02:00:00:00:00:0a"}
    for nobody in (bytes(6), b"\xff" * 6, b""):
        assert {mac for mac, _, _ in traits_of(fact(Kind.DHCP4, dhcp((12, b"tv"), client=nobody)))} == {MAC}


def test_a_server_says_nothing_of_itself_in_dhcp() -> None:
    assert seen(Kind.DHCP4, dhcp((53, b"\x02"), (12, b"tv"), from_client=False)) == {}
    reply = dhcp6.Message(message_type=7, transaction=1, options=((1, b"x"),), client_duid=b"x", fqdn="tv")
    assert seen(Kind.DHCP6, reply) == {}


def test_a_relay_is_not_the_client() -> None:
    relayed = dhcp6.Message(message_type=1, transaction=1, options=(), fqdn="laptop", relays=1)
    assert seen(Kind.DHCP6, relayed) == {}


def test_dhcp6() -> None:
    message = dhcp6.Message(
        message_type=1,
        transaction=1,
        options=((1, b""), (6, b""), (16, b"")),
        client_duid=bytes.fromhex("00030001020000000007"),
        requested=(23, 24),
        vendor_class=(311, "MSFT 5.0"),
        fqdn="laptop",
    )
    assert seen(Kind.DHCP6, message) == {
        Trait.DHCP6_REQUESTED: "23,24",
        Trait.DHCP6_OPTIONS: "1,6,16",
        Trait.DHCP6_VENDOR_CLASS: "311:MSFT 5.0",
        Trait.DHCP6_DUID: "00030001020000000007",
        Trait.DHCP6_FQDN: "laptop",
    }


def llmnr(*answers: dns.Answer, response: bool = True, rcode: int = 0) -> dns.Message:
    asked = (dns.Question(name="laptop", qtype=1),)
    return dns.Message(id=1, response=response, opcode=0, rcode=rcode, questions=asked, answers=answers, complete=True)


def test_an_llmnr_answer_says_what_a_device_is_called() -> None:
    answer = dns.Answer(name="laptop", rtype=dns.A, ttl=30, value="192.0.2.7")
    reverse = dns.Answer(name="7.2.0.192.in-addr.arpa", rtype=dns.PTR, ttl=30, value="laptop")
    assert seen(Kind.LLMNR, llmnr(answer)) == seen(Kind.LLMNR, llmnr(reverse)) == {Trait.LLMNR_NAME: "laptop"}
    assert seen(Kind.LLMNR, llmnr(answer, response=False)) == {}
    assert seen(Kind.LLMNR, llmnr(answer, rcode=3)) == {}


def mdns(*answers: dns.Answer, asked: tuple[str, ...] = (), response: bool = True) -> dns.Message:
    questions = tuple(dns.Question(name=name, qtype=dns.PTR) for name in asked)
    return dns.Message(id=0, response=response, opcode=0, rcode=0, questions=questions, answers=answers, complete=True)


@pytest.mark.req("R12")
def test_mdns() -> None:
    said = mdns(
        dns.Answer(name="_ipp._tcp.local", rtype=dns.PTR, ttl=60, value="hallway._ipp._tcp.local"),
        dns.Answer(
            name="hallway._ipp._tcp.local",
            rtype=dns.TXT,
            ttl=60,
            value=None,
            data=(b"ty=Example Laser 5", b"UUID=00000000-0000-4000-8000-00005e005301", b"note=upstairs"),
        ),
        dns.Answer(name="printer.local", rtype=dns.A, ttl=60, value="192.0.2.7"),
    )
    assert seen(Kind.MDNS, said) == {
        Trait.MDNS_SERVICE: "_ipp._tcp",
        Trait.MDNS_TXT: "_ipp._tcp ty=Example Laser 5",
        Trait.MDNS_INSTANCE: "hallway",
        Trait.MDNS_ID: "uuid:00000000-0000-4000-8000-00005e005301",
        Trait.MDNS_HOST: "printer",
    }


def test_what_a_device_knows_of_others_is_none_of_its_traits() -> None:
    known = dns.Answer(name="_ipp._tcp.local", rtype=dns.PTR, ttl=60, value="hallway._ipp._tcp.local")
    question = mdns(known, asked=("_ipp._tcp.local",), response=False)
    assert seen(Kind.MDNS, question) == {Trait.MDNS_ASKED: "_ipp._tcp"}


def test_a_sleep_proxy_is_not_the_sleeper(build: Any) -> None:
    owner = bytes((0, 4, 0, 8, 0, 0)) + bytes.fromhex("020000000009")
    address = build.name("sleeper.local") + bytes((0, 1, 0x80, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7))
    option = bytes((0, 0, 41, 5, 0xA0, 0, 0, 0x11, 0x94, 0, len(owner))) + owner
    message = dns.parse(bytes((0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1)) + address + option)
    assert seen(Kind.MDNS, message) == {}
    (found,) = traits_of(MessageHeard(**(fields(fact(Kind.MDNS, message)) | {"mac": "02:00:00:00:00:09"})))
    assert found == ("02:00:00:00:00:09", Trait.MDNS_HOST, "sleeper")


def fields(heard: MessageHeard) -> dict[str, Any]:
    return {name: getattr(heard, name) for name in heard.__struct_fields__}


def netbios(**more: Any) -> nbns.Message:
    said: dict[str, Any] = {"transaction": 1, "response": False, "opcode": 5, "rcode": 0, "name": "LAPTOP", "suffix": 0}
    return nbns.Message(**(said | more))


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (netbios(), True),
        (netbios(suffix=0x20), True),
        (netbios(suffix=0x1D), False),
        (netbios(group=True), False),
        (netbios(opcode=0), False),
        (netbios(opcode=0, response=True, addresses=("192.0.2.7",)), True),
        (netbios(opcode=0, response=True, addresses=("192.0.2.8",)), False),
        (netbios(opcode=0, response=True, addresses=("192.0.2.7",), rcode=3), False),
        (netbios(opcode=0, response=True, addresses=("192.0.2.7",), group=True), False),
    ],
)
def test_a_netbios_name_is_one_that_is_claimed(message: nbns.Message, named: bool) -> None:
    assert seen(Kind.NBNS, message) == ({Trait.NBNS_NAME: "LAPTOP"} if named else {})


def test_a_status_answer_lists_a_nodes_own_names() -> None:
    owned = (
        nbns.Owned(name="LAPTOP", suffix=0, group=False),
        nbns.Owned(name="HOME", suffix=0, group=True),
        nbns.Owned(name="BROWSER", suffix=0x1D, group=False),
    )
    message = netbios(opcode=0, response=True, name="*", suffix=0, owned=owned)
    assert seen(Kind.NBNS, message) == {Trait.NBNS_NAME: "LAPTOP"}


def test_ssdp() -> None:
    notify = ssdp.Message(
        method="NOTIFY",
        headers=(
            ("NT", "urn:schemas-upnp-org:device:MediaRenderer:1"),
            ("SERVER", "Linux/4 UPnP/1.0 tv/1"),
            ("USN", "uuid:00000000-0000-4000-8000-00005E005301::urn:schemas-upnp-org:device:MediaRenderer:1"),
        ),
    )
    assert seen(Kind.SSDP, notify) == {
        Trait.SSDP_TYPE: "urn:schemas-upnp-org:device:MediaRenderer:1",
        Trait.SSDP_SERVER: "Linux/4 UPnP/1.0 tv/1",
        Trait.SSDP_UUID: "00000000-0000-4000-8000-00005e005301",
    }
    bare = ssdp.Message(method="RESPONSE", headers=(("ST", "uuid:1"), ("USN", "uuid:")))
    assert seen(Kind.SSDP, bare) == {}
    search = ssdp.Message(method="M-SEARCH", headers=(("ST", "ssdp:all"), ("USER-AGENT", "phone/1"), ("SERVER", "no")))
    assert seen(Kind.SSDP, search) == {Trait.SSDP_ASKED: "ssdp:all", Trait.SSDP_AGENT: "phone/1"}


def test_hellos_and_the_cloud_they_go_to() -> None:
    hello = tls.ClientHello(
        legacy_version=771, ciphers=(4865,), extensions=(0, 10), server_name=b"cooper.logs.roku.com"
    )
    assert seen(Kind.TLS_CLIENT_HELLO, hello) == {
        Trait.TLS_JA3: hello.ja3,
        Trait.TLS_JA4: hello.ja4,
        Trait.PLATFORM: "roku",
    }
    assert set(seen(Kind.QUIC_CLIENT_HELLO, hello)) == {Trait.QUIC_JA4, Trait.PLATFORM}
    assert seen(Kind.DTLS_CLIENT_HELLO, hello) == {}


def test_a_hello_in_ever_new_order_has_no_ja3() -> None:
    hello = tls.ClientHello(legacy_version=771, ciphers=(4865,), extensions=(0x3A3A, 0, 10))
    assert seen(Kind.TLS_CLIENT_HELLO, hello) == {Trait.TLS_JA4: hello.ja4}


def test_http() -> None:
    request = http.Request(method="GET", host="captive.apple.com", user_agent="CaptiveNetworkSupport", version="1.1")
    assert seen(Kind.HTTP_REQUEST, request) == {
        Trait.HTTP_USER_AGENT: "CaptiveNetworkSupport",
        Trait.PLATFORM: "apple",
    }


@pytest.mark.req("R55")
def test_a_looked_up_name_is_no_trait() -> None:
    asked = tuple(dns.Question(name=name, qtype=1) for name in ("news.example", "a.logs.roku.com", "b.logs.roku.com"))
    message = dns.Message(id=1, response=False, opcode=0, rcode=0, questions=asked, answers=(), complete=True)
    assert seen(Kind.DNS, message) == {Trait.PLATFORM: "roku"}


def test_syn_and_banner() -> None:
    first = syn.Syn(version=4, ttl=57, window=64240, mss=1460, scale=8, options=(2, 1, 3), quirks=("df",))
    assert seen(Kind.TCP_SYN, first) == {Trait.TCP_SYN: "4:64:64240,8:1460:2,1,3:df"}
    banner = handshake.Handshake(protocol="ssh", detail=(("software", "OpenSSH_9.6"),))
    assert seen(Kind.HANDSHAKE, banner) == {Trait.SSH_BANNER: "OpenSSH_9.6"}
    assert seen(Kind.HANDSHAKE, handshake.Handshake(protocol="wireguard", detail=(("software", "x"),))) == {}


def test_a_router_says_so() -> None:
    said: dict[str, Any] = {"ts": 1.0, "tap": Tap.CHATTER, "mac": MAC, "via": Via.ND, "target": None}
    advertisement = NeighbourHeard(**said, kind=134, message=icmp6.Message(kind=134, target=None))
    assert traits_of(advertisement) == [(MAC, Trait.ND_ROUTER, "advertises")]
    assert traits_of(NeighbourHeard(**said, kind=133, message=icmp6.Message(kind=133, target=None))) == []


@pytest.mark.parametrize(
    ("src", "value"),
    [
        ("fe80::1234:5678:9abc:def0", "123456789abcdef0"),
        ("fe80::7", "0000000000000007"),
        ("fe80::200:5eff:fe00:5301", None),
        ("2001:db8::1234:5678:9abc:def0", None),
        ("192.0.2.7", None),
        (None, None),
    ],
)
def test_an_interface_id_that_says_more_than_the_address(src: str | None, value: str | None) -> None:
    heard = Heard(ts=1.0, tap=Tap.CHATTER, mac=MAC, via=Via.MDNS, src=src)
    assert traits_of(heard) == ([] if value is None else [(MAC, Trait.IP6_INTERFACE_ID, value)])


def test_values_are_cut_and_a_fact_has_no_end_of_them() -> None:
    long = handshake.Handshake(protocol="ssh", detail=(("software", "x" * 2000),))
    assert len(seen(Kind.HANDSHAKE, long)[Trait.SSH_BANNER]) == MAX_VALUE
    answers = (dns.Answer(name=f"n{number}", rtype=dns.A, ttl=1, value=None) for number in range(1000))
    assert len(traits_of(fact(Kind.LLMNR, llmnr(*answers)))) == module.MAX_TRAITS


def test_nobody_has_no_traits() -> None:
    assert traits_of(Heard(ts=1.0, tap=Tap.FILE, mac=None, via=Via.ARP, src="fe80::7")) == []
