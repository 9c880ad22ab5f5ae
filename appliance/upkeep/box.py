"""The box itself as an update's `Machine`: RAUC, systemd, the network's counters, clocks.

An edge: everything here is a program run or a file read. Bounded: each program has its time.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from appliance import clock
from appliance.releases import Record, Running, read_running
from appliance.settings import BoxSettings, SoftwareSettings
from appliance.upkeep import bundle, vitals
from appliance.upkeep.proof import LOOK_SECONDS, Proof
from appliance.upkeep.update import may_restart
from firmware.household import Household
from wire.release import Release

WRITE_SECONDS = 45 * 60.0
_PATIENCE = 60.0
_RATE_SECONDS = 5.0
_PERCENT = re.compile(r"^\s*(\d{1,3})%")


@dataclass(slots=True, kw_only=True)
class Box:
    """This machine."""

    settings: BoxSettings
    software: SoftwareSettings
    house: Household
    waiting: threading.Event = field(default_factory=threading.Event)
    """Set by who wants the proof to end early, when the service is stopped."""

    def running(self) -> Running:
        """What runs now."""
        return read_running(self.software)

    def quiet(self, record: Record) -> bool:
        """Whether the household would not mind a restart now."""
        now = clock.now()
        local = datetime.fromtimestamp(now, UTC).astimezone()
        return may_restart(
            record,
            site=self.settings.site,
            at=now,
            local_second=local.hour * 3600.0 + local.minute * 60 + local.second,
            hours=(self.software.quiet_from, self.software.quiet_until),
            rate=self._rate(),
        )

    def _rate(self) -> float | None:
        """Octets a second on the way out, over a few seconds."""
        before = octets(self.house.wan.interface)
        self.waiting.wait(_RATE_SECONDS)
        after = octets(self.house.wan.interface)
        return None if before is None or after is None or after < before else (after - before) / _RATE_SECONDS

    def check(self, release: Release) -> str:
        """Take the fetched file over and have RAUC look at it."""
        source = bundle.fetched_path(self.settings.state_dir, release.sha256)
        problem = bundle.take_over(release, source, self.software.state)
        problem = problem or bundle.inspect(release, self.software.state)
        if problem:
            (self.software.state / bundle.BUNDLE).unlink(missing_ok=True)
        return problem

    def well(self) -> frozenset[str]:
        """What is well now."""
        return vitals.well(self.settings, self.house)

    def write(self, release: Release, progress: Callable[[int], None]) -> str:
        """Have RAUC write the other system partition."""
        path = self.software.state / bundle.BUNDLE
        problem = install(["rauc", "install", str(path)], progress)
        path.unlink(missing_ok=True)  # what went wrong is not tried again
        return f"Version {release.version} could not be written: {problem}." if problem else ""

    def prove(self, before: frozenset[str]) -> str:
        """Look until it is proved or the time is over."""
        until = clock.monotonic() + self.software.prove_minutes * 60
        proof = Proof(before=before, until=until)
        while True:
            well = self.well()
            verdict = proof.looked(well, clock.monotonic())
            if verdict is not None:
                return "" if verdict else f"{proof.missing(well)}."
            self.waiting.wait(LOOK_SECONDS)

    def mark(self, *, good: bool) -> str:
        """Tell the boot loader."""
        return mark(good=good)

    def restart(self) -> str:
        """Start the machine anew, in order."""
        return restart()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """This machine where what runs cannot read what the box lives by: a new version of which that is so is not well."""

    software: SoftwareSettings
    why: str

    def running(self) -> Running:
        """What runs now."""
        return read_running(self.software)

    def quiet(self, _record: Record) -> bool:
        """Never: nobody knows."""
        return False

    def check(self, _release: Release) -> str:
        """It cannot be taken."""
        return self.why

    def well(self) -> frozenset[str]:
        """Nothing is known to be."""
        return frozenset()

    def write(self, _release: Release, _progress: Callable[[int], None]) -> str:
        """It is not written."""
        return self.why

    def prove(self, _before: frozenset[str]) -> str:
        """It is not well."""
        return self.why

    def mark(self, *, good: bool) -> str:
        """Tell the boot loader."""
        return mark(good=good)

    def restart(self) -> str:
        """Start the machine anew, in order."""
        return restart()


def mark(*, good: bool) -> str:
    """Tell the boot loader of the partition that runs; a bad one is also no longer the one that starts next."""
    if good:
        return run(["rauc", "status", "mark-good", "booted"])
    return run(["rauc", "status", "mark-active", "other"]) or run(["rauc", "status", "mark-bad", "booted"])


def restart() -> str:
    """Start the machine anew, in order; what went wrong, or nothing."""
    return run(["systemctl", "--no-block", "reboot"])


def octets(interface: str, sys: Path = Path("/sys")) -> int | None:
    """Octets that an interface has carried; None where it is not there."""
    folder = sys / "class/net" / interface / "statistics"
    try:
        return sum(int((folder / name).read_text(encoding="ascii")) for name in ("rx_bytes", "tx_bytes"))
    except (OSError, ValueError):
        return None


def run(argv: list[str]) -> str:
    """Run a program; what went wrong, or nothing."""
    try:
        ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{argv[0]}: {error}"
    return "" if ran.returncode == 0 else f"{argv[0]}: {bundle.last_line(ran.stderr or ran.stdout)}"


def install(argv: list[str], progress: Callable[[int], None], *, seconds: float = WRITE_SECONDS) -> str:
    """Run the installer and hand on the percentages it prints; what went wrong, or nothing."""
    said = ""
    try:
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        ) as process:
            timer = threading.Timer(seconds, process.kill)
            timer.start()
            try:
                assert process.stdout is not None  # noqa: S101 - asked for above
                for line in process.stdout:
                    said = line.strip()[:300] or said
                    if found := _PERCENT.match(line):
                        progress(int(found[1]))
                process.wait()
            except BaseException:
                process.kill()
                raise
            finally:
                timer.cancel()
    except OSError as error:
        return f"{argv[0]}: {error.strerror}"
    return "" if process.returncode == 0 else bundle.last_line(said)
