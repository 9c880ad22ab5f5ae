"""The broker is killed again and again while events flow: what it had acknowledged and lost comes again, once."""

from __future__ import annotations

from pathlib import Path

from appliance import clock
from lab.faults.carriage import Carriage, carriage
from lab.faults.result import Result, Say
from lab.faults.sending import stay

NAME = "broker"
PROMISE = "broker killed every 5 s through 100,000 events: 0 lost, 0 double"
EVENTS, A_SECOND, KILL_EVERY = 100_000, 1_000, 5.0
SHORT, SHORT_EVERY, SHORT_KILLS = 3_000, 2.0, 2
_DOWN = 0.3
"""Seconds between a kill and the next start."""
_DEVICES = 20
_SETTLE = 300.0


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Put events in, a little every tick, and kill the broker on time."""
    total = SHORT if short else EVENTS
    with carriage(folder) as rig:
        rig.start("broker", "ingest")
        rig.wait_said("ingest", "connected to the broker")
        rig.start("courier")
        rig.carry(lambda: rig.keeper.uplink.broker_connected, seconds=30)
        began = clock.monotonic()
        kills = _flow(rig, total, say, short=short)
        arrived = rig.carry(lambda: not len(rig.keeper.store.outbox), seconds=_SETTLE)
        seconds = clock.monotonic() - began
        events, stays, left = rig.events(), rig.stays(), len(rig.keeper.store.outbox)
    return Result(
        kept=arrived and events == stays == total and kills >= (SHORT_KILLS if short else 1),
        figures={
            "events": f"{total:,}",
            "times killed": str(kills),
            "lost": f"{max(total - events, 0):,}",
            "double": f"{max(events - total, 0) + max(stays - total, 0):,}",
            "still waiting": f"{left:,}",
            "took": f"{seconds:,.0f} s",
        },
        remarks=("The broker's own folder outlives each kill, as a disk does.",),
    )


def _flow(rig: Carriage, total: int, say: Say, *, short: bool) -> int:
    """Put all events in at an even pace, killing the broker on time; how many times."""
    every = SHORT_EVERY if short else KILL_EVERY
    began = clock.monotonic()
    made, kills, kill_at = 0, 0, began + every
    while made < total or (short and kills < SHORT_KILLS):
        now = clock.monotonic()
        due = min(total, int((now - began) * A_SECOND))
        if due > made:
            rig.keeper.put(
                *(stay(number, number % _DEVICES, clock.now()) for number in range(made, due)), at=clock.now()
            )
            made = due
        if now >= kill_at:
            rig.broker.kill()
            kills += 1
            rig.carry(lambda: False, seconds=_DOWN)
            rig.broker.start()
            kill_at = now + every
            say(f"killed {kills} times; {made:,} made, {len(rig.keeper.store.outbox):,} wait")
        rig.keeper.turn(0.02)
    return kills
