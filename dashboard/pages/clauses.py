"""An authority document in words, clause by clause. Pure: a document in, lines out."""

from __future__ import annotations

from datetime import datetime, tzinfo

from dashboard.pages import words
from wire.authority import (
    AllowOnlyClause,
    AnswersClause,
    Authority,
    BlockClause,
    Clause,
    CollectClause,
    DataClass,
    ListsClause,
    NearbyClause,
    QuarantineClause,
    RegisterClause,
    SafeSearchClause,
    UnmaskClause,
)

_KINDS = {"order": "Court order", "licence_condition": "Licence condition", "consent": "Consent"}
_PURPOSES = {"prevent": "To prevent", "detect": "To find out afterwards"}
_CLASSES = {
    DataClass.PRESENCE: "that it is there",
    DataClass.FINGERPRINT: "what kind of device it is",
    DataClass.VOLUMES: "how much it sends and receives",
    DataClass.SIGNS: "signs of ways round the box",
    DataClass.LIST_HITS: "listed names that it asks for",
    DataClass.FULL_NAMES: "all names that it asks for",
}
_MOST = 400


def head(document: Authority, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """Who, why and how long."""
    facts = [
        ("Kind", _KINDS[document.kind]),
        ("Reference", words.plain(document.reference, 80)),
        ("Purpose", _PURPOSES[document.purpose]),
        ("Responsible", words.plain(document.responsible_officer, 80)),
        ("Issued", _minute(document.issued_at, zone)),
        ("Valid from", _minute(document.not_before, zone)),
        ("Valid until", _minute(document.not_after, zone)),
        ("Review by", _minute(document.review_date, zone)),
    ]
    if document.legal_basis:
        facts.append(("Rests on", words.plain(document.legal_basis, 200)))
    return tuple(facts)


def consents(document: Authority, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """Who was told and who agreed: by reference, never by name."""
    lines = []
    for one in document.consents or ():
        said = "agreed" if one.kind == "consent" else "was told"
        text = f"{said} on {_minute(one.given_at, zone)}"
        if one.confirm_by is not None:
            text += f"; to be confirmed by {_minute(one.confirm_by, zone)}"
        if one.withdrawn_at is not None:
            text += f"; withdrawn on {_minute(one.withdrawn_at, zone)}"
        lines.append((f"{'The person' if one.role == 'subject' else 'An adult at home'}, {one.id}", text))
    return tuple(lines)


def clauses(document: Authority) -> tuple[tuple[str, str], ...]:
    """Each clause: its number and what it allows."""
    return tuple((f"Clause {clause.number}", clause_words(clause)) for clause in document.clauses)


def clause_words(clause: Clause) -> str:  # noqa: PLR0911, C901 - one return a clause reads best
    """One clause in a sentence."""
    match clause:
        case CollectClause():
            return f"Of devices that are {_of(clause.standings)}, the box may record {_what(clause.classes)}."
        case ListsClause():
            return f"These lists count for devices that are {_of(clause.standings)}: {_lists(clause.lists)}."
        case QuarantineClause():
            return f"Devices that are {_of(clause.standings)} may be held off the internet until an officer decides."
        case BlockClause():
            return f"Devices that are {_of(clause.standings)} do not reach what is on {_lists(clause.lists)}."
        case AllowOnlyClause():
            return f"Devices that are {_of(clause.standings)} only reach what is on {_lists(clause.lists)}."
        case SafeSearchClause():
            return f"Searches from devices that are {_of(clause.standings)} are answered in strict mode."
        case AnswersClause():
            return f"Devices that are {_of(clause.standings)} are kept to the box for looking up names."
        case NearbyClause():
            return "The box may count phones that are near. Nothing is kept of any one of them."
        case RegisterClause():
            return "Devices must be registered: one that is not is a finding."
        case UnmaskClause():
            return (
                f"Two officers may look at one device that is {_of(clause.standings)} as at a registered one, for at "
                f"most {words.count(clause.most_hours, 'hour', 'hours')} at a time: {_what(clause.classes)}."
            )


def _of(standings: tuple[str, ...]) -> str:
    return words.plain(" or ".join(words.standing(one).lower() for one in standings), _MOST)


def _what(classes: tuple[DataClass, ...]) -> str:
    return ", ".join(_CLASSES[one] for one in classes)


def _lists(lists: tuple[str, ...]) -> str:
    return words.plain(", ".join(lists), _MOST)


def _minute(at: datetime, zone: tzinfo) -> str:
    return words.date_time(at.timestamp(), zone)
