"""Passphrases of the Wi-Fi are being tried: counted tries in, at most a few findings out (N9, R28).

A device that goes on trying is one finding from its first try to its last; how often is counted on it. Somebody who
mistypes makes some tries too, so the first `FEW` of an address are nothing. Addresses cost who tries nothing: where many
try a little each, they are one finding together. It is over by itself when nobody has tried for `CALM_SECONDS`.

In: what the warden counted, addresses that joined, moments. Out: signs. Under an authority only: without one, nothing is
remembered of who tries. Bounded: `MAX_GUESSERS` addresses told apart, `MAX_TOLD` findings of single addresses; the
others count together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.keeper.authority import when
from appliance.keeper.signs.model import Sign
from appliance.messages import PassphraseGuessed
from wire.findings import FindingKind, Grade

FEW = 12
"""The access point says each wrong passphrase some four times, and people mistype."""
MANY = 120
CALM_SECONDS = 1800.0
MAX_GUESSERS = 64
MAX_TOLD = 4
"""Findings of single addresses at a time; more addresses than these are one more, together."""
ADDRESSES = 8
"""So many addresses with a few tries each are no typing errors."""
TOGETHER = "several addresses"
CAUSE = "passphrases-tried"
BECAUSE_OVER = "Nobody tried for half an hour."

_TYPING = "Someone in the home or next door typed the passphrase wrongly, or chose the wrong Wi-Fi."
_OLD = "A device of the household still tries a passphrase that was changed or has ended."
_BORROWED = "A device can use the address of another, so it may be another device than the address says."


@dataclass(slots=True, kw_only=True)
class _Spell:
    """Tries of one address, or of several together."""

    since: float
    last: float
    count: int = 0
    addresses: int = 1
    told: int = 0


class Guessing:
    """Who tries."""

    def __init__(self) -> None:
        self._spells: dict[str, _Spell] = {}
        self._together: _Spell | None = None
        self.overflow = 0
        """Reports of addresses that found no room of their own, since start."""

    def heard(self, guessed: PassphraseGuessed) -> None:
        """What the warden counted."""
        if guessed.count < 1:
            return
        mac = guessed.mac
        if mac is not None and mac not in self._spells and len(self._spells) >= MAX_GUESSERS:
            mac = None
        if mac is None:
            self.overflow += 1
            self._add(guessed.since, guessed.ts, guessed.count, guessed.addresses)
            return
        spell = self._spells.setdefault(mac, _Spell(since=guessed.since, last=guessed.ts))
        spell.last, spell.count = max(spell.last, guessed.ts), spell.count + guessed.count

    def joined(self, mac: str) -> None:
        """An address was let in: what it tried before were mistakes, unless that was told already."""
        spell = self._spells.get(mac)
        if spell is not None and not spell.told:
            del self._spells[mac]

    def forget(self) -> None:
        """There is no authority (any more): nothing is remembered."""
        self._spells.clear()
        self._together = None

    def news(self, at: float) -> tuple[tuple[str | None, Sign], ...]:
        """What to say since the last time: of an address, or of several together (None)."""
        self._end(at)
        self._gather()
        return tuple(self._fresh())

    # --- inside -----------------------------------------------------------------------------

    def _add(self, since: float, last: float, count: int, addresses: int) -> None:
        spell = self._together
        if spell is None:
            self._together = _Spell(since=since, last=last, count=count, addresses=addresses)
            return
        spell.since, spell.last = min(spell.since, since), max(spell.last, last)
        spell.count, spell.addresses = spell.count + count, spell.addresses + addresses

    def _end(self, at: float) -> None:
        for mac in [mac for mac, spell in self._spells.items() if at - spell.last >= CALM_SECONDS]:
            del self._spells[mac]
        if self._together is not None and at - self._together.last >= CALM_SECONDS:
            self._together = None

    def _gather(self) -> None:
        """Addresses that are no findings of their own count together where they are many."""
        single = sum(1 for spell in self._spells.values() if spell.told)
        rest = [mac for mac, spell in self._spells.items() if not spell.told]
        crowd = len([mac for mac in rest if self._spells[mac].count < FEW]) >= ADDRESSES
        for mac in sorted(rest, key=lambda item: -self._spells[item].count):
            spell = self._spells[mac]
            if spell.count >= FEW and single < MAX_TOLD:
                single += 1
            elif spell.count >= FEW or crowd:
                self._add(spell.since, spell.last, spell.count, spell.addresses)
                del self._spells[mac]

    def _fresh(self) -> Iterator[tuple[str | None, Sign]]:
        for mac, spell in self._spells.items():
            if spell.count >= FEW and spell.count > spell.told:
                spell.told = spell.count
                yield mac, _sign(mac, spell)
        spell_ = self._together
        if spell_ is not None and spell_.count >= FEW and spell_.count > spell_.told:
            spell_.told = spell_.count
            yield None, _sign(None, spell_)


def _sign(mac: str | None, spell: _Spell) -> Sign:
    others: tuple[str, ...]
    if mac is None:
        tries = f"This looks like guessing: passphrases were tried {spell.count} times from several addresses."
        grade, others = Grade.MEDIUM, (_TYPING, _OLD)
    else:
        tries = f"This looks like guessing: the device {mac} tried passphrases {spell.count} times."
        grade, others = (Grade.MEDIUM if spell.count >= MANY else Grade.LOW), (_TYPING, _OLD, _BORROWED)
    return Sign(
        kind=FindingKind.PASSPHRASE_GUESSED,
        device_id=None,
        subject=TOGETHER if mac is None else mac,
        grade=grade,
        confidence=0.7 if grade is Grade.MEDIUM else 0.4,
        reasons=(tries, f"It began at {when(spell.since)}. None of these tries let anything in."),
        alternatives=others,
        cause=CAUSE,
        since=spell.since,
        ts=spell.last,
        count=spell.count,
    )
