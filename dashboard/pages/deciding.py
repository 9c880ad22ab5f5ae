"""Words for what people decide about findings, and the forms for it. Stored rows in, contexts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dashboard import commands
from dashboard.i18n import N_, _
from dashboard.pages import words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_review import ActRow, EarlierRow, ReasonForm, ReviewForm, Standing
from dashboard.pages.desk import Desk
from dashboard.pages.forms_review import Reviewed
from dashboard.pages.typed import DAY, Errors
from dashboard.store.outcomes import Action, Heading, Outcome, Purpose, State
from dashboard.store.queries import StoredFinding
from dashboard.store.reviews import FAILED, Act, Review
from wire.findings import Severity

ACTIONS: Mapping[str, str] = {
    Action.REGISTER: N_("Answered the box"),
    Action.ASK: N_("Ask the person"),
    Action.REFER: N_("Refer to somebody in the team"),
    Action.NONE: N_("No action"),
}
_HINTS: Mapping[str, str] = {
    Action.ASK: N_("It comes back to Today on the day you choose."),
    Action.REFER: N_("They are told, and it is on their Today."),
    Action.NONE: N_("Say what it turned out to be."),
}
OUTCOMES: Mapping[str, str] = {
    Outcome.EXPLAINED: N_("Explained"),
    Outcome.REGISTERED: N_("Explained and registered"),
    Outcome.VISITOR: N_("A visitor's device"),
    Outcome.WORK: N_("A work device"),
    Outcome.HOUSEHOLD: N_("Belongs to somebody else in the household"),
    Outcome.SAME_DEVICE: N_("A known device with a new address"),
    Outcome.BY_ITSELF: N_("A device or an app does this by itself"),
    Outcome.NOT_RELEVANT: N_("Not relevant here"),
    Outcome.LIST_WRONG: N_("The entry of the list is wrong"),
    Outcome.BOX_FAULT: N_("The box was mistaken"),
    Outcome.TALKED_OVER: N_("Talked over with the person"),
    Outcome.MORE_NEEDED: N_("More is done about it elsewhere"),
    Outcome.UNCLEAR: N_("Could not be cleared up"),
}
PURPOSES: Mapping[str, str] = {
    Purpose.PREVENTION: N_("Prevention: it helped to keep something from happening"),
    Purpose.DETECTION: N_("Detection: it showed something that had happened"),
}
HEADINGS: Mapping[str, str] = {
    Heading.OPPORTUNITY: N_("Opportunity"),
    Heading.PREOCCUPATION: N_("Sexual preoccupation"),
    Heading.INTERESTS: N_("Offence-related interests"),
    Heading.CONGRUENCE: N_("Emotion congruence"),
    Heading.HOSTILE: N_("Hostile orientation"),
    Heading.SELF_MANAGEMENT: N_("Self-management"),
    Heading.SOCIAL_INFLUENCES: N_("Social influences"),
    Heading.COMMITMENT: N_("Commitment to desist"),
    Heading.RELATIONSHIP: N_("Intimate relationship"),
    Heading.ROUTINE: N_("Employment or routine"),
    Heading.INVESTMENT: N_("Social investment"),
}
_ACTS: Mapping[str, str] = {
    "agree": N_("A second person agreed"),
    "disagree": N_("A second person did not agree"),
    "reopen": N_("Opened again"),
    "look": N_("Looked through"),
}


def outcome_text(at_desk: Desk, outcome: str | None) -> str:
    """An outcome in the operator's words, or ours; empty for none."""
    if outcome is None:
        return ""
    own = {str(key): text for key, text in at_desk.settings.reviews.outcomes.items()}
    return words.plain(own[outcome], 60) if outcome in own else _(OUTCOMES.get(outcome, outcome))


def decided_text(at_desk: Desk, action: str, outcome: str | None) -> str:
    """What was decided, in words."""
    said = outcome_text(at_desk, outcome)
    what = _(ACTIONS.get(action, action))
    return f"{what}: {said}" if said else what


def standing(at_desk: Desk, row: StoredFinding, found: Review | None, history: Sequence[Act]) -> Standing:
    """How a finding's review stands."""
    acts = tuple(
        ActRow(
            text=_act_text(at_desk, act),
            reason=words.plain(act.reason, 500),
            by=words.plain(act.by_name, 120),
            at=at_desk.moment(act.at),
        )
        for act in history
    )
    waits = row.looked_at is None and row.severity != Severity.INFORMATION
    # Who opened it again is not who had decided.
    opened = acts[0] if acts and found is not None and found.state == State.REOPENED else None
    by = "" if found is None else words.plain(found.by_name, 120)
    return Standing(
        text=_state(at_desk, row, found),
        waits=waits,
        outcome="" if found is None or opened else outcome_text(at_desk, found.outcome),
        reason=opened.reason if opened else "" if found is None else words.plain(found.reason, 500),
        by=opened.by if opened else by,
        at=opened.at if opened else None if found is None else at_desk.moment(found.at),
        purpose="" if found is None or found.purpose is None else _(PURPOSES.get(found.purpose, found.purpose)),
        exculpatory="" if found is None else words.plain(found.exculpatory or "", 500),
        heading="" if found is None or found.heading is None else _(HEADINGS.get(found.heading, found.heading)),
        since=_since(at_desk, row, found),
        history=acts,
    )


def decided_line(at_desk: Desk, row: StoredFinding, found: Review | None) -> str:
    """What was decided about a finding, by whom and when, in one line; empty for what waits for nobody."""
    if row.severity == Severity.INFORMATION:
        return ""
    if row.looked_at is None or found is None:
        return _("Nobody has decided")
    by = f"{words.plain(found.by_name, 120)}, {words.date_time(found.at, at_desk.zone)}"
    return f"{decided_text(at_desk, found.action, found.outcome)}. {by}"


