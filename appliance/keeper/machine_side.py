"""The keeper's eyes on its machine: the file that root writes, the disk, the way to ask for the end. An edge."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from appliance import fresh, requests
from appliance.fresh import Fresh
from appliance.requests import RequestError, WipeRequest
from appliance.settings import BoxSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSide:
    """See `appliance.keeper.machine.Site`."""

    run_dir: Path
    state_dir: Path

    def fresh(self) -> Fresh | None:
        """What root last saw; in a lab of one user, that user is root."""
        return fresh.read(self.run_dir / "fresh.json", owners=frozenset({0, os.getuid()}))

    def disk(self) -> tuple[int, int] | None:
        """Octets of the data partition: all, free."""
        try:
            about = os.statvfs(self.state_dir)
        except OSError:
            return None
        return about.f_blocks * about.f_frsize, about.f_bavail * about.f_frsize

    def wipe(self, request: WipeRequest) -> bool:
        """Ask root; whether that could be done."""
        try:
            requests.ask(self.run_dir, request)
        except (OSError, RequestError) as error:
            _log.warning("root could not be asked: %s", error)
            return False
        return True


def machine_side(settings: BoxSettings) -> MachineSide:
    """As the settings say."""
    return MachineSide(run_dir=settings.run_dir, state_dir=settings.state_dir)
