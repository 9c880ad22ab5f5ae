"""Bulk for the benches: many new flows, or many bytes, from a device through the router.

A device, counts and rates in; what was really sent out. Bounded: at most `MAX_FLOWS` flows at
`MAX_RATE` a second, `MAX_SECONDS` of bytes; only to the sink of the run's own internet machine.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Literal

from lab import addresses
from lab.host import Host, LabError, pipe

MAX_FLOWS = 400_000
"""Each port of the sink takes every source port once, and so 63,488 flows; eight hold more than this."""
MAX_RATE = 50_000
MAX_SECONDS = 120.0
FIRST_PORT, LAST_PORT = 2048, 65535
IPERF_PORT = 5201
_TICK = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a burst of flows was."""

    flows: int
    """Flows begun: one datagram each, no two with the same ports."""
    refused: int
    """Flows that the device's own kernel would not send; not in `flows`."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a bulk transfer was, as the receiver counted it."""

    octets: int
    seconds: float

    @property
    def bits_per_second(self) -> float:
        """Speed over the whole time."""
        return 8 * self.octets / self.seconds if self.seconds else 0.0


def flows(client: Host, count: int, rate: int, *, family: Literal[4, 6] = 4) -> Sent:
    """Begin `count` new UDP flows at `rate` a second, source ports rising.

    Raises:
        ValueError: more than the bounds above allow.
        LabError: the sender did not run.
    """
    if not 0 < count <= MAX_FLOWS or not 0 < rate <= MAX_RATE or count / rate > MAX_SECONDS:
        raise ValueError(f"at most {MAX_FLOWS} flows, {MAX_RATE} a second, {MAX_SECONDS:g} s")
    words = [sys.executable, "-m", "lab.traffic", str(count), str(rate), "--family", str(family)]
    done = client.run(words, timeout=4 * count / rate + 20)
    return Sent(**json.loads(done.stdout))


def bulk(
    client: Host, internet: Host, seconds: int, *, streams: int = 1, reverse: bool = False, family: Literal[4, 6] = 4
) -> Moved:
    """Move as many bytes as go through in `seconds` (whole: iperf3 takes 0.5 for endless); to the device when `reverse`.

    Raises:
        ValueError: longer than the bound above allows, or more than 16 streams.
        LabError: iperf3 is missing or failed; the text has its words.
    """
    if not 1 <= seconds <= MAX_SECONDS or not 0 < streams <= 16:
        raise ValueError(f"at most {MAX_SECONDS:g} s and 16 streams")
    sink = addresses.SINK[0 if family == 4 else 1]
    words = ["iperf3", "--server", "--one-off", "--bind", sink, "--port", str(IPERF_PORT), "--forceflush"]
    with internet.popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            said = pipe(server.stdout)
            if not any("listening" in line for line in iter(said.readline, "")):
                raise LabError("iperf3 did not start: install iperf3")
            words = ["iperf3", "--client", sink, "--port", str(IPERF_PORT), "--json", "--time", str(seconds)]
            words += ["--parallel", str(streams), *(["--reverse"] if reverse else [])]
            done = client.run(words, timeout=seconds + 20)
        finally:
            server.kill()
    received = json.loads(done.stdout)["end"]["sum_received"]
    return Moved(octets=int(received["bytes"]), seconds=float(received["seconds"]))


def _send(count: int, rate: int, family: int) -> Sent:
    """On the device: one socket a flow, so that each has a source port of its own choosing."""
    kind = socket.AF_INET6 if family == 6 else socket.AF_INET
    sink = addresses.SINK[0 if family == 4 else 1]
    ports = LAST_PORT - FIRST_PORT + 1
    begun = refused = 0
    started = time.monotonic()
    while begun + refused < count:
        due = min(count, int((time.monotonic() - started) * rate) + 1)
        if begun + refused >= due:
            time.sleep(_TICK)
        while (number := begun + refused) < due:
            with socket.socket(kind, socket.SOCK_DGRAM) as handle:
                try:
                    handle.bind(("", FIRST_PORT + number % ports))
                    handle.sendto(b"flow", (sink, addresses.SINK_PORTS[number // ports]))
                    begun += 1
                except OSError:
                    refused += 1
    return Sent(flows=begun, refused=refused, seconds=time.monotonic() - started)


def main() -> None:
    """`python -m lab.traffic COUNT RATE`, on a device; prints a `Sent` as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("rate", type=int)
    parser.add_argument("--family", type=int, default=4, choices=(4, 6))
    arguments = parser.parse_args()
    sent = _send(min(arguments.count, MAX_FLOWS), min(arguments.rate, MAX_RATE), arguments.family)
    print(json.dumps({"flows": sent.flows, "refused": sent.refused, "seconds": sent.seconds}))


if __name__ == "__main__":
    main()
