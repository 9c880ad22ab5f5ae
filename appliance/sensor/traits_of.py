"""From a fact to traits: the one way, for the live box, for replay and for measurements.

Enters: a fact of the LAN side. Leaves: (hardware address, trait, value), values as `appliance.traits`
gives their form. Only what a device says of itself or shows by how it speaks: a server's DHCP message, a
resolver's answer, a relayed message say nothing of their sender. No looked-up name leaves here, only
the word of the closed table for it.
Bounded: `MAX_TRAITS` of one fact, `MAX_VALUE` characters a value, `_CACHED` interface ids and SYNs remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv6Address
from itertools import islice
from typing import Any

from appliance.sensor.classes import platform
from appliance.sensor.facts import Fact, Kind, MessageHeard, NeighbourHeard
from appliance.sensor.lookups import looked_up
from appliance.sensor.packet import dhcp4, dhcp6, dns, dnssd, handshake, http, icmp6, ja, nbns, ssdp, syn, tls
from appliance.traits import MAX_VALUE, Trait

MAX_TRAITS = 256
"""Traits of one fact; a large multicast announcement has some dozens, what is over is left."""

_CACHED = 1024
_DISCOVER, _REQUEST = 1, 3
_LINK_LOCAL = "fe80:"
_WORKSTATION, _FILE_SERVER = 0x00, 0x20

Seen = tuple[str, Trait, str]
"""Hardware address, trait, value."""
_Valued = Iterator[tuple[Trait, str | None]]


def traits_of(fact: Fact) -> list[Seen]:
    """What a fact shows of its sender; of a DHCP message that a repeater passes on, of the client."""
    mac = fact.mac
    if mac is None:
        return []
    found: list[Seen] = []
    if fact.src is not None and fact.src.startswith(_LINK_LOCAL):
        interface = _interface(fact.src)
        if not _repeats(interface, mac):
            found.append((mac, Trait.IP6_INTERFACE_ID, interface))
    if isinstance(fact, MessageHeard):
        if isinstance(fact.message, syn.Syn):  # one for each connection of a household: the short way
            found.append((mac, Trait.TCP_SYN, _syn_text(fact.message)))
            return found
        reader = _READERS.get(fact.kind)
        if reader is not None:
            found += _bounded(_speaker(fact, mac), reader(fact, fact.message))
        names = looked_up(fact)
        if names:
            words = {platform(name): None for name, _ in names}
            found += [(mac, Trait.PLATFORM, word) for word in words if word is not None]
    elif isinstance(fact, NeighbourHeard) and fact.kind == icmp6.ROUTER_ADVERTISEMENT:
        found.append((mac, Trait.ND_ROUTER, "advertises"))
    return found


def _bounded(mac: str, valued: Iterable[tuple[Trait, str | None]]) -> list[Seen]:
    present = ((mac, trait, value[:MAX_VALUE]) for trait, value in valued if value is not None)
    return list(dict.fromkeys(islice(present, MAX_TRAITS)))


def _speaker(fact: MessageHeard, mac: str) -> str:
    """Whose words these are: a repeater may send for a client behind it (chaddr, RFC 2131 section 2)."""
    message = fact.message
    if isinstance(message, dhcp4.Message) and (client := message.client_mac) and _is_one(client):
        return client.hex(":")
    return mac


def _is_one(address: bytes) -> bool:
    """Whether a hardware address stands for one device."""
    return not address[0] & 1 and any(address)


# --- addresses ------------------------------------------------------------------------------------


@lru_cache(maxsize=_CACHED)
def _interface(address: str) -> str:
    return IPv6Address(address.partition("%")[0]).packed[8:].hex()


def _repeats(interface: str, mac: str) -> bool:
    """Whether an interface id is only the hardware address in another dress (RFC 4291 appendix A)."""
    digits = mac.replace(":", "")
    flipped = f"{int(digits[:2], 16) ^ 0x02:02x}"
    return interface == f"{flipped}{digits[2:6]}fffe{digits[6:]}"


# --- messages -------------------------------------------------------------------------------------


def _dhcp4(_: MessageHeard, message: dhcp4.Message) -> _Valued:
    if not message.from_client:
        return
    has = {code for code, _ in message.options}
    if dhcp4.PARAMETERS in has:
        yield Trait.DHCP4_PARAMETERS, _list(message.parameters)
    if message.message_type in {_DISCOVER, _REQUEST}:
        yield Trait.DHCP4_OPTIONS, _list(code for code, _ in message.options)
    if dhcp4.VENDOR_CLASS in has:
        yield Trait.DHCP4_VENDOR_CLASS, message.vendor_class or ""
    if dhcp4.USER_CLASS in has:
        yield Trait.DHCP4_USER_CLASS, message.user_class or ""
    if message.architectures:
        yield Trait.DHCP4_ARCHITECTURE, _list(message.architectures)
    if dhcp4.HOST_NAME in has or dhcp4.CLIENT_FQDN in has:
        yield Trait.DHCP4_HOST_NAME, message.host_name or ""
    client_id, hardware = message.client_id, message.client_mac
    if client_id and (hardware is None or client_id != "01" + hardware.hex()):
        yield Trait.DHCP4_CLIENT_ID, client_id


def _dhcp6(_: MessageHeard, message: dhcp6.Message) -> _Valued:
    if not message.from_client or message.relays:  # a relay is not the client, whose address it does not tell
        return
    if message.requested:
        yield Trait.DHCP6_REQUESTED, _list(message.requested)
    yield Trait.DHCP6_OPTIONS, _list(code for code, _ in message.options)
    if message.vendor_class is not None:
        number, text = message.vendor_class
        yield Trait.DHCP6_VENDOR_CLASS, f"{number}:{text}"
    if message.client_duid:
        yield Trait.DHCP6_DUID, message.client_duid.hex()
    yield Trait.DHCP6_FQDN, message.fqdn


def _mdns(fact: MessageHeard, message: dns.Message) -> _Valued:
    said = dnssd.announcement(message)
    if said.owner is not None and said.owner != fact.mac:
        return  # a sleep proxy: nothing of this is its own, and the sleeper has said it before
    for trait, values in (
        (Trait.MDNS_SERVICE, said.offers),
        (Trait.MDNS_TXT, said.texts),
        (Trait.MDNS_INSTANCE, said.instances),
        (Trait.MDNS_ID, said.ids),
        (Trait.MDNS_ASKED, said.asks),
    ):
        for value in values:
            yield trait, value
    yield Trait.MDNS_HOST, said.host


def _llmnr(_: MessageHeard, message: dns.Message) -> _Valued:
    # RFC 4795 section 2.3: a responder answers only for names that are its own.
    if message.response and message.rcode == 0:
        for answer in message.answers:
            if answer.rtype in {dns.A, dns.AAAA}:
                yield Trait.LLMNR_NAME, answer.name
            elif answer.rtype == dns.PTR:
                yield Trait.LLMNR_NAME, answer.value


def _nbns(fact: MessageHeard, message: nbns.Message) -> _Valued:
    own = {_WORKSTATION, _FILE_SERVER}
    # A name server answers for others: an answer counts only where it gives the sender's own address.
    answers = message.response and message.rcode == 0 and fact.src in message.addresses and not message.group
    if (message.claims or answers) and message.name and message.suffix in own:
        yield Trait.NBNS_NAME, message.name
    for owned in message.owned:
        if not owned.group and owned.suffix in own:
            yield Trait.NBNS_NAME, owned.name


def _ssdp(_: MessageHeard, message: ssdp.Message) -> _Valued:
    if message.method == ssdp.SEARCH:
        yield Trait.SSDP_ASKED, message.header("ST")
        yield Trait.SSDP_AGENT, message.header("USER-AGENT")
        return
    yield Trait.SSDP_SERVER, message.header("SERVER")
    offered = message.header("NT" if message.method == ssdp.NOTIFY else "ST")
    if offered is not None and not offered.lower().startswith("uuid:"):
        yield Trait.SSDP_TYPE, offered
    usn = (message.header("USN") or "").partition("::")[0]
    if usn.lower().startswith("uuid:") and len(usn) > len("uuid:"):
        yield Trait.SSDP_UUID, usn[len("uuid:") :].strip().lower()


def _http(_: MessageHeard, message: http.Request) -> _Valued:
    yield Trait.HTTP_USER_AGENT, message.user_agent


def _tls(_: MessageHeard, message: tls.ClientHello) -> _Valued:
    # JA3 keeps the order of extensions, and clients that send filler (RFC 8701) shuffle them: a new value each time.
    if ja.GREASE.isdisjoint(message.extensions):
        yield Trait.TLS_JA3, message.ja3
    yield Trait.TLS_JA4, message.ja4


def _quic(_: MessageHeard, message: tls.ClientHello) -> _Valued:
    yield Trait.QUIC_JA4, message.ja4


@lru_cache(maxsize=_CACHED)
def _syn_text(message: syn.Syn) -> str:
    return message.text  # few different ones; a TCP header has no room for one longer than `MAX_VALUE`


def _handshake(_: MessageHeard, message: handshake.Handshake) -> _Valued:
    if message.protocol == "ssh":
        yield Trait.SSH_BANNER, dict(message.detail).get("software")


_READERS: dict[Kind, Callable[[MessageHeard, Any], _Valued]] = {
    Kind.DHCP4: _dhcp4,
    Kind.DHCP6: _dhcp6,
    Kind.MDNS: _mdns,
    Kind.LLMNR: _llmnr,
    Kind.NBNS: _nbns,
    Kind.SSDP: _ssdp,
    Kind.HTTP_REQUEST: _http,
    Kind.TLS_CLIENT_HELLO: _tls,
    Kind.QUIC_CLIENT_HELLO: _quic,
    Kind.HANDSHAKE: _handshake,
}


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
