"""What the pages of an installation share: finding it, who may, saving a section, forms and their fields.

An installation without a box is seen by who began it and by supervisors; one with a box by whoever is in charge of the
household. A section that decides about a household wants a role that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, g
from sqlalchemy import Connection

from dashboard import commands
from dashboard.access import SEES_ALL
from dashboard.i18n import _
from dashboard.installing import steps
from dashboard.pages import words
from dashboard.pages.contexts import Choice, Fact
from dashboard.pages.contexts_install import InField, InForm, StepPage
from dashboard.pages.desk import desk, id_or_404, show, who
from dashboard.pages.typed import Errors
from dashboard.store import charge, queries
from dashboard.store import installs as stored
from dashboard.store.installs import Box, Install, Step

MOST_VALUE = 4000
MOST_AREA = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An installation as it stands."""

    found: Install
    saved: Mapping[str, Step]
    box: Box | None

    @property
    def address(self) -> str:
        """Of its task list."""
        return f"/install/{self.found.install_id}"

    @property
    def reference(self) -> str:
        """The case, for a page."""
        return words.plain(self.found.reference, 80)

    @property
    def closed(self) -> bool:
        """Nothing can be changed any more."""
        return self.found.state in ("done", "given-up")

    def answers(self, key: str) -> dict[str, Any]:
        """What was saved in a section; empty where nothing was."""
        step = self.saved.get(key)
        return {} if step is None else step.answers

    def is_done(self, key: str) -> bool:
        """Whether a section is complete."""
        step = self.saved.get(key)
        return step is not None and step.done_at is not None


def visit(connection: Connection, install_id: str) -> Visit:
    """The installation of an address, if who is asking may see it; else there is no such page."""
    at_desk, asking = desk(), who()
    found = stored.install_of(connection, at_desk.settings.tenant, id_or_404(install_id))
    if found is None:
        abort(404)
    if found.site is None:
        mine = found.by == asking.account_id or asking.role in SEES_ALL
    else:
        mine = charge.may_see(connection, asking, found.site, at_desk.now())
    if not mine:
        g.denied = True
        abort(404)
    box = None if found.site is None else stored.box_of(connection, at_desk.settings.tenant, found.site)
    return Visit(found=found, saved=stored.steps_of(connection, install_id), box=box)


def begin(install_id: str, key: str) -> Visit:
    """The installation, with one of its sections opened: from then on its time counts."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        found = visit(connection, install_id)
    of = steps.section(found.found.kind, key)
    if of is None:
        abort(404)
    if of.decides and not who().role.acts:
        g.denied = True
        abort(403)
    if key in found.saved or found.closed or not ready(found, key):
        return found
    with at_desk.engine.begin() as connection:
        stored.save_step(connection, install_id, key, None, by=who().account_id, now=at_desk.now(), done=False)
        return visit(connection, install_id)


def changing(install_id: str, key: str) -> Visit:
    """As `begin`, for a form: a closed installation, or a section that something else comes before, is refused."""
    found = begin(install_id, key)
    if found.closed or not ready(found, key):
        abort(409)
    return found


def ready(found: Visit, key: str) -> bool:
    """Whether what comes before a section is done."""
    of = steps.section(found.found.kind, key)
    return of is not None and all(found.is_done(name) for name in of.after)


def save(found: Visit, key: str, answers: Mapping[str, Any], *, done: bool) -> None:
    """Save a section."""
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        stored.save_step(
            connection, found.found.install_id, key, answers, by=who().account_id, now=at_desk.now(), done=done
        )


def latest(found: Visit, key: str) -> queries.StoredCommand | None:
    """The command that a section asked for."""
    command_id = found.answers(key).get("command")
    if not isinstance(command_id, str):
        return None
    with desk().reads.connect() as connection:
        return queries.command_of(connection, desk().settings.tenant, command_id)


def field(
    key: str,
    name: str,
    kind: str,
    label: str,
    *,
    hint: str = "",
    value: str = "",
    choices: Iterable[tuple[str, str, str]] = (),
    ticked: Iterable[str] = (),
    errors: Errors = (),
) -> InField:
    """A field; `choices` are value, text and hint. Its element is `key-name`; radios and checks begin at that id."""
    chosen = {value, *ticked}
    return InField(
        id=f"{key}-{name}",
        name=name,
        kind=kind,
        label=label,
        hint=hint,
        value=value[:MOST_VALUE],
        choices=tuple(Choice(value=one, text=text, hint=help_, checked=one in chosen) for one, text, help_ in choices),
        error=dict(errors).get(f"{key}-{name}", ""),
    )


def form(
    heading: str, target: str, fields: Iterable[InField], button: str, *, says: str = "", folded: bool = False
) -> InForm:
    """A form with a token of its own."""
    listed = tuple(fields)
    return InForm(
        heading=heading,
        says=says,
        target=target,
        token=commands.new_token(),
        fields=listed,
        button=button,
        folded=folded and not any(item.error for item in listed),
        upload=any(item.kind in ("file", "files") for item in listed),
    )


def blocked(found: Visit, key: str) -> Errors:
    """What to say of a section that something else comes before; nothing where none does."""
    of = steps.section(found.found.kind, key)
    titles = {item.key: item.title for item in steps.sections_of(found.found.kind)}
    first = [] if of is None else [_(titles[name]) for name in of.after if not found.is_done(name)]
    return () if not first else (("main-content", _("Do this first: %(what)s", what=", ".join(first))),)


def step(
    found: Visit,
    key: str,
    *,
    intro: Iterable[str] = (),
    facts_title: str = "",
    facts: Iterable[tuple[str, str]] = (),
    rows: Iterable[str] = (),
    links: Iterable[tuple[str, str]] = (),
    forms: Iterable[InForm] = (),
    errors: Errors = (),
) -> Response:
    """Show a section."""
    of = steps.section(found.found.kind, key)
    heading = "" if of is None else _(of.title)
    waits = blocked(found, key)
    page = StepPage(
        key=key,
        heading=heading,
        reference=found.reference,
        back=found.address,
        intro=tuple(intro),
        facts_title=facts_title or _("What you have entered"),
        facts=tuple(Fact(key=name, value=words.plain(value, MOST_AREA)) for name, value in facts),
        rows=tuple(rows),
        links=tuple(links),
        forms=() if waits or found.closed else tuple(forms),
        errors=errors or (waits if not found.closed else ()),
    )
    return show(
        "install-step",
        page,
        title=_("Error: %(what)s", what=heading) if errors else heading,
        action="view-install",
        subject=f"{found.found.install_id}/{key}",
        section="install",
        status=422 if errors else 200,
    )
