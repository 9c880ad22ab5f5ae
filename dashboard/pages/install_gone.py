"""The certificate that a box was taken away, as a page and as PDF: what it destroyed, or that it could not be reached (R6)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template

from dashboard import i18n
from dashboard.access import May, needs
from dashboard.i18n import _
from dashboard.installing import steps
from dashboard.pages import words
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_install import Paper, PaperPage, PaperSection
from dashboard.pages.desk import audit_view, desk, show
from dashboard.pages.install_frame import Visit, visit
from dashboard.pdf import pdf_of

pages = Blueprint("install_gone", __name__)


@pages.get("/install/<install_id>/removal")
@needs(May.INSTALL)
def certificate(install_id: str) -> Response:
    """The certificate."""
    found = _done(install_id)
    page = PaperPage(
        heading=_("Certificate of removal"),
        reference=found.reference,
        back=found.address,
        pdf=f"{found.address}/removal.pdf",
        languages=(),
        papers=(_paper(found),),
    )
    subject = found.found.install_id
    return show("install-paper", page, title=page.heading, action="view-removal", subject=subject, section="install")


@pages.get("/install/<install_id>/removal.pdf")
@needs(May.INSTALL)
def certificate_pdf(install_id: str) -> Response:
    """The same as PDF."""
    found = _done(install_id)
    audit_view("view-removal", found.found.install_id)
    made = pdf_of(render_template("paper/paper.html", papers=[_paper(found)], operator=desk().settings.operator))
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = "inline; filename=removal.pdf"
    return answer


def _done(install_id: str) -> Visit:
    with desk().reads.connect() as connection:
        found = visit(connection, install_id)
    if found.found.kind != "removal" or found.found.state != "done":
        abort(404)
    return found


def _paper(found: Visit) -> Paper:
    at_desk, held = desk(), found.answers("wipe")
    closed = found.found.closed_at or 0.0
    minutes = steps.total_minutes(found.found, found.saved)
    facts = [
        (_("Number"), found.found.install_id),
        (_("Reference"), found.reference),
        (_("Box"), "" if found.box is None else found.box.site),
        (_("Taken away"), words.date_time(closed, at_desk.zone)),
        (_("By"), words.plain(found.found.by_name, 120)),
    ]
    if minutes is not None:
        facts.append((_("Minutes at the address"), str(round(minutes))))
    if "at" in held:
        facts.append((_("Emptied"), words.date_time(float(held["at"]), at_desk.zone)))
        facts.append((_("Keys destroyed"), str(held.get("keys", ""))))
        facts.append((_("Files removed"), str(held.get("files", ""))))
        kept = _("The last word of the box was that it destroys its keys, and with them all that it kept of this home.")
    elif held.get("failed"):
        kept = _("The box could not destroy what it keeps of this home. Nobody uses it before it is emptied.")
    else:
        kept = _(
            "The box could not be reached, so it has not said that it is empty. Nobody uses it before it is emptied."
        )
    sections = (
        PaperSection(
            title=_("What was done"),
            paragraphs=(
                _("The box was taken away. Nothing is recorded at this address any more."),
                kept,
                _("The home's own router works as before. The box's certificate counts no more."),
            ),
            items=(),
        ),
        PaperSection(
            title=_("What is still kept"),
            paragraphs=(
                _("What the box had sent before is kept by the operator for as long as the law and the order say."),
            ),
            items=(),
        ),
    )
    return Paper(
        language=i18n.language(),
        direction="ltr",
        machine_made=i18n.language() in i18n.MACHINE_MADE,
        title=_("Certificate of removal"),
        facts=tuple(Fact(key=key, value=value) for key, value in facts),
        sections=sections,
        sign="",
    )
