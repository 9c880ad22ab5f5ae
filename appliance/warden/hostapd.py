"""Wi-Fi stations: lines of hostapd's control socket in, `StationChanged`, senders of probe requests and guessers out.

`station` is sans-IO and reads one event; `AccessPoints` attaches to each control socket it finds,
and does nothing where there is none. Only the CONNECTED event is believed about a passphrase:
`STA` listings name one also for a station that was refused.
Bounded: one event is at most `MAX_EVENT` octets, at most `MAX_ACCESS_POINTS` sockets, `READS` events in one go; an
answer is at most `MAX_ANSWER` octets and waited for `ASK_SECONDS`, or as long as the caller says.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from pathlib import Path

from appliance.messages import StationChanged
from appliance.warden.guesses import guesser
from appliance.warden.nearby import sender

CONTROL = Path("/run/hostapd")
"""Where hostapd makes one control socket per interface."""

MAX_EVENT = 4096
MAX_ACCESS_POINTS = 8
READS = 64
MAX_ANSWER = 8192
ASK_SECONDS = 0.5

_EVENT = re.compile(
    r"<\d>AP-STA-(?P<what>CONNECTED|DISCONNECTED) (?P<mac>[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})(?P<rest>( .*)?)"
)
_KEY_ID = re.compile(r"(?:^| )keyid=(\S+)")
_OURS = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""A key id that an order about passphrases can name (`wire.orders.BindPassphrase`)."""

_log = logging.getLogger(__name__)


def station(event: bytes, now: float) -> StationChanged | None:
    """What an event says of a station; None for any other event, an answer, or what is too long.

    A key id that no order can name is left out: it was not made by this router.
    """
    if len(event) > MAX_EVENT:
        return None
    found = _EVENT.fullmatch(event.decode("utf-8", "replace").strip())
    if found is None:
        return None
    joined = found["what"] == "CONNECTED"
    key = _KEY_ID.search(found["rest"]) if joined else None
    key_id = key[1] if key and _OURS.fullmatch(key[1]) else None
    return StationChanged(ts=now, mac=found["mac"].lower(), joined=joined, key_id=key_id)


class AccessPoint:
    """An attached control socket of one hostapd interface."""

    def __init__(self, control: Path, own: Path) -> None:
        """Attach to `control`; hostapd answers to `own`, which is made and removed here.

        Raises:
            OSError: nobody listens there.
        """
        self.control = control
        self.near: list[str] = []
        """Senders of probe requests since the last `read`, at most `READS`."""
        self.tried: list[str] = []
        """Who tried a passphrase that is none of ours since the last `read`, once a try, at most `READS`."""
        self._probes = False
        self._own = own
        own.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            self._socket.bind(str(own))
            own.chmod(0o666)  # hostapd may run as another user and must be able to answer
            self._socket.connect(str(control))
            self._socket.send(b"ATTACH")
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """Descriptor, so that a selector can wait for events."""
        return self._socket.fileno()

    def read(self, now: float) -> list[StationChanged]:
        """Stations that joined or left since.

        Raises:
            OSError: hostapd is gone.
        """
        changes: list[StationChanged] = []
        self.near, self.tried = [], []
        for _ in range(READS):
            try:
                event = self._socket.recv(MAX_EVENT + 1)
            except BlockingIOError:
                break
            probing = sender(event)
            if probing is not None:
                self.near.append(probing)
                continue
            guessing = guesser(event)
            if guessing is not None:
                self.tried.append(guessing)
                continue
            change = station(event, now)
            if change is not None:
                changes.append(change)
        return changes

    def listen_for_probes(self, wanted: bool) -> None:
        """Ask hostapd for probe requests, or for no more of them (R21)."""
        self._probes = wanted
        self.attach_anew()

    def attach_anew(self) -> None:
        """Ask again for events: hostapd strikes a listener off, without a word, to whom it could not send some."""
        with contextlib.suppress(OSError):  # `alive` finds out what is wrong with it
            self._socket.send(b"DETACH")
            self._socket.send(b"ATTACH probe_rx_events=1" if self._probes else b"ATTACH")

    def ask(self, command: str, seconds: float = ASK_SECONDS) -> str | None:
        """What hostapd answers to a command; None where it cannot be asked, or gives none in time."""
        own = self._own.with_name(f"{self._own.name}.ask")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
            try:
                own.unlink(missing_ok=True)
                asking.bind(str(own))
                own.chmod(0o666)
                asking.settimeout(seconds)
                asking.connect(str(self.control))
                asking.send(command.encode("ascii"))
                return asking.recv(MAX_ANSWER).decode("utf-8", "replace")
            finally:
                own.unlink(missing_ok=True)
        return None

    def alive(self) -> bool:
        """Whether hostapd still listens; it answers PONG, which is no event."""
        try:
            self._socket.send(b"PING")
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave; hostapd drops a listener that is gone by itself."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self._own.unlink(missing_ok=True)


class AccessPoints:
    """All control sockets in one folder: attached as they appear, dropped as they vanish."""

    def __init__(self, own_folder: Path, control: Path = CONTROL) -> None:
        self._own_folder = own_folder
        self._control = control
        self.attached: dict[Path, AccessPoint] = {}

    def serve(self, interface: str) -> bool:
        """Whether an attached access point serves on this interface."""
        return any(control.name == interface for control in self.attached)

    def refresh(self) -> tuple[list[AccessPoint], list[AccessPoint]]:
        """Look again; those newly attached, and those that are gone (still open: close them)."""
        gone = [point for point in self.attached.values() if not point.control.exists() or not point.alive()]
        for point in gone:
            del self.attached[point.control]
        fresh = []
        try:
            controls = sorted(path for path in self._control.iterdir() if path.is_socket())
        except OSError:
            controls = []
        for control in controls[:MAX_ACCESS_POINTS]:
            if control in self.attached:
                continue
            try:
                point = AccessPoint(control, self._own_folder / f"hostapd-{control.name}")
            except OSError:
                continue
            _log.info("attached to hostapd on %s", control.name)
            self.attached[control] = point
            fresh.append(point)
        return fresh, gone
