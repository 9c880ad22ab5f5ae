"""Devices of one radio: while somebody is held, frames between them pass the bridge, where the rules are.

An access point hands frames from station to station by itself; the bridge, and its quarantine, never see them. While
somebody is held, hostapd is told to hand none on (`ap_isolate`), and the bridge to send frames back through the port they
came from (hairpin mode): the household's devices reach each other as before, those that are held reach nobody. Nobody is
dropped for it. Otherwise, and in a home whose setting keeps all devices apart, all is left as it is.

In: access points, whether somebody is held. Out: two commands to hostapd, one attribute of a bridge port; what did not
work, in one sentence. Said again every `AGAIN_SECONDS`, because hostapd forgets it when it reads its configuration anew.
Bounded: `hostapd.MAX_ACCESS_POINTS` radios. A radio whose firmware hands frames on whatever it is told is not found out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

AGAIN_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Point(Protocol):
    """One access point (`hostapd.AccessPoint`)."""

    @property
    def control(self) -> Path:
        """Its control socket, named after its interface."""

    def ask(self, command: str, seconds: float = 0.5) -> str | None:
        """The answer; None where none came in time."""


def hairpin(interface: str, *, on: bool) -> bool:
    """Let the bridge send frames back through this port, or not; whether that worked. Never raises."""
    try:
        with IPRoute() as route:
            for index in route.link_lookup(ifname=interface):
                route.brport("set", index=index, mode=int(on))
                return True
    except (NetlinkError, OSError) as error:
        _log.debug("hairpin mode of %s: %s", interface, error)
    return False


class Among:
    """Which radios pass frames on, and how. `monotonic` is the monotonic clock, in seconds."""

    def __init__(self, *, apart: bool, hairpin: Callable[..., bool] = hairpin) -> None:
        """`apart`: the household keeps devices of a radio apart, whoever is held."""
        self._apart = apart
        self._hairpin = hairpin
        self._through: dict[str, tuple[Point, float]] = {}
        """Radios whose frames pass the bridge, by interface, and when that is said again."""
        self._failed: set[str] = set()
        self.detail = ""
        """What does not hold now; empty when all does."""

    def keep(self, points: Iterable[Point], *, held: bool, monotonic: float) -> None:
        """Bring all radios to where they should be."""
        found = {point.control.name: point for point in points}
        self._through = {name: said for name, said in self._through.items() if found.get(name) is said[0]}
        self._failed &= set(found)
        if self._apart:
            return
        for name, point in found.items():
            if held:
                self._pass_on(name, point, monotonic)
            elif name in self._through or name in self._failed:
                # The other way round: until the access point hands frames on again, the bridge does.
                self._tell(point, isolate=0)
                self._hairpin(name, on=False)
                self._through.pop(name, None)
                self._failed.discard(name)
        detail = "a held device may reach others on the same radio" if self._failed else ""
        if detail != self.detail:
            (_log.warning if detail else _log.info)("%s", detail or "held devices reach nobody on their radio")
        self.detail = detail

    def _pass_on(self, name: str, point: Point, monotonic: float) -> None:
        before = self._through.get(name)
        if before is not None and monotonic < before[1]:
            return
        # Without the bridge's part, the household's devices would lose each other: then nothing is changed.
        if self._hairpin(name, on=True) and self._tell(point, isolate=1):
            self._through[name] = (point, monotonic + AGAIN_SECONDS)
            self._failed.discard(name)
        else:
            self._through.pop(name, None)
            self._failed.add(name)

    @staticmethod
    def _tell(point: Point, *, isolate: int) -> bool:
        return all((point.ask(words) or "").strip() == "OK" for words in (f"SET ap_isolate {isolate}", "UPDATE_BEACON"))
