"""Tor: its directory authorities, and hellos as its clients make them.

Enters: beginnings of flows, hellos; what devices asked, from `told`. Leaves: TOR with `directory` or `guard`.
A guard's address is public and changes daily, so no table of them is shipped: the hello shows it. A client invents a
name of one form, which nobody looks up, offers no protocol of the web, and gives its ciphers in an order of
a browser that would; each alone has other explanations, so `GUARD_REASONS` must agree. Bridges that
disguise the hello are not seen here.
Bounded: `MAX_RECENT` devices with the last server that looked so, for `RECENT_SECONDS` of packet time.

The habits were read from hellos of tor 0.4.7 and 0.4.8, and its source (`crypto_random_hostname`, `ciphers.inc`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import resources

from appliance.sensor.facts import Fact, FlowBegan, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet import tls
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.sensor.signals.told import Told
from appliance.sensor.table import AgedTable
from appliance.signals import Signal

GUARD_REASONS = 3
"""Of six; see `_reasons`."""
MAX_RECENT = 1024
RECENT_SECONDS = 120.0

_NAME = re.compile(r"www\.([a-z2-7]{4,25})\.(?:com|net)")
_RELAY_PORTS = frozenset({9001, 9030, 9040, 9050, 9051, 9101, 9150})
"""As `tor` proposes in its own documentation of relays."""
_CIPHERS = (0x1301, 0x1303, 0x1302, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC02C, 0xC030)
"""A browser's first ciphers in its order; what is not that browser puts others first."""
_RENEGOTIATION = 0x00FF
"""RFC 5746 section 3.3: the signal that OpenSSL sends, and that browser does not."""
_VOWELS = frozenset("aeiou")
_LEAST_VOWELS = 0.18
"""Of a word's letters; of letters by chance a fifth and less are vowels once digits stand between."""

_Place = tuple[str, int]


def _directories() -> frozenset[_Place]:
    table = tomllib.loads(resources.files("appliance.sensor").joinpath("directories.toml").read_text(encoding="utf-8"))
    return frozenset((str(address), int(port)) for entry in table["authority"] for address, port in entry["places"])


DIRECTORIES = _directories()
"""Address and port of each directory authority; either of its two ports."""


class Tor(Detector):
    """Tells the first connections of a Tor client."""

    __slots__ = ("_home", "_recent", "_told")
    hears = (FlowBegan, MessageHeard)

    def __init__(self, home: Home, told: Told) -> None:
        """Compare with `told`, which must hear each fact first."""
        self._home = home
        self._told = told
        self._recent: AgedTable[str, str] = AgedTable(bound=MAX_RECENT, age=RECENT_SECONDS)

    @property
    def overflow(self) -> int:
        """Devices forgotten early: a reason less."""
        return self._recent.overflow

    def take(self, fact: Fact) -> Iterable[Noticed]:
        """What a flow's beginning or its hello shows."""
        if fact.mac is None:
            return ()
        if isinstance(fact, FlowBegan):
            return (_noticed(fact, fact.mac, "directory"),) if (fact.dst, fact.dport) in DIRECTORIES else ()
        if (
            isinstance(fact, MessageHeard)
            and fact.kind is Kind.TLS_CLIENT_HELLO
            and isinstance(fact.message, tls.ClientHello)
            and not fact.message.alpn
            and not self._home.is_home(fact.dst)
            and self._reasons(fact, fact.mac, fact.message) >= GUARD_REASONS
        ):
            return (_noticed(fact, fact.mac, "guard"),)
        return ()

    def _reasons(self, fact: MessageHeard, mac: str, hello: tls.ClientHello) -> int:
        """How many habits of Tor's clients a hello without protocols of the web has; 0 without its kind of name."""
        name = _NAME.fullmatch(hello.sni or "")
        if name is None or self._told.knows_name(mac, name[0], fact.ts):
            return 0
        before = self._recent.get(mac, fact.ts)
        self._recent.put(mac, fact.dst, fact.ts)
        return (
            1  # a name of that form which this device did not ask for
            + is_made_up(name[1])
            + (hello.ciphers[: len(_CIPHERS)] == _CIPHERS and _RENEGOTIATION in hello.ciphers)
            + (fact.dport in _RELAY_PORTS)
            + (not self._told.knows_address(mac, fact.dst, fact.ts))
            + (before is not None and before != fact.dst)
        )


def is_made_up(label: str) -> bool:
    """Whether a label is no word: digits within, or hardly a vowel."""
    letters = [letter for letter in label if letter.isalpha()]
    if len(letters) < len(label):
        return not label[-1].isdigit() or sum(letter.isdigit() for letter in label) > 1
    return sum(letter in _VOWELS for letter in letters) < _LEAST_VOWELS * len(letters)


def may_be_guard(hello: tls.ClientHello) -> bool:
    """Whether a hello shows a name as Tor's clients invent them, and offers no protocol of the web."""
    name = _NAME.fullmatch(hello.sni or "")
    return name is not None and not hello.alpn and is_made_up(name[1])


def _noticed(fact: FlowBegan | MessageHeard, mac: str, value: str) -> Noticed:
    return Noticed(ts=fact.ts, mac=mac, signal=Signal.TOR, value=value, server=fact.dst, port=fact.dport)
