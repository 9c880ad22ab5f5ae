"""A device that asks for every address there is, under made-up hardware addresses (DHCP starvation)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from lab.faults.result import Result, Say
from lab.faults.running import MOST_FINDINGS, Memory, box, while_going
from lab.host import pipe
from lab.stack import SITE

NAME = "starvation"
PROMISE = (
    "DHCP starvation with 10,000 addresses at 1,000 a second: registered devices keep their lease and get one within "
    "5 s, one finding and not thousands, memory bounded"
)
RATE, SECONDS = 1000, 10
MOST_MIB = 32.0


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    seconds = 2 if short else SECONDS
    with box(folder) as (stack, officer, client):
        memory = Memory(stack)
        before = len(officer.findings(SITE))
        attacker = stack.join("unregistered-phone", mac="02:00:00:fa:00:66", lease=False)
        words = [sys.executable, "-m", "lab.faults.flood", "dhcp", "--rate", str(RATE), "--seconds", str(seconds)]
        flood = attacker.popen(words, stdout=subprocess.PIPE, text=True)
        renewals: list[float] = []

        def look() -> None:
            memory.look()
            began = time.monotonic()
            client.lease()
            renewals.append(time.monotonic() - began)

        while_going(lambda: flood.poll() is not None, look, seconds=60)
        sent = json.loads(pipe(flood.stdout).read())
        pipe(flood.stdout).close()
        say(f"{sent['sent']} asked, {sent['leases']} leases taken")
        client.change_mac("02:00:00:fa:00:01")  # drops its lease and comes back as the same device
        began = time.monotonic()
        client.lease()
        anew = time.monotonic() - began
        page = client.browse("www.news.example")
        _settle(seconds=5)
        memory.look()
        restarted = memory.restarted
        findings = len(officer.findings(SITE)) - before
        growth = max(memory.growth.values())
        kept = page == 200 and max(renewals) <= 5 and anew <= 5 and findings <= MOST_FINDINGS and growth <= MOST_MIB
    return Result(
        kept=kept and not restarted,
        figures={
            "addresses made up": f"{sent['sent']} in {sent['seconds']:.1f} s",
            "leases they took": f"{sent['leases']}, refused {sent['refused']}",
            "registered device renewed": f"{len(renewals)} times meanwhile, {max(renewals):.2f} s at most",
            "registered device, lease given up, came back": f"{anew:.2f} s; a page: {page}",
            "further findings": str(findings),
            "memory": f"grew by {growth:.1f} MiB at most ({_biggest(memory)})",
            "processes started anew": ", ".join(restarted) or "none",
        },
    )


def _biggest(memory: Memory) -> str:
    return max(memory.growth, key=lambda name: memory.growth[name])


def _settle(*, seconds: float) -> None:
    """What was heard is told within this time."""
    time.sleep(seconds)
