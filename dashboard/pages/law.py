"""*Order and notices*: what is in force, what is held here, what is kept for a case, and what can be asked for.

And *Records of a device*: to look at it as at a registered one for a while, to erase its records, to give out a code.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from dashboard.access import May, needs
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.i18n import _
from dashboard.pages import act_forms, acting, clauses, sentences, typed, words
from dashboard.pages.act_forms import Spec
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_law import DeviceLawPage, Document, LawPage, Standing
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.outcomes import outcome_words
from dashboard.pages.typed import Errors
from dashboard.store import devices
from dashboard.store.devices import StoredDevice
from dashboard.store.law import StoredDocument, acts_of, at_of, documents_of, holds_in_force, keep_document, notices_of
from dashboard.store.queries import Household, StoredCommand, write_audit
from wire.acts import MAX_AUTHORITY_TEXT, IssueCode, SetAuthority
from wire.authority import Authority, AuthorityError, parse_signed, verify
from wire.keys import verify_key

pages = Blueprint("law", __name__)

_OF_HOME = ("pause-recording", "resume-recording", "withdraw-consent", "set-hold", "end-hold", "set-authority")
_OF_DEVICE = ("unmask", "end-unmask", "erase-records", "issue-code")
_ON_PAGE = ("pause", "resume", "withdraw", "hold")
UPLOAD = Spec(
    key="document",
    heading="Hand in a signed document",
    says="It is checked against the keys of those who may issue one, and kept here. Another officer must agree before "
    "it is sent to the box.",
    button="Check, and ask to put in force",
    fields=(
        ("file", "file", "Signed document", ""),
        ("reason", "area", "Reason", "It is kept with your decision. Do not use anyone's name."),
    ),
    make=lambda _: None,
    two=True,
)


@pages.get("/households/<site>/law")
@needs(May.SEE)
def law(site: str) -> Response:
    """Authority, pauses, holds."""
    with desk().reads.connect() as connection:
        return _show(connection, household_or_404(connection, site), None, ())


@pages.post("/households/<site>/law/document")
@needs(May.DECIDE)
def document(site: str) -> ResponseReturnValue:
    """Hand a signed document in."""
    asking, at_desk = officer(), desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
    sent = request.files.get("file")
    raw = b"" if sent is None else sent.stream.read(MAX_AUTHORITY_TEXT + 1)
    reason = " ".join(typed.tidy(request.form.get("reason", "")).split())
    token = request.form.get("token", "")
    errors = [(f"document-{name}", text) for name, text in typed.reason_errors("reason", reason, act_forms.MOST_REASON)]
    if not TOKEN.fullmatch(token):
        errors.append(("document-file", typed.INCOMPLETE))
    found = _checked(at_desk, site, raw)
    if isinstance(found, str):
        errors.append(("document-file", found))
    if errors or isinstance(found, str):
        with at_desk.reads.connect() as connection:
            return _show(connection, home, request.form, tuple(errors))
    text = raw.decode()
    with at_desk.engine.begin() as connection:
        kept = keep_document(
            connection,
            site_id=site,
            authority_id=found.id,
            number=found.number,
            document=text,
            by=asking.account_id,
            now=at_desk.now(),
        )
        if kept:
            write_audit(
                connection,
                at=at_desk.now(),
                account_id=asking.account_id,
                action="hold-document",
                subject=f"{site}/{found.id}/{found.number}",
                outcome="kept",
            )
    order = SetAuthority(document=text)
    try:
        if kept:
            return send(Decision(token=token, order=lambda _: order, reason=reason, device_id=None), site)
        errors.append(("document-file", "This household has too many documents. Tell whoever looks after the service"))
    except AlreadySent as error:
        errors.append(("document-file", again(error)))
    with at_desk.reads.connect() as connection:
        return _show(connection, home, request.form, tuple(errors))


@pages.post("/households/<site>/law/<act>")
@needs(May.DECIDE)
def act(site: str, act: str) -> ResponseReturnValue:
    """Ask for an act about the household."""
    officer()
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        known = acting.known_devices(connection, site)
    spec = act_forms.OF_HOME.get(act)
    if spec is None or spec is act_forms.BUNDLE:
        abort(404)
    decision, errors = act_forms.check(spec, acting.given(at_desk, request.form, known=known))
    if decision is not None:
        try:
            return send(decision, site)
        except AlreadySent as error:
            errors = ((f"{spec.key}-reason", again(error)),)
    with at_desk.reads.connect() as connection:
        return _show(connection, home, request.form, errors)


@pages.get("/households/<site>/devices/<device>/law")
@needs(May.DECIDE)
def device_law(site: str, device: str) -> ResponseReturnValue:
    """What can be asked for about one device."""
    officer()
    with desk().reads.connect() as connection:
        home, row = _device(connection, site, device)
        if row.device_id != device:
            return redirect(f"/households/{site}/devices/{row.device_id}/law", 303)
        return _show_device(connection, home, row, None, ())


@pages.post("/households/<site>/devices/<device>/law/<act>")
@needs(May.DECIDE)
def device_act(site: str, device: str, act: str) -> ResponseReturnValue:
    """Ask for an act about one device."""
    officer()
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home, row = _device(connection, site, device)
    spec = act_forms.OF_DEVICE.get(act)
    if spec is None:
        abort(404)
    found = acting.given(at_desk, request.form, device_id=row.device_id)
    decision, errors = act_forms.check(spec, found)
    code, until = "", None
    if decision is not None:
        try:
            answer = send(decision, site)
        except AlreadySent as error:
            errors = ((f"{spec.key}-reason", again(error)),)
        else:
            if spec is not act_forms.CODE:
                return answer
            # Shown on the answer itself and kept nowhere; the form sent again makes the same code.
            code = act_forms.code_of(found.secret, decision.token)
            order = decision.order(at_desk.now())
            until = order.expires.timestamp() if isinstance(order, IssueCode) else None
    with at_desk.reads.connect() as connection:
        return _show_device(connection, home, row, request.form, errors, code=code, until=until)


def _device(connection: Connection, site: str, device: str) -> tuple[Household, StoredDevice]:
    home = household_or_404(connection, site)
    row = devices.devices_named(connection, site, {id_or_404(device)}).get(device)
    if row is None:
        abort(404)
    return home, row


def _checked(at_desk: Desk, site: str, raw: bytes) -> Authority | str:
    """The document, or what is wrong with it."""
    if not raw:
        return "Select the signed document"
    if len(raw) > MAX_AUTHORITY_TEXT:
        return f"The document must have {MAX_AUTHORITY_TEXT:,} octets or fewer"
    try:
        raw.decode()
        issuers = [verify_key(text) for text in at_desk.settings.authority_issuers]
        found = verify(parse_signed(raw), issuers)
    except (AuthorityError, ValueError):
        return "This is not a document signed by one of those who may issue one. Have it signed again"
    if (found.tenant, found.site) != (at_desk.settings.tenant, site):
        return "The document is for another household"
    return found


def _show(connection: Connection, home: Household, sent: Mapping[str, str] | None, errors: Errors) -> Response:
    at_desk, site = desk(), home.site
    said = sentences.status(home.status)
    asked = acts_of(connection, site, _OF_HOME)
    held = documents_of(connection, site)
    holds = holds_in_force(connection, site, at_desk.now())
    notices = notices_of(connection, site)
    known = acting.known_devices(connection, site)
    bar = household_bar(at_desk, connection, home, "order")
    connection.close()
    acts = who().role.acts
    at = f"/households/{site}/law"
    states = {item.body.get("document"): outcome_words(item, at_desk.now())[0] for item in reversed(asked)}
    page = LawPage(
        bar=bar,
        recording="Not known: the box has not said" if said is None else ("Yes" if said.recording else "No"),
        authority=words.plain(said.authority) if said and said.authority else "The box has not said.",
        documents=tuple(_document(at_desk, row, states.get(row.document, "Not sent")) for row in held),
        notices=tuple((at_desk.moment(at), words.plain(language, 8)) for at, language in notices),
        person_address=f"/households/{site}/person",
        handed_address=f"/households/{site}/handed",
        requests_address=f"/households/{site}/requests",
        upload=acting.form(UPLOAD, f"{at}/document", typed=sent, errors=errors)
        if acts and at_desk.settings.authority_issuers
        else None,
        held=tuple(
            _held(at_desk, item, f"{at}/end-hold", acts=acts, number=number) for number, item in enumerate(holds, 1)
        ),
        asked=asked_rows(at_desk, asked[:10]),
        forms=tuple(
            acting.form(spec, f"{at}/{spec.key}", known=known, typed=sent, errors=errors)
            for spec in acting.specs(act_forms.OF_HOME, *_ON_PAGE)
        )
        if acts
        else (),
        errors=errors,
    )
    return show(
        "law",
        page,
        title=_("Error: Order and notices") if errors else _("Order and notices"),
        action="view-law",
        subject=site,
        section="households",
        status=422 if errors else 200,
    )


def _show_device(
    connection: Connection,
    home: Household,
    row: StoredDevice,
    sent: Mapping[str, str] | None,
    errors: Errors,
    *,
    code: str = "",
    until: float | None = None,
) -> Response:
    at_desk, site = desk(), home.site
    asked = [item for item in acts_of(connection, site, _OF_DEVICE) if item.body.get("device_id") == row.device_id]
    bar = household_bar(at_desk, connection, home, "devices")
    connection.close()
    at = f"/households/{site}/devices/{row.device_id}"
    page = DeviceLawPage(
        bar=bar,
        back=at,
        device=acting.short(row, row.device_id),
        code=code,
        code_until=at_desk.moment_or_none(until),
        asked=asked_rows(at_desk, asked[:10]),
        forms=tuple(
            acting.form(spec, f"{at}/law/{spec.key}", typed=sent, errors=errors)
            for spec in acting.specs(act_forms.OF_DEVICE, "unmask", "end-unmask", "erase", "code")
        ),
        errors=errors,
    )
    return show(
        "device-law",
        page,
        title="Error: Records of a device" if errors else "Records of a device",
        action="view-device-law",
        subject=f"{site}/{row.device_id}",
        section="households",
        status=422 if errors else 200,
    )


def _document(at_desk: Desk, row: StoredDocument, state: str) -> Document:
    try:
        found = parse_signed(row.document.encode()).document
    except AuthorityError:
        return Document(name=f"{row.authority_id}, number {row.number}", state=state, facts=(), clauses=(), consents=())
    return Document(
        name=f"{words.plain(found.id, 64)}, number {found.number}",
        state=state,
        facts=_facts(clauses.head(found, at_desk.zone)),
        clauses=_facts(clauses.clauses(found)),
        consents=_facts(clauses.consents(found, at_desk.zone)),
    )


def _facts(lines: tuple[tuple[str, str], ...]) -> tuple[Fact, ...]:
    return tuple(Fact(key=key, value=value) for key, value in lines)


def _held(at_desk: Desk, item: StoredCommand, target: str, *, acts: bool, number: int) -> Standing:
    since, until, review = (at_of(item.body.get(name)) for name in ("since", "until", "review"))
    device = item.body.get("device_id")
    whose = f"Device {words.plain(device, 12)}" if device else "All devices"
    return Standing(
        text=f"{words.date(since, at_desk.zone)} to {words.date(until - 1, at_desk.zone)}",
        detail=f"{whose}. Kept until {words.date(review, at_desk.zone)}. Because: {words.plain(item.reason)}",
        form=acting.form(
            act_forms.END_HOLD, target, values={"reference": str(item.body.get("hold_id", ""))}, suffix=f"-{number}"
        )
        if acts
        else None,
    )
