"""A `household.toml` that fits any home, before anybody said anything of this one. Pure.

In: the box's ports, the operator's card, the label, networks that are taken. Out: a `Household`. The socket for the
internet is `eth0` (the one on the board); all others are the household's side, with every radio.
Bounded: `MAX_RADIOS` radios, `MAX_LAN` ports.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from ipaddress import IPv4Network, IPv6Network

from appliance.fitting.card import Sticker
from appliance.fitting.ports import MODEM, Port
from firmware.household import Household
from wire.enrolment import OperatorCard

MAX_LAN = 8
MAX_RADIOS = 2
BRIDGE = "br-lan"
NETWORKS = tuple(
    IPv4Network(text)
    for text in ("192.168.77.0/24", "10.77.77.0/24", "172.27.77.0/24", "192.168.177.0/24", "10.177.177.0/24")
)
"""Prefixes that few home routers give out: RFC 1918, one of each block first."""
RESOLVERS = ("9.9.9.10", "1.1.1.1")
"""Where the operator's card names none: two operators that answer whatever is asked and promise not to keep who asked. The
first is the unfiltered address of its operator, so that what a family reaches does not change by the box coming. Not the
provider's own: see docs/first-boot.md."""
_CHANNELS = (("2.4", 6), ("5", 36))


def ula() -> IPv6Network:
    """A /64 of this home's own: 40 random bits (RFC 4193 section 3.2.2)."""
    return IPv6Network(((0xFD << 120) | (secrets.randbits(40) << 80), 64))


def own_mac() -> str:
    """An address of this box's own for its side of the home: locally administered, and no other's (RFC 7042 section 2.1)."""
    return ":".join(f"{octet:02x}" for octet in (0x02, *secrets.token_bytes(5)))


def free_network(taken: Collection[IPv4Network]) -> IPv4Network:
    """The first of `NETWORKS` that overlaps none of those that are taken; the first, where all are."""
    return next((each for each in NETWORKS if not any(each.overlaps(other) for other in taken)), NETWORKS[0])


def wan_port(ports: Sequence[Port]) -> str:
    """The socket marked INTERNET: the board's own, else the first there is."""
    wired = [port.name for port in ports if not port.radio]
    return "eth0" if "eth0" in wired or not wired else wired[0]


def household(
    ports: Sequence[Port],
    operator: OperatorCard,
    sticker: Sticker | None,
    *,
    before: Household | None = None,
    taken: Collection[IPv4Network] = (),
) -> Household:
    """What this box is as long as nobody said more.

    Args:
        ports: what there is; where some are hardware, only those count.
        operator: the country, time servers and resolvers.
        sticker: name of the set-up Wi-Fi; None: the one of `before`.
        before: what was chosen at an earlier start, kept as far as it fits: devices have addresses of it.
        taken: networks on the way to the internet.
    """
    # A modem's other side is the provider's: its own addresses would be given out to the family.
    named = [port for port in ports if port.name != MODEM]
    touched = [port for port in named if port.hardware] or named
    wan = wan_port(touched)
    lan = [port.name for port in touched if not port.radio and port.name != wan][:MAX_LAN]
    radios = [port.name for port in touched if port.radio][:MAX_RADIOS]
    network = free_network(taken)
    if before is not None and not any(before.lan.network.overlaps(other) for other in taken):
        network = before.lan.network
    way: dict[str, object] = {"interface": wan}
    if before is not None and before.wan.kind != "dhcp" and before.wan.port in {None, wan}:
        way = before.wan.model_dump(mode="json", exclude_none=True)  # somebody entered it at the box's page
    document: dict[str, object] = {
        "lan": {
            "bridge": BRIDGE,
            "ports": lan,
            "address": str(network[1]),
            "network": str(network),
            "network6": str(before.lan.network6 if before is not None else ula()),
            "mac": (before.lan.mac if before is not None else None) or own_mac(),
        },
        "wan": way,
        "resolver": {"upstream": [str(each) for each in operator.resolvers] or list(RESOLVERS)},
        "admin": {"engineer_keys": list(operator.engineer_keys)},
    }
    ssid = sticker.wifi_name if sticker is not None else None
    if before is not None and before.wifi is not None:
        ssid = ssid or before.wifi.ssid
    if radios and ssid:
        document["wifi"] = {
            "ssid": ssid,
            "country": operator.country,
            "radios": [
                {"interface": name, "band": band, "channel": channel}
                for name, (band, channel) in zip(radios, _CHANNELS, strict=False)
            ],
        }
    if operator.time_servers:
        document["time"] = {"servers": list(operator.time_servers)}
    return Household.model_validate(document)
