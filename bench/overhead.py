"""What watching costs the router: CPU seconds per GB forwarded and speed kept, beside peers.

The sensor against `tcpdump -w /dev/null` (which parses nothing) and `tshark`, on the same router,
interleaved in rounds so that a slow minute of the machine hits all alike. The speed is iperf3's,
TCP from a client of the household to a host on the internet side.
"""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bench import cpu
from bench.statistics import interval
from lab.service import wait_until
from lab.stack import Stack
from lab.traffic import bulk

Watch = Callable[[], float]
"""CPU seconds used so far by the watcher."""


def measure(stack: Stack, rounds: int = 10, seconds: int = 3) -> dict[str, dict[str, float]]:
    """Per watcher: median Gbit/s, its ratio to the unwatched router with a 95 % interval, CPU s per GB and beside tcpdump."""
    client = stack.join("registered-laptop", mac="02:00:00:be:02:01")
    watchers = {"none": _nothing, "gatehouse sensor": _sensor, "tcpdump": _tcpdump, "tshark": _tshark}
    speed: dict[str, list[float]] = {name: [] for name in watchers}
    cost: dict[str, list[float]] = {name: [] for name in watchers}
    _box(stack, running=False)
    for turn in range(rounds):
        names = list(watchers)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            with watchers[name](stack) as used:
                before = used()
                moved = bulk(client, stack.home.internet, seconds)
                cost[name].append((used() - before) / (moved.octets / 1e9))
                speed[name].append(moved.bits_per_second / 1e9)
    _box(stack, running=True)
    stack.home.leave(client)
    result: dict[str, dict[str, float]] = {}
    for name in watchers:
        ratios = [with_ / without for with_, without in zip(speed[name], speed["none"], strict=True)]
        low, high = interval(ratios)
        result[name] = {
            "gbit_per_s": statistics.median(speed[name]),
            "speed_kept": statistics.median(ratios),
            "speed_kept_low": low,
            "speed_kept_high": high,
            "cpu_s_per_gb": statistics.median(cost[name]),
            "cpu_of_tcpdump": statistics.median(cost[name]) / statistics.median(cost["tcpdump"]),
        }
    return result


def _box(stack: Stack, *, running: bool) -> None:
    if running:
        stack.resume_box()
        wait_until(lambda: "sensor" in stack.room_pids(), what="the box to come back")
    else:
        stack.pause_box()


@contextmanager
def _nothing(_stack: Stack) -> Iterator[Watch]:
    yield lambda: 0.0


@contextmanager
def _sensor(stack: Stack) -> Iterator[Watch]:
    _box(stack, running=True)
    pid = stack.room_pids()["sensor"]
    settled = cpu.Settled(pid)  # its start is not its running cost
    wait_until(settled, what="the sensor to be done with its start", pause=1.0)
    try:
        yield lambda: cpu.seconds(pid)
    finally:
        _box(stack, running=False)


@contextmanager
def _capture(stack: Stack, argv: list[str]) -> Iterator[Watch]:
    process = stack.home.gateway.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(cpu.Settled(process.pid), what=f"{argv[0]} to be done with its start", pause=1.0)
    try:
        yield lambda: cpu.seconds(process.pid, children=True)
    finally:
        process.terminate()
        process.wait()


def _tcpdump(stack: Stack) -> AbstractContextManager[Watch]:
    return _capture(stack, ["tcpdump", "-i", "br-lan", "-s", "0", "-w", "/dev/null"])


def _tshark(stack: Stack) -> AbstractContextManager[Watch]:
    return _capture(
        stack, ["tshark", "-i", "br-lan", "-n", "-T", "fields", "-e", "tls.handshake.extensions_server_name"]
    )
