"""A device that floods the household with made-up neighbours, and what becomes of everybody else meanwhile.

Its frames are ARP requests for the router, each from another locally administered hardware address and another
address of the household: the router's kernel learns each as a neighbour. A network namespace shares that table with its
host, so that this is run against a machine only. Bounded: `seconds` at `rate` frames a second, and never longer.
"""

from __future__ import annotations

import json
import math
import socket
import statistics
import struct
import threading
import time
from dataclasses import dataclass
from ipaddress import IPv4Network

from lab.client import Client
from lab.host import LabError
from lab.machine.shell import Shell

_ARP, _ALL_HARDWARE = 0x0806, b"\xff" * 6
_LOOK_SECONDS, _PATIENCE = 1.0, 10.0
_TRIES_AFTER = 6
_AT_ONCE = 512


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
    # Nobody's address is taken: what follows from that is another thing than a full table.
    kept = {router, flooder.leased.address, *(device.leased.address for device in (other,) if device.leased)}
    free = [str(address) for address in network.hosts() if address not in kept]
    times: list[float] = []
    over = threading.Event()
    looker = threading.Thread(target=_look, args=(other, over, times), daemon=True)
    handle = flooder.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
    sent, began = 0, time.monotonic()
    with handle:
        handle.bind(("eth0", 0))
        looker.start()
        while (now := time.monotonic()) - began < seconds:
            for _ in range(max(0, min(_AT_ONCE, int((now - began) * rate) - sent))):
                handle.send(frame(sent, free[sent * 7919 % len(free)], str(router)))
                sent += 1
            time.sleep(0.001)
    took = time.monotonic() - began
    over.set()
    looker.join()
    good = [each for each in times if each < math.inf]
    return Told(
        sent=sent,
        seconds=took,
        tried=len(times),
        got=len(good),
        slowest=max(good, default=0.0),
        median=statistics.median(good) if good else 0.0,
        after=any(_asks(other) for _ in range(_TRIES_AFTER)),
    )


def _look(device: Client, over: threading.Event, times: list[float]) -> None:
    """Ask for a page again and again until it is over; how long each took, without end where it did not come."""
    while not over.wait(_LOOK_SECONDS):
        asked = time.monotonic()
        came = _asks(device)
        times.append(time.monotonic() - asked if came else math.inf)


def frame(number: int, sender: str, router: str) -> bytes:
    """One ARP request (RFC 826): "I am at this address; who is the router?", from a sender that is made up."""
    mac = b"\x02\x5e" + struct.pack("!I", number)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(sender) + b"\0" * 6
    return (_ALL_HARDWARE + mac + struct.pack("!H", _ARP) + body + socket.inet_aton(router)).ljust(60, b"\0")


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


def _asks(device: Client) -> bool:
    words = ["curl", "--silent", "--output", "/dev/null", "--max-time", str(_PATIENCE), "http://www.news.example/"]
    return device.run(words, check=False, timeout=_PATIENCE + 10).returncode == 0
