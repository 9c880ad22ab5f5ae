"""What the router is, as text: one `Household` in, configuration files out.

Pure: reads no clock and no system, only the templates beside it. The same household gives the same
text on the box, in the lab and in the tests. Every value comes from the checked model: none can add a
line of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

from firmware import links, names, services, wireless
from firmware.household import Household
from firmware.templating import environment, fill
from firmware.wireless import Secrets, WirelessError

NFTABLES = "/etc/nftables.conf"
DNSMASQ = "/etc/dnsmasq.d/gatehouse.conf"
SYSCTL = "/etc/sysctl.d/90-gatehouse.conf"
MODULES = "/etc/modules-load.d/90-gatehouse.conf"

TRUST_ANCHORS = "/usr/share/dnsmasq-base/trust-anchors.conf"
"""The root's keys, as Debian's dnsmasq-base brings them."""

LEASE_FILE = "/run/gatehouse/dnsmasq.leases"
"""On tmpfs: who had which address does not outlive the power. An argument to dnsmasq may say elsewhere."""

_KEPT_SHARE = 4
"""One address of so many is kept for devices on the register."""

BOX_NAME = "gatehouse"
"""Host name of the notice page within the household's domain."""

_INWARD = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::/128",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""Ranges no public name has a reason to answer with."""

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")
"""A name as it may stand in a configuration."""

_PPPOE_MTU = 1492
"""RFC 2516 section 7."""
_LEAST_POOL = 4
_RESERVED = 9
_NO_MARKER = names.MARKER_PREFIX + "0" * 12


class RenderError(ValueError):
    """A household that no router can be made of; the text says which value and why."""


def render(household: Household, *, secrets: Secrets | None = None, wan_tap: bool = True) -> dict[str, str]:
    """Text of every configuration file of this household, by the path it is installed at.

    What no household changes (the machine itself, its boot) is `firmware.machine`'s.

    Args:
        household: what the router is.
        secrets: what WPA3 needs; nothing else does.
        wan_tap: as for `rules`.

    Raises:
        RenderError: the network has no room for leases, or WPA3 has no passphrase.
    """
    lan, wan = household.lan.bridge, household.wan.interface
    try:
        radios = wireless.render(household, secrets or Secrets())
    except WirelessError as error:
        raise RenderError(str(error)) from error
    return {
        NFTABLES: rules(household, wan_tap=wan_tap),
        DNSMASQ: fill("dnsmasq.conf", **_dnsmasq(household)),
        SYSCTL: fill("sysctl.conf", lan=lan, wan=wan),
        MODULES: fill("modules.conf", pppoe=household.wan.kind == "pppoe"),
        **links.render(household),
        **services.render(household),
        **radios,
    }


def mode(path: str) -> int:
    """Permission bits of a rendered file: root's alone where a secret may be in it."""
    return 0o600 if path.startswith(wireless.FOLDER) else 0o644


def rules(household: Household, *, wan_tap: bool = True) -> str:
    """The complete nftables rule set, for `nft -f`.

    Without `wan_tap` the table at the WAN port is left out: the kernel refuses the whole set while
    that port does not exist, and the household's own side must not wait for it.
    """
    template = environment().get_template("nftables.conf.j2")
    wifi = household.wifi
    apart = wifi.radios if wifi is not None and wifi.isolation and len(wifi.radios) > 1 else ()
    context = {
        "lan": household.lan.bridge,
        "wan": household.wan.interface,
        "line": household.wan.port or household.wan.interface,
        "address": household.lan.address,
        "shell_port": names.SHELL_PORT if household.admin.engineer_keys else None,
        "isolated": ", ".join(f'"{radio.interface}"' for radio in apart),
        "names": names,
        "families": names.FAMILIES,
        "notice_port": household.notice_port,
        "limits": household.limits,
        "wan_tap": wan_tap,
    }
    digest = hashlib.sha256(template.render(context, marker=_NO_MARKER).encode()).hexdigest()
    return template.render(context, marker=names.MARKER_PREFIX + digest[:12])


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """What one name, and the names below it, are answered by a filtering resolver."""

    name: str
    """Lower case, A-labels, no final dot."""
    itself: bool
    """Refused: it leads to the box."""
    below: bool
    instead: tuple[IPv4Address | IPv6Address, ...] = ()
    """Addresses that the name itself is answered with; then `itself` says nothing."""


