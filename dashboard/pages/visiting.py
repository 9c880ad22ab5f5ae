"""What the pages about a visit are made of: the household as it stands, compared with what was said.

In: an open connection and a household. Out: frozen facts and rows. The number of statements does not depend on how
many devices or findings there are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from dashboard.i18n import N_, _, ngettext
from dashboard.pages import roll_call, screening, sentences, words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_visit import Ask, RollLine
from dashboard.pages.desk import Desk
from dashboard.pages.rows import device_name
from dashboard.pages.screening import Saw
from dashboard.store import devices as stored_devices
from dashboard.store.devices import StoredDevice
from dashboard.store.queries import Household
from dashboard.store.visit_facts import KindCount, kinds_since
from dashboard.store.visits import Line, StoredVisit, last_signed
from wire.base import Standing
from wire.findings import FindingKind

DAY = 86400.0
FIRST_DAYS = 28
"""What is looked back before a first visit."""
PRESENT: tuple[tuple[str, str], ...] = (
    ("person", N_("The person on the order")),
    ("partner", N_("Partner")),
    ("parent", N_("Parent or carer")),
    ("adult", N_("Another adult")),
    ("child", N_("Child")),
    ("worker", N_("Support worker or interpreter")),
    ("officer", N_("A second officer")),
)
EXPLAINED: tuple[tuple[str, str], ...] = (
    ("records", N_("What the box records, and what it does not")),
    ("others", N_("That of other people's devices only their presence is kept")),
    ("rights", N_("How to see what is kept, and how to complain")),
    ("help", N_("Where confidential help is to be had")),
)
_BEHIND = frozenset({FindingKind.DEVICE_BEHIND, FindingKind.UPSTREAM_DEVICE, FindingKind.SECOND_ROUTER})
_OTHERS = frozenset({Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A household as it stands."""

    devices: tuple[StoredDevice, ...]
    number: int
    """All devices, listed or not."""
    since: float
    """From when changes count: the last signed visit, or `FIRST_DAYS` ago."""
    visited: bool
    """Whether there was one."""
    kinds: tuple[KindCount, ...]
    reporting: bool
    health: str

    @property
    def saw(self) -> Saw:
        """What answers are compared with."""
        return Saw(
            own=sum(row.standing == Standing.REGISTERED for row in self.devices),
            others=sum(row.standing in _OTHERS for row in self.devices),
            new=self.new,
            unknown=sum(row.standing == Standing.UNKNOWN for row in self.devices),
            quiet=sum(row.open for row in self.kinds if row.kind == FindingKind.SILENT_DEVICE),
            behind=sum(row.open for row in self.kinds if row.kind in _BEHIND),
        )

    @property
    def new(self) -> int:
        """Devices first seen since."""
        return sum(row.first_seen >= self.since for row in self.devices)

    @property
    def opened(self) -> int:
        """Findings that are open."""
        return sum(row.open for row in self.kinds)

    @property
    def presence(self) -> dict[str, str]:
        """The box's state of presence by device."""
        return {row.device_id: str((row.presence or {}).get("state", "")) for row in self.devices}


def facts_of(connection: Connection, at_desk: Desk, home: Household, *, but: str = "") -> Facts:
    """How a household stands; changes count from its last signed visit other than `but`."""
    now = at_desk.now()
    last = last_signed(connection, home.site)
    visited = last is not None and last.visit_id != but
    since = last.started_at if last is not None and visited else now - FIRST_DAYS * DAY
    reporting, health = sentences.reporting(home.heard_at, sentences.status(home.status), now)
    rows = stored_devices.devices_of(connection, home.site)
    full = len(rows) >= stored_devices.MOST_DEVICES
    return Facts(
        devices=rows,
        number=stored_devices.count_devices(connection, home.site) if full else len(rows),
        since=since,
        visited=visited,
        kinds=kinds_since(connection, home.site, since),
        reporting=reporting,
        health=health,
    )


def roll_lines(
    at_desk: Desk, lines: Iterable[Line], devices: Iterable[StoredDevice], wrong: Mapping[str, str] | None = None
) -> tuple[RollLine, ...]:
    """Lines of the sheet in words; `wrong` are sentences by element id."""
    known = {row.device_id: row for row in devices}
    rows = []
    for line in lines:
        device = known.get(line.device_id)
        there = sentences.presence(device.presence, at_desk.now(), at_desk.zone)[0] if device is not None else ""
        rows.append(
            RollLine(
                number=line.number,
                device_id=line.device_id,
                name=device_name(device, line.device_id),
                standing=words.standing(device.standing) if device is not None else "",
                now=there or _("The box has not said whether it is here"),
                state=line.state,
                state_words=roll_call.state_words(line.state),
                note=words.plain(line.note, 200),
                error=(wrong or {}).get(f"note-{line.device_id}", ""),
            )
        )
    return tuple(rows)


def asks(version: int, answers: Mapping[str, str], wrong: Mapping[str, str] | None = None) -> tuple[Ask, ...]:
    """The questions of a set with their answers."""
    return tuple(
        Ask(
            id=f"answer-{question.key}",
            kind=question.kind,
            text=_(question.text),
            hint=_(question.hint) if question.hint else "",
            choices=tuple(
                Choice(value=value, text=_(text), hint="", checked=answers.get(question.key) == value)
                for value, text in question.choices
            ),
            value=words.plain(answers.get(question.key, ""), screening.MOST_ANSWER),
            error=(wrong or {}).get(f"answer-{question.key}", ""),
        )
        for question in screening.questions(version)
    )


def chosen(of: tuple[tuple[str, str], ...], picked: Iterable[str]) -> tuple[Choice, ...]:
    """Ticks, with those that are set."""
    ticked = set(picked)
    return tuple(Choice(value=value, text=_(text), hint="", checked=value in ticked) for value, text in of)


def in_words(of: tuple[tuple[str, str], ...], picked: Iterable[str]) -> str:
    """What was ticked, in words; in the order of the set."""
    ticked = set(picked)
    return ", ".join(_(text) for value, text in of if value in ticked) or _("Nobody and nothing was ticked")


def changes(facts: Facts) -> tuple[str, ...]:
    """What changed since the last visit."""
    raised, closed = sum(row.raised for row in facts.kinds), sum(row.closed for row in facts.kinds)
    return (
        ngettext("%(num)s device was first seen.", "%(num)s devices were first seen.", facts.new),
        ngettext("%(num)s finding was raised.", "%(num)s findings were raised.", raised),
        ngettext("%(num)s finding was closed.", "%(num)s findings were closed.", closed),
        ngettext("%(num)s finding is open now.", "%(num)s findings are open now.", facts.opened),
    )


def since_words(at_desk: Desk, facts: Facts) -> str:
    """Since when."""
    day = words.date(facts.since, at_desk.zone)
    if facts.visited:
        return _("Since the last signed visit, on %(day)s", day=day)
    return _("There is no signed visit yet. Since %(day)s", day=day)


def keep_key(secret: bytes, visit: StoredVisit, account_id: str) -> str:
    """Key (base64, 32 octets) with which this account's browser seals what it keeps of this visit until it is sent."""
    text = f"visit-keep/1\n{visit.site}\n{visit.visit_id}\n{account_id}".encode()
    return base64.b64encode(hmac.digest(secret, text, hashlib.sha256)).decode()
