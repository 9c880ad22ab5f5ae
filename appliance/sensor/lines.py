"""Facts and signals as JSON objects, for `gatehouse replay --json`; the schema is in docs/replay.md.

Enters: a fact, a signal or an activity. Leaves: a dict of plain values. Bounded by the fact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.messages import ActivitySeen, SignalSeen
from appliance.sensor.facts import (
    ArpHeard,
    Fact,
    FlowBegan,
    FlowOpened,
    MessageHeard,
    NeighbourHeard,
    Parsed,
)
from appliance.sensor.packet import dhcp4, dhcp6, dns, handshake, http, icmp6, ip, names, nbns, ssdp, svcb, syn, tls

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning or goes; new kinds and fields do not raise it."""

_TRANSPORTS = {ip.TCP: "tcp", ip.UDP: "udp", ip.ESP: "esp"}
_TYPES = {
    dns.A: "A",
    dns.NS: "NS",
    dns.CNAME: "CNAME",
    dns.SOA: "SOA",
    dns.PTR: "PTR",
    dns.MX: "MX",
    dns.TXT: "TXT",
    dns.AAAA: "AAAA",
    dns.SRV: "SRV",
    dns.OPT: "OPT",
    dns.SVCB: "SVCB",
    dns.HTTPS: "HTTPS",
    dns.ANY: "ANY",
}
_MAX_TEXT = 255
"""Octets of a character string (RFC 1035 section 3.3)."""


def line(fact: Fact) -> dict[str, Any]:
    """One fact as a JSON object."""
    kind = fact.via.value
    own: dict[str, Any] = {}
    match fact:
        case ArpHeard():
            own = {
                "operation": fact.operation,
                "sender_mac": fact.sender_mac,
                "sender_ip": fact.sender_ip,
                "target_ip": fact.target_ip,
            }
        case NeighbourHeard():
            own = {"type": fact.kind, "target": fact.target} | _neighbour(fact.message)
        case FlowBegan():
            own = _ports(fact) | {"transport": _TRANSPORTS[fact.protocol]}
        case FlowOpened():
            kind = "opened"
            own = _ports(fact) | {"transport": _TRANSPORTS[fact.protocol], "length": fact.length}
        case MessageHeard():
            kind, own = fact.kind.value, _ports(fact) | _MESSAGES[type(fact.message)](fact.message)
        case _:
            pass
    return {"kind": kind, "ts": fact.ts, "src_mac": fact.mac, "src": fact.src} | own


def signal_line(told: SignalSeen | ActivitySeen) -> dict[str, Any]:
    """One signal, or the activity of some minutes, as a JSON object."""
    head = {"ts": told.ts, "since": told.since, "mac": told.mac}
    if isinstance(told, SignalSeen):
        return (
            {"kind": "signal"}
            | head
            | {
                "signal": told.signal.value,
                "value": told.value,
                "count": told.count,
                "server": told.server,
                "port": told.port,
                "octets": told.octets,
            }
        )
    return (
        {"kind": "activity"}
        | head
        | {
            "flows": told.flows,
            "unnamed": told.unnamed,
            "classes": told.classes,
            "others": told.others,
        }
    )


def _ports(fact: FlowBegan | FlowOpened | MessageHeard) -> dict[str, Any]:
    return {"sport": fact.sport, "dst": fact.dst, "dport": fact.dport}


def _mac(address: bytes | None) -> str | None:
    return address.hex(":") if address else None


def _neighbour(message: icmp6.Message) -> dict[str, Any]:
    router = message.router
    return {
        "source_link": _mac(message.source_link),
        "target_link": _mac(message.target_link),
        "router_lifetime": router.lifetime if router else None,
        "managed": router.managed if router else None,
        "prefixes": [f"{ip.text(prefix.address)}/{prefix.length}" for prefix in message.prefixes],
        "resolvers": [ip.text(address) for address in message.resolvers],
        "mtu": message.mtu,
        "captive_portal": message.captive_portal,
    }


def _dhcp4(message: dhcp4.Message) -> dict[str, Any]:
    return {
        "from_client": message.from_client,
        "message_type": message.message_type,
        "client_mac": _mac(message.client_mac),
        "client_ip": ip.text(message.client_ip),
        "your_ip": ip.text(message.your_ip),
        "requested_ip": ip.text(message.requested_ip) if message.requested_ip else None,
        "host_name": message.host_name,
        "fqdn": message.fqdn,
        "vendor_class": message.vendor_class,
        "user_class": message.user_class,
        "architectures": list(message.architectures),
        "client_id": message.client_id,
        "parameters": list(message.parameters),
        "server_id": ip.text(message.server_id) if message.server_id else None,
        "prefers_ipv6_only": message.prefers_ipv6_only,
        "ipv6_only_wait": message.ipv6_only_wait,
        "captive_portal": message.captive_portal,
        "options": _options(message.options),
    }


