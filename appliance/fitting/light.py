"""What the box's light says: a state in, a pattern out; and the one function that tells the kernel.

Table for the installer and the household; nothing in it needs more than eyes, and no two differ by colour alone.
Bounded: seven patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from appliance.fresh import Fresh, Problem


class State(StrEnum):
    """What is said."""

    BOOTING = "booting"
    NEEDS_CABLE = "needs-cable"
    WAITING = "waiting-for-claim"
    CONNECTED = "enrolled-and-connected"
    WATCHING = "watching"
    NO_INTERNET = "no-internet"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Milliseconds on and off, again and again; `off` 0 is always on."""

    on: int
    off: int
    looks: str
    """As it is told to people."""
    means: str
    do: str


TABLE: Final[dict[State, Pattern]] = {
    State.BOOTING: Pattern(on=100, off=100, looks="flickers fast", means="The box is starting.", do="Wait 2 minutes."),
    State.NEEDS_CABLE: Pattern(
        on=200,
        off=1800,
        looks="a short flash every 2 seconds",
        means="No internet cable is plugged in.",
        do="Plug the cable into the socket marked INTERNET and into the router.",
    ),
    State.WAITING: Pattern(
        on=1000,
        off=1000,
        looks="1 second on, 1 second off",
        means="The box is ready and waits to be claimed.",
        do="The installer scans the label.",
    ),
    State.CONNECTED: Pattern(
        on=1900,
        off=100,
        looks="on, with a short blink every 2 seconds",
        means="The box is connected. It does not record.",
        do="Nothing.",
    ),
    State.WATCHING: Pattern(
        on=1, off=0, looks="always on", means="The box is connected and records under its authority.", do="Nothing."
    ),
    State.NO_INTERNET: Pattern(
        on=500,
        off=500,
        looks="half a second on, half a second off",
        means="The box runs, but the internet does not reach it.",
        do="Restart the provider's router: unplug it, wait 30 seconds, plug it in, wait 3 minutes.",
    ),
    State.FAULT: Pattern(
        on=3000,
        off=500,
        looks="3 seconds on, half a second off",
        means="The box has a fault.",
        do="Unplug the box, wait 10 seconds, plug it in. If it stays so after 5 minutes, call the number on the box.",
    ),
}

_FAULTS = {Problem.NO_CARD, Problem.NO_PORT, Problem.UNTRUSTED, Problem.BAD_ANSWER}


def state_of(fresh: Fresh | None, *, recording: bool = False, failed: bool = False) -> State:
    """What to say. `recording`: an authority is in force; `failed`: a process of the box does not run."""
    state = State.BOOTING
    if failed or (fresh is not None and (fresh.stage == "fault" or fresh.problem in _FAULTS)):
        state = State.FAULT
    elif fresh is None or fresh.stage == "starting":
        state = State.BOOTING
    elif fresh.problem is Problem.NO_CABLE:
        state = State.NEEDS_CABLE
    elif fresh.stage == "unclaimed" or fresh.problem is Problem.NOT_KNOWN:
        state = State.WAITING
    elif fresh.problem is not None:
        state = State.NO_INTERNET
    elif fresh.stage == "enrolled":
        state = State.WATCHING if recording else State.CONNECTED
    return state


def show(leds: Path, state: State) -> bool:
    """Make the board's light say it; whether there is one. `leds` is `/sys/class/leds`."""
    pattern = TABLE[state]
    for name in ("ACT", "led0", "PWR", "led1"):  # as kernels of different years name a Pi's two lights
        led = leds / name
        if not (led / "trigger").exists():
            continue
        try:
            if pattern.off == 0:
                (led / "trigger").write_text("none", encoding="ascii")
                (led / "brightness").write_text("1", encoding="ascii")
            else:
                # The two delays are there only once the trigger is set (leds/ledtrig-timer).
                (led / "trigger").write_text("timer", encoding="ascii")
                (led / "delay_on").write_text(str(pattern.on), encoding="ascii")
                (led / "delay_off").write_text(str(pattern.off), encoding="ascii")
        except OSError:
            continue
        return True
    return False
