"""Hellos that hide whose they are: an encrypted name, real or filler, or none at all.

Enters: hellos, as `sensor.hidden` has judged them. Leaves: ECH and NO_SNI (of TLS; a QUIC hello without a
name is told where QUIC is watched). Keeps nothing.
A hello that resumes an earlier session, or goes to port 853, has its own reasons to be short, and says so
elsewhere; nothing is told of hellos inside the household.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.home import Home
from appliance.sensor.packet import ech, tls
from appliance.sensor.signals.detector import Detector, Noticed
from appliance.signals import Signal

_ECH = {ech.Ech.REAL: "real", ech.Ech.GREASE: "grease"}


class HiddenHellos(Detector):
    """Tells what a hello does not show."""

    __slots__ = ("_home",)
    hears = (MessageHeard,)

    def __init__(self, home: Home) -> None:
        self._home = home

    def take(self, fact: Fact) -> Iterator[Noticed]:
        """What a hello hides; what cannot be told yet is not told."""
        if fact.mac is None or not isinstance(fact, MessageHeard) or not isinstance(fact.message, tls.ClientHello):
            return
        if fact.kind is Kind.DTLS_CLIENT_HELLO or self._home.is_home(fact.dst):
            return
        value = _ECH.get(fact.message.ech)
        if value is not None:
            yield Noticed(ts=fact.ts, mac=fact.mac, signal=Signal.ECH, value=value, server=fact.dst, port=fact.dport)
        if fact.kind is Kind.TLS_CLIENT_HELLO and not fact.message.sni:
            yield Noticed(ts=fact.ts, mac=fact.mac, signal=Signal.NO_SNI, value="tls", server=fact.dst, port=fact.dport)
