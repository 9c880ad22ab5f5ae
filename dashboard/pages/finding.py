"""*Finding*: what was seen, why it matters, how sure, what else could explain it; and the form that decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from dashboard.access import May, needs
from dashboard.commands import AlreadySent, Decision
from dashboard.i18n import _, ngettext
from dashboard.pages import deciding, evidence, sentences, words
from dashboard.pages.asking import again, asked_rows, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.cards import finding_card, finding_line
from dashboard.pages.contexts_arranged import QuietForm
from dashboard.pages.contexts_device import KeyForm, Register
from dashboard.pages.contexts_household import FindingPage
from dashboard.pages.contexts_review import ReasonForm, ReviewForm
from dashboard.pages.desk import Desk, desk, household_or_404, id_or_404, show, who
from dashboard.pages.device_forms import key_form
from dashboard.pages.forms import Standed
from dashboard.pages.forms_arranged import Irrelevant
from dashboard.pages.forms_review import Reviewed
from dashboard.pages.quieting import quiet_form
from dashboard.pages.registering import register_form
from dashboard.pages.rows import device_row, proposal_card
from dashboard.pages.typed import Errors
from dashboard.store import charge, devices, queries, reviews
from dashboard.store.devices import StoredDevice
from dashboard.store.outcomes import State
from dashboard.store.queries import StoredFinding
from dashboard.store.reviews import Act, Review
from dashboard.store.schema import account
from wire.findings import Finding, Severity

MOST_ACCOUNTS = 100
"""That a finding may be referred to."""

pages = Blueprint("finding", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A form of the page that came back with something wrong."""

    register: Standed | None = None
    quiet: Irrelevant | None = None
    review: Reviewed | None = None
    reason: Reviewed | None = None
    """Of the form for a second look, or to reopen."""
    meanwhile: bool = False
    """Somebody else had decided when it was sent."""
    errors: Errors = ()


_NOTHING = Sent()


@pages.get("/households/<site>/findings/<finding>")
@needs(May.SEE)
def finding(site: str, finding: str) -> Response:
    """One finding."""
    with desk().reads.connect() as connection:
        return show_finding(connection, site, finding_or_404(connection, site, finding), _NOTHING)


@pages.post("/households/<site>/findings/<finding>")
@needs(May.DECIDE)
def register(site: str, finding: str) -> ResponseReturnValue:
    """Say what the finding's device is."""
    officer()
    fields = Standed.read(request.form)
    with desk().reads.connect() as connection:
        row = finding_or_404(connection, site, finding)
        if row.device_id is None:
            abort(404)
        root = devices.devices_named(connection, site, [row.device_id]).get(row.device_id)
    decision, errors = fields.check(row.device_id if root is None else root.device_id)
    return _send(site, row, decision, Sent(register=fields, errors=errors), "standing")


@pages.post("/households/<site>/findings/<finding>/quiet")
@needs(May.DECIDE)
def quiet(site: str, finding: str) -> ResponseReturnValue:
    """Say that the finding is not relevant here (R30)."""
    officer()
    fields = Irrelevant.read(request.form)
    with desk().reads.connect() as connection:
        row = finding_or_404(connection, site, finding)
        own = [] if row.device_id is None else [row.device_id]
        root = devices.devices_named(connection, site, own).get(row.device_id or "")
    if not sentences.quiets(row.kind):
        abort(404)
    # A box calls a rule by the kind of its findings, and a device by what it counts as part of.
    whose = row.device_id if root is None else root.device_id
    decision, errors = fields.check(rule=row.kind, finding_id=row.finding_id, device_id=whose)
    return _send(site, row, decision, Sent(quiet=fields, errors=errors), "quiet-scope")


def finding_or_404(connection: Connection, site: str, finding_id: str) -> StoredFinding:
    """The finding of an address, in a household that who is asking may see."""
    household_or_404(connection, site)
    row = queries.finding_of(connection, site, id_or_404(finding_id))
    if row is None:
        abort(404)
    return row


def _send(site: str, row: StoredFinding, decision: Decision | None, sent: Sent, field: str) -> ResponseReturnValue:
    if decision is not None:
        try:
            return send(decision, site)
        except AlreadySent as error:
            sent = replace(sent, errors=((field, again(error)),))
    with desk().reads.connect() as connection:
        return show_finding(connection, site, row, sent)


