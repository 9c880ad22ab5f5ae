"""Orders about authority, masks, holds, exports and restoring, in words. See `orders`.

Pure: an act of `wire.acts` in, (a few words, facts, what is so when it is applied) out.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from dashboard.pages import clauses, words
from wire.acts import (
    Act,
    BuildBundle,
    EndHold,
    EndUnmask,
    EraseRecords,
    FetchBundle,
    IssueCode,
    PauseRecording,
    RestoreDevices,
    ResumeRecording,
    SetAuthority,
    SetHold,
    Unmask,
    WithdrawConsent,
)
from wire.authority import AuthorityError, parse_signed

Words = tuple[str, tuple[tuple[str, str], ...], str]
_PURPOSES = {"evidence": "Evidence for a court or a hearing", "access": "A person's own records, others' cut out"}


def told_act(order: Act, zone: tzinfo) -> Words:  # noqa: PLR0911 - one return an order reads best
    """An act in words; its days are those of `zone`."""
    match order:
        case SetAuthority(document=document):
            return (
                "Put a document in force",
                _document(document, zone),
                "The document is in force as its own dates say.",
            )
        case PauseRecording(until=until):
            return (
                "Pause recording",
                (("Until", _minute(until, zone) if until else "An officer lets it go on"),),
                "The box records nothing about devices until then.",
            )
        case ResumeRecording():
            return (
                "Go on recording",
                (("Asked for", "Recording goes on before the pause is over"),),
                "The box records again, as the document in force says.",
            )
        case WithdrawConsent(consent=consent):
            whose = f"Consent {consent}" if consent else "The consent that the document is"
            return (
                "A consent was withdrawn",
                (("Withdrawn", whose),),
                "The box has stopped recording. A new document, with a higher number, is needed to go on.",
            )
        case Unmask(until=until):
            return (
                "Treat as a registered device",
                (("Until", _minute(until, zone)),),
                "Until then the box records of it what the document allows of a registered device.",
            )
        case EndUnmask():
            return "No longer treat as a registered device", (("From", "Now"),), "Its records are held back again."
        case SetHold():
            return (
                "Keep records of a case",
                (
                    ("Reference", order.hold_id),
                    ("Records from", _day(order.since, zone)),
                    ("To", _day(order.until, zone)),
                    ("Kept until", f"{_day(order.review, zone)}, unless it is set anew"),
                ),
                "Records of that time are kept. What was erased already does not come back.",
            )
        case EndHold(hold_id=hold_id):
            return (
                "End the keeping of records",
                (("Reference", hold_id),),
                "The records are erased when their own time has come.",
            )
        case EraseRecords(since=since, until=until):
            facts = (
                ("From", _day(since, zone) if since else "The first"),
                ("To", _day(until, zone) if until else "Now"),
            )
            return "Erase its records", facts, "The records are erased. That they were, and why, is kept."
        case _:
            return _carried(order, zone)


def _carried(order: BuildBundle | FetchBundle | IssueCode | RestoreDevices, zone: tzinfo) -> Words:
    match order:
        case BuildBundle():
            which = words.count(len(order.device_ids), "device", "devices") if order.device_ids else "All registered"
            return (
                "Collect records to hand out",
                (
                    ("For", _PURPOSES[order.purpose]),
                    ("From", _minute(order.since, zone)),
                    ("To", _minute(order.until, zone)),
                    ("Devices", which),
                    ("Reference", order.bundle_id),
                ),
                "The box is collecting them. They appear on the household's page of records handed out.",
            )
        case FetchBundle(bundle_id=bundle_id):
            return "Fetch collected records", (("Reference", bundle_id),), "The box sends them."
        case IssueCode(expires=expires):
            return (
                "A code for the device's own page",
                (("Works until", _minute(expires, zone)),),
                "Whoever has the code can read, at home, what the box knows about this device.",
            )
        case RestoreDevices(devices=devices):
            return (
                "Give a new box what the old one knew",
                (("Devices", f"{len(devices)}"),),
                "The devices are on the new box's register.",
            )


def _day(at: datetime, zone: tzinfo) -> str:
    return words.date(at.timestamp(), zone)


def _minute(at: datetime, zone: tzinfo) -> str:
    return words.date_time(at.timestamp(), zone)


def _document(text: str, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """What a second person agrees to: all of it, clause by clause."""
    try:
        found = parse_signed(text.encode()).document
    except AuthorityError:
        return (("Document", "It cannot be read here"),)
    name = ("Document", f"{words.plain(found.id, 64)}, number {found.number}")
    return (name, *clauses.head(found, zone), *clauses.clauses(found), *clauses.consents(found, zone))
