"""Very many new addresses at once: who is taken in all the same, and what is said of the rest (N4).

A device can make up hardware addresses faster than any household has devices. Each would be a finding of its own
and a row of the register. So new addresses have an allowance. When it is used up, those have what comes back of it that
are heard again `AGAIN_SECONDS` after they were first, as a device that is there is and one made up to be forgotten is not.
The rest are counted, and told as one finding that says from when to when, and how many.

In: addresses that no device has, moments. Out: whether one is taken in; a `Sign` when it begins, grows or ends.
Bounded: `MAX_HEARD` addresses are remembered, the oldest go.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.keeper.authority import when
from appliance.keeper.signs.model import Sign
from wire.findings import FindingKind, Grade

ALLOWANCE = 64
"""New addresses at once: a large party, all of whose phones join in a minute."""
REFILL_SECONDS = 5.0
"""One more each so many seconds."""
AGAIN_SECONDS = 5.0
MAX_HEARD = 16_384
"""More than the taps show of announcements in `AGAIN_SECONDS` (2,000 a second of all kinds): else a flood would push
out everybody who is there before they are heard again."""
CALM_SECONDS = 600.0
"""It is over when so long nobody was turned away."""
SUBJECT = "new addresses"


@dataclass(slots=True, kw_only=True)
class _Spell:
    """A time in which addresses were turned away."""

    since: float
    last: float
    turned_away: int = 0
    told: int = 0


class Crowd:
    """Who may come in."""

    def __init__(self) -> None:
        self._allowance = float(ALLOWANCE)
        self._at: float | None = None
        self._heard: dict[str, float] = {}
        """Addresses that were turned away, and when they were heard first."""
        self._spell: _Spell | None = None
        self.turned_away = 0
        """Times that an address was not taken in, since start."""

    @property
    def crowded(self) -> bool:
        """Whether addresses are turned away in these minutes."""
        return self._spell is not None

    def admit(self, mac: str, at: float) -> bool:
        """Whether a new address is taken in; one that is not has to be heard again."""
        self._refill(at)
        first = self._heard.get(mac)
        again = first is not None and at - first >= AGAIN_SECONDS
        if self._allowance >= 1 and (again or self._spell is None):
            self._heard.pop(mac, None)
            self._allowance -= 1
            return True
        if first is None:
            while len(self._heard) >= MAX_HEARD:
                del self._heard[next(iter(self._heard))]
            self._heard[mac] = at
        if self._spell is None:
            self._spell = _Spell(since=at, last=at)
        self._spell.last = max(self._spell.last, at)
        self._spell.turned_away += 1
        self.turned_away += 1
        return False

    def news(self, at: float) -> tuple[Sign | None, bool]:
        """What to say since the last time, and whether it is over with that."""
        spell = self._spell
        if spell is None:
            return None, False
        over = at - spell.last >= CALM_SECONDS
        if over:
            self._spell = None
            self._heard.clear()
        fresh, spell.told = spell.turned_away - spell.told, spell.turned_away
        return (_sign(spell, fresh) if fresh else None), over

    def _refill(self, at: float) -> None:
        if self._at is not None and at > self._at:
            self._allowance = min(self._allowance + (at - self._at) / REFILL_SECONDS, float(ALLOWANCE))
        self._at = at if self._at is None else max(self._at, at)


def _sign(spell: _Spell, fresh: int) -> Sign:
    return Sign(
        kind=FindingKind.MANY_ADDRESSES,
        device_id=None,
        subject=SUBJECT,
        grade=Grade.MEDIUM,
        confidence=0.9,
        reasons=(
            f"More new addresses than a home has devices: {spell.turned_away} times since {when(spell.since)} one was left out.",
            "Addresses that are heard again later are written down as devices. What is heard of the others is lost.",
        ),
        alternatives=(
            "A faulty device that changes its address all the time.",
            "Very many visitors whose devices join at the same moment.",
        ),
        cause="many-addresses",
        since=spell.since,
        ts=spell.last,
        count=fresh,
    )
