"""Keeps a few programs running: starts them, listens for their readiness, restarts what dies or hangs.

In: programs (`Program`). Out: processes, `up.json` in the given folder (name -> pid, replaced whole
at each change) and plain lines to `report`. It speaks the sd_notify protocol (sd_notify(3)) over
one socket a program, which only that program's user may write to: READY=1 within `Pace.start` seconds,
and WATCHDOG=1 within `Pace.silence` seconds ever after; who is silent longer is killed and started again.

A program with `every` does its work and ends: it is started so many seconds after its last start, says
nothing of readiness, is killed after `Pace.start` seconds, and is reported when it ends otherwise than before.

Bounded: one process a program; a restart waits 0.1 s, doubling to 5 s, and from 0.1 s again after
10 s of life; stopping takes at most `Pace.stop` seconds, then what is left is killed.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance import clock
from wire.files import replace

_LOOK = 0.2  # seconds between two looks at `stopping`; everything else wakes the loop by itself
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH")
_FIRST_DESCRIPTOR = 3  # sd_listen_fds(3)
_MAX_NOTICE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Times in seconds."""

    first_delay: float = 0.1
    longest_delay: float = 5.0
    steady: float = 10.0
    """Life after which the next restart is quick again."""
    start: float = 60.0
    """Longest time to READY=1, and longest life of a program that ends by itself."""
    silence: float = 10.0
    """Longest time between two WATCHDOG=1, counted from READY=1."""
    stop: float = 4.5
    """For all programs together, to stop by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run and how it is treated."""

    name: str
    argv: tuple[str, ...]
    uid: int | None = None
    """Whose the notify socket is; None for our own user."""
    listener: socket.socket | None = None
    """Handed over as the one of LISTEN_FDS."""
    stop_stage: int = 0
    """Stage 0 is stopped first; the next stage when the one before is gone."""
    every: float | None = None
    """Seconds between two starts of one that ends by itself; None for one that is to keep running."""


@dataclass(slots=True)
class _Slot:
    """A program and its process of the moment."""

    program: Program
    delay: float
    notify: socket.socket
    address: str
    pid: int | None = None
    pidfd: int = -1
    started: float = 0.0
    due: float = 0.0
    ready: bool = False
    heard: float = 0.0
    hung: bool = False
    code: int = 0
    """How one with `every` ended last."""


