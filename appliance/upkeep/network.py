"""Serves the keeper's request for another Wi-Fi: its name, how it is secured, whether devices reach each other.

As root. In: a request, checked again by its form. Out: `household.toml` with these three values and nothing else changed,
put in force by `gatehouse apply`, which takes it back where it cuts the box off. A home without a Wi-Fi is given none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.requests import RefusedError, SetNetworkRequest
from appliance.settings import BoxSettings
from firmware import household
from wire.files import FileError, replace

APPLY_SECONDS = 180.0
"""More than `gatehouse apply` waits for proof before it takes a change back."""

Run = Callable[[Sequence[str]], int]


def set_network(request: SetNetworkRequest, settings: BoxSettings, _now: float) -> None:
    """Put it in force.

    Raises:
        RefusedError: there is no Wi-Fi here, the values do not go together, or they did not work and are taken back.
        OSError: the household file cannot be written.
    """
    change(request, settings.household, run=_run)


def change(request: SetNetworkRequest, path: Path, *, run: Run) -> None:
    """As `set_network`; `run` runs a command and gives its exit code."""
    try:
        before = path.read_bytes()
        home = household.load(path)
    except (OSError, FileError) as error:
        raise RefusedError(f"The box's household file cannot be used: {error}") from error
    if home.wifi is None:
        raise RefusedError("This box has no Wi-Fi of its own.")
    said = {"ssid": request.ssid, "security": request.security, "isolation": request.isolation}
    document = home.model_dump(mode="json")
    document["wifi"] |= said
    try:
        wanted = household.Household.model_validate(document)
    except ValueError as error:
        raise RefusedError("These settings do not go together at this box.") from error
    if wanted == home:
        return
    text = household.as_toml(wanted).encode()
    replace(path, text, mode=0o644)
    if run([str(Path(sys.executable).with_name("gatehouse")), "apply", "--household", str(path)]) != 0:
        if path.read_bytes() == text:
            replace(path, before, mode=0o644)
        raise RefusedError("The new settings did not work. The earlier ones are in force again.")


def _run(words: Sequence[str]) -> int:
    try:
        return subprocess.run(list(words), check=False, timeout=APPLY_SECONDS, stdin=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        return 1
