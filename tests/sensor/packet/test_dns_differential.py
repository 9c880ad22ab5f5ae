"""Every DNS and multicast DNS message of the captures beside the project, read by dnspython and by ours.

What the two read differently stands in `DIFFERENCES` with its reason; anything else fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from struct import pack_into, unpack_from
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.rdtypes.svcbbase
import pytest

from appliance.sensor.frame import Frame, LinkType
from appliance.sensor.packet import dns as parser
from appliance.sensor.packet import ethernet, ip, svcb, tcp, udp
from appliance.sensor.packet.cursor import ParseError
from appliance.sensor.taps.capture import Capture

DIFFERENCES: dict[str, int] = {}
"""Reason, and how many messages differ for it; a message that either refuses counts. There are none."""

PORTS = frozenset({53, 5353, 5355})
LINKS = {
    LinkType.ETHERNET: ethernet.ethernet,
    LinkType.RAW_IP: ethernet.raw,
    LinkType.NULL: ethernet.loopback,
    LinkType.SLL: ethernet.cooked_v1,
    LinkType.SLL2: ethernet.cooked_v2,
}
TOP_BIT = 0x8000
NAMED = {parser.NS: "target", parser.CNAME: "target", parser.PTR: "target", parser.SOA: "mname", parser.MX: "exchange"}


def payloads(frame: Frame) -> Iterator[bytes]:
    """Messages over UDP, and over TCP those that a segment holds whole."""
    try:
        carried = LINKS[frame.link](frame.data)
        if carried.ethertype not in {ethernet.IPV4, ethernet.IPV6}:
            return
        packet = ip.parse(frame.data, carried.start, carried.ethertype)
        if packet.later_fragment:
            return
        if packet.protocol == ip.UDP:
            datagram = udp.parse(frame.data, packet.start, packet.end)
            if PORTS & {datagram.sport, datagram.dport}:
                yield frame.data[datagram.start : datagram.end]
        elif packet.protocol == ip.TCP:
            segment = tcp.parse(frame.data, packet.start, packet.end)
            data = frame.data[segment.start : segment.end]
            if 53 in {segment.sport, segment.dport} and len(data) > 2 and unpack_from("!H", data)[0] == len(data) - 2:
                yield data[2:]
    except ParseError:
        return


@pytest.fixture(scope="module")
def messages() -> list[tuple[str, bytes]]:
    shared = Path(__file__).resolve().parents[4] / "shared"
    found = sorted(path for path in shared.glob("**/*.pcap*") if path.suffix in {".pcap", ".pcapng"})
    if not found:
        pytest.skip(f"no captures under {shared}")
    taken: list[tuple[str, bytes]] = []
    for path in found:
        with Capture(path) as capture:
            taken.extend((path.name, payload) for frame in capture for payload in payloads(frame))
    return taken


def without_top_bits(wire: bytes) -> tuple[bytes, list[bool]]:
    """The message with the top bit of every class cleared, and whether it was set: dnspython reads no class 32769."""
    changed = bytearray(wire)
    tops: list[bool] = []
    *_, questions, answers, authorities, additionals = unpack_from("!HHHHHH", wire)
    at = 12
    for number in range(questions + answers + authorities + additionals):
        _, length = dns.name.from_wire(wire, at)
        at += length
        kind, of = unpack_from("!HH", wire, at)
        if kind != dns.rdatatype.OPT:
            tops.append(bool(of & TOP_BIT))
            pack_into("!H", changed, at + 2, of & ~TOP_BIT)
        at += 4
        if number >= questions:
            at += 6 + unpack_from("!H", wire, at + 4)[0]
    return bytes(changed), tops


def text(name: dns.name.Name) -> str:
    return "" if name == dns.name.root else name.canonicalize().to_text(omit_final_dot=True)


def theirs_of(wire: bytes) -> dict[str, Any]:
    cleared, tops = without_top_bits(wire)
    message = dns.message.from_wire(cleared, one_rr_per_rrset=True, ignore_trailing=True)
    assert message.flags is not None
    return {
        "id": message.id,
        "response": bool(message.flags & dns.flags.QR),
        "opcode": int(message.opcode()),
        "rcode": int(message.rcode()),
        "questions": [(text(each.name), int(each.rdtype), int(each.rdclass)) for each in message.question],
        "answers": [record for rrset in message.answer for record in records(rrset)],
        "authorities": [record for rrset in message.authority for record in records(rrset)],
        "additionals": [record for rrset in message.additional for record in records(rrset)],
        "edns": None
        if message.edns < 0
        else (
            message.payload,
            message.edns,
            bool(message.ednsflags & TOP_BIT),
            [(int(option.otype), option.to_wire()) for option in message.options],
        ),
        "tops": tops,
    }


def records(rrset: Any) -> Iterator[tuple[Any, ...]]:
    for rdata in rrset:
        yield (text(rrset.name), int(rrset.rdtype), rrset.ttl, *content(rdata), int(rrset.rdclass))


def content(rdata: Any) -> tuple[Any, Any]:
    kind = int(rdata.rdtype)
    if kind in {parser.A, parser.AAAA}:
        return rdata.address, None
    if kind in NAMED:
        return text(getattr(rdata, NAMED[kind])), None
    if kind == parser.TXT:
        return None, rdata.strings
    if kind == parser.SRV:
        target = text(rdata.target)
        return target, (rdata.priority, rdata.weight, rdata.port, target)
    return (text(rdata.target), service(rdata)) if kind in {parser.SVCB, parser.HTTPS} else (None, None)


def service(rdata: Any) -> tuple[Any, ...]:
    values = rdata.params
    keys = dns.rdtypes.svcbbase.ParamKey

    def of(key: Any, field: str) -> Any:
        return getattr(values[key], field) if key in values else None

    return (
        rdata.priority,
        text(rdata.target),
        tuple(sorted(int(key) for key in values)),
        tuple(int(key) for key in of(keys.MANDATORY, "keys") or ()),
        tuple(name.decode() for name in of(keys.ALPN, "ids") or ()),
        keys.NO_DEFAULT_ALPN not in values,
        of(keys.PORT, "port"),
        tuple(of(keys.IPV4HINT, "addresses") or ()),
        of(keys.ECH, "ech"),
        tuple(of(keys.IPV6HINT, "addresses") or ()),
    )


def ours_of(wire: bytes) -> dict[str, Any]:
    message = parser.parse(wire)
    assert message.complete
    assert message.further.complete
    sections = (message.answers, message.authorities, message.additionals)
    edns = message.edns
    return {
        "id": message.id,
        "response": message.response,
        "opcode": message.opcode,
        "rcode": message.rcode | (edns.extended_rcode << 4 if edns else 0),
        "questions": [(question.name, question.qtype, question.qclass) for question in message.questions],
        "answers": [own(record) for record in message.answers],
        "authorities": [own(record) for record in message.authorities],
        "additionals": [own(record) for record in message.additionals],
        "edns": edns and (edns.udp_size, edns.version, edns.dnssec_ok, list(edns.options)),
        "tops": [question.unicast for question in message.questions]
        + [record.flush for section in sections for record in section],
    }


def own(record: parser.Answer) -> tuple[Any, ...]:
    data: Any = record.data
    if isinstance(data, parser.Srv):
        data = (data.priority, data.weight, data.port, data.target)
    elif isinstance(data, svcb.Svcb):
        data = (
            data.priority,
            data.target,
            data.keys,
            data.mandatory,
            data.alpn,
            data.default_alpn,
            data.port,
            data.ipv4hint,
            data.ech,
            data.ipv6hint,
        )
    return (record.name, record.rtype, record.ttl, record.value, data, record.rclass)


def reading(of: Any, wire: bytes) -> Any:
    """What a parser makes of it; the name of its refusal where it refuses."""
    try:
        return of(wire)
    except (ParseError, dns.exception.DNSException, AssertionError) as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]


def difference(wire: bytes) -> str | None:
    """Why the two readings differ, in words; None where they agree."""
    ours, theirs = reading(ours_of, wire), reading(theirs_of, wire)
    if isinstance(ours, str) or isinstance(theirs, str):
        return f"ours: {ours!s:.60}, theirs: {theirs!s:.60}"
    unlike = [field for field in ours if ours[field] != theirs[field]]
    return ", ".join(unlike) or None


@pytest.mark.req("R11", "N8")
def test_every_message_of_the_captures(messages: list[tuple[str, bytes]], capsys: pytest.CaptureFixture[str]) -> None:
    found = Counter(reason for _, wire in messages if (reason := difference(wire)) is not None)
    kinds = Counter(
        record.rtype
        for _, wire in messages
        for message in [parser.parse(wire)]
        for record in message.answers + message.authorities + message.additionals
    )
    with capsys.disabled():
        figures = f"{len(messages)} messages, {sum(kinds.values())} records, {dict(found)}"
        print(f"\nDNS against dnspython: {figures}")  # noqa: T201 - figures for who runs it
    assert found == DIFFERENCES
    assert len(messages) > 1000
