"""Looks at the way to the internet: the kernel's own knowledge in, a `Seen` out. An edge: reads `/sys`, runs `ip` and `iw`.

Nothing is sent from here but what `iw` sends to look for Wi-Fis. Bounded: `WAIT` seconds a program, `MAX_PRINTED`
octets of what it prints, addresses of `MAX_ADDRESSES`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from appliance.fitting import ports, scan, uplink
from appliance.fresh import Seen
from firmware import layout
from firmware.household import Household

WAIT = 10.0
MAX_PRINTED = scan.MAX_TEXT
MAX_ADDRESSES = 16
_REFUSED = "19"
"""pppd(8): "We failed to authenticate ourselves to the peer"."""
_ANSWERS = {"REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"}
_SILENT = {"FAILED", "INCOMPLETE"}

Run = Callable[[Sequence[str]], bytes]


def run(command: Sequence[str]) -> bytes:
    """What a program printed; nothing where it could not be run or did not come to an end."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=WAIT, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout[:MAX_PRINTED] if done.returncode == 0 else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What the kernel knows of the way out; nothing of it leaves the box."""

    networks: tuple[IPv4Network, ...] = ()
    """Which the box was given an address of."""
    router: str | None = None
    """Hardware address of the router before the box."""
    gateway: IPv4Address | None = None


def look(
    house: Household,
    net: Path,
    *,
    now: float,
    earliest: float,
    run: Run = run,
    line: Path = Path(layout.LINE_TOLD),
) -> tuple[Seen, Way]:
    """Look once.

    Args:
        house: the household.
        net: `/sys/class/net`.
        now: Unix seconds.
        earliest: which the clock cannot be before.
        run: runs a program.
        line: where the last pppd that ended left its exit status.
    """
    port = house.wan.port or house.wan.interface
    cable = _carrier(net / port)
    time = now >= earliest
    if cable is not True:
        return Seen(port=(net / port).exists(), cable=cable, time=time), Way()
    interface = house.wan.interface
    networks = _networks(run(("ip", "-j", "-4", "addr", "show", "dev", interface)))
    gateway = _gateway(run(("ip", "-j", "-4", "route", "show", "default", "dev", interface)))
    router, answers = None, None
    if gateway is not None:
        router, answers = _neighbour(run(("ip", "-j", "neigh", "show", str(gateway), "dev", interface)))
    seen = Seen(
        port=True,
        cable=True,
        address=bool(networks),
        same_network=any(each.overlaps(house.lan.network) for each in networks) if networks else None,
        gateway=answers,
        time=time,
        login=_login(line, address=bool(networks)) if house.wan.kind == "pppoe" else None,
    )
    return seen, Way(networks=networks, router=router, gateway=gateway)


def upstream_wifi(house: Household, net: Path, way: Way, *, run: Run = run) -> bool | None:
    """Whether the router before the box may have a Wi-Fi of its own on; None where that cannot be told.

    Looking takes the radio from its devices for some seconds: do it seldom.
    """
    if way.router is None or house.wifi is None:
        return None
    own = [text for port in ports.found(net) if (text := _text(net / port.name / "address"))]
    heard: list[str] = []
    for radio in house.wifi.radios:
        # `ap-force`: also where the radio is an access point at the moment, as it is on a box.
        heard += scan.bssids(run(("iw", "dev", radio.interface, "scan", "ap-force")))
    return uplink.upstream_wifi(heard, way.router, own=own) if heard else None


def _login(line: Path, *, address: bool) -> bool | None:
    if address:
        return True
    return False if _text(line) == _REFUSED else None


def _carrier(port: Path) -> bool | None:
    if not port.exists():
        return None
    # Reading it fails with EINVAL where the port is switched off: then nothing is known of its cable.
    return {"1": True, "0": False}.get(_text(port / "carrier"))


def _networks(printed: bytes) -> tuple[IPv4Network, ...]:
    found = []
    for link in _json(printed):
        addresses = link.get("addr_info")
        for item in addresses[:MAX_ADDRESSES] if isinstance(addresses, list) else []:
            if isinstance(item, dict) and item.get("scope") == "global":
                try:
                    found.append(IPv4Interface(f"{item.get('local')}/{item.get('prefixlen')}").network)
                except ValueError:
                    continue
    return tuple(found)


def _gateway(printed: bytes) -> IPv4Address | None:
    for route in _json(printed):
        try:
            return IPv4Address(str(route.get("gateway")))
        except ValueError:
            continue
    return None


def _neighbour(printed: bytes) -> tuple[str | None, bool | None]:
    for entry in _json(printed):
        said = entry.get("state")
        states = set(map(str, said)) if isinstance(said, list) else set()
        mac = entry.get("lladdr")
        if states & _ANSWERS and isinstance(mac, str):
            return mac, True
        if states & _SILENT:
            return None, False
    return None, None


def _json(printed: bytes) -> list[dict[str, object]]:
    try:
        read = json.loads(printed or b"[]")
    except (ValueError, RecursionError):
        return []
    return [item for item in read if isinstance(item, dict)] if isinstance(read, list) else []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