def _dhcp6(message: dhcp6.Message) -> dict[str, Any]:
    vendor = message.vendor_class
    return {
        "from_client": message.from_client,
        "message_type": message.message_type,
        "client_duid": message.client_duid.hex() if message.client_duid else None,
        "server_duid": message.server_duid.hex() if message.server_duid else None,
        "requested": list(message.requested),
        "vendor_class": {"enterprise": vendor[0], "data": vendor[1]} if vendor else None,
        "fqdn": message.fqdn,
        "addresses": [ip.text(address) for address in message.addresses],
        "options": _options(message.options),
    }


def _options(options: tuple[tuple[int, bytes], ...]) -> list[dict[str, Any]]:
    return [{"code": code, "hex": value.hex()} for code, value in options]


def _dns(message: dns.Message) -> dict[str, Any]:
    first = message.questions[0] if message.questions else None
    edns = message.edns
    return {
        "id": message.id,
        "qname": first.name if first else None,
        "qtype": first.qtype if first else None,
        "qtype_name": _type(first.qtype) if first else None,
        "questions": [{"name": question.name, "type": question.qtype} for question in message.questions],
        "response": message.response,
        "opcode": message.opcode,
        "rcode": message.rcode,
        "answers": [_record(record) for record in message.answers],
        "authorities": [_record(record) for record in message.authorities],
        "additionals": [_record(record) for record in message.additionals],
        "edns": {
            "udp_size": edns.udp_size,
            "version": edns.version,
            "extended_rcode": edns.extended_rcode,
            "dnssec_ok": edns.dnssec_ok,
            "options": _options(edns.options),
        }
        if edns
        else None,
        "complete": message.complete,
    }


def _type(number: int) -> str:
    return _TYPES.get(number, f"TYPE{number}")  # RFC 3597 section 5


def _record(record: dns.Answer) -> dict[str, Any]:
    own: dict[str, Any] = {"name": record.name, "type": record.rtype, "ttl": record.ttl, "value": record.value}
    match record.data:
        case svcb.Svcb() as service:
            own["service"] = {
                "priority": service.priority,
                "target": service.target,
                "alpn": list(service.alpn),
                "port": service.port,
                "ipv4hint": list(service.ipv4hint),
                "ipv6hint": list(service.ipv6hint),
                "ech": service.ech is not None,
            }
        case dns.Srv() as server:
            own["server"] = {"priority": server.priority, "weight": server.weight, "port": server.port}
        case tuple() as strings:
            own["texts"] = [names.printable(text, _MAX_TEXT) for text in strings]
        case None:
            pass
    return own


def _hello(hello: tls.ClientHello) -> dict[str, Any]:
    return {
        "sni": hello.sni,
        "alpn": [names.announced(protocol) for protocol in hello.alpn],
        "ja3": hello.ja3,
        "ja4": hello.ja4,
        "ech": hello.ech.value,
        "legacy_version": hello.legacy_version,
        "supported_versions": list(hello.supported_versions),
        "ciphers": list(hello.ciphers),
        "extensions": list(hello.extensions),
        "groups": list(hello.groups),
        "point_formats": list(hello.point_formats),
        "signature_algorithms": list(hello.signature_algorithms),
        "key_shares": list(hello.key_shares),
        "early_data": hello.early_data,
        "resumes": hello.resumes,
    }


def _nbns(message: nbns.Message) -> dict[str, Any]:
    return {
        "response": message.response,
        "opcode": message.opcode,
        "rcode": message.rcode,
        "name": message.name,
        "suffix": message.suffix,
        "group": message.group,
        "addresses": list(message.addresses),
        "owned": [{"name": own.name, "suffix": own.suffix, "group": own.group} for own in message.owned],
        "complete": message.complete,
    }


def _ssdp(message: ssdp.Message) -> dict[str, Any]:
    return {
        "method": message.method,
        "headers": [{"name": name, "value": value} for name, value in message.headers],
        "complete": message.complete,
    }


def _http(message: http.Request) -> dict[str, Any]:
    return {
        "method": message.method,
        "host": message.host,
        "user_agent": message.user_agent,
        "version": message.version,
    }


def _syn(message: syn.Syn) -> dict[str, Any]:
    return {
        "text": message.text,
        "ip_version": message.version,
        "ttl": message.ttl,
        "window": message.window,
        "mss": message.mss,
        "scale": message.scale,
        "options": list(message.options),
        "quirks": list(message.quirks),
    }


def _handshake(message: handshake.Handshake) -> dict[str, Any]:
    return {"protocol": message.protocol, "detail": dict(message.detail)}


_MESSAGES: dict[type[Parsed], Callable[[Any], dict[str, Any]]] = {
    dhcp4.Message: _dhcp4,
    dhcp6.Message: _dhcp6,
    dns.Message: _dns,
    nbns.Message: _nbns,
    ssdp.Message: _ssdp,
    tls.ClientHello: _hello,
    http.Request: _http,
    syn.Syn: _syn,
    handshake.Handshake: _handshake,
}
