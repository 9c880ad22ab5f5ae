"""The keeper's way to root: requests and answers in the run directory, records that root wrote down. An edge."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance import requests
from appliance.releases import Programs, Record, Running, read_programs, read_record, read_running
from appliance.requests import Answer, RequestError, RequestName, TakeReleaseRequest
from appliance.settings import BoxSettings, SoftwareSettings
from wire.keys import verify_key

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSide:
    """See `appliance.keeper.updating.Root`."""

    software: SoftwareSettings
    run_dir: Path
    pinned: Sequence[Ed25519PublicKey]

    def running(self) -> Running:
        """What runs now."""
        return read_running(self.software)

    def record(self) -> Record:
        """What root wrote down."""
        return read_record(self.software.state)

    def programs(self) -> Programs:
        """Which programs are older than they may be."""
        return read_programs(self.software.state)

    def ask(self, request: TakeReleaseRequest) -> bool:
        """Put a request; whether that could be done."""
        try:
            requests.ask(self.run_dir, request)
        except (OSError, RequestError) as error:
            _log.warning("root could not be asked: %s", error)
            return False
        return True

    def answer(self) -> Answer | None:
        """The last answer to such a request."""
        return requests.answered(
            self.run_dir, RequestName.TAKE_RELEASE, owners=frozenset({0, os.getuid()})
        )  # in the lab all are one user


def root_side(settings: BoxSettings) -> RootSide | None:
    """As the settings say; None where the box takes no releases.

    Raises:
        KeyFileError: a release key is no key.
    """
    software = settings.software
    if software is None:
        return None
    pinned = tuple(verify_key(text) for text in software.release_keys)
    return RootSide(software=software, run_dir=settings.run_dir, pinned=pinned)
