"""Kills and hangs of every process, and what was committed through them.

In a round every process of the box is ended in turn (SIGKILL), then all are stopped at once (SIGSTOP), as programs
that hang; devices join meanwhile. Bounded: `ROUNDS` of them, each at most `BACK_SECONDS` a wait. Ends only processes
that this run started, by the ids their supervisor gives.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from lab.faults.result import Result, Say
from lab.faults.running import box, finding
from lab.service import wait_until
from lab.stack import SITE, Stack

NAME = "processes"
PROMISE = (
    "SIGKILL and SIGSTOP of each process: a hang is seen, the process is back within 15 s, nothing committed is lost"
)
ROUNDS = 100
BACK_SECONDS = 30.0
KEPT_SECONDS = 15.0
_ROOMS = ("sensor", "keeper", "courier", "warden", "porch", "resolver")


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    rounds = 1 if short else ROUNDS
    kills: list[float] = []
    hangs: list[float] = []
    joined: list[str] = []
    with box(folder) as (stack, officer, _client):
        for number in range(rounds):
            kills.extend(_end(stack, (room,), signal.SIGKILL) for room in _ROOMS)
            mac = f"02:00:00:fb:{number >> 8:02x}:{number & 255:02x}"
            guest = stack.join("unregistered-phone", mac=mac)
            finding(officer, "unregistered-device", mac)
            joined.append(mac)
            hangs.append(_end(stack, _ROOMS, signal.SIGSTOP))
            stack.home.leave(guest)
            if number % 10 == 0:
                say(
                    f"round {number + 1} of {rounds}: longest {max(kills):.1f} s after a kill, {max(hangs):.1f} s a hang"
                )
        wait_until(lambda: _waiting(stack) == 0, what="the outbox to drain", seconds=120)
        seen = Counter(
            mac for item in officer.findings(SITE) if item.kind == "unregistered-device" for mac in item.macs
        )
        whole = _whole(stack)
    lost = [mac for mac in joined if seen[mac] == 0]
    double = [mac for mac in joined if seen[mac] > 1]
    return Result(
        kept=not lost and not double and whole and max(kills + hangs) <= KEPT_SECONDS,
        figures={
            "processes killed": f"{len(kills)} ({rounds} times each of {len(_ROOMS)})",
            "processes stopped": f"{rounds * len(_ROOMS)} ({rounds} times all at once)",
            "back after a kill": f"{max(kills):.1f} s at most",
            "all back after a hang": f"{max(hangs):.1f} s at most, {min(hangs):.1f} s at least",
            "findings committed before": f"{len(joined)}, lost {len(lost)}, double {len(double)}",
            "database": "whole" if whole else "NOT WHOLE",
        },
    )


def _end(stack: Stack, rooms: tuple[str, ...], number: signal.Signals) -> float:
    """Signal processes and wait until others are in their place and say that they are ready; seconds it took."""
    before = {room: pid for room, pid in stack.room_pids().items() if room in rooms}
    backs = _backs(stack)
    began = time.monotonic()
    for pid in before.values():
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    wait_until(
        lambda: all(_backs(stack)[room] > backs[room] for room in before),
        what=f"{', '.join(before)} to be back after {number.name}",
        seconds=BACK_SECONDS,
    )
    return time.monotonic() - began


def _backs(stack: Stack) -> Counter[str]:
    """How often the supervisor said of each that it is back."""
    lines = (stack.folder / "logs" / "box.log").read_text(errors="replace").splitlines()
    return Counter(line.partition(" is back")[0].split()[-1] for line in lines if line.endswith(" is back"))


def _waiting(stack: Stack) -> int:
    return int(_of_box(stack, lambda box: box.execute("select count(*) from outbox").fetchone()[0]))


def _whole(stack: Stack) -> bool:
    return str(_of_box(stack, lambda box: box.execute("pragma integrity_check").fetchone()[0])) == "ok"


def _of_box(stack: Stack, ask: Callable[[sqlite3.Connection], object]) -> int | str:
    with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as connection:
        answer = ask(connection)
    return answer if isinstance(answer, int) else str(answer)
