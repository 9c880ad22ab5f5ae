"""Names that a device shows but never asked for: it must ask somebody else, where the box cannot hear.

Enters: hellos and requests that show a name; what the device was told, from `told`. Leaves: DOH with
`unasked`. No shape of a single connection is judged: of each, only the first packets towards the server are
seen, and those of DNS over HTTPS look like those of any small page. That a device visits by names that the
box was never asked for shows it better, whoever is asked and by whatever protocol; it does not show whom.
Told for each further such name while there are `MIN_UNASKED` in `WINDOW_SECONDS`, at as many addresses, and they
are a half of all. Of a device that was heard for less than an hour, only if it came while it was heard, and more
of them are wanted: after the router was away, it may know names from before. Not taken for such names:
- one that an answer led to, or at an address that an answer gave: connections serve several names (RFC 9113
  section 9.1.1), services name addresses beside themselves (RFC 9460 section 7.3);
- several at one address: a proxy asks for whoever uses it, and is told by its own signals;
- names as Tor's clients invent them, and addresses in a name's place;
- all, where another device asked for some of them just before: a resolver in the household asks for this one.
Bounded: `MAX_DEVICES` devices, of each `MAX_NAMES` names in a window, as keyed hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from appliance.messages import How
from appliance.sensor.facts import Fact, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.known import Purpose, named
from appliance.sensor.lookups import looked_up
from appliance.sensor.packet import tls
from appliance.sensor.signals import tor
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.told import Told
from appliance.sensor.table import AgedTable
from appliance.signals import Signal

WINDOW_SECONDS = 600.0
MIN_UNASKED = 3
"""A name or two may come from a file of the system, a program's own list, or a hello made up for a test."""
MIN_EARLY = 5
SHARE, SHARE_EARLY = 1 / 2, 2 / 3
"""Of all names shown; early: in the first hour."""
SHARE_PASSED_ON = 0.25
"""Of those not asked for: so many asked for by another device just before, and it asks for this one."""
MAX_DEVICES = 256
MAX_NAMES = 128

_ASKED, _PASSED_ON = "", "-"
"""In place of the address where a name was shown that was not asked for at all."""
_NUMBERS = re.compile(r"[0-9.]+|.*:.*")


class Unasked(Detector):
    """Compares what is shown with what was asked."""

    __slots__ = ("_home", "_shown", "_told")
    hears = (MessageHeard,)

    def __init__(self, home: Home, told: Told) -> None:
        """Compare with `told`, which must hear each fact first."""
        self._home = home
        self._told = told
        self._shown: AgedTable[str, AgedTable[int, str]] = AgedTable(bound=MAX_DEVICES, age=WINDOW_SECONDS)

    @property
    def overflow(self) -> int:
        """Devices forgotten before their time; of one, names over the bound only make its past shorter."""
        return self._shown.overflow

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """A name shown that was not asked for, where there are too many such."""
        if fact.mac is None or not isinstance(fact, MessageHeard) or self._home.is_home(fact.dst):
            return
        for name, how in looked_up(fact):
            if how is How.DNS or _NUMBERS.fullmatch(name):
                continue
            told, ts, mac = self._told, fact.ts, fact.mac
            if told.knows_name(mac, name, ts) or told.gave_address(mac, fact.dst, ts):
                led_by = _ASKED
            elif told.another_asked(mac, name, ts):
                led_by = _PASSED_ON
            elif isinstance(fact.message, tls.ClientHello) and tor.may_be_guard(fact.message):
                continue
            else:
                led_by = fact.dst
            told.shown(fact)
            if self._is_too_many(mac, name, ts, led_by):
                service = named(name)
                if service is None or service.purpose is not Purpose.RESOLVER:  # told by its own signal
                    yield Noticed(ts=ts, mac=mac, signal=Signal.DOH, value="unasked")

    def _is_too_many(self, mac: str, name: str, ts: float, led_by: str) -> bool:
        """Whether this name is new, unasked, and one of many such."""
        names = self._shown.get(mac, ts)
        if names is None:
            names = AgedTable(bound=MAX_NAMES, age=WINDOW_SECONDS)
        key = hash(name)
        is_new = names.get(key, ts) is None
        if is_new:
            names.put(key, led_by, ts)
        self._shown.put(mac, names, ts)
        is_whole = self._told.is_whole(mac, ts)
        if led_by in {_ASKED, _PASSED_ON} or not is_new or not (is_whole or self._told.has_joined(mac)):
            return False
        lately = names.values(ts)
        passed_on = lately.count(_PASSED_ON)
        unasked = len(lately) - lately.count(_ASKED) - passed_on
        if passed_on > SHARE_PASSED_ON * (unasked + passed_on):
            return False
        least, share = (MIN_UNASKED, SHARE) if is_whole else (MIN_EARLY, SHARE_EARLY)
        places = len(set(lately) - {_ASKED, _PASSED_ON})
        return unasked >= least and places >= MIN_UNASKED and unasked >= share * len(lately)