class Supervisor:
    """Runs programs until told to stop."""

    def __init__(
        self, programs: Sequence[Program], *, folder: Path, report: Callable[[str], None], pace: Pace | None = None
    ) -> None:
        self._folder = folder
        self._report = report
        self._pace = pace or Pace()
        self._programs = programs
        self._slots: list[_Slot] = []
        self._selector = selectors.DefaultSelector()
        self._all_ready = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Start everything, keep it running until `stopping()`, then stop it in order.

        Raises:
            OSError: the notify sockets or `up.json` cannot be made.
        """
        with ExitStack() as stack:
            stack.callback(self._selector.close)
            for program in self._programs:
                self._slots.append(self._slot(program, stack))
            try:
                self._write_state()
                while not stopping():
                    self._tend(clock.monotonic())
                    self._wait(_LOOK)
            finally:
                self._stop()

    def _slot(self, program: Program, stack: ExitStack) -> _Slot:
        address = self._folder / f"{program.name}.notify"
        address.unlink(missing_ok=True)
        notify = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC))
        notify.bind(str(address))
        stack.callback(address.unlink, missing_ok=True)
        address.chmod(0o600)
        if program.uid is not None:
            os.chown(address, program.uid, program.uid)
        notify.setblocking(False)
        due = 0.0 if program.every is None else clock.monotonic() + program.every
        slot = _Slot(program=program, delay=self._pace.first_delay, notify=notify, address=str(address), due=due)
        self._selector.register(notify, selectors.EVENT_READ, (self._hear, slot))
        return slot

    def _tend(self, now: float) -> None:
        """Start what is due, kill what is silent."""
        for slot in self._slots:
            if slot.pid is None:
                if now >= slot.due:
                    self._start(slot, now)
                continue
            since, longest = (slot.heard, self._pace.silence) if slot.ready else (slot.started, self._pace.start)
            if not slot.hung and now - since > longest:
                self._report(f"{slot.program.name} gave no sign of life for {longest:g} s: killed")
                slot.hung = True
                _signal(slot, signal.SIGKILL)

    def _start(self, slot: _Slot, now: float) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment["NOTIFY_SOCKET"] = slot.address
        environment["WATCHDOG_USEC"] = str(int(self._pace.silence * 1e6))
        actions: list[tuple[int, ...]] = []
        if slot.program.listener is not None:
            environment["LISTEN_FDS"] = "1"
            actions.append((os.POSIX_SPAWN_DUP2, slot.program.listener.fileno(), _FIRST_DESCRIPTOR))
        slot.started, slot.ready, slot.hung = now, False, False
        try:
            # A process group of its own: Ctrl-C reaches only us, and we stop the programs in order.
            slot.pid = os.posix_spawnp(
                slot.program.argv[0],
                slot.program.argv,
                environment,
                file_actions=actions,
                setpgroup=0,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE),
            )
        except OSError as error:
            self._report(f"{slot.program.name} cannot be started: {error.strerror}")
            self._wait_for_turn(slot, now)
            return
        slot.pidfd = os.pidfd_open(slot.pid)
        self._selector.register(slot.pidfd, selectors.EVENT_READ, (self._reap, slot))
        self._write_state()

    def _wait_for_turn(self, slot: _Slot, now: float) -> None:
        if slot.program.every is not None:
            slot.due = max(now, slot.started + slot.program.every)
            return
        if now - slot.started >= self._pace.steady:
            slot.delay = self._pace.first_delay
        slot.due = now + slot.delay
        slot.delay = min(slot.delay * 2, self._pace.longest_delay)

    def _wait(self, longest: float) -> None:
        """Wait for notices and deaths, at most `longest` seconds or until the next start is due."""
        now = clock.monotonic()
        due = [slot.due - now for slot in self._slots if slot.pid is None]
        self._dispatch(min([longest, *due]))

    def _dispatch(self, longest: float) -> None:
        for key, _ in self._selector.select(max(0.0, longest)):
            act, slot = key.data
            act(slot)

    def _hear(self, slot: _Slot) -> None:
        try:
            notice = slot.notify.recv(_MAX_NOTICE)
        except BlockingIOError:
            return
        words = notice.split(b"\n")
        if b"READY=1" in words and not slot.ready:
            slot.ready = True
            slot.heard = clock.monotonic()
            self._announce(slot)
        elif b"WATCHDOG=1" in words:
            slot.heard = clock.monotonic()

    def _announce(self, slot: _Slot) -> None:
        if self._all_ready:
            self._report(f"{slot.program.name} is back")
        elif all(each.ready for each in self._lasting()):
            self._all_ready = True
            self._report("ready: " + ", ".join(each.program.name for each in self._lasting()))

    def _lasting(self) -> list[_Slot]:
        """Those that are to keep running."""
        return [slot for slot in self._slots if slot.program.every is None]

    def _reap(self, slot: _Slot) -> None:
        """Take note of a process that ended."""
        if slot.pid is None:
            return
        _pid, status = os.waitpid(slot.pid, 0)
        self._selector.unregister(slot.pidfd)
        os.close(slot.pidfd)
        slot.pid, slot.ready = None, False
        code = os.waitstatus_to_exitcode(status)
        self._wait_for_turn(slot, now := clock.monotonic())
        before, slot.code = slot.code, code
        if slot.program.every is None or code != before:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            self._report(f"{slot.program.name} {how}; next start in {slot.due - now:.1f} s")
        self._write_state()

    def _stop(self) -> None:
        """Stop the programs stage by stage; kill what does not stop in its share of the time."""
        report, self._report = self._report, lambda _line: None  # deaths are wanted now
        stages = sorted({slot.program.stop_stage for slot in self._slots})
        begun = clock.monotonic()
        for number, stage in enumerate(stages, start=1):
            slots = [slot for slot in self._slots if slot.program.stop_stage == stage]
            for slot in slots:
                _signal(slot, signal.SIGTERM)
                _signal(slot, signal.SIGCONT)  # one that was stopped would not hear it
            until = begun + self._pace.stop * number / len(stages)
            while any(slot.pid for slot in slots) and clock.monotonic() < until:
                self._dispatch(until - clock.monotonic())
            for slot in slots:
                if slot.pid is not None:
                    report(f"{slot.program.name} did not stop: killed")
                    _signal(slot, signal.SIGKILL)
                    self._reap(slot)
        (self._folder / "up.json").unlink(missing_ok=True)

    def _write_state(self) -> None:
        state = {slot.program.name: slot.pid for slot in self._lasting() if slot.pid is not None}
        replace(self._folder / "up.json", json.dumps(state).encode() + b"\n", mode=0o644)


def _signal(slot: _Slot, number: signal.Signals) -> None:
    """Signal a program's process; it is not reaped yet, so its pid is its own."""
    if slot.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(slot.pid, number)
