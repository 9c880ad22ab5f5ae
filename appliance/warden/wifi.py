"""Which passphrases of the Wi-Fi count: the keeper's word in, hostapd's file and how the access point is out.

The file outlives the power and the keeper: the family's Wi-Fi needs nothing of ours (R57). A dated passphrase goes at its
time though the keeper is dead, and the devices that joined with it are sent away then; a new one counts at once, and
nobody is dropped for it. Moments are the keeper's, moved on by the monotonic clock; before the keeper has said one, the
wall clock's, but never earlier than the file was written (a board that was without power may wake in the past). The home's
own passphrase is never taken out, only another put in its place.

Bounded: `MAX_PASSPHRASES` entries; `MAX_STATIONS` stations are looked through; each question to hostapd waits
`RELOAD_SECONDS` at most. What goes wrong is said in `WifiSeen` and logged once, never raised.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from appliance.messages import Passphrase, WifiKept, WifiPassphrases, WifiSeen
from appliance.passphrases import HOUSEHOLD, MAX_FILE, PassphraseFile, read, render
from wire.files import replace

MAX_STATIONS = 128
KEEP_SECONDS = 3600.0
"""How often the file says anew when it was written, while a dated passphrase is in it."""
SEEN_SECONDS = 300.0
"""Between two reports of how the access point is, while nothing changes."""
LOOK_SECONDS = 15.0
RELOAD_SECONDS = 3.0
"""hostapd answers when it has made a key of each passphrase, of which many take a small board a second."""
AGAIN_SECONDS = 30.0
"""What takes longer is asked for again so much later: hostapd works off each question, and lets nobody in meanwhile."""

_RELOAD = "RELOAD_WPA_PSK"
_LINE = re.compile(r"([A-Za-z_]+)(?:\[0\])?=(.*)")
_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_SSID = re.compile(r"[ -~]{1,32}")

_log = logging.getLogger(__name__)


class Asked(Protocol):
    """One access point that answers questions (`hostapd.AccessPoint`)."""

    def ask(self, command: str, seconds: float = 0.5) -> str | None:
        """The answer; None where none came in time."""


class Wifi:
    """The file, and the access points that read it. `now` is the wall clock, `monotonic` the monotonic clock."""

    def __init__(self, path: Path, *, now: float, monotonic: float) -> None:
        self._path = path
        self._file = _read(path)
        self._moment = max(now, self._file.written)
        self._monotonic = monotonic
        self._written_due = monotonic + KEEP_SECONDS
        self._look_due = self._seen_due = monotonic
        self._seen: WifiSeen | None = None
        self._push_due: float | None = None
        """When an access point that has not said yet that it took the file up is asked again."""
        self._detail = f"{self._file.unread} lines of {path.name} are no passphrases" if self._file.unread else ""

    @property
    def keys(self) -> tuple[Passphrase, ...]:
        """Those that hostapd reads."""
        return self._file.keys

    def kept(self) -> WifiKept:
        """What the keeper is told when it knows of none."""
        return WifiKept(keys=self.keys)

    def moment(self, monotonic: float) -> float:
        """Unix seconds, as far as they are known here."""
        return self._moment + max(monotonic - self._monotonic, 0.0)

    def take(self, wanted: WifiPassphrases, points: Iterable[Asked], *, monotonic: float) -> None:
        """The keeper says which count."""
        self._moment, self._monotonic = wanted.at, monotonic
        self._bring(wanted.keys, points, monotonic)

    def tick(self, points: Iterable[Asked], *, monotonic: float) -> None:
        """Take out what has ended; now and then say in the file that time has passed."""
        points = list(points)
        if self._push_due is not None and monotonic >= self._push_due:
            self._push(points, monotonic)
        if any(each.ends is not None for each in self.keys):
            self._bring(self.keys, points, monotonic)
            if monotonic >= self._written_due:
                self._put(self.keys, monotonic)

    def anew(self, point: Asked, *, monotonic: float) -> None:
        """An access point was found: it may have read the file before it was written last."""
        if not self.keys:
            return
        due, detail = self._push_due, self._detail  # of the others
        self._push([point], monotonic)
        self._push_due, self._detail = due or self._push_due, self._detail or detail

    def seen(self, points: Iterable[Asked], *, now: float, monotonic: float) -> WifiSeen | None:
        """How the access point is, when that changed or was not said for long."""
        if monotonic < self._look_due:
            return None
        self._look_due = monotonic + LOOK_SECONDS
        up, stations, ssid = False, 0, ""
        for point in points:
            said = dict(_LINE.findall(point.ask("STATUS") or ""))
            up = up or said.get("state") == "ENABLED"
            stations += int(count) if (count := said.get("num_sta", "")).isdecimal() and len(count) < 6 else 0
            ssid = ssid or said.get("ssid", "")
        state = WifiSeen(
            ts=now,
            up=up,
            ssid=ssid if _SSID.fullmatch(ssid) else "",
            stations=stations,
            passphrases=len(self.keys),
            detail=self._detail,
        )
        before = self._seen
        if before is not None and _same(before, state) and monotonic < self._seen_due:
            return None
        self._seen, self._seen_due = state, monotonic + SEEN_SECONDS
        return state

    # --- inside -----------------------------------------------------------------------------

    def _bring(self, keys: tuple[Passphrase, ...], points: Iterable[Asked], monotonic: float) -> None:
        moment = self.moment(monotonic)
        wanted = tuple(each for each in keys if each.ends is None or each.ends > moment)
        before = self.keys
        if not any(each.key_id == HOUSEHOLD for each in wanted):
            wanted += tuple(each for each in before if each.key_id == HOUSEHOLD)
        if set(wanted) == set(before) or not self._put(wanted, monotonic):
            return
        gone = {each.key_id for each in before} - {each.key_id for each in wanted}
        _log.info("%d passphrases count; %d were taken out", len(wanted), len(gone))
        self._push(points, monotonic)

    def _push(self, points: Iterable[Asked], monotonic: float) -> None:
        """Have the file taken up everywhere, then send away who joined with what is not in it any more."""
        names = {each.key_id for each in self.keys}
        late, refused = False, False
        for point in points:
            answer = point.ask(_RELOAD, RELOAD_SECONDS)
            late = late or answer is None
            refused = refused or (answer is not None and answer.strip() != "OK")
            if answer is None:
                continue
            for mac in _joined_without(point, names):
                point.ask(f"DEAUTHENTICATE {mac}")
        self._push_due = monotonic + AGAIN_SECONDS if late else None
        self._detail = "an access point did not take the passphrases up" if refused else ""
        if refused:
            _log.warning("%s", self._detail)

    def _put(self, keys: tuple[Passphrase, ...], monotonic: float) -> bool:
        moment = self.moment(monotonic)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace(self._path, render(keys, written=moment).encode("ascii"))
        except (OSError, ValueError) as error:
            detail = f"the passphrases cannot be written: {error}"[:300]
            if detail != self._detail:
                _log.warning("%s", detail)
            self._detail = detail
            return False
        self._file = PassphraseFile(keys=keys, written=moment)
        self._written_due = monotonic + KEEP_SECONDS
        return True


def _joined_without(point: Asked, names: set[str]) -> list[str]:
    """Stations that were let in with none of these. A refused station has a `keyid` too: the last that was tried."""
    found = []
    answer = point.ask("STA-FIRST")
    for _ in range(MAX_STATIONS):
        mac, _, rest = (answer or "").partition("\n")
        if not _ADDRESS.fullmatch(mac):
            break
        said = dict(_LINE.findall(rest))
        key_id = said.get("keyid")
        if "[AUTHORIZED]" in said.get("flags", "") and key_id is not None and key_id not in names:
            found.append(mac)
        answer = point.ask(f"STA-NEXT {mac}")
    return found


def _same(one: WifiSeen, two: WifiSeen) -> bool:
    return (one.up, one.ssid, one.stations, one.passphrases, one.detail) == (
        *(two.up, two.ssid, two.stations, two.passphrases),
        two.detail,
    )


def _read(path: Path) -> PassphraseFile:
    try:
        with path.open("rb") as file:
            return read(file.read(MAX_FILE).decode("ascii", "replace"))
    except FileNotFoundError:
        return PassphraseFile()
    except OSError as error:
        _log.warning("%s cannot be read: %s", path, error.strerror)
        return PassphraseFile()
