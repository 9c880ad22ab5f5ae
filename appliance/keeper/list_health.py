"""How the lists are: `Supply` in, what the server and an engineer are told out, and findings when they are not well.

A list is stale when its publisher said that it should have been renewed by now and nothing newer came (R31).
That, and a version that was refused, is a finding about the box; it ends when the list is well again.
What is not known again yet after a start ends nothing. Bounded: one state a list of the settings; what the server is
told of all lists together is at most `MOST_OCTETS`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from appliance.keeper.authority import Scope, when
from appliance.keeper.devices.model import moment
from appliance.keeper.findings import clip
from appliance.keeper.list_state import State
from appliance.keeper.lists.jobs import BAD_LINES, UNSUPPORTED, Result
from appliance.keeper.lists.table import MAX_NAMES
from appliance.keeper.signs.model import Sign
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.supply import Supply
from wire.box import ListHealth
from wire.codec import payload_json
from wire.findings import FindingKind, Grade

MAX_LINES = 8
MOST_OCTETS = 20 * 1024
"""Of all lists together, so that the box's status fits its message."""
FEW_LETTERS = 48
"""Of titles and troubles where they would be more."""
LOOK_SECONDS = 10.0
"""Between two looks whether a finding begins or ends."""

NEVER_CAME = 86400.0
"""A list of which there is no version so long after the start is a finding too."""

_CAUSE = "lists"


class Teller(Protocol):
    """Who writes findings about the box down."""

    def tell_box(self, sign: Sign, *, scope: Scope | None, at: float) -> None:
        """A sign about the box itself."""

    def end(self, device_id: str | None, kind: FindingKind, subject: str, because: str, at: float) -> None:
        """What a sign was about is over."""


def health(supply: Supply, at: float) -> tuple[ListHealth, ...]:
    """Each list of the settings, as it is at `at` (Unix seconds)."""
    return tuple(_of(supply, state, at) for state in supply.states.values())


def fitting(found: tuple[ListHealth, ...]) -> tuple[ListHealth, ...]:
    """As much of that as fits the status: texts in short where they are too many, then without lists that are well."""
    if _octets(found) <= MOST_OCTETS:
        return found
    short = [
        item.model_copy(
            update={
                "title": item.title[:FEW_LETTERS],
                "problem": item.problem and item.problem[:FEW_LETTERS],
                "malformed_lines": (),
            }
        )
        for item in found
    ]
    while _octets(short) > MOST_OCTETS:
        short.pop(next((place for place, item in enumerate(short) if not item.problem and not item.stale), -1))
    return tuple(short)


def _octets(found: Iterable[ListHealth]) -> int:
    return sum(len(payload_json(item)) + 1 for item in found)


def _of(supply: Supply, state: State, at: float) -> ListHealth:
    kept = supply.in_use(state.source.id)
    problem = state.refused or state.trouble
    if kept is None:
        title = state.source.title or state.source.id
        return ListHealth(list_id=state.source.id, title=title, problem=clip(problem or "It has not come yet."))
    made = kept.made
    if not problem and made.overflow:
        problem = f"{made.overflow:,} names of it are left out: a list can have {MAX_NAMES:,}."
    return ListHealth(
        list_id=state.source.id,
        title=kept.about.title,
        version=kept.about.version,
        entries=kept.size,
        published=None if kept.published is None else moment(kept.published),
        taken_at=moment(kept.taken_at),
        stale=kept.renew_by is not None and at > kept.renew_by,
        malformed=sum(made.faults.get(why.value, 0) for why in BAD_LINES),
        malformed_lines=_lines(made),
        unsupported=sum(made.faults.get(why.value, 0) for why in UNSUPPORTED),
        problem=clip(problem) if problem else None,
    )


def _lines(made: Result) -> tuple[int, ...]:
    return tuple(sorted({line for why in BAD_LINES for line in made.lines.get(why.value, ())})[:MAX_LINES])


class ListFindings:
    """Findings about lists that are not well."""

    def __init__(
        self, supply: Supply, teller: Teller, *, opened: Callable[[Collection[str]], list[StoredFinding]]
    ) -> None:
        """`opened` gives the open findings of some kinds."""
        self._supply = supply
        self._teller = teller
        self._opened = opened
        self._due = float("-inf")
        self._began = float("inf")
        self._told: dict[tuple[str, FindingKind], str] = {}
        """What was told, or that all is well; after a start all is told again, and findings of before end."""

    def tick(self, *, scope: Scope | None, at: float) -> None:
        """Tell what began, and end what is over. Callers hold the store's transaction."""
        if at < self._due:
            return
        self._due = at + LOOK_SECONDS
        if self._began > at:
            self._began = at
            self._end_strangers(at)
        for state, found in zip(self._supply.states.values(), health(self._supply, at), strict=True):
            stale = ""
            if found.stale:
                published = when(found.published) if found.published else "a time nobody said"
                stale = f"The list “{found.title}” is out of date: its latest version here is of {published}."
            if found.version is None and at - self._began > NEVER_CAME:
                stale = f"The list “{found.title}” has not come to the box: {found.problem}"
            if stale or found.version is not None:
                self._say(FindingKind.LIST_STALE, found, stale, scope=scope, at=at)
            refused = ""
            if state.refused:
                refused = f"A new version of the list “{found.title}” was not taken: {state.refused}."
            if state.judged:
                self._say(FindingKind.LIST_REFUSED, found, refused, scope=scope, at=at)

    def _end_strangers(self, at: float) -> None:
        """Findings of before about lists that the settings name no more."""
        for stored in self._opened([kind.value for kind in _MENDED]):
            if stored.subject not in self._supply.states:
                self._teller.end(
                    None, stored.finding.kind, stored.subject, "The box does not use this list any more.", at
                )

    def _say(self, kind: FindingKind, found: ListHealth, headline: str, *, scope: Scope | None, at: float) -> None:
        if self._told.get((found.list_id, kind)) == headline:
            return
        self._told[found.list_id, kind] = headline
        if not headline:
            self._teller.end(None, kind, found.list_id, _MENDED[kind], at)
            return
        in_force = f"Version {found.version} stays in use." if found.version else "No version of it is in use."
        sign = Sign(
            kind=kind,
            device_id=None,
            subject=found.list_id,
            grade=Grade.MEDIUM,
            confidence=1.0,
            reasons=(clip(headline), in_force),
            alternatives=_ALTERNATIVES[kind],
            cause=_CAUSE,
            since=at,
            ts=at,
        )
        self._teller.tell_box(sign, scope=scope, at=at)


_MENDED = {
    FindingKind.LIST_STALE: "A version of the list that is not out of date is in use.",
    FindingKind.LIST_REFUSED: "A version of the list was taken, or the one that was refused is no longer offered.",
}
_ALTERNATIVES = {
    FindingKind.LIST_STALE: (
        "Whoever publishes the list has nothing new, or publishes later than planned.",
        "The box had no way to the list's server for some time.",
    ),
    FindingKind.LIST_REFUSED: (
        "Whoever publishes the list made a mistake, or changed their key.",
        "Something between the server and the box changed the file.",
    ),
}
