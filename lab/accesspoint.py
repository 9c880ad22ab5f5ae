"""The household's access point, as far as the box can tell: hostapd's control socket, played.

No radio is here, so what joins over Wi-Fi comes in by cable; which passphrase it used is said by
this stand-in, with hostapd's own words (hostapd_cli, wpa_ctrl.h). Enters: stations that join and
leave. Leaves: events for whoever has attached. Bounded: `MAX_LISTENERS` listeners.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.service import wait_until

CONTROL = Path("/run/hostapd")
MAX_LISTENERS = 8


class AccessPoint:
    """One interface's control socket; starts on entry, goes on exit."""

    def __init__(self, interface: str = "wlan0", folder: Path = CONTROL) -> None:
        self._path = folder / interface
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._listeners: dict[str, None] = {}
        self._probe_listeners: dict[str, None] = {}
        self._thread = threading.Thread(target=self._serve, name="access-point", daemon=True)

    def __enter__(self) -> Self:
        """Appear: the box finds the socket by itself."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._socket.bind(str(self._path))
        self._path.chmod(0o666)  # the box's warden runs under a user of its own
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Vanish, as hostapd does when it stops."""
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def wait_attached(self) -> None:
        """Wait until the box listens."""
        wait_until(lambda: bool(self._listeners), what="the box to attach to the access point", seconds=30)

    def connected(self, mac: str, key_id: str | None = None) -> None:
        """A station has joined, with the passphrase of this id."""
        self._say(f"<3>AP-STA-CONNECTED {mac}" + (f" keyid={key_id}" if key_id else ""))

    def disconnected(self, mac: str) -> None:
        """A station has left."""
        self._say(f"<3>AP-STA-DISCONNECTED {mac}")

    def probed(self, mac: str, signal: int = -60) -> None:
        """A device that is near asks which access points there are; said to those who asked for it."""
        self._say(f"<3>RX-PROBE-REQUEST sa={mac} signal={signal}", to=self._probe_listeners)

    def wait_probes_wanted(self) -> None:
        """Wait until the box asks for probe requests."""
        wait_until(lambda: bool(self._probe_listeners), what="the box to ask for probe requests", seconds=30)

    def _say(self, event: str, to: dict[str, None] | None = None) -> None:
        for listener in tuple(self._listeners if to is None else to):
            try:
                self._socket.sendto(event.encode(), listener)
            except OSError:  # it has gone without a word
                self._listeners.pop(listener, None)
                self._probe_listeners.pop(listener, None)

    def _serve(self) -> None:
        answers = {b"ATTACH": b"OK\n", b"ATTACH probe_rx_events=1": b"OK\n", b"PING": b"PONG\n", b"DETACH": b"OK\n"}
        while True:
            try:
                request, listener = self._socket.recvfrom(256)
            except OSError:
                return
            if not request or not isinstance(listener, str):
                return
            if request == b"DETACH":
                self._listeners.pop(listener, None)
                self._probe_listeners.pop(listener, None)
            if request.startswith(b"ATTACH") and len(self._listeners) < MAX_LISTENERS:
                self._listeners[listener] = None
                if request.endswith(b" probe_rx_events=1"):
                    self._probe_listeners[listener] = None
            with contextlib.suppress(OSError):
                self._socket.sendto(answers.get(request, b"UNKNOWN COMMAND\n"), listener)
