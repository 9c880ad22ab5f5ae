"""What a finding rests on: name, list, rule, clause, records (R29). Stored rows in, facts out.

A logged name is never a link (R42). Of a confidential list the keyed entry alone is shown, whatever else
the box may have said (N16).
"""

from __future__ import annotations

import re
from datetime import tzinfo

from dashboard.pages import sentences, words
from dashboard.pages.contexts import Fact
from dashboard.store.queries import StoredFinding
from wire.findings import Finding, ListHit

_KEYED = "keyed:"


def matched(whole: Finding | None) -> tuple[Fact, ...]:
    """Name and list, if a name was matched."""
    if whole is None or whole.hit is None:
        return ()
    hit = whole.hit
    facts: list[tuple[str, str]] = []
    if is_confidential(hit):
        facts.append(("Name asked for", "Not shown: the list is confidential"))
    else:
        if hit.asked and hit.asked != hit.name:
            facts += [("Name asked for", words.defang(hit.asked)), ("The answer led to", words.defang(hit.name))]
        else:
            facts.append(("Name asked for", words.defang(hit.name)))
        if hit.shown and hit.shown != hit.name:
            facts.append(("In letters", words.defang(hit.shown)))
    facts.append(("On the list", words.plain(hit.list_id, 64)))
    if hit.category:
        facts.append(("Category", words.plain(hit.category, 40)))
    return _facts(facts)


def reasons(whole: Finding | None) -> tuple[str, ...]:
    """What the box saw, in its words; names that it logged are so written that nothing takes them for a link."""
    if whole is None:
        return ()
    hit = whole.hit
    logged = {hit.name, hit.asked, hit.entry, hit.shown} - {None, ""} if hit is not None else set()
    said = [words.plain(reason) for reason in whole.reasons]
    if not logged:
        return tuple(said)
    # The longest first: an entry is often the end of the name.
    names = re.compile("|".join(re.escape(words.plain(name, 253)) for name in sorted(logged, key=_longest)))
    return tuple(names.sub(lambda found: words.defang(found[0]), reason) for reason in said)


def facts(row: StoredFinding, whole: Finding | None, zone: tzinfo) -> tuple[Fact, ...]:
    """What matched, which rule of which version, under which clause, and the records it rests on."""
    found: list[tuple[str, str]] = []
    if whole is not None:
        found += [] if whole.hit is None else _hit(whole.hit)
        rule = whole.rule
        found += [
            ("Rule", words.plain(rule.id, 64)),
            ("Version of the rule", words.plain(rule.version, 64)),
            ("Authority", f"{words.plain(rule.authority_id, 64)}, issue {rule.authority_number}"),
            ("Clause", words.plain(rule.clause, 40)),
        ]
        if whole.grade is not None:
            found.append(("Strength of the sign", words.grade(whole.grade)))
        if whole.signals is not None:
            found.append(("Independent signals", f"{whole.signals:,}"))
        if whole.records:
            found.append(("Records of the box", ", ".join(whole.records)))
        if whole.cause:
            found.append(("Reference of the cause", words.plain(whole.cause, 64)))
    found += [
        ("Raised by the box", words.date_time_seconds(row.raised_at, zone)),
        ("Received here", words.date_time_seconds(row.stored_at, zone)),
        ("Reference of the finding", row.finding_id),
    ]
    if row.device_id is not None:
        found.append(("Reference of the device", row.device_id))
    return _facts(found)


def is_confidential(hit: ListHit) -> bool:
    """Whether only the keyed hash of the entry may be shown."""
    return hit.name is None or hit.entry.startswith(_KEYED)


def _longest(name: str | None) -> int:
    return -len(name or "")


def _hit(hit: ListHit) -> list[tuple[str, str]]:
    entry = words.plain(hit.entry, 253) if is_confidential(hit) else words.defang(hit.entry)
    found = [
        ("How it matched", sentences.how(hit.how)),
        ("Entry of the list", entry),
        ("Version of the list", words.plain(hit.list_version, 64)),
        ("Fingerprint of the list", hit.list_sha256),
    ]
    if hit.owner:
        found.append(("Who answers for the list", words.plain(hit.owner, 120)))
    if hit.source:
        found.append(("Where the list is from", words.defang(hit.source)))
    return found


def _facts(found: list[tuple[str, str]]) -> tuple[Fact, ...]:
    return tuple(Fact(key=key, value=value) for key, value in found)
