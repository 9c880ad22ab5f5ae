"""Which ports of a router answer, and which its rules let in: asked from outside, counted at the router.

Enters: a machine of the lab to ask from, an address. Leaves: sets of port numbers. TCP is asked by nmap. UDP says
nothing where nobody listens, so that its ports are counted behind the router's own filter, in a table that goes again.
Bounded: 65,535 ports of each protocol, `ROUNDS` rounds, a time limit on each program.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.host import Host, LabError

ALL = range(1, 65536)
ROUNDS = 4
_SECONDS = 240.0
_BURST = 128
_WELL_KNOWN = 1024
_TABLE = "lab_scan"
_ROW = re.compile(r"^\| (lan|wan) \| (tcp|udp) \| (\d+) \|", re.MULTILINE)

Run = Callable[[str], str]
"""Runs a line of shell at the router; what it printed."""


def documented(text: str, side: str, protocol: str) -> frozenset[int]:
    """Ports that a document's table lists for a side (`lan`, `wan`) and a protocol (`tcp`, `udp`)."""
    return frozenset(int(port) for where, kind, port in _ROW.findall(text) if (where, kind) == (side, protocol))


def tcp_open(asker: Host, address: str, *, retries: int = 2, rate: int = 4000) -> frozenset[int]:
    """TCP ports of `address` at which somebody accepts a connection from `asker`, of all 65,535.

    A side that says nothing takes `65535 / rate` seconds for each try; where the router counts what arrived,
    `retries` may be 0.

    Raises:
        LabError: nmap is missing, or did not ask all of them.
    """
    words = ["nmap", "-n", "-Pn", "-sS", "--privileged", "-p", "1-65535", "--min-rate", str(rate)]
    words += ["--max-retries", str(retries), *(["-6"] if ":" in address else [])]
    said = asker.run([*words, "-oG", "-", address], timeout=_SECONDS).stdout
    if "1 IP address (1 host up)" not in said:
        raise LabError(f"the scan of {address} did not take place: {said[-500:]}")
    return frozenset(int(port) for port in re.findall(r"(\d+)/open/tcp", said))


@contextmanager
def counted(run: Run, interface: str) -> Iterator[Run]:
    """Within it, the router counts what its own rules let in from `interface`; gives a look at any of the sets.

    Sets: `came_tcp`, `came_udp` (what arrived at all), `passed_tcp`, `passed_udp` (what the rules let in).
    """
    sets = "".join(
        f"set {stage}_{kind} {{ type inet_service; size 65535; flags dynamic; }}\n"
        for stage in ("came", "passed")
        for kind in ("tcp", "udp")
    )
    chains = "".join(
        f"chain {stage} {{ type filter hook {hook} priority {priority}; policy accept;\n"
        f'iifname "{interface}" tcp flags syn / syn,ack,rst add @{stage}_tcp {{ tcp dport }}\n'
        f'iifname "{interface}" meta l4proto udp add @{stage}_udp {{ udp dport }}\n}}\n'
        for stage, hook, priority in (("came", "prerouting", -400), ("passed", "input", 400))
    )
    rules = f"table inet {_TABLE} {{\n{sets}{chains}}}\n"
    run(f"nft -f - <<'END'\n{rules}END")
    try:
        yield lambda name: run(f"nft -j list set inet {_TABLE} {name}")
    finally:
        run(f"nft delete table inet {_TABLE}")


def ports(listing: str) -> frozenset[int]:
    """The elements of a set, as `nft -j list set` prints it."""
    for item in json.loads(listing)["nftables"]:
        if "set" in item:
            return frozenset(_numbers(item["set"].get("elem", [])))
    raise LabError("nft listed no set")


def udp_passed(asker: Host, address: str, look: Run, *, source: tuple[str, int] | None = None) -> frozenset[int]:
    """UDP ports that the router's rules let in from `asker`, of all 65,535; `look` as `counted` gives it.

    `source` is an address and port of the asker that all are asked from.

    Raises:
        LabError: after `ROUNDS` rounds some had not arrived at the router at all.
    """
    left: Iterable[int] = ALL
    for _ in range(ROUNDS):
        _send(asker, address, left, source)
        left = sorted(set(ALL) - ports(look("came_udp")))
        if not left:
            return ports(look("passed_udp"))
    raise LabError(f"{len(list(left))} of 65,535 questions did not arrive at {address}")


def listening(listing: str) -> frozenset[tuple[str, int]]:
    """Protocol and port of each socket that hears more than the router itself; of `ss -H -l -n -t -u`.

    UDP sockets above the well-known ports are those of questions that are under way; `udp_passed` shows that no
    stranger reaches them.
    """
    found = set()
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) < 5:
            continue
        address, _, port = fields[4].rpartition(":")
        own = re.match(r"^\[?(127\.|::1|::ffff:127\.)", address)
        if not own and (fields[0] == "tcp" or int(port) < _WELL_KNOWN):
            found.add((fields[0], int(port)))
    return frozenset(found)


def at(host: Host) -> Run:
    """How to run a line of shell at a machine that is a namespace."""
    return lambda line: host.run(["sh", "-c", line]).stdout


def table(root: Path) -> str:
    """The document that says which ports there are."""
    return (root / "docs" / "ports.md").read_text(encoding="utf-8")


def _send(asker: Host, address: str, wanted: Iterable[int], source: tuple[str, int] | None) -> None:
    family = 10 if ":" in address else 2  # AF_INET6, AF_INET
    with asker.socket(family, 2) as handle:  # SOCK_DGRAM
        if source:  # the asker's own servers are at that port as well
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            handle.bind(source)
        for number, port in enumerate(wanted, 1):
            for _ in range(2):  # that a port refuses is said at the next use of the socket
                try:
                    handle.sendto(b"\0", (address, port))
                    break
                except ConnectionRefusedError:
                    continue
            if number % _BURST == 0:
                time.sleep(0.001)  # the other end's queue holds a thousand


def _numbers(elements: Iterable[object]) -> Iterator[int]:
    for element in elements:
        value = element.get("elem", {}).get("val") if isinstance(element, dict) and "elem" in element else element
        if isinstance(value, dict) and "range" in value:
            first, last = value["range"]
            yield from range(first, last + 1)
        elif isinstance(value, int):
            yield value
