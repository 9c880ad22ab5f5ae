"""Findings as the pages list them: cards, groups of one cause, lines. Stored rows in, contexts out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.pages import sentences, words
from dashboard.pages.contexts_device import FindingLine
from dashboard.pages.contexts_household import FindingCard, FindingGroup
from dashboard.pages.deciding import decided_line
from dashboard.pages.desk import Desk
from dashboard.pages.rows import device_name
from dashboard.store.devices import StoredDevice
from dashboard.store.queries import StoredFinding
from dashboard.store.reviews import Review
from wire.findings import Severity


def finding_card(
    at_desk: Desk, site: str, row: StoredFinding, device: StoredDevice | None, *, decided: str = ""
) -> FindingCard:
    """A finding in words, with what is known of its device, and what was decided about it."""
    whole = sentences.payload(row.payload)
    opened = row.state == "open"
    graded = whole is not None and whole.grade is not None
    return FindingCard(
        anchor=f"finding-{row.finding_id}",
        kind=row.kind,
        severity=sentences.mark(row.severity),
        sentence=sentences.finding(row.kind, device.standing if device else None),
        headline=words.plain(whole.reasons[0]) if whole and graded and whole.reasons else "",
        grade=words.grade(whole.grade) if whole and whole.grade else "",
        agree=words.agree(whole.signals) if whole and whole.signals is not None else "",
        device=sentences.the_box() if row.device_id is None else device_name(device, row.device_id),
        state="Open" if opened else "Closed",
        open=opened,
        waits=opened and row.looked_at is None and row.severity != Severity.INFORMATION,
        decided=decided,
        first_seen=at_desk.moment(row.first_seen),
        last_seen=at_desk.moment(row.last_seen),
        times=words.count(row.count, "time", "times"),
        why=sentences.why(row.kind, whole.rule.clause if whole else ""),
        sure=words.confidence(whole.confidence) if whole else "Not said",
        closed_because=words.plain(whole.closed_because) if whole and whole.closed_because else "",
        address=f"/households/{site}/findings/{row.finding_id}",
        stays=sentences.stays(row.kind) if opened else "",
        action=sentences.action(row.kind) if opened else sentences.LOOK,
    )


def finding_groups(
    at_desk: Desk,
    site: str,
    rows: Iterable[StoredFinding],
    known: Mapping[str, StoredDevice],
    said: Mapping[str, Review],
) -> tuple[FindingGroup, ...]:
    """Findings by cause, in the order of each one's first; findings that name no cause stand alone."""
    groups: dict[tuple[str | None, str], list[FindingCard]] = {}
    for row in rows:
        key = row.cause, "" if row.cause is not None else row.finding_id
        groups.setdefault(key, []).append(decided_card(at_desk, site, row, known, said))
    return tuple(
        FindingGroup(together=sentences.together(cause, cards[0].kind, len(cards)), cards=tuple(cards))
        for (cause, _), cards in groups.items()
    )


def decided_card(
    at_desk: Desk, site: str, row: StoredFinding, known: Mapping[str, StoredDevice], said: Mapping[str, Review]
) -> FindingCard:
    """As `finding_card`, with what was decided, of all that was."""
    decided = decided_line(at_desk, row, said.get(row.finding_id))
    return finding_card(at_desk, site, row, known.get(row.device_id or ""), decided=decided)


def finding_line(at_desk: Desk, site: str, row: StoredFinding, device: StoredDevice | None) -> FindingLine:
    """A finding in one line."""
    return FindingLine(
        sentence=sentences.finding(row.kind, device.standing if device else None),
        state="Open" if row.state == "open" else "Closed",
        severity=sentences.mark(row.severity),
        last_seen=at_desk.moment(row.last_seen),
        address=f"/households/{site}/findings/{row.finding_id}",
    )
