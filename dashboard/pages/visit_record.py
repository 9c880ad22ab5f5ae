"""What is signed at the end of a visit: one record of what was said and what the box had then, and its page.

In: a visit, its lines and the household as it stands. Out: a record of plain values that is stored and never changed,
with the line for the case system in it; and the context that shows it again. A record of a later form is shown as far
as it is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.i18n import _
from dashboard.pages import roll_call, screening, visiting, words
from dashboard.pages.case_line import Said, case_line
from dashboard.pages.contexts import Fact
from dashboard.pages.contexts_bar import HouseholdBar
from dashboard.pages.contexts_visit import Added, AddForm, RollLine, SignedPage
from dashboard.pages.desk import Desk
from dashboard.pages.typed import Errors
from dashboard.pages.visiting import Facts
from dashboard.store import forgetting
from dashboard.store.queries import Household
from dashboard.store.visits import Addendum, Line, StoredVisit


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What was entered when signing."""

    outcome: str
    note: str
    own_words: str
    explained: tuple[str, ...]
    name: str


def record_of(
    at_desk: Desk,
    home: Household,
    row: StoredVisit,
    *,
    lines: tuple[Line, ...],
    facts: Facts,
    signing: Signing,
    person: str,
) -> dict[str, Any]:
    """The record; `person` is what the line may call the person, empty to leave it out."""
    called = roll_call.called(lines, facts.presence, row.found)
    line = Said(
        day=words.date(row.started_at, at_desk.zone),
        household=home.title,
        person=person,
        called=called,
        open_findings=facts.opened,
        reporting=facts.reporting,
        outcome=signing.outcome,
        reference=row.visit_id,
    )
    return {
        "form": 1,
        "started_at": row.started_at,
        "by": row.by,
        "present": list(row.present),
        "question_set": row.question_set,
        "answers": dict(row.answers),
        "differences": list(screening.differences(row.answers, facts.saw)),
        "saw": facts.saw.as_dict(),
        "lines": [
            {
                "number": item.number,
                "device_id": item.device_id,
                "name": item.name,
                "standing": item.standing,
                "now": item.now,
                "state": item.state,
                "note": item.note,
            }
            for item in visiting.roll_lines(at_desk, lines, facts.devices)
        ],
        "to_ask": list(called.to_ask),
        "found": list(row.found),
        "open_findings": facts.opened,
        "reporting": facts.reporting,
        "outcome": signing.outcome,
        "note": signing.note,
        "own_words": signing.own_words,
        "explained": list(signing.explained),
        "name": signing.name,
        "line": case_line(line),
    }


def signed_page(
    at_desk: Desk,
    bar: HouseholdBar,
    row: StoredVisit,
    addenda: tuple[Addendum, ...],
    people: Mapping[str, str],
    *,
    text: str,
    token: str,
    errors: Errors,
) -> SignedPage:
    """What was signed, in words; `token` of the form that adds to it, empty for none.

    All of it comes from the record, which is what the digest is of.
    """
    record = row.record or {}
    lines = tuple(_line(item) for item in record.get("lines", ()))
    called = roll_call.called(
        [Line(device_id=item.device_id, number=item.number, state=item.state, note="") for item in lines],
        {},
        record.get("found", ()),
    )
    facts = (
        (_("What it led to"), record.get("outcome", "")),
        (_("Started by"), people.get(record.get("by", ""), _("An account"))),
        (_("Who was there"), visiting.in_words(visiting.PRESENT, record.get("present", ()))),
        (_("Said to have been explained"), visiting.in_words(visiting.EXPLAINED, record.get("explained", ()))),
        (_("Note"), record.get("note") or _("None")),
        (_("The person's own words"), record.get("own_words") or _("None")),
        (_("Open findings then"), str(record.get("open_findings", ""))),
    )
    return SignedPage(
        bar=bar,
        at=at_desk.moment(float(record.get("started_at", row.started_at))),
        # Who signs may be another one than who began: a deputy, for one.
        by=words.plain(record.get("name", ""), 120),
        signed=at_desk.moment(row.signed_at or row.saved_at),
        facts=tuple(Fact(key=key, value=words.plain(value, 1000)) for key, value in facts),
        lines=lines,
        called=called.words(),
        found=tuple(words.plain(item, 80) for item in record.get("found", ())),
        answers=screening.shown(int(record.get("question_set", 0)), record.get("answers", {})),
        differences=tuple(words.plain(item) for item in record.get("differences", ())),
        case_line=words.plain(record.get("line", "")),
        digest=row.digest or "",
        whole=forgetting.as_signed(record, row.digest),
        erased=forgetting.lines_erased(record),
        addenda=tuple(
            Added(
                text=words.plain(item.text, 1000),
                by=words.plain(people.get(item.by, _("An account")), 120),
                at=at_desk.moment(item.at),
            )
            for item in addenda
        ),
        add=AddForm(target=f"{bar.address}/visits/{row.visit_id}/add", token=token, text=text[:1000])
        if token
        else None,
        errors=errors,
    )


def _line(item: Mapping[str, Any]) -> RollLine:
    state = str(item.get("state", ""))
    return RollLine(
        number=int(item.get("number", 0)),
        device_id=words.plain(item.get("device_id", ""), 64),
        name=words.plain(item.get("name", ""), 130) if "name" in item else _("Erased"),
        standing=words.plain(item.get("standing", ""), 40),
        now=words.plain(item.get("now", ""), 120),
        state=state,
        state_words=roll_call.state_words(state),
        note=words.plain(item.get("note", ""), 200),
        error="",
    )
