"""What every process of the box does alike: closed memory, readiness, inherited listeners, orderly stop, logging.

Speaks the sd_notify and socket-activation protocols (sd_notify(3), sd_listen_fds(3)), which
`gatehouse up` provides where systemd does not. Asking `stopping()` is a process's sign of life: the
main loop that asks it also answers the watchdog, so a loop that hangs is seen by its silence.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from appliance import clock
from appliance.closed import close_memory
from appliance.settings import BoxSettings, load
from wire.files import FileError
from wire.keys import KeyFileError

_FIRST_DESCRIPTOR = 3


def notify(state: str) -> None:
    """Tell the supervisor a state such as `READY=1` or `WATCHDOG=1`; without one, do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # Not blocking: a supervisor that hangs must not hang those it looks after.
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_UNIX, kind) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            logging.getLogger(__name__).warning("nobody hears %s at NOTIFY_SOCKET", state)


def inherited_listeners() -> list[socket.socket]:
    """Listening sockets handed over by the supervisor (LISTEN_FDS), in its order."""
    if os.environ.get("LISTEN_PID", str(os.getpid())) != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=_FIRST_DESCRIPTOR + index) for index in range(count)]


class SignOfLife:
    """Sends WATCHDOG=1 when told that the process lives, four times as often as is asked for."""

    def __init__(self) -> None:
        self._every = int(os.environ.get("WATCHDOG_USEC", "0")) / 4e6
        self._due = 0.0

    def given(self, now: float) -> None:
        """The process lives at monotonic `now`; without a watchdog, do nothing."""
        if self._every and now >= self._due:
            self._due = now + self._every
            notify("WATCHDOG=1")


def run(name: str, main: Callable[[BoxSettings, Callable[[], bool]], None]) -> None:
    """Run a process's main with its settings and a `stopping()` to ask; then exit.

    Exit codes: 0 stopped by SIGTERM or SIGINT, 2 unusable settings or keys.
    """
    parser = argparse.ArgumentParser(prog=f"python -m appliance.{name}")
    parser.add_argument("--config", type=Path, required=True, help="the box's settings file (TOML)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(levelname)s %(message)s", stream=sys.stderr)
    close_memory()
    stop = False
    life = SignOfLife()

    def on_signal(_number: int, _frame: object) -> None:
        nonlocal stop
        stop = True

    def stopping() -> bool:
        life.given(clock.monotonic())
        return stop

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        main(load(arguments.config), stopping)
    except (FileError, KeyFileError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(2)
    notify("STOPPING=1")
