"""A household file put in force, proved, and taken back where it cuts the box off.

Enters: `household.toml`. Leaves: the files of `/etc`, all of one household or all of the other; programs told of what
changed. A change counts once it is proved: within `PATIENCE` seconds the box must reach the internet as it did before,
or an engineer must say that all is well. Else what was good comes back by itself, also if this process is killed: a
second one holds the other end of a pipe and does it. If both go, with the power, the next boot does it.
A change that a program asks for is a file of its own (`new`), and takes the household file's place after the mark of a
trial: a cut leaves the household of before, or the new one where it was proved. Beside the household file lie
`household.good.toml` (the last that was proved), `household.trial` (digest of one that is not proved yet) and
`household.refused.toml` (the last that was taken back, for an engineer).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firmware import checking, household, plan, render
from firmware.household import Household
from firmware.placing import Placing, digest_of
from firmware.plan import Step
from firmware.render import RenderError
from firmware.wireless import Secrets, household_passphrase
from wire.files import FileError, replace

PATIENCE = 60.0
"""Seconds for a change to prove itself (R57: what cuts the family off comes back within a minute)."""
LOOK_SECONDS = 1.0
GRACE = 5.0
"""Longer than the first, the second process waits, should the first hang."""


class ApplyError(Exception):
    """Nothing was changed, or all was taken back; the text says why in one sentence."""


class Surroundings(Protocol):
    """What is around: clocks, the network, programs. The real one is `appliance.cli.surroundings`."""

    def monotonic(self) -> float:
        """Seconds."""

    def wait(self, seconds: float) -> None:
        """Let that long go by."""

    def reaches(self, home: Household) -> str:
        """Empty where the internet is reached as this household says; else what is not, in plain words."""

    def serves(self, home: Household) -> str:
        """Empty where the Wi-Fi of this household is up, or it has none; else what is not, in plain words."""

    def do(self, step: Step) -> str:
        """Tell a program; empty, or what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things lie."""

    root: Path = Path("/")
    """What the paths of rendered files count from."""
    household: Path

    @property
    def good(self) -> Path:
        """The last that was proved."""
        return self.household.with_name("household.good.toml")

    @property
    def trial(self) -> Path:
        """Digest of the one that is tried."""
        return self.household.with_name("household.trial")

    @property
    def refused(self) -> Path:
        """The last that was taken back."""
        return self.household.with_name("household.refused.toml")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was done."""

    changed: list[str] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Sentences: what is not as it should be."""
    proved: bool = False


class Applying:
    """One run of `gatehouse apply`."""

    def __init__(self, places: Places, around: Surroundings, *, step: Callable[[], None] = lambda: None) -> None:
        self._places = places
        self._around = around
        self._placing = Placing(places.root, render.mode, step=step)

    def boot(self, makeshift: Callable[[], Household] | None = None) -> Outcome:
        """Put in place what the household file says, or the last good one where it cannot be; tell of it.

        `/etc` is empty at each start: a home whose files are not put there has no internet at all (R57). So they are in
        place before any program is asked about them, who ends this for taking too long ends only the asking, and a file
        that was found good before is not asked about again. Nothing of what is put in place waits for anything: the
        programs that read it start after this.

        Args:
            makeshift: what fits any home, for when neither file can be read.

        Raises:
            ApplyError: there is none that can be put in place; what the image brought stays.
        """
        outcome = Outcome()
        paths = [self._places.household, self._places.good]
        try:
            self._forget_trial(outcome)
        except OSError as error:  # a data partition that takes nothing more
            outcome.said.append(f"what was not proved could not be taken back: {error}")
            paths.reverse()
        usable = self._usable(paths, makeshift, outcome)
        first = next(usable, None)
        if first is None:
            raise ApplyError("; ".join(outcome.said))
        old = self._placing.files()
        path, files = first
        self._put_at_boot(files, outcome)
        try:
            if path == self._places.household and digest_of(path) != digest_of(self._places.good):
                faults = self._faults(files, outcome)
                outcome.said.extend(faults)
                if not faults:
                    self._make_good()
                elif (other := next(usable, None)) is not None:
                    files = other[1]
                    self._put_at_boot(files, outcome)
        except OSError as error:
            outcome.said.append(f"what is in place could not be looked at or kept as good: {error}")
        outcome.changed = plan.changes(old, files)
        return outcome

    def _usable(
        self, paths: list[Path], makeshift: Callable[[], Household] | None, outcome: Outcome
    ) -> Iterator[tuple[Path, dict[str, str]]]:
        """What can be rendered, best first; the next is looked at only where it is asked for."""
        found = False
        for path in paths:
            try:
                yield path, self._render_at_boot(household.load(path), outcome)
                found = True
            except (FileError, ApplyError) as error:
                outcome.said.append(f"{error}; it is not used")
        if found or makeshift is None:
            return
        try:
            files = self._render(makeshift())
        except (FileError, ApplyError, OSError) as error:
            outcome.said.append(str(error))
            return
        outcome.said.append("what fits any home is used")
        yield Path(), files

    def _render_at_boot(self, home: Household, outcome: Outcome) -> dict[str, str]:
        try:
            return self._render(home)
        except ApplyError as error:
            if home.wifi is None or home.wifi.security == "wpa2":
                raise
            wpa2 = home.wifi.model_copy(update={"security": "wpa2"})
            files = self._render(home.model_copy(update={"wifi": wpa2}))
            outcome.said.append(f"{error}; the Wi-Fi is there without WPA3")
            return files

    def _put_at_boot(self, files: dict[str, str], outcome: Outcome) -> None:
        old = self._placing.files()
        self._placing.put(files)
        if any(each.startswith("/etc/systemd/system/") for each in files):
            self._tell([Step(act="reload-units")], outcome)
        gone = [unit for unit in plan.starts(old) if unit not in plan.starts(files)]
        self._tell([Step(act="stop", unit=unit) for unit in gone], outcome)
        self._tell([Step(act="start", unit=unit) for unit in plan.starts(files)], outcome)

    def change(self, *, new: Path | None = None, seconds: float = PATIENCE, by_hand: bool = False) -> Outcome:
        """Put in force what the household file says now, prove it, and take it back where it does not prove itself.

        Args:
            new: a file that is to take the household file's place; None: that file was changed already.
            seconds: to prove itself in.
            by_hand: an engineer says that all is well (`confirm`); the network is not asked.

        Raises:
            ApplyError: it cannot be used, or was taken back.
        """
        outcome = Outcome()
        self._forget_trial(outcome)
        wanted = self._places.household if new is None else new
        try:
            home = household.load(wanted)
        except FileError as error:
            raise ApplyError(str(error)) from error
        files = self._render(home)
        if faults := self._faults(files, outcome):
            raise ApplyError("; ".join(faults))
        before, old = self._placing.current(), self._placing.files()
        outcome.changed = plan.changes(old, files)
        if not outcome.changed:
            self._take_place(wanted)
            self._make_good()
            outcome.proved = True
            return outcome
        self._keep_what_is(new)
        was = self._load_good() or home
        was_reached = by_hand or not self._around.reaches(was)
        was_served = not by_hand and not self._around.serves(was)
        with self._guarded(before, seconds + GRACE):
            self._mark(wanted)
            self._take_place(wanted)
            self._placing.put(files)
            self._tell(plan.steps(old, files), outcome)
            missing = self._prove(home, seconds, by_hand=by_hand, served=was_served)
            if missing and (was_reached or (was_served and self._around.serves(home))):
                self.back(before, outcome)
                raise ApplyError(f"the change was taken back: {missing}")
            if missing:
                outcome.said.append(f"the internet was not reached before, and is not now ({missing})")
            outcome.proved = not missing
            self.confirm()
        return outcome

    def confirm(self) -> bool:
        """All is well with what is tried; whether anything was."""
        with self._alone():
            if not self._places.trial.exists():
                return False
            self._make_good()
            self._places.trial.unlink(missing_ok=True)
            return True

    def back(self, before: str | None, outcome: Outcome | None = None) -> bool:
        """Put the last good household in force again, if one is tried that is not proved; whether one was."""
        outcome = outcome or Outcome()
        with self._alone():
            if not self._places.trial.exists():
                return False
            tried = self._placing.files()
            good, restored = self._load_good(), True
            try:
                self._restore_household()
            except OSError as error:  # nothing more fits there: what is in force comes back all the same
                outcome.said.append(f"the household file itself could not be taken back: {error}")
                restored = False
            if good is not None:
                # Rendered anew: the same household gives the same text, whatever is kept of the older sets.
                with suppress(ApplyError):
                    self._placing.put(self._render(good))
            elif before is not None:
                self._placing.back(before)
            self._tell(plan.steps(tried, self._placing.files()), outcome)
            if restored:
                self._places.trial.unlink(missing_ok=True)
            return True

    # --- parts ------------------------------------------------------------------------------------

    def _render(self, home: Household) -> dict[str, str]:
        try:
            # Without the tap at the provider's side: the kernel takes no rule of a port that is not there, and the home
            # does not wait for one. The warden adds it, for the sensor that alone reads it.
            return render.render(home, secrets=self._secrets(home), wan_tap=False)
        except RenderError as error:
            raise ApplyError(str(error)) from error

    def _secrets(self, home: Household) -> Secrets:
        if home.wifi is None or home.wifi.security == "wpa2":
            return Secrets()
        try:
            kept = (self._places.root / home.wifi.passphrase_file.lstrip("/")).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return Secrets()
        return Secrets(passphrase=household_passphrase(kept))

    @staticmethod
    def _faults(files: dict[str, str], outcome: Outcome) -> tuple[str, ...]:
        verdict = checking.check(files)
        if verdict.unasked:
            outcome.said.append(f"not checked, because not installed or too slow: {', '.join(verdict.unasked)}")
        return verdict.faults

    def _tell(self, steps: list[Step], outcome: Outcome) -> None:
        for step in steps:
            wrong = self._around.do(step)
            outcome.done.append(step)
            if wrong:
                outcome.said.append(f"{step}: {wrong}")

    def _prove(self, home: Household, seconds: float, *, by_hand: bool, served: bool) -> str:
        """What is missing in the end; `served`: the Wi-Fi was up before, and has to be again."""
        end = self._around.monotonic() + seconds
        while True:
            if by_hand:
                missing = "" if not self._places.trial.exists() else "nobody said that all is well"
            else:
                missing = (self._around.serves(home) if served else "") or self._around.reaches(home)
            left = end - self._around.monotonic()
            if not missing or left <= 0:
                return missing
            self._around.wait(min(LOOK_SECONDS, left))

    def _load_good(self) -> Household | None:
        try:
            return household.load(self._places.good)
        except FileError:
            return None

    def _mark(self, wanted: Path) -> None:
        """Before the household file changes: a start that finds the new one knows that it is not proved."""
        replace(self._places.trial, digest_of(wanted).encode())

    def _take_place(self, wanted: Path) -> None:
        if wanted != self._places.household:
            replace(self._places.household, wanted.read_bytes(), mode=0o644)

    def _keep_what_is(self, new: Path | None) -> None:
        """There has to be something to go back to, also at a box where nothing was ever proved."""
        with suppress(FileError):
            if new is not None and self._load_good() is None and household.load(self._places.household):
                _copy(self._places.household, self._places.good)

    def _make_good(self) -> None:
        if digest_of(self._places.good) != digest_of(self._places.household):
            _copy(self._places.household, self._places.good)

    def _forget_trial(self, outcome: Outcome) -> None:
        """A trial that nobody ended: the power went, or all of us were killed."""
        trial = self._places.trial
        try:
            tried = trial.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return
        # One that was kept just now, and whose mark was not away yet, is the good one itself.
        unproved = tried == digest_of(self._places.household) != digest_of(self._places.good)
        if unproved and self._restore_household() is not None:
            outcome.said.append("the last change was never proved, and was taken back")
        trial.unlink(missing_ok=True)

    def _restore_household(self) -> Household | None:
        places, good = self._places, self._load_good()
        if good is not None and digest_of(places.good) != digest_of(places.household):
            with suppress(OSError):  # for an engineer only
                _copy(places.household, places.refused)
            _copy(places.good, places.household)
        return good

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time: the two that may take a change back, and the one that confirms it."""
        descriptor = os.open(self._places.household.with_name(".household.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _guarded(self, before: str | None, seconds: float) -> Iterator[None]:
        """While this runs, a second process waits for the end of it, to take the change back if it ends unproved."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(writing)
                os.setsid()
                # A signal that ends the first is for the first.
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                select.select([reading], [], [], seconds)
                self.back(before)
                code = 0
            finally:
                os._exit(code)
        os.close(reading)
        try:
            yield
        finally:
            os.close(writing)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _copy(source: Path, target: Path) -> None:
    replace(target, source.read_bytes(), mode=source.stat().st_mode & 0o777)
    with suppress(PermissionError):
        os.chown(target, source.stat().st_uid, source.stat().st_gid)
