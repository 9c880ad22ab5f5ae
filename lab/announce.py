"""What a device says of itself: `python -m lab.announce`, on the device.

A persona as one line of JSON on stdin; mDNS (python-zeroconf, RFC 6762) and SSDP NOTIFY (UPnP 1.1,
section 1.2.2) go out, and the questions that the persona asks by either; `announced` is printed; it
answers mDNS questions until stdin closes. Bounded by the persona: 16 services and 16 questions, 8 SSDP
types and 8 searches, each said twice.
"""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address

import ifaddr
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from lab.personas import Persona

SSDP = (("239.255.255.250", 1900), ("ff02::c", 1900))


def _own_addresses() -> list[str]:
    found = []
    for adapter in ifaddr.get_adapters():
        if adapter.name == "eth0":
            found += [item.ip if isinstance(item.ip, str) else item.ip[0] for item in adapter.ips]
    return found


def notifications(persona: Persona, *, host: str, location: str) -> list[bytes]:
    """The SSDP messages of a persona, to `host` (address and port as they go into the HOST header)."""
    return [
        "\r\n".join(
            (
                "NOTIFY * HTTP/1.1",
                f"HOST: {host}",
                "CACHE-CONTROL: max-age=1800",
                f"LOCATION: http://{location}/description.xml",
                f"NT: {kind}",
                "NTS: ssdp:alive",
                f"SERVER: {persona.ssdp_server}",
                f"USN: uuid:00000000-0000-4000-8000-{persona.mac.replace(':', '')}::{kind}",
                "",
                "",
            )
        ).encode("ascii")
        for kind in persona.ssdp
    ]


def searches(persona: Persona, *, host: str) -> list[bytes]:
    """The SSDP questions of a persona (UPnP 1.1, section 1.3.2), to `host` as in `notifications`."""
    agent = (f"USER-AGENT: {persona.ssdp_agent}",) if persona.ssdp_agent else ()
    return [
        "\r\n".join(
            (
                "M-SEARCH * HTTP/1.1",
                f"HOST: {host}",
                'MAN: "ssdp:discover"',
                "MX: 1",
                f"ST: {kind}",
                *agent,
                "",
                "",
            )
        ).encode("ascii")
        for kind in persona.ssdp_asks
    ]


class _Deaf(ServiceListener):
    """Takes no notice of answers: asking is all that is played."""

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody offers it."""

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody does not any more."""

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody says something else about it."""


def _usable(own: str, family: socket.AddressFamily) -> bool:
    """Whether an address can be sent from: one still being probed (RFC 4862 section 5.4) cannot."""
    with socket.socket(family, socket.SOCK_DGRAM) as handle:
        scope = (0, socket.if_nametoindex("eth0")) if family == socket.AF_INET6 else ()
        try:
            handle.bind((own, 0, *scope))
        except OSError:
            return False
    return True


def _say_ssdp(persona: Persona, addresses: list[str]) -> None:
    for group, port in SSDP:
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        own = next((text for text in addresses if (":" in text) == (family == socket.AF_INET6)), None)
        if own is None or not _usable(own, family):
            continue
        shown = f"[{group}]:{port}" if ":" in group else f"{group}:{port}"
        messages = notifications(persona, host=shown, location=f"[{own}]" if ":" in own else own)
        messages += searches(persona, host=shown)
        with socket.socket(family, socket.SOCK_DGRAM) as handle:
            if family == socket.AF_INET6:
                handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
            else:
                handle.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
                handle.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
            for message in messages * 2:
                handle.sendto(message, (group, port))


def main() -> None:
    """See the module's text."""
    persona = Persona.model_validate_json(sys.stdin.readline())
    addresses = _own_addresses()
    _say_ssdp(persona, addresses)
    if not persona.services and not persona.asks:
        print("announced", flush=True)
        sys.stdin.read()
        return
    packed = [ip_address(text).packed for text in addresses if not ip_address(text).is_link_local]
    zeroconf = Zeroconf()
    try:
        for service in persona.services:
            kind = f"{service.kind}.local."
            zeroconf.register_service(
                ServiceInfo(
                    kind,
                    f"{service.name}.{kind}",
                    addresses=packed,
                    port=service.port,
                    properties=dict(service.text),
                    server=f"{persona.mdns_host or persona.host_name or persona.name}.local.",
                )
            )
        if persona.asks:
            ServiceBrowser(zeroconf, [f"{kind}.local." for kind in persona.asks], listener=_Deaf())
        print("announced", flush=True)
        sys.stdin.read()
    finally:
        zeroconf.close()


if __name__ == "__main__":
    main()
