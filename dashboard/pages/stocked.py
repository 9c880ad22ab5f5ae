"""*Boxes in stock*: cards are handed in, boxes that wait to be fitted are listed and taken out; and a box is revoked.

For engineers and supervisors, without anything about persons. A card says nothing secret; what makes a box ours is that
somebody who keeps boxes enters its card (`wire.claim`). Bounded: `MOST_FILES` cards a form, `stock.MOST_LISTED` boxes a
page.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from dashboard.access import May, needs, step_up
from dashboard.enrol.desk import revoke
from dashboard.i18n import _, ngettext
from dashboard.pages import words
from dashboard.pages.contexts_install import InForm
from dashboard.pages.contexts_tabs import RevokePage, StockPage, StockRow
from dashboard.pages.desk import desk, id_or_404, show, who
from dashboard.pages.install_frame import field, form
from dashboard.pages.typed import Errors
from dashboard.store import installs, stock
from dashboard.store.installs import Box, Full
from dashboard.store.schema import box_access
from wire.claim import MAX_CARD, BoxCard, parse_card
from wire.documents import DocumentError

pages = Blueprint("stocked", __name__)
MOST_FILES = 50


@pages.get("/boxes/stock")
@needs(May.KEEP_BOXES)
def in_stock() -> Response:
    """Boxes that wait to be fitted."""
    return _show(())


@pages.post("/boxes/stock")
@needs(May.KEEP_BOXES)
def enter() -> ResponseReturnValue:
    """Enter boxes from their cards: all of them, or none."""
    at_desk = desk()
    found: list[BoxCard] = []
    errors: list[tuple[str, str]] = []
    files = [item for item in request.files.getlist("file") if item.filename]
    raws = [(item.filename or "", item.stream.read(MAX_CARD + 1)) for item in files[: MOST_FILES + 1]]
    pasted = request.form.get("pasted", "").strip()
    if pasted:
        raws.append((_("what was pasted"), pasted.encode()))
    if not raws or len(raws) > MOST_FILES:
        errors.append(("stock-file", _("Select the cards of the boxes, 50 at most at a time")))
    for name, raw in raws:
        card = _card(raw)
        if isinstance(card, str):
            errors.append(("stock-file", f"{words.plain(name, 80)}: {card}"))
        else:
            found.append(card)
    if not errors:
        again = request.form.get("again") == "yes"
        try:
            with at_desk.engine.begin() as connection:
                for box in found:
                    (stock.reopen if again else stock.stock_box)(
                        connection, box, by=who().account_id, now=at_desk.now()
                    )
        except Full:
            errors.append(("stock-file", _("Too many boxes wait to be fitted already")))
        except ValueError:
            text = (
                _("%(box)s: no household has this box", box=box.site)
                if again
                else _("%(box)s: this box is in use, or was claimed already", box=box.site)
            )
            errors.append(("stock-file", text))
    if errors:
        return _show(tuple(errors))
    return redirect("/boxes/stock", 303)


@pages.post("/boxes/stock/<site>/remove")
@needs(May.KEEP_BOXES)
def remove(site: str) -> ResponseReturnValue:
    """Take a box out of stock."""
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        tenant = at_desk.settings.tenant
        gone = stock.remove(connection, tenant, id_or_404(site), by=who().account_id, now=at_desk.now())
    if not gone:
        abort(404)
    return redirect("/boxes/stock", 303)


@pages.get("/boxes/<site>/revoke")
@needs(May.KEEP_BOXES)
def ask_revoke(site: str) -> Response:
    """Before a box is revoked."""
    return _revoke(site, ())


@pages.post("/boxes/<site>/revoke")
@needs(May.KEEP_BOXES)
@step_up
def revoke_it(site: str) -> ResponseReturnValue:
    """Revoke a box: nothing it says counts, and the enrolment desk ends its session within seconds."""
    at_desk = desk()
    _box(site)
    if request.form.get("sure") != "yes":
        return _revoke(site, (("revoke-sure", _("Say that you mean this box")),))
    revoke(at_desk.engine, site=site, by=who().account_id, now=at_desk.now())
    return redirect(f"/boxes/{site}/revoke", 303)


def _box(site: str) -> Box:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        found = installs.box_of(connection, at_desk.settings.tenant, id_or_404(site))
    if found is None:
        abort(404)
    return found


def _card(raw: bytes) -> BoxCard | str:
    try:
        card = parse_card(raw)
    except DocumentError:
        return _("this is no card of a box")
    if card.tenant != desk().settings.tenant:
        return _("this box is another operator's")
    return card


def _show(errors: Errors) -> Response:
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        found = stock.waiting(connection, at_desk.settings.tenant)
        number = stock.count_waiting(connection, at_desk.settings.tenant)
    enter_ = form(
        _("Enter boxes"),
        "/boxes/stock",
        (
            field("stock", "file", "files", _("Cards of the boxes"), errors=errors),
            field("stock", "pasted", "area", _("Or paste one card here"), value=request.form.get("pasted", "")),
            field(
                "stock",
                "again",
                "checks",
                _("Only for a box that is in use"),
                choices=[("yes", _("It lost what it was given, and may ask once more"), "")],
                value=request.form.get("again", ""),
            ),
        ),
        _("Enter them"),
        says=_("Compare the fingerprint with the box's label, then the box can be claimed with the code on it."),
    )
    page = StockPage(
        summary=ngettext("%(num)s box waits to be fitted.", "%(num)s boxes wait to be fitted.", number),
        boxes=tuple(
            StockRow(
                site=item.site,
                fingerprint=item.fingerprint,
                entered=at_desk.moment(item.entered_at),
                locked=item.locked,
                remove=f"/boxes/stock/{item.site}/remove",
            )
            for item in found
        ),
        left_out=max(0, number - len(found)),
        form=enter_,
        errors=errors,
    )
    title = _("Error: Boxes in stock") if errors else _("Boxes in stock")
    return show(
        "stock", page, title=title, action="view-stock", subject="", section="boxes", status=422 if errors else 200
    )


def _revoke(site: str, errors: Errors) -> Response:
    at_desk, box = desk(), _box(site)
    with at_desk.reads.connect() as connection:
        cut = connection.execute(select(box_access.c.cut_at).where(box_access.c.site == site)).scalar()
    revoked = box.revoked_at
    asked: InForm | None = None
    if revoked is None:
        sure = field(
            "revoke",
            "sure",
            "checks",
            _("This box"),
            choices=[("yes", _("I mean box %(site)s", site=site), "")],
            errors=errors,
        )
        asked = form(_("Revoke the box"), f"/boxes/{site}/revoke", (sure,), _("Revoke the box"))
    page = RevokePage(
        site=site,
        revoked=at_desk.moment_or_none(revoked),
        cut=at_desk.moment_or_none(cut if revoked is not None and cut is not None and cut >= revoked else None),
        form=asked,
        errors=errors,
    )
    title = _("Error: Revoke the box") if errors else _("Revoke the box")
    return show(
        "revoke", page, title=title, action="view-box", subject=site, section="boxes", status=422 if errors else 200
    )
