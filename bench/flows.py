"""New flows a second without loss: flows sent by a client beside flows counted by the sensor."""

from __future__ import annotations

import json
import subprocess
import time

import psutil

from lab.stack import GATEHOUSE, Stack
from lab.traffic import flows

_SETTLE = 12.0  # the sensor reports every 5 s


def measure(stack: Stack, rate: int = 10_000, seconds: int = 20) -> dict[str, float]:
    """Flows sent and observed, kernel losses, and the sensor's share of a core meanwhile."""
    client = stack.join("registered-laptop", mac="02:00:00:be:01:01")
    before = _flow_tap(stack)
    sensor = _cpu_seconds(stack.room_pids()["sensor"])
    sent = flows(client, rate * seconds, rate)
    time.sleep(_SETTLE)
    after = _flow_tap(stack)
    used = _cpu_seconds(stack.room_pids()["sensor"]) - sensor
    stack.home.leave(client)
    return {
        "sent": sent.flows,
        "observed": after["flows"] - before["flows"],
        "rate": sent.flows / sent.seconds,
        "lost": after["lost"] - before["lost"],
        "sensor_cpu_share": used / sent.seconds,
    }


def _flow_tap(stack: Stack) -> dict[str, int]:
    done = subprocess.run(
        [GATEHOUSE, "status", "--json", "--config", stack.box_config],
        capture_output=True,
        text=True,
        check=False,
    )
    taps = {tap["tap"]: tap for tap in json.loads(done.stdout)["taps"]}
    flow: dict[str, int] = taps["flow"]
    return flow


def _cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