def _act_text(at_desk: Desk, act: Act) -> str:
    return _(_ACTS[act.act]) if act.act in _ACTS else decided_text(at_desk, act.action, act.outcome)


def alike(others: Sequence[StoredFinding]) -> tuple[str, ...]:
    """Those of the same cause that wait for a decision too."""
    return tuple(one.finding_id for one in others if one.looked_at is None and one.severity != Severity.INFORMATION)


def _state(at_desk: Desk, row: StoredFinding, found: Review | None) -> str:  # noqa: PLR0911 - one sentence a state
    if found is None:
        if row.severity == Severity.INFORMATION:
            return _("For information: it waits for nobody.")
        return _("Nobody has decided about this yet.")
    if found.state == State.REOPENED:
        return _("It was opened again and waits for a decision.")
    if row.looked_at is None and row.severity != Severity.INFORMATION:
        return _("It came back, or became more urgent, after it was decided. It waits for a decision.")
    if found.command_state in FAILED and found.state == State.SETTLED:
        return _("It was decided, but the box did not do what was asked. Look again.")
    if found.state == State.SECOND:
        return _("It was decided, and waits for a second person.")
    if found.state == State.FOLLOW_UP and found.follow_up_at is not None:
        return _("To be asked. It comes back on %(date)s.", date=words.date(found.follow_up_at, at_desk.zone))
    if found.state == State.REFERRED:
        return _("Referred to %(name)s.", name=words.plain(found.referred_name or found.referred_to or "", 120))
    return _("Decided.")


def _since(at_desk: Desk, row: StoredFinding, found: Review | None) -> str:
    if found is None or row.last_seen <= found.at:
        return ""
    return _("Seen again since: last on %(at)s.", at=words.date_time(row.last_seen, at_desk.zone))


def review_form(
    at_desk: Desk,
    row: StoredFinding,
    found: Review | None,
    history: Sequence[Act],
    *,
    at: str,
    accounts: Sequence[tuple[str, str]],
    others: Sequence[str],
    typed: Reviewed | None = None,
    errors: Errors = (),
    meanwhile: bool = False,
) -> ReviewForm:
    """The form that decides; `meanwhile` when somebody else was quicker than what is in it."""
    rules = at_desk.settings.reviews
    usual = at_desk.now() + rules.follow_up_days * DAY
    day = datetime.fromtimestamp(usual, UTC).astimezone(at_desk.zone).date().isoformat()
    said = typed or Reviewed.empty(commands.new_token(), follow_up=day)
    needed = row.kind in rules.second_kinds or row.severity in rules.second_severities
    actions = [Action.ASK, Action.REFER, Action.NONE] if accounts else [Action.ASK, Action.NONE]
    return ReviewForm(
        target=f"{at}/review",
        token=commands.new_token() if meanwhile else said.token,
        seen=0 if found is None else found.version,
        over=meanwhile,
        meanwhile=""
        if not history or not meanwhile
        else _(
            "%(name)s decided about this on %(at)s: %(what)s. Because: %(reason)s",
            name=words.plain(history[0].by_name, 120),
            at=words.date_time(history[0].at, at_desk.zone),
            what=_act_text(at_desk, history[0]),
            reason=words.plain(history[0].reason, 500),
        ),
        actions=tuple(
            Choice(value=one, text=_(ACTIONS[one]), hint=_(_HINTS[one]), checked=said.action == one) for one in actions
        ),
        outcomes=outcome_choices(at_desk, said.outcome),
        accounts=tuple(
            Choice(value=key, text=words.plain(name, 120), hint="", checked=said.referred_to == key)
            for key, name in accounts
        ),
        follow_up=said.follow_up,
        reason=said.reason,
        second=said.second or needed,
        second_needed=needed,
        purposes=_choices(PURPOSES, said.purpose),
        exculpatory=said.exculpatory,
        headings=_choices(HEADINGS, said.heading),
        others=tuple(others),
        together=said.together,
        more=bool(said.second or said.purpose or said.exculpatory or said.heading),
        skip=f"/next?after={at.split('/')[2]}/{row.finding_id}",
        errors=errors,
    )


def outcome_choices(at_desk: Desk, chosen: str) -> tuple[Choice, ...]:
    """What a finding may turn out to be."""
    return tuple(
        Choice(value=one, text=outcome_text(at_desk, one), hint="", checked=chosen == one)
        for one in Outcome
        if one is not Outcome.REGISTERED
    )


def reason_form(key: str, at: str, found: Review, *, typed: Reviewed | None = None, errors: Errors = ()) -> ReasonForm:
    """A form that asks for a reason alone."""
    return ReasonForm(
        key=key,
        target=f"{at}/{key}",
        token=commands.new_token(),
        seen=found.version,
        reason="" if typed is None else typed.reason,
        errors=errors,
    )


def earlier_rows(
    at_desk: Desk, site: str, rows: Sequence[tuple[str, float, str | None, str | None]]
) -> tuple[EarlierRow, ...]:
    """Earlier findings like one, and what was decided about each."""
    return tuple(
        EarlierRow(
            at=at_desk.moment(last_seen),
            text=_("Nobody has decided") if action is None else decided_text(at_desk, action, outcome),
            address=f"/households/{site}/findings/{finding_id}",
        )
        for finding_id, last_seen, action, outcome in rows
    )


def _choices(said: Mapping[str, str], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value=one, text=_(text), hint="", checked=one == chosen) for one, text in said.items())
