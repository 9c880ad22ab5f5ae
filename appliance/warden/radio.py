"""The warden's part of the Wi-Fi: hostapd's control sockets, which passphrases count, who tries others.

In: moments, the keeper's word on passphrases, events of the access points. Out: messages for the keeper. An edge: it talks
to hostapd over Unix sockets. Bounded by its parts (`hostapd`, `wifi`, `guesses`, `among`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from appliance import clock
from appliance.messages import Message, WifiKept, WifiPassphrases
from appliance.warden.among import Among
from appliance.warden.guesses import Guesses
from appliance.warden.hostapd import AccessPoint, AccessPoints
from appliance.warden.wifi import Wifi
from firmware import household

ATTACH_SECONDS = 60.0
"""Between two times that hostapd is asked anew for its events."""


class Radio:
    """State of it. `monotonic` is the monotonic clock, in seconds."""

    def __init__(self, points: AccessPoints, file: Path, wifi: household.Wifi | None, *, monotonic: float) -> None:
        """`file` is what hostapd reads; `wifi` what the household has, None where it is by cable only: none is missed."""
        self._points = points
        self._guesses = Guesses()
        self._among = Among(apart=wifi is not None and wifi.isolation)
        self._wanted = wifi is not None
        self._wifi = Wifi(file, now=clock.now(), monotonic=monotonic)
        self._attach_due = monotonic + ATTACH_SECONDS

    def found(self, point: AccessPoint) -> None:
        """An access point has appeared."""
        self._wifi.anew(point, monotonic=clock.monotonic())

    def heard(self, point: AccessPoint) -> None:
        """An access point was read: who tried with it what is no passphrase of ours."""
        for mac in point.tried:
            self._guesses.tried(mac, now=clock.now(), monotonic=clock.monotonic())

    def take(self, wanted: WifiPassphrases) -> None:
        """The keeper says which passphrases count."""
        self._wifi.take(wanted, self._all(), monotonic=clock.monotonic())

    def kept(self) -> WifiKept:
        """Which count here, for a keeper that knows of none."""
        return self._wifi.kept()

    def tick(self, monotonic: float, *, held: bool = False) -> Iterator[Message]:
        """Do what is due; what the keeper is to hear. `held`: a device is in quarantine."""
        points = self._all()
        self._among.keep(points, held=held, monotonic=monotonic)
        if monotonic >= self._attach_due:
            self._attach_due = monotonic + ATTACH_SECONDS
            for point in points:
                point.attach_anew()
        yield from self._guesses.due(monotonic)
        self._wifi.tick(points, monotonic=monotonic)
        seen = self._wifi.seen(points, now=clock.now(), monotonic=monotonic)
        if seen is not None and (points or (self._wanted and self._wifi.keys)):
            yield seen

    def _all(self) -> tuple[AccessPoint, ...]:
        return tuple(self._points.attached.values())
