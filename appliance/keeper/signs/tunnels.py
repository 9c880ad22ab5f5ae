"""Traffic that looks like a tunnel: WireGuard, OpenVPN, IPsec, TLS tunnels, SSH. Pure.

One finding a device, protocol and far end. A handshake alone is a try; repeated, or with much moved
after it, it is a tunnel in use. Bounded: `MAX_ENDS` far ends of a protocol; further ones are one finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from appliance.keeper.signs.weigh import IKE_CALL_OCTETS, REPEATED, Weighed, each_end
from appliance.keeper.signs.window import Context, Observed, Window, rhythm, times
from appliance.signals import Signal
from wire.base import Standing
from wire.findings import FindingKind, Grade

_WORK = "A work VPN: many employers ask for one."
_REMOTE = "Remote access to a home or office, or a game or streaming service that uses a tunnel."
_CALLING = "Wi-Fi calling: phones speak just like this to their phone company."
_BACKUP = "A backup, a camera or an update: these move much in one connection, too."
_UPKEEP = "Upkeep of a server or of another device, or copying files."

_COMPUTERS = frozenset({"laptop", "desktop"})
_PLAYERS = frozenset({"tv", "speaker", "console", "camera"})
"""What plays for hours over one plain TLS connection: of these, that shape says nothing by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """What was heard of one protocol to one far end."""

    heard: list[Observed]
    busy: list[Observed]
    """Connections to it that moved much."""
    named: bool
    """Whether a VPN service was asked for by name."""

    def like(self, *words: str) -> list[Observed]:
        return [item for item in self.heard if any(word in item.value for word in words)]


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """One for each protocol and far end, and one for names of VPN services alone."""
    named = window.of(Signal.VPN_NAMED)
    tunnels = False
    for signal, judge in _PROTOCOLS:
        for place, heard in each_end(window.of(signal, lambda item: not item.local)):
            busy = window.busy({item.server for item in heard})
            if _is_player(signal, heard, context) and not named:
                continue
            grade, name, words, alternatives = judge(_End(heard=heard, busy=busy, named=bool(named)), context)
            far = f" to {place}" if place else ""
            extra = [f"It asked for a VPN service by name ({named[0].value})."] if named else []
            if busy:
                extra.append("A connection to the same place went on for long and moved much.")
            tunnels = True
            yield Weighed(
                kind=FindingKind.TUNNEL,
                grade=grade,
                headline=f"This looks like {name}: {words}{far}{rhythm(heard)}.",
                reasons=tuple(extra),
                support=[*heard, *busy, *named],
                alternatives=_for_work(context, alternatives),
                subject=f"{name}, {place}" if place else name,
                signals=_signals(heard) + bool(busy) + bool(named),
            )
    if named and not tunnels:
        yield Weighed(
            kind=FindingKind.TUNNEL,
            grade=Grade.LOW,
            headline=f"The name of a VPN service was asked for ({named[0].value}); no tunnel was seen.",
            support=named,
            alternatives=("A page or an advertisement can ask for such a name.", _WORK),
            subject="VPN service by name",
        )


def _is_player(signal: Signal, heard: list[Observed], context: Context) -> bool:
    """Whether this is a film or a station rather than a VPN inside TLS, known by its shape alone."""
    shape_only = signal is Signal.SSTP and all(item.value == "hello" for item in heard)
    return shape_only and context.category in _PLAYERS


def _signals(heard: list[Observed]) -> int:
    return len({item.value for item in heard}) or 1


def _for_work(context: Context, alternatives: tuple[str, ...]) -> tuple[str, ...]:
    if context.standing is Standing.WORK:
        return ("This is a work device, and work devices use a VPN as a rule.", *alternatives)
    return alternatives


_Judged = tuple[Grade, str, str, tuple[str, ...]]
"""Grade, what it looks like, what was seen, what else it may be."""


def _wireguard(end: _End, _context: Context) -> _Judged:
    begun = end.like("initiation")
    more = bool(end.like("data", "response")) or bool(end.busy)
    strong = (begun and more) or times(begun) >= REPEATED
    words = "a handshake" if begun else "its packets"
    return (Grade.HIGH if strong else Grade.MEDIUM, "WireGuard", words, (_WORK, _REMOTE))


def _openvpn(end: _End, _context: Context) -> _Judged:
    begun, control = end.like("hard-reset"), end.like("control")
    strong = (begun and control) or end.busy or times(control) >= REPEATED
    words = "a handshake" if begun else "its packets"
    return (Grade.HIGH if strong else Grade.MEDIUM, "OpenVPN", words, (_WORK, _REMOTE))


def _ike(end: _End, context: Context) -> _Judged:
    carried = bool(end.like("esp"))
    moved = sum(item.octets or 0 for item in end.busy)
    if context.category in _COMPUTERS:
        grade = Grade.HIGH if carried and (end.busy or end.named) else Grade.MEDIUM
    else:
        # A phone that calls over Wi-Fi does just this, and often what a device is is not known.
        grade = Grade.MEDIUM if moved >= IKE_CALL_OCTETS else Grade.LOW
    return (grade, "an IPsec tunnel", "a handshake" if end.like("1", "2") else "its packets", (_CALLING, _WORK))


def _sstp(end: _End, _context: Context) -> _Judged:
    if end.like("request"):
        grade = Grade.HIGH if end.busy else Grade.MEDIUM
        return grade, "a VPN inside TLS", "its first words", (_WORK, _REMOTE)
    # Known by its shape alone: a long and busy connection that does not speak as pages do.
    grade = Grade.MEDIUM if end.named else Grade.LOW
    return grade, "a VPN inside TLS", "a long and busy connection", (_BACKUP, _WORK)


def _ssh(end: _End, _context: Context) -> _Judged:
    words = "a long and busy connection" if end.busy else "a connection"
    return (Grade.MEDIUM if end.busy else Grade.LOW, "SSH", words, (_UPKEEP, _WORK))


_PROTOCOLS: tuple[tuple[Signal, Callable[[_End, Context], _Judged]], ...] = (
    (Signal.WIREGUARD, _wireguard),
    (Signal.OPENVPN, _openvpn),
    (Signal.IKE, _ike),
    (Signal.SSTP, _sstp),
    (Signal.SSH, _ssh),
)
