"""Is a new version well? Looks in, a verdict out.

What was well before has to be well again, and what a household cannot do without has to be well whatever was before:
`ALWAYS`. Well means `STEADY` looks one after the other, so that a program that dies and is started anew does not pass.
"""

from __future__ import annotations

from dataclasses import dataclass

ALWAYS = frozenset({"rules", "names", "addresses", "keeper"})
"""See `appliance.upkeep.vitals`."""
STEADY = 3
LOOK_SECONDS = 10.0

WORDS = {
    "rules": "the household's network rules are not loaded",
    "names": "names are not answered to the household",
    "addresses": "no addresses are given out",
    "access-point": "the Wi-Fi is not up",
    "way-out": "there is no way to the internet",
    "internet": "nothing on the internet is reached",
    "keeper": "the process that records does not answer",
    "sensor": "the process that listens is not there",
    "warden": "the process that sets up the network is not there",
    "server": "the server is not reached",
}
"""What is not well, for engineers."""


@dataclass(slots=True, kw_only=True)
class Proof:
    """Looks of one start."""

    before: frozenset[str]
    until: float
    """Monotonic seconds: who is not well by then is not."""
    steady: int = 0

    def looked(self, well: frozenset[str], now: float) -> bool | None:
        """A look at what is well now: True it is proved, False it is not, None it is not known yet."""
        missing = (self.before | ALWAYS) - well
        self.steady = 0 if missing else self.steady + 1
        if self.steady >= STEADY:
            return True
        return False if now >= self.until else None

    def missing(self, well: frozenset[str]) -> str:
        """What is not well, in words."""
        wanted = sorted((self.before | ALWAYS) - well)
        return "; ".join(WORDS.get(name, name) for name in wanted) or "it was not well for long enough"
