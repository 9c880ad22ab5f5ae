"""Papers of an installation: the notice and the certificate, as a page and as PDF, in ten languages beside English."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, render_template, request

from dashboard.access import May, needs
from dashboard.i18n import _
from dashboard.installing import notices
from dashboard.installing.notices import Notice, Operator
from dashboard.pages import words
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_install import Paper, PaperPage, PaperSection
from dashboard.pages.desk import audit_view, desk, show
from dashboard.pages.install_frame import Visit, visit
from dashboard.pages.install_order import prepared_of
from dashboard.pdf import pdf_of
from dashboard.store import installs as stored

pages = Blueprint("install_papers", __name__)


def operator() -> Operator:
    """Whose boxes these are, as the settings say."""
    settings = desk().settings
    return Operator(
        name=settings.operator,
        contact=settings.help.contact or settings.operator,
        complaints=settings.help.complaints or settings.operator,
        help_lines=tuple(f"{line.text}: {line.contact}" for line in settings.help.lines),
    )


def notice_of(found: Visit, language: str) -> Notice:
    """The notice of an installation."""
    return notices.notice(prepared_of(found), operator(), language, day=lambda at: _day(at, language))


def _day(at: float, language: str) -> str:
    """A date; where months have no names here, in figures, which are read in all of the languages."""
    if language == "en":
        return words.date(at, desk().zone)
    local = datetime.fromtimestamp(at, UTC).astimezone(desk().zone)
    return f"{local.day}.{local.month}.{local.year}"


@pages.get("/install/<install_id>/notice")
@needs(May.INSTALL)
def notice(install_id: str) -> Response:
    """The notice, to be read or printed."""
    return _paper(_found(install_id), "notice", pdf=False)


@pages.get("/install/<install_id>/notice.pdf")
@needs(May.INSTALL)
def notice_pdf(install_id: str) -> Response:
    """The same as PDF."""
    return _paper(_found(install_id), "notice", pdf=True)


@pages.get("/install/<install_id>/certificate")
@needs(May.INSTALL)
def certificate(install_id: str) -> Response:
    """The certificate of a visit that was signed."""
    return _paper(_signed(install_id), "certificate", pdf=False)


@pages.get("/install/<install_id>/certificate.pdf")
@needs(May.INSTALL)
def certificate_pdf(install_id: str) -> Response:
    """The same as PDF."""
    return _paper(_signed(install_id), "certificate", pdf=True)


def _found(install_id: str) -> Visit:
    with desk().reads.connect() as connection:
        return visit(connection, install_id)


def _signed(install_id: str) -> Visit:
    found = _found(install_id)
    if found.found.signed_at is None or found.found.kind != "install":
        abort(404)
    return found


def _paper(found: Visit, name: str, *, pdf: bool) -> Response:
    language = request.args.get("language", "")
    if language not in notices.LANGUAGES:
        language = _usual(found)
    papers = [_of(found, name, language)]
    if language != "en":
        papers.append(_of(found, name, "en"))
    at = f"{found.address}/{name}"
    page = PaperPage(
        heading=_("Certificate of installation") if name == "certificate" else _("Notice for everybody at the address"),
        reference=found.reference,
        back=found.address,
        pdf=f"{at}.pdf?language={language}",
        languages=tuple((code, own, f"{at}?language={code}", code == language) for code, own in notices.names()),
        papers=tuple(papers),
    )
    action, subject = f"view-{name}", f"{found.found.install_id}/{language}"
    if not pdf:
        return show("install-paper", page, title=page.heading, action=action, subject=subject, section="install")
    audit_view(action, subject)
    made = pdf_of(render_template("paper/paper.html", papers=papers, operator=desk().settings.operator))
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"inline; filename={name}-{language}.pdf"
    return answer


def _usual(found: Visit) -> str:
    """The language of the first who was told."""
    with desk().reads.connect() as connection:
        told = stored.adults_of(connection, found.found.install_id)
    return next((item.language for item in told if item.language in notices.LANGUAGES), "en")


def _of(found: Visit, name: str, language: str) -> Paper:
    made, said = notice_of(found, language), notices.words(language)
    facts: list[tuple[str, str]] = []
    if name == "certificate" and found.found.signed_at is not None:
        facts = [
            (said["fitted"], _day(found.found.signed_at, language)),
            (said["box"], "" if found.box is None else found.box.site),
            (said["reference"], found.reference),
            (said["by"], words.plain(found.answers("sign").get("signature") or found.found.by_name, 120)),
        ]
    return Paper(
        language=made.language,
        direction=made.direction,
        machine_made=made.machine_made,
        title=said["certificate"] if name == "certificate" else made.title,
        facts=tuple(Fact(key=key, value=value) for key, value in facts),
        sections=tuple(
            PaperSection(
                title=words.plain(item.title),
                paragraphs=tuple(words.plain(text, 600) for text in item.paragraphs),
                items=tuple(words.plain(text, 600) for text in item.items),
            )
            for item in made.sections
        ),
        sign="" if name == "certificate" else made.consent if _by_consent(found) else made.receipt,
    )


def _by_consent(found: Visit) -> bool:
    prepared = prepared_of(found)
    return prepared is not None and prepared.kind == "consent"
