"""Devices on the register, as the router's DHCP server reads them (dnsmasq, `dhcp-hostsdir`).

In: their hardware addresses. Out: one file that is replaced whole; dnsmasq sees that and reads it. So devices of the
household get an address though somebody takes all others. Bounded: as the message that brings them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from firmware import names
from wire.files import replace

_log = logging.getLogger(__name__)


class Known:
    """The file. What goes wrong with it is logged once, never raised: addresses are given out all the same."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "register"
        self._written: tuple[str, ...] | None = None
        self._said = ""

    def write(self, macs: Sequence[str]) -> None:
        """Let the DHCP server know these devices, and no others."""
        wanted = tuple(macs)
        if wanted == self._written:
            return
        try:
            lines = "".join(f"{mac},set:{names.KNOWN_TAG}\n" for mac in wanted)
            replace(self._path, lines.encode("ascii"), mode=0o644)
        except OSError as error:
            said = f"no addresses are kept for devices on the register: {self._path}: {error.strerror}"
            if said != self._said:
                _log.warning("%s", said)
            self._said = said
            return
        self._written, self._said = wanted, ""
