"""What the keeper writes to its card in a busy day: octets, commits, and beside it one that commits every message.

One day of the busier of the two households (`lab.week`, the widest order), with a second device beside each of its
own until there are `DEVICES`, is played to the real sensor and keeper with a database on a real file system, as finely as they turn when they are alive. What counts is what
the process gave to the kernel for files (`wchar` of /proc/self/io; a card sees it once at least, since every commit is
synced) and what the kernel gave to the disk (`write_bytes`, whole pages; 0 where the folder lies in memory).
Promised: at most `PROMISE_MB` a day (R69).
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from appliance.messages import TalksCounted
from lab.week import household, watched
from lab.week.box import Box
from lab.week.days import Days, Power, Upstream
from lab.week.plot import HOUR
from lab.week.run import Officer
from lab.week.speech import ROUTER_MAC, Spoken

PROMISE_MB = 250.0
DEVICES = 22
"""Of the household; two of them are guests that are not there on the day that is measured, so the box has 20."""
DAY_HOURS = 24.0
QUICK_HOURS = 2.4
SETTLE_HOURS = 6.0
"""Before the measured time: the household is met and registered."""
GATHER = 0.05
"""Seconds of observations that one turn takes in, as the keeper's loop does when the sensor is busy."""
TICKS = (1.0, 2.0, 3.0, 4.0, 6.0)
_MEGA = 1e6


def measure(*, quick: bool = False) -> dict[str, dict[str, float]]:
    """By way of committing: megabytes and commits a day, and the octets for each of ours."""
    found = {
        "as shipped": _day(QUICK_HOURS if quick else DAY_HOURS, gather=GATHER),
        "a commit a message": _day(QUICK_HOURS if quick else DAY_HOURS, gather=0.0),
    }
    ours = found["as shipped"]["MB_a_day"]
    for figures in found.values():
        figures["beside_ours"] = figures["MB_a_day"] / ours
        figures["promised_MB"] = PROMISE_MB
    return found


def busy() -> household.Household:
    """`DEVICES` devices: those of the household, and seconds of them that live as the first do."""
    base = household.non_compliant()
    twins = base.member[: DEVICES - len(base.member)]
    return base.model_copy(
        update={
            "member": (*base.member, *(member.model_copy(update={"name": _twin(member.name)}) for member in twins)),
            "life": (
                *base.life,
                *(
                    base.of(member.name).model_copy(update={"member": _twin(member.name), "carried": False})
                    for member in twins
                ),
            ),
        }
    )


def _twin(name: str) -> str:
    return f"{name}-2"


def _day(hours: float, *, gather: float) -> dict[str, float]:
    days = Days(busy(), seed=1)
    counted: Counter[str] = Counter()
    place = Path("artefacts")  # on a disk: a memory file system writes nothing
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="writes-", dir=place) as folder:
        starts = days.told_from + 6 * HOUR  # a morning, so that a short run is no night
        box = Box(
            Path(folder),
            starts=starts - SETTLE_HOURS * HOUR,
            ends=starts + 2 * DAY_HOURS * HOUR,
            router=ROUTER_MAC,
            terms=replace(watched.terms(), gather=gather, ticks=TICKS),
        )
        with box:
            _play(box, days, until=starts)
            before, began = _written(), time.process_time()
            box.statements(lambda statement: counted.update(("commits",) if statement == "COMMIT" else ()))
            observations = box.observations
            _play(box, days, until=starts + hours * HOUR)
            after = _written()
            scale = DAY_HOURS / hours
            return {
                "MB_a_day": (after["wchar"] - before["wchar"]) / _MEGA * scale,
                "disk_MB_a_day": (after["write_bytes"] - before["write_bytes"]) / _MEGA * scale,
                "commits_a_day": counted["commits"] * scale,
                "observations_a_day": (box.observations - observations) * scale,
                "devices": float(len(box.devices)),
                "CPU_s": time.process_time() - began,
            }


def _play(box: Box, days: Days, *, until: float) -> None:
    officer = Officer(box, days)
    visited = False
    for happening in days.story():
        if happening.ts < box.now:
            continue
        if happening.ts >= until:
            break
        if not visited and happening.ts > box.now + HOUR:
            visited = True
            officer.visit()
        match happening:
            case Spoken(ts=ts, data=data):
                box.frame(ts, data)
            case Upstream(ts=ts, data=data):
                box.upstream(ts, data)
            case TalksCounted():
                box.counted(happening)
            case Power():
                pass  # a day without a cut writes most
            case _:
                box.event(happening)
    officer.visit()
    box.wait(until)


def _written() -> dict[str, int]:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}
