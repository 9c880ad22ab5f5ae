"""The lab's stack with a box that systemd runs: the same household, broker and pages, and the units of `systemd/`.

Where `lab.stack` starts `gatehouse up`, this boots a tree (`lab.nspawn`): `gatehouse apply` writes the configuration
there, and the rules, dnsmasq and every process of the box are units, under users of their own, from the paths that
`firmware.layout` gives a real one. Links and
addresses of the gateway are still the lab's: they take no part in what is shown.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from firmware import layout
from lab.boxfile import Places
from lab.host import LabError
from lab.household import Household
from lab.nspawn import Machine, Tree
from lab.service import wait_until
from lab.stack import SITE, Stack

ROOMS = ("warden", "sensor", "keeper", "courier", "porch", "resolver")
"""Processes that run all the time, each as `gatehouse-NAME.service`."""

WIRED_UNITS = ("systemd-networkd.service", "systemd-networkd.socket")
"""What would wire the gateway: the lab has, with addresses that no server gives out."""

_BOOT_UNITS = ("gatehouse-data.service", "gatehouse-first-boot.service")
"""What makes a bare card a box with keys and a household file; here the lab has done it."""


class Wired(Household):
    """A household whose gateway has links and addresses, and nothing that serves yet."""

    def _serve(self) -> None:
        """Nothing: the box's own units load the rules and start dnsmasq."""


class Gateway(Stack):
    """A stack whose box is booted by systemd. `machine` is that box.

    Args:
        masked: further units that are not to run in this box.
        files: further files of the box by their absolute paths, such as drop-ins.
    """

    machine: Machine

    def __init__(
        self,
        folder: Path,
        *,
        masked: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
        quarantine: bool = False,
    ) -> None:
        super().__init__(folder, poll_seconds=0.5, quarantine=quarantine)
        self._masked = tuple(masked)
        self._files = dict(files or {})

    def _household(self) -> Household:
        return Wired(self.folder / "household")

    @property
    def data(self) -> Path:
        """The box's data partition."""
        return self.folder / "box" / "data"

    def on_data(self, path: str) -> Path:
        """Where a path of `firmware.layout` below its data partition is in this run."""
        return self.data / Path(path).relative_to(layout.DATA)

    @property
    def box_config(self) -> Path:
        """The box's settings file."""
        return self.on_data(layout.BOX_FILE)

    @property
    def authority_file(self) -> Path:
        """Where the box looks for its authority."""
        return self.on_data(layout.AUTHORITY_FILE)

    @property
    def keeper_database(self) -> Path:
        """The box's SQLite file; open it read-only."""
        return self.on_data(layout.STATE) / "keeper" / "keeper.db"

    def room_pids(self) -> dict[str, int]:
        """Process id of each process of the box that runs, as the box counts."""
        with suppress(LabError, ValueError, subprocess.TimeoutExpired):
            pids = {room: self.machine.main_pid(f"gatehouse-{room}.service") for room in ROOMS}
            return {room: pid for room, pid in pids.items() if pid}
        return {}

    def _start_box(self) -> None:
        for folder in (layout.CONFIG, layout.KEYS):
            self.on_data(folder).mkdir(parents=True)
        certificate = self._ca.issue(SITE)
        keys = self.folder / "keys"
        for source, target, owner in (
            (keys / "box-signing.pem", layout.SIGNING_KEY, "keeper"),
            (keys / "box-sealing.pem", layout.SEALING_KEY, "keeper"),
            (certificate.key, layout.TLS_KEY, "courier"),
            (certificate.certificate, layout.CERTIFICATE, "courier"),
            (self._ca.certificate_path, layout.AUTHORITY_CERTIFICATE, "courier"),
        ):
            shutil.copy(source, self.on_data(target))
            os.chown(self.on_data(target), layout.UIDS[owner], layout.UIDS[owner])
        shutil.copy(self.home.household_file, self.on_data(layout.HOUSEHOLD_FILE))
        places = Places(
            state=layout.STATE,
            run=layout.RUN,
            household=layout.HOUSEHOLD_FILE,
            authority=layout.AUTHORITY_FILE,
            ca=layout.AUTHORITY_CERTIFICATE,
            certificate=layout.CERTIFICATE,
            certificate_key=layout.TLS_KEY,
            signing_key=layout.SIGNING_KEY,
            sealing_key=layout.SEALING_KEY,
        )
        uids = {name: uid for name, uid in layout.UIDS.items() if name != "fitting"}
        self._write_settings(places, uids)
        self.issue_authority(self.authority())
        tree = Tree(self.folder / "tree", self._files, masked=(*_BOOT_UNITS, *WIRED_UNITS, *self._masked))
        self._exit.callback(tree.close)
        self.machine = Machine(tree, self.home.gateway, data=self.data, log=self.folder / "logs" / "box.log")
        self._exit.callback(self.machine.stop)
        self.machine.wait()

    def pause_box(self) -> None:
        """Stop the box's processes; its rules stay loaded and the household keeps its internet."""
        self.machine.systemctl("stop", "gatehouse.target")
        # The target itself is gone at once; what is part of it takes its time.
        wait_until(lambda: not self.room_pids(), what="the box's processes to stop", seconds=30)

    def resume_box(self) -> None:
        """Start the box's processes again."""
        self.machine.systemctl("start", "gatehouse.target")
