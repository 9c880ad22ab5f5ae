"""The sections of an installation and of a removal, in order, and how far each is. Pure: what was saved in, states out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dashboard.i18n import N_
from dashboard.store.installs import Install, Step

LONGEST_MINUTES = 30.0
"""What an installation may take (R1)."""


class State(StrEnum):
    """How far a section is."""

    DONE = "done"
    BEGUN = "begun"
    READY = "ready"
    BLOCKED = "blocked"
    """Something else comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the task list."""

    key: str
    """Last part of its address, and its name in the store."""
    title: str
    where: str
    """station or home: where it is done."""
    after: tuple[str, ...] = ()
    """Sections that must be done before it can be begun."""
    decides: bool = False
    """Only for roles that may decide about a household."""


SECTIONS: tuple[Section, ...] = (
    Section(key="box", title=N_("Scan the box's code"), where="station"),
    Section(key="order", title=N_("Person and order"), where="station", after=("box",), decides=True),
    Section(key="people", title=N_("Tell everybody at the address"), where="home", after=("box",)),
    Section(key="never", title=N_("What must never lose its connection"), where="home"),
    Section(key="wifi", title=N_("The home's Wi-Fi, and passphrase cards"), where="home", after=("box",)),
    Section(key="connect", title=N_("Connect the box"), where="home", after=("box",)),
    Section(key="devices", title=N_("Say whose each device is"), where="home", after=("connect",), decides=True),
    Section(key="test", title=N_("Test that it works"), where="home", after=("connect",)),
    Section(key="sign", title=N_("Sign and hand over"), where="home", after=("order", "people", "never", "connect")),
)
REMOVAL: tuple[Section, ...] = (
    Section(key="end", title=N_("End the recording"), where="station", decides=True),
    Section(key="wipe", title=N_("Empty the box"), where="home", after=("end",), decides=True),
    Section(
        key="collect", title=N_("Hand the internet back and take the box away"), where="home", after=("end", "wipe")
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A section and how far it is."""

    section: Section
    state: State
    minutes: float | None
    """How long it took; None while it is not done."""
    waits_for: tuple[str, ...]
    """Titles of what comes first."""


def sections_of(kind: str) -> tuple[Section, ...]:
    """All sections of an installation or a removal."""
    return REMOVAL if kind == "removal" else SECTIONS


def section(kind: str, key: str) -> Section | None:
    """One section; None where there is none of that name."""
    return next((item for item in sections_of(kind) if item.key == key), None)


def progress(kind: str, saved: Mapping[str, Step]) -> tuple[Progress, ...]:
    """How far all sections are."""
    done = {name for name, step in saved.items() if step.done_at is not None}
    titles = {item.key: item.title for item in sections_of(kind)}
    return tuple(
        Progress(
            section=item,
            state=_state(item, saved, done),
            minutes=_minutes(saved.get(item.key)),
            waits_for=tuple(titles[key] for key in item.after if key not in done),
        )
        for item in sections_of(kind)
    )


def total_minutes(found: Install, saved: Mapping[str, Step]) -> float | None:
    """From opening the first section that is done in the home until the visit was signed (R1, R6); None before that."""
    home = {item.key for item in sections_of(found.kind) if item.where == "home"}
    opened = [step.opened_at for key, step in saved.items() if key in home]
    if found.signed_at is None or not opened:
        return None
    return max(0.0, found.signed_at - min(opened)) / 60


def _state(item: Section, saved: Mapping[str, Step], done: Collection[str]) -> State:
    if item.key in done:
        return State.DONE
    if not set(item.after) <= set(done):
        return State.BLOCKED
    return State.BEGUN if item.key in saved else State.READY


def _minutes(step: Step | None) -> float | None:
    return None if step is None or step.done_at is None else max(0.0, step.done_at - step.opened_at) / 60
