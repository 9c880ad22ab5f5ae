"""The resolver of the lab's internet: a DNS question in, a whole answer out, over UDP and TCP.

Names come from the zone files beside this module; any other name below `example.` and `test.` has
the addresses of a web server (`lab.addresses.site_of`), and everything else does not exist, `invalid.`
above all (RFC 6761). It answers as a recursive resolver does, with the whole CNAME chain also where it
crosses zones: a stock authoritative server (nsd was looked at) stops at its zone's edge, and the box's
dnsmasq, which only forwards, would pass on half an answer. Question `answered-by.example` TXT gives the
address that was really asked. Questions about `addresses.TUNNEL_ZONE` are passed on to its own server.
Bounded: 8 CNAMEs a question, 64 TCP connections, 10 s each, 256 questions on their way.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

from lab import addresses

MAX_CHAIN = 8
MAX_TCP = 64
TCP_SECONDS = 10.0
FORWARD_SECONDS = 5.0
MAX_FORWARDED = 256
ANSWERED_BY = dns.name.from_text("answered-by.example.")

_ZONES = Path(__file__).parent / "zones"
_TTL = 300


class Names:
    """All zones, read once."""

    def __init__(self, folder: Path = _ZONES) -> None:
        self._zones = {}
        for file in sorted(folder.glob("*.zone")):
            zone = dns.zone.from_file(str(file), origin=dns.name.from_text(file.stem), relativize=False)
            self._zones[file.stem] = zone

    def known(self) -> list[str]:
        """Every name of the zone files, without the dot at its end."""
        nodes = {name for zone in self._zones.values() for name in zone.nodes}
        return sorted(name.to_text(omit_final_dot=True) for name in nodes if len(name) > 2)

    def answer(self, wire: bytes, *, asked: str) -> dns.message.Message | None:
        """The answer to the question in `wire`, which came to our address `asked`; None if it is no question."""
        try:
            query = dns.message.from_wire(wire)
            response = dns.message.make_response(query, recursion_available=True)
        except dns.exception.DNSException:
            return None
        if len(query.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
            return response
        question = query.question[0]
        name, kind = question.name, question.rdtype
        if name == ANSWERED_BY and kind == dns.rdatatype.TXT:
            response.answer.append(dns.rrset.from_text(name, 0, "IN", "TXT", f'"{asked}"'))
            return response
        if name == dns.name.root and kind == dns.rdatatype.NS:  # everybody's resolver knows these
            response.answer.append(dns.rrset.from_text(name, _TTL, "IN", "NS", "root.example."))
            return response
        for _ in range(MAX_CHAIN):
            found = self._find(name, kind)
            if found is None:
                break
            response.answer.append(found)
            if found.rdtype == kind or found.rdtype != dns.rdatatype.CNAME:
                return response
            name = found[0].target
        zone = self._zone_of(name)
        if zone is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:  # RFC 2308 section 2.2: the SOA tells how long "none of that type" holds
            soa = zone.get_rrset(zone.origin, dns.rdatatype.SOA) if zone.origin else None
            response.authority += [soa] if soa else []
        return response

    def _zone_of(self, name: dns.name.Name) -> dns.zone.Zone | None:
        return self._zones.get(name.labels[-2].decode("ascii", "replace").lower()) if len(name) > 1 else None

    def _find(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        zone = self._zone_of(name)
        if zone is None:
            return None
        node = zone.get_node(name)
        if node is not None:
            for wanted in (dns.rdatatype.CNAME, kind):
                found = zone.get_rrset(name, wanted)
                if found is not None:
                    found.name = name  # as the question spelt it
                    return found
            if any(item.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) for item in node):
                return None
        if len(name) > 2 and kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            four, six = addresses.site_of(name.to_text())
            text = str(four if kind == dns.rdatatype.A else six)
            return dns.rrset.from_text(name, _TTL, dns.rdataclass.IN, kind, text)
        return None


class _Forward(asyncio.DatagramProtocol):
    """One question on its way to the server of its zone, and the answer back to who asked."""

    def __init__(
        self, question: bytes, answered: Callable[[bytes], None], under_way: set[asyncio.DatagramProtocol]
    ) -> None:
        self._question = question
        self._answered = answered
        self._under_way = under_way
        under_way.add(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._transport.sendto(self._question)
        asyncio.get_running_loop().call_later(FORWARD_SECONDS, self._transport.close)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        self._answered(data)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._under_way.discard(self)


def _forwarded(wire: bytes) -> bool:
    """Whether a question is about the zone that another server answers for."""
    labels, at = [], 12
    while at < len(wire) and 0 < wire[at] < 64:
        labels.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    return b".".join(labels).lower().endswith(addresses.TUNNEL_ZONE.encode())


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names, asked: str) -> None:
        self._names = names
        self._asked = asked
        self._under_way: set[asyncio.DatagramProtocol] = set()
        self._tasks: set[asyncio.Task[object]] = set()  # the loop itself keeps only weak references

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transport is not a subclass of DatagramTransport before Python 3.12
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if _forwarded(data):
            self._forward(data, addr)
            return
        response = self._names.answer(data, asked=self._asked)
        if response is None:
            return
        limit = max(512, response.request_payload)
        try:
            wire = response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        self._transport.sendto(wire, addr)

    def _forward(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self._under_way) >= MAX_FORWARDED:
            return
        made = asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Forward(data, lambda answer: self._transport.sendto(answer, addr), self._under_way),
            remote_addr=(addresses.TUNNEL_SERVER, 53),
        )
        task: asyncio.Task[object] = asyncio.ensure_future(made)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def serve(names: Names, address: str) -> None:
    """Answer on `address`, port 53, until the loop ends."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Datagrams(names, address), local_addr=(address, 53))
    places = asyncio.Semaphore(MAX_TCP)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with places, asyncio.timeout(TCP_SECONDS):
                while True:
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    response = names.answer(await reader.readexactly(length), asked=address)
                    if response is None:
                        return
                    wire = response.to_wire(max_size=65535)
                    writer.write(struct.pack("!H", len(wire)) + wire)
                    await writer.drain()
        except (OSError, EOFError, TimeoutError):
            return
        finally:
            writer.close()

    await asyncio.start_server(converse, address, 53)
