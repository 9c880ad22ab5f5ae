"""Serves the keeper's request for another Wi-Fi: its name, how it is secured, whether devices reach each other.

As root. In: a request, checked again by its form. Out: a household with these three values and nothing else changed,
handed to `gatehouse apply`, which gives it the place of `household.toml` and takes it back where it cuts the box off or
its Wi-Fi does not come up. Nothing here writes the household file itself: a power cut at any moment leaves the one of
before or, once it was proved, the new one. A home without a Wi-Fi is given none.
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
WANTED = "household.wanted.toml"
"""Beside the household file, as long as it is tried."""

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
    new = path.with_name(WANTED)
    replace(new, household.as_toml(wanted).encode(), mode=0o644)
    try:
        words = ["apply", "--household", str(path), "--new", str(new)]
        if run([str(Path(sys.executable).with_name("gatehouse")), *words]) != 0:
            raise RefusedError("The new settings did not work. The earlier ones are in force again.")
    finally:
        new.unlink(missing_ok=True)


def _run(words: Sequence[str]) -> int:
    try:
        return subprocess.run(list(words), check=False, timeout=APPLY_SECONDS, stdin=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        return 1
