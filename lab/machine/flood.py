"""A device that floods the household with made-up neighbours, and what becomes of everybody else meanwhile.

Its frames are ARP requests for the router, each from another locally administered hardware address and another
address of the household: the router's kernel learns each as a neighbour. A network namespace shares that table with its
host, so that this is run against a machine only. Bounded: `seconds` at `rate` frames a second, and never longer.
"""

from __future__ import annotations

import json
import socket
import statistics
import struct
import time
from dataclasses import dataclass
from ipaddress import IPv4Network

from lab.client import Client
from lab.host import LabError
from lab.machine.shell import Shell

_ARP, _ALL_HARDWARE = 0x0806, b"\xff" * 6
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a flood."""

    sent: int
    seconds: float
    tried: int
    """How often the other device asked for a page meanwhile."""
    got: int
    """How often it came."""
    slowest: float
    """Seconds, of those that came."""
    median: float
    after: bool
    """Whether the other device has its internet when the flood is over."""


def run(flooder: Client, other: Client, *, seconds: float, rate: int) -> Told:
    """Flood from one device while another uses the internet.

    Raises:
        LabError: the flooding device has no lease.
    """
    if flooder.leased is None:
        raise LabError(f"{flooder.name} has no lease")
    router = flooder.leased.routers[0]
    network = IPv4Network(f"{flooder.leased.address}/{flooder.leased.netmask}", strict=False)
    handle = flooder.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
    sent, times, tried, began = 0, [], 0, time.monotonic()
    next_look = began
    with handle:
        handle.bind(("eth0", 0))
        while (now := time.monotonic()) - began < seconds:
            for _ in range(max(0, min(512, int((now - began) * rate) - sent))):
                handle.send(frame(sent, int(network.network_address), network.num_addresses, router.packed))
                sent += 1
            if now >= next_look:
                next_look = now + _LOOK_SECONDS
                tried += 1
                asked = time.monotonic()
                if _asks(other):
                    times.append(time.monotonic() - asked)
            time.sleep(0.001)
    took = time.monotonic() - began
    after = any(_asks(other, seconds=5.0) for _ in range(6))
    return Told(
        sent=sent,
        seconds=took,
        tried=tried,
        got=len(times),
        slowest=max(times, default=0.0),
        median=statistics.median(times) if times else 0.0,
        after=after,
    )


def frame(number: int, network: int, addresses: int, router: bytes) -> bytes:
    """One ARP request (RFC 826): "I am at this address; who is the router?", from a sender that is made up."""
    mac = b"\x02\x5e" + struct.pack("!I", number)
    sender = network + 1 + (number * 7919) % max(1, addresses - 2)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + struct.pack("!I", sender) + b"\0" * 6 + router
    return (_ALL_HARDWARE + mac + struct.pack("!H", _ARP) + body).ljust(60, b"\0")


def box_facts(shell: Shell) -> dict[str, int]:
    """Of the box now: neighbours in its table, memory of its processes (KiB), how often one was started again."""
    rooms = ("warden", "sensor", "keeper", "courier", "porch", "resolver")
    units = " ".join(f"gatehouse-{room}.service" for room in rooms)
    shown = shell.run(f"systemctl show {units} -p NRestarts -p MemoryCurrent").stdout
    values: dict[str, list[int]] = {"NRestarts": [], "MemoryCurrent": []}
    for line in shown.splitlines():
        name, _, value = line.partition("=")
        if name in values and value.isdecimal():
            values[name].append(int(value))
    neighbours = json.loads(shell.run("ip -j neigh show").stdout or "[]")
    return {
        "neighbours": len(neighbours),
        "restarts": sum(values["NRestarts"]),
        "memory_kib": sum(values["MemoryCurrent"]) // 1024,
    }


def _asks(device: Client, *, seconds: float = 2.0) -> bool:
    words = ["curl", "--silent", "--output", "/dev/null", "--max-time", str(seconds), "http://www.news.example/"]
    return device.run(words, check=False).returncode == 0
