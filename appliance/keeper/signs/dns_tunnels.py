"""Questions for names that look like data carried in them. Pure. One finding a device."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import DNS_TUNNEL_HIGH, DNS_TUNNEL_MEDIUM, Weighed
from appliance.keeper.signs.window import Context, Window, rhythm
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_WORDS = {
    "null": "a type of question that nothing else uses",
    "txt": "many questions for text",
    "private": "a type of question of private use",
    "key": "questions for keys",
    "entropy": "names that look random",
    "alphabet": "names written like coded data",
    "length": "very long names",
    "rate": "new names at a high rate",
    "answers": "large answers",
}


def weigh(window: Window, _context: Context) -> Iterator[Weighed]:
    """At most one; graded by how many reasons agree at a time."""
    heard = window.of(Signal.DNS_TUNNEL)
    if not heard:
        return
    sets = [frozenset(word for word in item.value.split(",") if word) for item in heard]
    most = max(sets, key=len)
    agree = max(len(most), 1)
    grade = Grade.HIGH if agree >= DNS_TUNNEL_HIGH else Grade.MEDIUM if agree >= DNS_TUNNEL_MEDIUM else Grade.LOW
    seen = "; ".join(_WORDS.get(word, word) for word in sorted(most))
    yield Weighed(
        kind=FindingKind.DNS_TUNNEL,
        grade=grade,
        headline=f"This looks like data carried in questions for names{rhythm(heard)}.",
        reasons=(f"Seen together: {seen}.",) if seen else (),
        support=heard,
        alternatives=(
            "Protection against viruses or unwanted mail asks for long coded names.",
            "Some content networks and measuring programs make up a name for each visit.",
        ),
        signals=agree,
    )
