"""The broker is away for a month, and comes back: what waited arrives, once, and an alert does not wait behind it."""

from __future__ import annotations

from pathlib import Path

from appliance import clock
from lab.faults.carriage import Carriage, carriage
from lab.faults.result import Result, Say
from lab.faults.sending import alert, stay

NAME = "outage"
PROMISE = (
    "broker down for 30 simulated days, 1.2 M events, quota 1 GiB: 0 lost, 0 double, drained within 10 min, "
    "a live alert within 5 s meanwhile"
)
DAYS, DEVICES, A_DAY = 30, 20, 2_000
SHORT = 5_000
DRAIN_SECONDS, ALERT_SECONDS = 600.0, 5.0
_PORTION = 5_000
_FINDING_EVERY = 1_000
_ALERT_EVERY = 2.0
_SAY_EVERY = 20.0


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Fill the outbox as a month would, then let the broker come."""
    total = SHORT if short else DAYS * DEVICES * A_DAY
    with carriage(folder) as rig:
        filled = _fill(rig, total, say)
        outbox = rig.keeper.store.outbox
        held, made_way = outbox.octets, outbox.dropped
        say(f"{filled:,} events wait, {held / 2**20:,.0f} MiB; now the broker comes")
        rig.start("broker", "ingest")
        rig.wait_said("ingest", "connected to the broker")
        rig.start("courier")
        rig.carry(lambda: rig.keeper.uplink.broker_connected, seconds=30)
        began = clock.monotonic()
        alerts, waits = _drain(rig, began, say, seconds=3 * DRAIN_SECONDS)
        seconds = clock.monotonic() - began
        events, left = rig.events(), len(outbox)
        doubled = rig.stays() - (total - total // _FINDING_EVERY)
    lost = total + alerts - events
    slowest = max(waits, default=float("inf"))
    kept = lost == 0 and doubled == 0 and left == 0 and seconds <= DRAIN_SECONDS and slowest <= ALERT_SECONDS
    return Result(
        kept=kept and made_way == 0,
        figures={
            "events that waited": f"{filled:,}",
            "held": f"{held / 2**20:,.0f} MiB of 1,024",
            "made way for want of room": f"{made_way:,}",
            "lost": f"{max(lost, 0):,}",
            "double": f"{max(doubled, 0) + max(-lost, 0):,}",
            "drained in": f"{seconds:,.1f} s",
            "rows a second": f"{events / max(seconds, 0.001):,.0f}",
            "live alerts meanwhile": f"{len(waits)} of {alerts}",
            "slowest live alert": f"{slowest:.2f} s",
        },
        remarks=(
            "The month is simulated: rows bear the times of 30 days and are made through the store at once.",
            "Of the keeper its store and uplink take part; its sensor and its ledger have nothing to say meanwhile.",
        ),
    )


def _fill(rig: Carriage, total: int, say: Say) -> int:
    """A month of events, ending now."""
    end = clock.now()
    step = DAYS * 86_400 / total
    said = clock.monotonic()
    for first in range(0, total, _PORTION):
        numbers = range(first, min(first + _PORTION, total))
        at = end - (total - first) * step
        rig.keeper.put(
            *(
                alert(number, at)
                if number % _FINDING_EVERY == _FINDING_EVERY - 1
                else stay(number, number % DEVICES, at + (number - first) * step)
                for number in numbers
            ),
            at=at,
        )
        if clock.monotonic() - said > _SAY_EVERY:
            said = clock.monotonic()
            say(f"{numbers.stop:,} of {total:,} made")
    return len(rig.keeper.store.outbox)


def _drain(rig: Carriage, began: float, say: Say, *, seconds: float) -> tuple[int, list[float]]:
    """Carry until nothing waits, with an alert every other second; how many, and how long each took."""
    asked: dict[str, float] = {}
    waits: list[float] = []
    count, due, look, said = 0, began, began, began
    while (len(rig.keeper.store.outbox) or asked) and clock.monotonic() - began < seconds:
        now = clock.monotonic()
        if now >= due and len(rig.keeper.store.outbox):
            rig.keeper.put(alert(10_000_000 + count, clock.now()), at=clock.now())
            asked[f"alert-{10_000_000 + count}"] = now
            count, due = count + 1, now + _ALERT_EVERY
        rig.keeper.turn(0.02)
        if asked and now >= look:
            look = now + 0.1
            waits += [clock.monotonic() - asked.pop(name) for name in rig.there(list(asked))]
        if now - said > _SAY_EVERY:
            said = now
            say(f"{len(rig.keeper.store.outbox):,} wait after {now - began:.0f} s")
    return count, waits
