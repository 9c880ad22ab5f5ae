"""A device that asks for ever new names (a DNS flood), and the others who want an answer."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from lab.faults.result import Result, Say
from lab.faults.running import MOST_FINDINGS, Memory, box, left_out, while_going
from lab.host import LabError, pipe
from lab.stack import SITE

NAME = "questions"
PROMISE = (
    "20,000 questions a second for 60 s: others are answered (p99 within 50 ms), memory grows by 32 MiB at most, "
    "one finding and not thousands, what was left out is counted and recorded"
)
RATE, SECONDS = 20_000, 60
MOST_MIB, MOST_P99 = 32.0, 0.05


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    seconds = 4 if short else SECONDS
    with box(folder) as (stack, officer, client):
        memory = Memory(stack)
        before = len(officer.findings(SITE))
        attacker = stack.join("unregistered-phone", mac="02:00:00:fa:00:66")
        words = [sys.executable, "-m", "lab.faults.flood", "dns", "--rate", str(RATE), "--seconds", str(seconds)]
        flood = attacker.popen(words, stdout=subprocess.PIPE, text=True)
        waits: list[float] = []
        missed = 0

        def look() -> None:
            nonlocal missed
            memory.look()
            for _ in range(4):
                began = time.monotonic()
                try:
                    client.lookup("www.news.example", timeout=2)
                except LabError:
                    missed += 1
                waits.append(time.monotonic() - began)

        while_going(lambda: flood.poll() is not None, look, seconds=SECONDS + 60)
        sent = json.loads(pipe(flood.stdout).read())
        pipe(flood.stdout).close()
        say(f"{sent['sent']} asked, {sent['answered']} answered")
        time.sleep(5)  # what was heard is told within this time
        memory.look()
        unheard, told = left_out(stack, "over_questions", short=short)
        restarted = memory.restarted
        findings = len(officer.findings(SITE)) - before
        growth = memory.growth
    worst = max(growth, key=lambda name: growth[name])
    p99 = statistics.quantiles(waits, n=100)[98] if len(waits) > 1 else float("inf")
    return Result(
        kept=p99 <= MOST_P99
        and not missed
        and growth[worst] <= MOST_MIB
        and findings <= MOST_FINDINGS
        and not restarted
        and unheard > 0
        and told,
        figures={
            "questions": f"{sent['sent']} in {sent['seconds']:.1f} s, {sent['answered']} answered, {sent['refused']} not sent",
            "another device": f"{len(waits)} questions, p99 {p99 * 1000:.0f} ms, without an answer {missed}",
            "further findings": str(findings),
            "left out by the rules": f"{unheard} packets, counted"
            + ("" if short else " and in a record of the ledger"),
            "memory": f"grew by {growth[worst]:.1f} MiB at most ({worst})",
            "processes started anew": ", ".join(restarted) or "none",
        },
    )
