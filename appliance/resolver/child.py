"""One dnsmasq that filters: its configuration in, a checked and running process out.

It dies with the room (PR_SET_PDEATHSIG by setpriv(1)), needs no capability, and writes nothing.
Bounded: one process; a start waits 0.2 s, doubling to 5 s, from 0.2 s again after 10 s of life.
"""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

TEST_SECONDS = 6.0
"""With `_STOP_SECONDS`, less than the supervisor waits for a sign of life."""
_DELAYS = (0.2, 5.0)
_STEADY = 10.0
_STOP_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Child:
    """Keeps one dnsmasq of one filter running."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.answered = False
        """Since it was started; whoever asks it says so."""
        self._path = folder / f"filter-{number}.conf"
        self._text: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0
        self._delay = _DELAYS[0]

    def use(self, text: str, monotonic: float) -> str:
        """From now on run with this configuration. Returns why it cannot be used; then what ran goes on."""
        if text == self._text:
            return ""
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(text, encoding="ascii")
            fault = _fault(fresh)
            if not fault:
                fresh.replace(self._path)
        except OSError as error:
            fault = f"its configuration cannot be written ({error.strerror})"
        if fault:
            return fault
        self._text = text
        self.stop()
        self._due = monotonic
        self.tend(monotonic)
        return ""

    def tend(self, monotonic: float) -> None:
        """Start it if it is to run and does not."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            self._delay = _DELAYS[0] if monotonic - self._started >= _STEADY else min(self._delay * 2, _DELAYS[1])
            self._due = monotonic + self._delay
            _log.warning("dnsmasq of filter %d ended with code %d", self.number, code)
        if self._text is None or monotonic < self._due:
            return
        self._started, self._due = monotonic, monotonic + self._delay
        self.answered = False
        try:
            self._process = subprocess.Popen([*_CONFINED, *_command(self._path), "--keep-in-foreground"])
        except OSError as error:
            _log.warning("dnsmasq of filter %d cannot be started: %s", self.number, error)

    def restart(self) -> None:
        """It runs and does not answer: end it; `tend` starts it again."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self) -> None:
        """End it for good; its configuration goes with it."""
        self.stop()
        self._text = None
        self._path.unlink(missing_ok=True)


_CONFINED = ("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--")


def _command(path: Path) -> list[str]:
    # Where the room runs as root (a lab without users of its own) there may be no other user to change to,
    # and a change of user would take the signal at the room's death away.
    user = ["--user=root", "--group="] if os.getuid() == 0 else []
    return ["dnsmasq", f"--conf-file={path}", "--pid-file=", *user]


def _fault(path: Path) -> str:
    """Why dnsmasq does not take a configuration; empty when it does."""
    try:
        done = subprocess.run(
            [*_command(path), "--test"], capture_output=True, text=True, timeout=TEST_SECONDS, check=False
        )
    except FileNotFoundError:
        return "dnsmasq is not installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"dnsmasq did not check its configuration ({error})"
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return f"dnsmasq does not take its configuration ({lines[-1][:150] if lines else done.returncode})"
    return ""
