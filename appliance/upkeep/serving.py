"""Requests of the keeper that upkeep serves as root: take a release, start the machine anew."""

from __future__ import annotations

import subprocess

from appliance.requests import RestartRequest
from appliance.settings import BoxSettings

_PATIENCE = 60.0


def restart(_request: RestartRequest, _settings: BoxSettings, _now: float) -> None:
    """Start the machine anew, in order.

    Raises:
        CalledProcessError: systemd would not.
    """
    subprocess.run(["systemctl", "--no-block", "reboot"], check=True, timeout=_PATIENCE, capture_output=True)
