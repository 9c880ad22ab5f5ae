"""A device that announces ever new hardware addresses (a MAC flood by ARP announcements)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from lab.faults.result import Result, Say
from lab.faults.running import MOST_FINDINGS, Memory, box, left_out, while_going
from lab.host import pipe
from lab.stack import SITE

NAME = "announcements"
PROMISE = (
    "20,000 hardware addresses a second for 60 s: a registered device loses at most 1 % of its traffic, memory grows "
    "by 32 MiB at most, one finding and not thousands, what was left out is counted and recorded"
)
RATE, SECONDS = 20_000, 60
_REMARK = (
    "The announcements make no entry in a neighbour table, which this kernel shares between all its networks; "
    "a flood that fills that table is for a kernel of its own."
)
MOST_MIB, MOST_LOSS = 32.0, 1.0


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    seconds = 4 if short else SECONDS
    with box(folder) as (stack, officer, client):
        memory = Memory(stack)
        before = len(officer.findings(SITE))
        attacker = stack.join("unregistered-phone", mac="02:00:00:fa:00:66", lease=False)
        words = [sys.executable, "-m", "lab.faults.flood", "announce", "--rate", str(RATE), "--seconds", str(seconds)]
        router = str(stack.home.config.lan.address)
        ping = client.popen(
            ["busybox", "ping", "-c", str(5 * seconds), "-i", "0.2", "-W", "2", router],
            stdout=subprocess.PIPE,
            text=True,
        )
        flood = attacker.popen(words, stdout=subprocess.PIPE, text=True)
        while_going(lambda: flood.poll() is not None, memory.look, seconds=SECONDS + 60)
        sent = json.loads(pipe(flood.stdout).read())
        answered = pipe(ping.stdout).read()
        for process in (flood, ping):
            pipe(process.stdout).close()
            process.wait(10)
        say(f"{sent['sent']} announced")
        time.sleep(5)  # what was heard is told within this time
        memory.look()
        unheard, told = left_out(stack, "over_arp", short=short)
        restarted = memory.restarted
        findings = len(officer.findings(SITE)) - before
        page = client.browse("www.news.example")
        growth = memory.growth
        found = re.search(r"(\d+)% packet loss", answered)
        loss = float(found[1]) if found else 100.0
    worst = max(growth, key=lambda name: growth[name])
    return Result(
        kept=loss <= MOST_LOSS
        and growth[worst] <= MOST_MIB
        and findings <= MOST_FINDINGS
        and page == 200
        and not restarted
        and unheard > 0
        and told,
        figures={
            "addresses announced": f"{sent['sent']} in {sent['seconds']:.1f} s",
            "registered device": f"{loss:g} % of its packets lost; a page afterwards: {page}",
            "further findings": str(findings),
            "left out by the rules": f"{unheard} packets, counted"
            + ("" if short else " and in a record of the ledger"),
            "memory": f"grew by {growth[worst]:.1f} MiB at most ({worst})",
            "processes started anew": ", ".join(restarted) or "none",
        },
        remarks=(_REMARK,),
    )
