"""Names that a device shows but never asked for: it must ask somebody else, where the box cannot hear.

Enters: hellos and requests that show a name; what the device was told, from `told`. Leaves: DOH with
`unasked`. No shape of a single connection is judged: of each, only the first packets towards the server are
seen, and those of DNS over HTTPS look like those of any small page. That a device visits by names that the
box was never asked for shows it better, whoever is asked and by whatever protocol; it does not show whom.
Told only of a device that joined, or was heard, long enough for the box to know what it asked; for each
further such name while there are `MIN_UNASKED` in `WINDOW_SECONDS` and they are a half of all.
Bounded: `MAX_DEVICES` devices, of each `MAX_NAMES` names in a window, as keyed hashes.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.messages import How
from appliance.sensor.facts import Fact, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.known import Purpose, named
from appliance.sensor.lookups import looked_up
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.told import Told
from appliance.sensor.table import AgedTable
from appliance.signals import Signal

WINDOW_SECONDS = 600.0
MIN_UNASKED = 3
"""A name or two may come from a file of the system, a program's own list, or a hello made up for a test."""
SHARE = 0.5
MAX_DEVICES = 256
MAX_NAMES = 128


class Unasked(Detector):
    """Compares what is shown with what was asked."""

    __slots__ = ("_home", "_shown", "_told")
    hears = (MessageHeard,)

    def __init__(self, home: Home, told: Told) -> None:
        """Compare with `told`, which must hear each fact first."""
        self._home = home
        self._told = told
        self._shown: AgedTable[str, AgedTable[int, bool]] = AgedTable(bound=MAX_DEVICES, age=WINDOW_SECONDS)

    @property
    def overflow(self) -> int:
        """Devices forgotten before their time; of one, names over the bound only make its past shorter."""
        return self._shown.overflow

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """A name shown that was not asked for, where there are too many such."""
        if fact.mac is None or not isinstance(fact, MessageHeard) or self._home.is_home(fact.dst):
            return
        for name, how in looked_up(fact):
            if how is How.DNS:
                continue
            told, ts = self._told, fact.ts
            known = told.knows_name(fact.mac, name, ts) or told.gave_address(fact.mac, fact.dst, ts)
            told.shown(fact)
            if self._is_too_many(fact.mac, name, ts, known=known) and told.is_whole(fact.mac, ts):
                service = named(name)
                if service is None or service.purpose is not Purpose.RESOLVER:  # told by its own signal
                    yield Noticed(ts=ts, mac=fact.mac, signal=Signal.DOH, value="unasked")

    def _is_too_many(self, mac: str, name: str, ts: float, *, known: bool) -> bool:
        """Whether this name is new, unasked, and one of many such."""
        names = self._shown.get(mac, ts)
        if names is None:
            names = AgedTable(bound=MAX_NAMES, age=WINDOW_SECONDS)
        key = hash(name)
        is_new = names.get(key, ts) is None
        if is_new:
            names.put(key, known, ts)
        self._shown.put(mac, names, ts)
        if known or not is_new:
            return False
        lately = names.values(ts)
        unasked = sum(not asked for asked in lately)
        return unasked >= MIN_UNASKED and unasked >= SHARE * len(lately)