def show_finding(connection: Connection, site: str, row: StoredFinding, sent: Sent) -> Response:
    """Show a finding, with what was sent and is wrong."""
    at_desk = desk()
    home = household_or_404(connection, site)
    own = [] if row.device_id is None else [row.device_id]
    proposals = []
    if own and sentences.registers(row.kind):
        proposals = [item for item in devices.proposals_about(connection, site, own) if item.state == "open"]
    others = queries.same_cause(connection, site, row)
    named = {*own, *(item for one in proposals for item in (one.device_id, one.other_id))}
    named |= {item.device_id for item in others if item.device_id is not None}
    known = devices.devices_named(connection, site, named)
    device = known.get(row.device_id or "")
    about = sorted({*own, *([device.device_id] if device else [])})
    asked = queries.commands_about(connection, site, about, finding_id=row.finding_id)
    answers = queries.answers_to(connection, site, [item.proposal_id for item in proposals])
    found = reviews.review_of(connection, site, row.finding_id)
    history = reviews.history_of(connection, site, row.finding_id) if found else ()
    like = reviews.earlier(connection, site, kind=row.kind, device_id=row.device_id, without=row.finding_id)
    accounts = _accounts(connection, site)
    bar = household_bar(at_desk, connection, home, "findings")
    whole = sentences.payload(row.payload)
    hit = whole.hit if whole else None
    wrong = reviews.wrong_of_list(connection, hit.list_id) if hit else 0
    connection.close()
    innocent = (*(whole.alternatives if whole else ()), *sentences.innocent(row.kind))
    card = finding_card(at_desk, site, row, device)
    page = FindingPage(
        bar=bar,
        card=card,
        standing=deciding.standing(at_desk, row, found, history),
        earlier=deciding.earlier_rows(at_desk, site, like),
        wrong=_wrong(wrong) if hit else "",
        signals=_signals(whole),
        matched=evidence.matched(whole),
        reasons=evidence.reasons(whole)[1 if card.headline else 0 :],
        alternatives=tuple(dict.fromkeys(words.plain(other) for other in innocent)),
        facts=evidence.facts(row, whole, at_desk.zone),
        device=None if device is None else device_row(at_desk, site, device),
        proposals=tuple(proposal_card(at_desk, site, item, known, answers.get(item.proposal_id)) for item in proposals),
        asked=asked_rows(at_desk, asked),
        others_title=sentences.others(row.cause),
        others=tuple(finding_line(at_desk, site, item, known.get(item.device_id or "")) for item in others),
        **_forms(at_desk, site, row, device, sent),
        **_review_forms(at_desk, site, row, found, history, accounts=accounts, others=others, sent=sent),
    )
    return show(
        "finding",
        page,
        title=_("Error: Finding") if sent.errors or sent.meanwhile else _("Finding"),
        action="view-finding",
        subject=f"{site}/{row.finding_id}",
        section="households",
        live=True,
        status=422 if sent.errors or sent.meanwhile else 200,
    )


def _accounts(connection: Connection, site: str) -> tuple[tuple[str, str], ...]:
    """Who else may decide about a household, by name."""
    if not who().role.acts:
        return ()
    query = select(account.c.account_id, account.c.name).where(
        charge.seers(site, desk().now()), account.c.account_id != who().account_id
    )
    return tuple((row[0], row[1]) for row in connection.execute(query.order_by(account.c.name).limit(MOST_ACCOUNTS)))


def _wrong(number: int) -> str:
    if not number:
        return _("Nobody has said yet that an entry of this list was wrong or not relevant.")
    times = ngettext("%(num)d time", "%(num)d times", number)
    return _("Officers said %(times)s that an entry of this list was wrong or not relevant.", times=times)


def _signals(whole: Finding | None) -> str:
    """How many independent signals agree (S5); where the box does not count them, that it does not."""
    if whole is None:
        return ""
    if whole.signals is None:
        return _("The box does not say how many independent signals agree. Take it as one.")
    return words.agree(whole.signals)


class _ReviewForms(TypedDict):
    review: ReviewForm | None
    second: ReasonForm | None
    reopen: ReasonForm | None


def _review_forms(
    at_desk: Desk,
    site: str,
    row: StoredFinding,
    found: Review | None,
    history: Sequence[Act],
    *,
    accounts: tuple[tuple[str, str], ...],
    others: Sequence[StoredFinding],
    sent: Sent,
) -> _ReviewForms:
    made = _ReviewForms(review=None, second=None, reopen=None)
    asking = who()
    if not asking.role.acts:
        return made
    at = f"/households/{site}/findings/{row.finding_id}"
    open_state = found is None or found.state in {State.REOPENED, State.FOLLOW_UP, State.REFERRED}
    came_back = row.looked_at is None and row.severity != Severity.INFORMATION
    if open_state or came_back or sent.meanwhile or sent.review:
        made["review"] = deciding.review_form(
            at_desk,
            row,
            found,
            history,
            at=at,
            accounts=accounts,
            others=deciding.alike(others),
            typed=sent.review,
            errors=sent.errors if sent.review else (),
            meanwhile=sent.meanwhile,
        )
    elif found is not None:
        errors = sent.errors if sent.reason else ()
        if found.state == State.SECOND and found.by != asking.account_id:
            made["second"] = deciding.reason_form("second", at, found, typed=sent.reason, errors=errors)
        else:
            made["reopen"] = deciding.reason_form("reopen", at, found, typed=sent.reason, errors=errors)
    return made


class _Forms(TypedDict):
    register: Register | None
    key: KeyForm | None
    quiet: QuietForm | None


def _forms(at_desk: Desk, site: str, row: StoredFinding, device: StoredDevice | None, sent: Sent) -> _Forms:
    made = _Forms(register=None, key=None, quiet=None)
    if not who().role.acts:
        return made
    whole = sentences.payload(row.payload)
    opened = row.state == "open"
    at = f"/households/{site}/findings/{row.finding_id}"
    if row.device_id is not None:
        errors = sent.errors if sent.register else ()
        wanted = opened and sentences.registers(row.kind)
        made["register"] = register_form(at_desk, at, device, asked_for=wanted, typed=sent.register, errors=errors)
    if device is not None and opened and sentences.speaks_of_passphrase(row.kind):
        # A form of the device's page: what comes back with something wrong is shown there.
        device_at = f"/households/{site}/devices/{device.device_id}/passphrase"
        made["key"] = key_form(device_at, None, (), key_id=whole.key_id if whole else None)
    if opened and sentences.quiets(row.kind):
        errors = sent.errors if sent.quiet else ()
        made["quiet"] = quiet_form(
            row.kind, f"{at}/quiet", of_device=row.device_id is not None, typed=sent.quiet, errors=errors
        )
    return made
