"""Which network ports this machine has: `/sys/class/net` in, one `Port` each out.

Bounded: `MAX_PORTS`; names that a household file could not hold are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

MAX_PORTS = 64
MODEM = "modem0"
"""As `firmware` names a USB modem's interface."""
_ETHERNET = "1"  # linux/if_arp.h, ARPHRD_ETHER
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,14}")
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One network interface, as far as it may be a socket or a radio of the box."""

    name: str
    radio: bool
    """It is Wi-Fi."""
    hardware: bool
    """It is a thing that one can touch, not one that software made."""


def found(net: Path) -> tuple[Port, ...]:
    """All Ethernet-like interfaces below `/sys/class/net`, sorted as a person counts; bridges and tunnels left out."""
    try:
        folders = sorted(net.iterdir(), key=lambda path: _counted(path.name))[:MAX_PORTS]
    except OSError:
        return ()
    return tuple(
        Port(name=path.name, radio=(path / "phy80211").exists(), hardware=(path / "device").exists())
        for path in folders
        if _NAME.fullmatch(path.name)
        and path.name != "lo"
        and _read(path / "type") == _ETHERNET
        and not (path / "bridge").exists()
    )


def _counted(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBER.split(name) if part]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
