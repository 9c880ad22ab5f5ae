"""Questions for names that look like data carried in them. Pure. One finding a device."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.keeper.signs.weigh import DNS_TUNNEL_HIGH, DNS_TUNNEL_MEDIUM, Weighed
from appliance.keeper.signs.window import Context, Window, rhythm
from appliance.signals import Signal
from wire.findings import FindingKind, Grade

_WORDS = {
    "null": "a type of question that carries data and that nothing else uses",
    "types": "many questions of types that pages do not ask",
    "txt": "many questions for text",
    "length": "very long names",
    "entropy": "names that look like code",
    "rate": "new names at a high rate",
    "answers": "answers full of text",
}
_ALONE = "null"
"""Says as much as two of the others."""


def weigh(window: Window, _context: Context) -> Iterator[Weighed]:
    """At most one; graded by how many reasons agree at a time."""
    heard = window.of(Signal.DNS_TUNNEL)
    if not heard:
        return
    sets = [frozenset(word for word in item.value.split(",") if word) for item in heard]
    most = max(sets, key=len)
    agree = max(len(most), 1)
    weight = agree + (_ALONE in most)
    grade = Grade.HIGH if weight >= DNS_TUNNEL_HIGH else Grade.MEDIUM if weight >= DNS_TUNNEL_MEDIUM else Grade.LOW
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
