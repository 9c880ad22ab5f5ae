"""Facts as JSON objects, for `gatehouse replay --json`; the schema is in docs/replay.md.

Enters: a fact. Leaves: a dict of plain values. Bounded by the fact.
"""

from __future__ import annotations

from typing import Any

from appliance.sensor.facts import (
    ArpHeard,
    Fact,
    FlowBegan,
    MessageHeard,
    NeighbourHeard,
    Parsed,
)
from appliance.sensor.packet import dhcp4, dns, ip, names, tls

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning or goes; new kinds and fields do not raise it."""

_TRANSPORTS = {ip.TCP: "tcp", ip.UDP: "udp"}


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
            own = {"type": fact.kind, "target": fact.target}
        case FlowBegan():
            own = _ports(fact) | {"transport": _TRANSPORTS[fact.protocol]}
        case MessageHeard():
            kind, own = fact.kind.value, _ports(fact) | _message(fact.message)
        case _:
            pass
    return {"kind": kind, "ts": fact.ts, "src_mac": fact.mac, "src": fact.src} | own


def _message(message: Parsed) -> dict[str, Any]:
    match message:
        case dhcp4.Message():
            return _dhcp4(message)
        case dns.Message():
            return _dns(message)
        case tls.ClientHello():
            return _hello(message)
        case _:
            return {}


def _ports(fact: FlowBegan | MessageHeard) -> dict[str, Any]:
    return {"sport": fact.sport, "dst": fact.dst, "dport": fact.dport}


def _dhcp4(message: dhcp4.Message) -> dict[str, Any]:
    return {
        "from_client": message.from_client,
        "message_type": message.message_type,
        "client_mac": message.client_mac.hex(":") if message.client_mac else None,
        "client_ip": ip.text(message.client_ip),
        "your_ip": ip.text(message.your_ip),
        "requested_ip": ip.text(message.requested_ip) if message.requested_ip else None,
        "host_name": message.host_name,
        "vendor_class": message.vendor_class,
        "client_id": message.client_id,
        "parameters": list(message.parameters),
        "options": [{"code": code, "hex": value.hex()} for code, value in message.options],
    }


def _dns(message: dns.Message) -> dict[str, Any]:
    first = message.questions[0] if message.questions else None
    return {
        "id": message.id,
        "qname": first.name if first else None,
        "qtype": first.qtype if first else None,
        "questions": [{"name": question.name, "type": question.qtype} for question in message.questions],
        "response": message.response,
        "rcode": message.rcode,
        "answers": [
            {"name": answer.name, "type": answer.rtype, "ttl": answer.ttl, "value": answer.value}
            for answer in message.answers
        ],
        "complete": message.complete,
    }


def _hello(hello: tls.ClientHello) -> dict[str, Any]:
    return {
        "sni": hello.sni,
        "alpn": [names.announced(protocol) for protocol in hello.alpn],
        "legacy_version": hello.legacy_version,
        "supported_versions": list(hello.supported_versions),
        "ciphers": list(hello.ciphers),
        "extensions": list(hello.extensions),
        "groups": list(hello.groups),
        "point_formats": list(hello.point_formats),
        "signature_algorithms": list(hello.signature_algorithms),
    }
