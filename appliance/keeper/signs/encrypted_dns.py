"""Names asked where the box cannot read them: DNS over TLS, QUIC or HTTPS, and DNSCrypt. Pure.

One finding a device: what was asked, reached and spoken is added up. A name or a question alone is weak,
since programs ask without using; a spoken protocol is strong.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import LOOKUPS_STOP_FLOWS, LOOKUPS_STOP_SHARE, REPEATED, Weighed, towards
from appliance.keeper.signs.window import Context, Observed, Window, times
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_ASKED = {
    Signal.CANARY: ("canary", "A browser asked whether it may use a name service of its own."),
    Signal.DISCOVERY: ("discovery", "The device asked which protected name services there are here."),
}
_SPOKEN = ((Signal.DOT, "DNS over TLS"), (Signal.DOQ, "DNS over QUIC"))

_ALTERNATIVES = (
    "Some browsers, phones and programs do this by themselves, and nobody chose it.",
    "Security or parental-control software can use a name service of its own.",
    "A proxy or a VPN asks for names by itself: where such a sign is there too, the two may be one act.",
)


def weigh(window: Window, context: Context) -> Iterator[Weighed]:
    """At most one, of all signals that names are asked elsewhere."""
    support: list[Observed] = []
    found: list[tuple[Grade, str]] = []
    for signal, (policy, sentence) in _ASKED.items():
        asked = window.of(signal)
        if asked:
            support += asked
            answered = " The box refused, as the document in force says." if policy in context.refused else ""
            found.append((Grade.LOW, sentence + answered))
    _spoken(window, support, found)
    _table(window, context, support, found)
    if not found:
        return
    found.sort(key=lambda item: _STRENGTH.index(item[0]))
    grade, headline = found[0]
    yield Weighed(
        kind=FindingKind.ENCRYPTED_DNS,
        grade=grade,
        headline=headline,
        reasons=tuple(sentence for _grade, sentence in found[1:]),
        support=support,
        alternatives=_ALTERNATIVES,
        signals=len(found),
    )


_STRENGTH = (Grade.HIGH, Grade.MEDIUM, Grade.LOW)


def _spoken(window: Window, support: list[Observed], found: list[tuple[Grade, str]]) -> None:
    """A protocol was spoken, or a connection to its port was tried."""
    for signal, name in _SPOKEN:
        # A phone asks the box itself whether it speaks this; that is no way round it.
        heard = window.of(signal, lambda item: not item.local)
        hello = [item for item in heard if item.value == "hello"]
        if hello:
            found.append((Grade.HIGH, f"This looks like {name}{towards(hello)}: its first words were heard."))
        elif heard:
            found.append((Grade.MEDIUM, f"This looks like {name}{towards(heard)}: a connection to its port was tried."))
        support += heard
    crypt = window.of(Signal.DNSCRYPT, lambda item: not item.local)
    if crypt:
        both = {item.value for item in crypt} >= {"certificate", "query"}
        seen = "certificate and questions" if both else f"a {crypt[0].value or 'question'}"
        grade = Grade.HIGH if both or times(crypt) >= REPEATED else Grade.MEDIUM
        found.append((grade, f"This looks like DNSCrypt{towards(crypt)}: {seen} seen."))
        support += crypt


def _table(window: Window, context: Context, support: list[Observed], found: list[tuple[Grade, str]]) -> None:
    """A service that is known to answer names over HTTPS was looked up, reached, or spoken to."""
    every = window.of(Signal.RESOLVER_NAMED)
    named = [item for item in every if item.server is None]
    # A hello that shows its name reached it as much as one to its address.
    reached = [item for item in every if item.server is not None and not item.local]
    reached += window.of(Signal.RESOLVER_REACHED, lambda item: not item.local)
    unasked = window.of(Signal.DOH, lambda item: not item.local)
    stopped = _stopped(context)
    if reached:
        often = bool(named) or times(reached) >= REPEATED
        grade = Grade.HIGH if stopped or unasked else Grade.MEDIUM if often else Grade.LOW
        words = f"{_words(reached)} was reached{towards(reached).replace(' to ', ' at ', 1)}"
        found.append((grade, f"This looks like names asked over a protected connection: {words}."))
    if unasked:
        grade = Grade.MEDIUM if times(unasked) >= REPEATED else Grade.LOW
        found.append(
            (
                grade,
                "The device goes to places by names that it did not ask the box for: it looks like it asked elsewhere.",
            )
        )
    if named:
        found.append((Grade.LOW, f"A name service was asked for by its name ({_words(named)})."))
    if stopped and (reached or unasked or named):
        sentence = (
            f"In an hour the device began {context.hour.flows} connections and asked the box for "
            f"{context.hour.lookups} names: it seems to ask elsewhere."
        )
        found.append((Grade.MEDIUM, sentence))
    support += reached + unasked + named


def _stopped(context: Context) -> bool:
    """Whether it uses the internet without asking the box for names."""
    use = context.hour
    return use.flows >= LOOKUPS_STOP_FLOWS and use.lookups < use.flows * LOOKUPS_STOP_SHARE


def _words(items: list[Observed]) -> str:
    words = list(dict.fromkeys(item.value for item in items if item.value))
    return " and ".join(words[:2]) if len(words) < 3 else f"{words[0]}, {words[1]} and {len(words) - 2} more"
