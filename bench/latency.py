"""Time from an unknown device's first frame to its row on the officer's page, over real joins.

The first frame is stamped by tcpdump on the bridge, not by the box; the row counts when a fetch of
the household's page, made 20 times a second, has come back with it.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field

from bench.statistics import percentile
from lab.officer import Officer
from lab.stack import SITE, Stack

_FRAME = re.compile(r"(?P<stamp>[0-9.]+) (?P<source>[0-9a-f:]{17}) > ")
_FETCH_EVERY = 0.05
_GIVE_UP = 20.0


@dataclass
class _FirstFrames:
    """First time each source address was seen on the bridge, by tcpdump's kernel time stamps."""

    process: subprocess.Popen[str]
    seen: dict[str, float] = field(default_factory=dict)

    def read(self) -> None:
        """Take tcpdump's lines until it ends: `seconds source > destination, ...`."""
        if self.process.stdout is None:
            return
        for line in self.process.stdout:
            if found := _FRAME.match(line):
                self.seen.setdefault(found["source"], float(found["stamp"]))


def measure(stack: Stack, joins: int = 30) -> dict[str, float]:
    """Seconds: median, p95, max over `joins` joins of devices nobody registered."""
    officer = stack.officer("bench-latency")
    process = stack.home.gateway.popen(
        ["tcpdump", "-i", "br-lan", "-e", "-n", "-tt", "-l", "--immediate-mode"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    first = _FirstFrames(process)
    reader = threading.Thread(target=first.read, daemon=True)
    reader.start()
    try:
        values = [_one(stack, officer, first, f"02:00:00:be:00:{index:02x}") for index in range(joins)]
    finally:
        process.terminate()
        process.wait()
        reader.join()
    return {
        "joins": joins,
        "median": statistics.median(values),
        "p95": percentile(values, 0.95),
        "max": max(values),
    }


def _one(stack: Stack, officer: Officer, first: _FirstFrames, mac: str) -> float:
    known = {seen.finding_id for seen in officer.findings(SITE)}
    client = stack.join("unregistered-phone", mac=mac, lease=False)
    lease = threading.Thread(target=client.lease)
    lease.start()
    deadline = time.monotonic() + _GIVE_UP
    try:
        while time.monotonic() < deadline:
            begun = time.monotonic()
            found = [seen for seen in officer.findings(SITE) if seen.finding_id not in known]
            now = time.time()
            if any(mac in seen.macs for seen in found):
                return now - first.seen[mac]
            time.sleep(max(0.0, _FETCH_EVERY - (time.monotonic() - begun)))
    finally:
        lease.join()
        stack.home.leave(client)
    raise TimeoutError(f"{mac} was not on the page within {_GIVE_UP:.0f} s")
