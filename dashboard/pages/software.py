"""*Software*: releases of the box's software, in which rings boxes are told, and how it goes (R4).

For engineers: boxes by their ids, nothing about persons. A statement was signed offline; this service checks it with
the public keys of its settings and can make none. Bounded: a statement has at most `MAX_STATEMENT` octets, and see
`dashboard.store.releases`.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs, step_up
from dashboard.commands import TOKEN
from dashboard.i18n import _, ngettext
from dashboard.pages import words
from dashboard.pages.contexts import ActField, ActForm, Fact
from dashboard.pages.contexts_software import BehindRow, ReleasePage, ReleaseRow, RingRow, SoftwarePage
from dashboard.pages.contexts_team import Removable
from dashboard.pages.desk import Desk, desk, id_or_404, show, who
from dashboard.pages.fields import field
from dashboard.pages.software_words import BECAME
from dashboard.pages.typed import INCOMPLETE, Errors, reason_errors, tidy
from dashboard.store import fleet, releases
from dashboard.store.releases import BoxAt, NotTakenError, Progress, Ring, StoredRelease
from wire.documents import DocumentError
from wire.keys import verify_key
from wire.release import MAX_STATEMENT, SignedRelease, parse_signed, verify

MOST_REASON = 300
HOUR = 3600.0

pages = Blueprint("software", __name__)


@pages.get("/software")
@needs(May.KEEP_BOXES)
def software() -> Response:
    """Releases, what boxes run, and what asks for somebody."""
    return _show({}, ())


@pages.post("/software/releases")
@needs(May.KEEP_BOXES)
@step_up
def enter() -> ResponseReturnValue:
    """Enter a signed statement."""
    at_desk = desk()
    try:
        signed = _statement(at_desk)
        with at_desk.engine.begin() as connection:
            tenant, by = at_desk.settings.tenant, who().account_id
            release_id = releases.add(connection, signed, tenant=tenant, by=by, now=at_desk.now())
    except NotTakenError as error:
        return _show(request.form, (("statement", str(error)),))
    return redirect(f"/software/{release_id}", 303)


@pages.post("/software/pilots")
@needs(May.KEEP_BOXES)
def add_pilot() -> ResponseReturnValue:
    """Name a box that is told before all others."""
    at_desk, typed = desk(), tidy(request.form.get("site", ""))
    with at_desk.engine.begin() as connection:
        tenant, by = at_desk.settings.tenant, who().account_id
        done = fleet.add_pilot(connection, typed, tenant=tenant, by=by, now=at_desk.now())
    if not done:
        return _show(request.form, (("site", _("Enter the id of a box, such as box-7k2m4q9x1c; 50 at most")),))
    return redirect("/software", 303)


@pages.post("/software/pilots/<site>/remove")
@needs(May.KEEP_BOXES)
def remove_pilot(site: str) -> ResponseReturnValue:
    """Name it no more."""
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        tenant, by = at_desk.settings.tenant, who().account_id
        fleet.remove_pilot(connection, id_or_404(site), tenant=tenant, by=by, now=at_desk.now())
    return redirect("/software", 303)


@pages.get("/software/<release_id>")
@needs(May.KEEP_BOXES)
def release(release_id: str) -> Response:
    """One release."""
    return _show_release(release_id, {}, ())


@pages.post("/software/<release_id>/start")
@needs(May.KEEP_BOXES)
@step_up
def start(release_id: str) -> ResponseReturnValue:
    """Have boxes told of it, ring by ring."""
    at_desk = desk()
    stored = _release_or_404(at_desk, release_id)
    if not TOKEN.fullmatch(request.form.get("token", "")):
        return _show_release(release_id, request.form, (("start", _(INCOMPLETE)),))
    now = at_desk.now()
    if stored.expires <= now:
        return _show_release(release_id, request.form, (("start", _("The statement has expired. Enter a newer one")),))
    with at_desk.engine.begin() as connection:
        tenant, by = at_desk.settings.tenant, who().account_id
        releases.start(connection, release_id, _rings(at_desk, stored, now), tenant=tenant, by=by, now=now)
    return redirect(f"/software/{release_id}", 303)


@pages.post("/software/<release_id>/halt")
@needs(May.KEEP_BOXES)
def halt(release_id: str) -> ResponseReturnValue:
    """Tell no more boxes."""
    return _change(release_id, going=False)


@pages.post("/software/<release_id>/resume")
@needs(May.KEEP_BOXES)
@step_up
def resume(release_id: str) -> ResponseReturnValue:
    """Let it go on."""
    return _change(release_id, going=True)


def _change(release_id: str, *, going: bool) -> ResponseReturnValue:
    at_desk = desk()
    _release_or_404(at_desk, release_id)
    reason = tidy(request.form.get("reason", ""))
    errors = reason_errors("reason", reason, MOST_REASON)
    if errors:
        return _show_release(release_id, request.form, tuple(errors))
    act = releases.resume if going else releases.halt
    with at_desk.engine.begin() as connection:
        tenant, by = at_desk.settings.tenant, who().account_id
        act(connection, release_id, reason, tenant=tenant, by=by, now=at_desk.now())
    return redirect(f"/software/{release_id}", 303)


def _statement(at_desk: Desk) -> SignedRelease:
    """What was sent as a file or as text, if a key of the settings signed it.

    Raises:
        NotTakenError: it is not; why.
    """
    if not TOKEN.fullmatch(request.form.get("token", "")):
        raise NotTakenError(_(INCOMPLETE))
    if at_desk.settings.boxes is None:
        raise NotTakenError(_("The settings of this service name no keys that may sign releases"))
    sent = request.files.get("file")
    raw = sent.stream.read(MAX_STATEMENT + 1) if sent is not None else b""
    raw = raw or request.form.get("statement", "").encode()
    if not raw.strip():
        raise NotTakenError(_("Choose the signed statement, or paste it"))
    try:
        signed = parse_signed(raw)
        plain = verify(signed, [verify_key(text) for text in at_desk.settings.boxes.release_keys])
    except DocumentError as error:
        raise NotTakenError(_("This is not a statement to go by: %(why)s", why=words.plain(str(error)))) from None
    if plain.expires.timestamp() <= at_desk.now():
        raise NotTakenError(_("The statement has expired"))
    return signed


def _rings(at_desk: Desk, stored: StoredRelease, now: float) -> tuple[Ring, ...]:
    settings = at_desk.settings.software
    wanted = settings.security_rings if stored.security else settings.rings
    return tuple(
        Ring(share=max(1, round(ring.share * 1000)), opens_at=now + ring.after_hours * HOUR) for ring in wanted
    )


def _release_or_404(at_desk: Desk, release_id: str) -> StoredRelease:
    with at_desk.reads.connect() as connection:
        stored = releases.one(connection, at_desk.settings.tenant, id_or_404(release_id))
    if stored is None:
        abort(404)
    return stored


# --- the list -----------------------------------------------------------------------------------


def _show(typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, tenant = desk(), desk().settings.tenant
    now = at_desk.now()
    with at_desk.reads.connect() as connection:
        stored = releases.all_of(connection, tenant)
        rows = tuple(_row(one, releases.progress(connection, one, now=now), now) for one in stored[:20])
        late = sum(releases.overdue(connection, one, tenant=tenant, now=now)[1] for one in stored[:20])
        versions = fleet.versions(connection, tenant)
        outdated = fleet.out_of_date(connection, tenant)
        pilots = fleet.pilots(connection, tenant)
    asks = sum(not row.well for row in rows)
    parts = [ngettext("%(num)s release was halted.", "%(num)s releases were halted.", asks)] if asks else []
    if late:
        said = ngettext("%(num)s box is overdue.", "%(num)s boxes are overdue.", late)
        parts.append(_("Security releases:") + " " + said)
    if outdated:
        said = ngettext("%(num)s box has", "%(num)s boxes have", len(outdated))
        parts.append(said + " " + _("programs that are older than they may be."))
    page = SoftwarePage(
        summary=" ".join(parts) or _("Nothing about the software of the boxes asks for you."),
        calm=not parts,
        releases=rows,
        versions=tuple((_about(version, board), count) for board, version, count in versions),
        outdated=tuple((site, "; ".join(words.plain(one, 120) for one in said)) for site, said in outdated),
        pilots=tuple(
            Removable(text=site, detail=_("told first"), target=f"/software/pilots/{site}/remove") for site in pilots
        ),
        forms=(_enter_form(typed, errors), _pilot_form(typed, errors)),
        errors=errors,
    )
    title = _("Error: Software") if errors else _("Software")
    return show(
        "software", page, title=title, action="view-software", section="software", status=422 if errors else 200
    )


def _row(stored: StoredRelease, progress: Progress, now: float) -> ReleaseRow:
    return ReleaseRow(
        heading=_about(stored.version, stored.board),
        address=f"/software/{stored.release_id}",
        state=_state(stored, now),
        well=stored.state != "halted",
        progress=_("%(has)s of %(told)s boxes that were told have it", has=progress.has, told=progress.told)
        if progress.told
        else "",
    )


def _about(version: str, board: str) -> str:
    return _("Version %(version)s for %(board)s", version=words.plain(version, 16), board=words.plain(board, 32))


def _state(stored: StoredRelease, now: float) -> str:
    if stored.state == "halted":
        return _("Halted")
    if stored.expires <= now:
        return _("Expired")
    if stored.state == "entered":
        return _("Not started")
    share = releases.open_share(stored, now) / 10
    return _("Going: %(share)s %% of the boxes are told", share=f"{share:g}")


def _enter_form(typed: Mapping[str, str], errors: Errors) -> ActForm:
    return ActForm(
        key="enter",
        opened=bool(dict(errors).get("statement")),
        target="/software/releases",
        token=commands.new_token(),
        heading=_("Enter a release"),
        says=_("It was signed with the release key, which is not on this service. Nothing is told to a box yet."),
        button=_("Enter it"),
        fields=(
            field("file", "file", _("Signed statement (a file)"), typed={}, errors=()),
            field("area", "statement", _("Or paste it here"), typed=typed, errors=errors),
        ),
        emergency="",
    )


def _pilot_form(typed: Mapping[str, str], errors: Errors) -> ActForm:
    return ActForm(
        key="pilot",
        opened=bool(dict(errors).get("site")),
        target="/software/pilots",
        token=commands.new_token(),
        heading=_("Name a box that is told first"),
        says=_("Such as one in your own office. It gets every release as soon as that is started."),
        button=_("Name it"),
        fields=(field("text", "site", _("Id of the box"), typed=typed, errors=errors),),
        emergency="",
    )


# --- one release --------------------------------------------------------------------------------


def _show_release(release_id: str, typed: Mapping[str, str], errors: Errors) -> Response:
    at_desk, tenant = desk(), desk().settings.tenant
    stored, now = _release_or_404(at_desk, release_id), at_desk.now()
    with at_desk.reads.connect() as connection:
        rings = tuple(
            _ring(at_desk, stored, index, releases.progress(connection, stored, now=now, ring=index), now)
            for index in range(len(stored.rings))
        )
        behind = releases.without(connection, stored, now=now)
        overdue, late = releases.overdue(connection, stored, tenant=tenant, now=now)
    page = ReleasePage(
        heading=_about(stored.version, stored.board),
        state=" ".join(part for part in (_state(stored, now) + ".", words.plain(stored.reason)) if part),
        well=stored.state != "halted" and not late,
        facts=_facts(at_desk, stored),
        rings=rings,
        behind=tuple(_behind(at_desk, row, _(BECAME[became])) for became, row in behind),
        overdue=tuple(_behind(at_desk, row, _about(row.version, stored.board)) for row in overdue),
        overdue_left_out=late - len(overdue),
        forms=_forms(at_desk, stored, typed, errors),
        errors=errors,
    )
    return show(
        "software-release",
        page,
        title=_("Error: Release") if errors else _("Release"),
        action="view-release",
        subject=release_id,
        section="software",
        status=422 if errors else 200,
    )


def _ring(at_desk: Desk, stored: StoredRelease, index: int, progress: Progress, now: float) -> RingRow:
    ring = stored.rings[index]
    before = stored.rings[index - 1].share if index else 0
    return RingRow(
        share=_("%(low)s to %(high)s %% of the boxes", low=f"{before / 10:g}", high=f"{ring.share / 10:g}"),
        opens=at_desk.moment(ring.opens_at),
        is_open=ring.opens_at <= now,
        progress=(progress.told, progress.has, progress.bad, progress.silent, progress.under_way),
    )


def _behind(at_desk: Desk, row: BoxAt, became: str) -> BehindRow:
    return BehindRow(
        site=row.site,
        address=f"/boxes/{row.site}",
        became=became,
        detail=words.plain(row.detail),
        heard=at_desk.moment_or_none(row.heard_at),
    )


def _facts(at_desk: Desk, stored: StoredRelease) -> tuple[Fact, ...]:
    plain = releases.release_of(stored)
    facts = [
        Fact(key=_("Kind"), value=_("Mends a fault: all boxes within 72 hours") if plain.security else _("Ordinary")),
        Fact(key=_("May be taken until"), value=words.date_time(stored.expires, at_desk.zone)),
        Fact(key=_("No box goes below"), value=plain.floor),
        Fact(key=_("File"), value=words.defang(plain.url)),
        Fact(key=_("Size"), value=_("%(number)s octets", number=f"{plain.size:,}")),
        Fact(key=_("SHA-256"), value=plain.sha256),
    ]
    if plain.notes:
        facts.append(Fact(key=_("What changed"), value=words.plain(plain.notes, 1000)))
    if stored.started_at is not None:
        facts.append(Fact(key=_("Started"), value=words.date_time(stored.started_at, at_desk.zone)))
    return tuple(facts)


def _forms(at_desk: Desk, stored: StoredRelease, typed: Mapping[str, str], errors: Errors) -> tuple[ActForm, ...]:
    at = f"/software/{stored.release_id}"
    if stored.state == "entered":
        shares = ", ".join(
            _("%(share)s %% after %(hours)s hours", share=f"{ring.share / 10:g}", hours=f"{ring.opens_at / HOUR:g}")
            for ring in _rings(at_desk, stored, 0.0)
        )
        says = _("Boxes are told in rings: %(rings)s.", rings=shares)
        return (_form("start", f"{at}/start", _("Start the release"), says=says, button=_("Start it")),)
    reason = field("area", "reason", _("Reason"), typed=typed, errors=errors)
    if stored.state == "going":
        says = _("No more boxes are told. Those that were told already go on.")
        return (_form("halt", f"{at}/halt", _("Halt the release"), says=says, button=_("Halt it"), fields=(reason,)),)
    says = _("The boxes on which it did not work so far do not halt it again.")
    return (
        _form(
            "resume", f"{at}/resume", _("Let the release go on"), says=says, button=_("Let it go on"), fields=(reason,)
        ),
    )


def _form(key: str, target: str, heading: str, *, says: str, button: str, fields: tuple[ActField, ...] = ()) -> ActForm:
    return ActForm(
        key=key,
        opened=True,
        target=target,
        token=commands.new_token(),
        heading=heading,
        says=says,
        button=button,
        fields=fields,
        emergency="",
    )
