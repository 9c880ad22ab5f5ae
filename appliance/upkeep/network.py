"""Serves the keeper's request for another Wi-Fi: its name, how it is secured, whether devices reach each other.

As root. In: a request, checked again by its form. Out: a household with these three values and nothing else changed,
tried (`appliance.trial`) and taken back where it cuts the box off or its Wi-Fi does not come up. A home without a Wi-Fi
is given none.
"""

from __future__ import annotations

from pathlib import Path

from appliance import trial
from appliance.requests import RefusedError, SetNetworkRequest
from appliance.settings import BoxSettings
from firmware import household
from wire.files import FileError


def set_network(request: SetNetworkRequest, settings: BoxSettings, _now: float) -> None:
    """Put it in force.

    Raises:
        RefusedError: there is no Wi-Fi here, the values do not go together, or they did not work and are taken back.
        OSError: the household file cannot be written.
    """
    change(request, settings.household)


def change(request: SetNetworkRequest, path: Path, *, run: trial.Run = trial.run) -> None:
    """As `set_network`; `run` runs the command that tries it."""
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
    if wanted != home and not trial.attempt(wanted, path, run=run):
        raise RefusedError("The new settings did not work. The earlier ones are in force again.")
