"""New flows a second without loss: flows sent by a client beside flows counted by the sensor."""

from __future__ import annotations

import json
import subprocess
import time

from bench import cpu
from lab.service import wait_until
from lab.stack import GATEHOUSE, Stack
from lab.traffic import flows

_SETTLE = 12.0  # the sensor reports every 5 s


def measure(stack: Stack, rate: int = 10_000, seconds: int = 20) -> dict[str, float]:
    """Flows sent and observed, kernel losses, and the sensor's share of a core meanwhile."""
    client = stack.join("registered-laptop", mac="02:00:00:be:01:01")
    before = _flow_tap(stack)
    sensor = cpu.seconds(stack.room_pids()["sensor"])
    sent = flows(client, rate * seconds, rate)
    time.sleep(_SETTLE)
    after = _flow_tap(stack)
    used = cpu.seconds(stack.room_pids()["sensor"]) - sensor
    stack.home.leave(client)
    return {
        "sent": sent.flows,
        "observed": after["flows"] - before["flows"],
        "rate": sent.flows / sent.seconds,
        "lost": after["lost"] - before["lost"],
        "sensor_cpu_share": used / sent.seconds,
    }


def _flow_tap(stack: Stack) -> dict[str, int]:
    """Counters of the flow tap, once the sensor has reported them."""
    found: dict[str, int] = {}

    def look() -> bool:
        done = subprocess.run(
            [GATEHOUSE, "status", "--json", "--config", stack.box_config], capture_output=True, text=True, check=False
        )
        status = json.loads(done.stdout)["status"]
        found.update(next((tap for tap in (status or {}).get("taps", ()) if tap["tap"] == "flow"), {}))
        return bool(found)

    wait_until(look, what="the sensor's counters", pause=1.0)
    return found