def filter_config(household: Household, *, port: int, refuse_all: bool, rules: Iterable[NameRule]) -> str:
    """Configuration of one filtering resolver.

    A refused name is answered with the box's IPv4 address, where a page says so; of any other type it has
    no record, so no service record leads round it. dnsmasq takes the longest pattern; `*.name` means the
    names below `name` only.

    Raises:
        RenderError: a name is none.
    """
    lan = household.lan
    head = fill(
        "filter.conf",
        lan=lan.bridge,
        port=port,
        address=lan.address,
        address6=lan.network6[1],
        box_name=BOX_NAME,
        domain=lan.domain,
    )
    refused = str(lan.address)
    lines = [head, f"\nserver=/{lan.domain}/#\n"]
    if refuse_all:
        lines.append(f"address=/#/{refused}\nlocal=/#/\n")
    for rule in rules:
        if not _NAME.fullmatch(rule.name):
            raise RenderError(f"{rule.name[:80]!r} is no name")
        if rule.instead:
            lines.extend(f"address=/{rule.name}/{address}\n" for address in rule.instead)
            lines.append(f"local=/{rule.name}/\n")
            lines.append(_answer(f"*.{rule.name}", refused if rule.below else None))
            continue
        lines.append(_answer(rule.name, refused if rule.itself else None))
        if rule.below != rule.itself:
            lines.append(_answer(f"*.{rule.name}", refused if rule.below else None))
    return "".join(lines)


def no_such_name(*names_: str) -> str:
    """Lines by which names, and those below, do not exist."""
    return "".join(f"address=/{name}/\n" for name in names_)


def no_records(*names_: str) -> str:
    """Lines by which names exist and have no records: `local` without an address would deny them."""
    return "".join(f"address=/{name}/0.0.0.0\nlocal=/{name}/\n" for name in names_)


def _answer(pattern: str, address: str | None) -> str:
    return f"server=/{pattern}/#\n" if address is None else f"address=/{pattern}/{address}\nlocal=/{pattern}/\n"


def marker(rule_set: str) -> str:
    """Name of the empty chain that tells `rule_set` from any other."""
    start = rule_set.index(f"chain {names.MARKER_PREFIX}") + len("chain ")
    return rule_set[start : start + len(_NO_MARKER)]


def _dnsmasq(household: Household) -> dict[str, Any]:
    lan = household.lan
    address6 = lan.network6[1]
    first, last = _pool(lan.network, lan.address)
    kept = (int(last) - int(first) + 1) // _KEPT_SHARE
    return {
        "known_folder": names.KNOWN_FOLDER,
        "known_tag": names.KNOWN_TAG,
        "captive_api": household.captive_api,
        "captive_name": None if household.captive_api is None else household.captive_api.split("/")[2],
        "lan": lan.bridge,
        "lease_file": LEASE_FILE,
        "upstream": household.resolver.upstream,
        "domain": lan.domain,
        "box_name": BOX_NAME,
        "address": lan.address,
        "address6": address6,
        "inward": [*_INWARD, str(lan.network), str(lan.network6)],
        "pool_first": first,
        "pool_last": last - kept,
        "kept_first": last - kept + 1,
        "kept_last": last,
        "netmask": lan.network.netmask,
        "lease_seconds": lan.lease_seconds,
        "dnssec": household.resolver.dnssec,
        "trust_anchors": TRUST_ANCHORS,
        "delegated": lan.delegated,
        "mtu": _PPPOE_MTU if household.wan.kind == "pppoe" else None,
        "pool6_first": lan.network6[0x1000],
        "pool6_last": lan.network6[0xFFFF],
    }


def _pool(network: IPv4Network, address: IPv4Address) -> tuple[IPv4Address, IPv4Address]:
    """The larger side of the box's address, less a few kept free for fixed addresses where there is room."""
    lowest, highest = int(network.network_address) + 1, int(network.broadcast_address) - 1
    own = int(address)
    first, last = (own + 1, highest) if highest - own >= own - lowest else (lowest, own - 1)
    if last - first + 1 < _LEAST_POOL:
        raise RenderError(f"lan.network {network} has no room for leases beside {address}; use a /28 or larger")
    if last - first > 4 * _RESERVED:
        first += _RESERVED
    return IPv4Address(first), IPv4Address(last)
