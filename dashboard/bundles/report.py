"""What a bundle's records say, for a person: what, when, how sure, what the box could not see, and the limits.

In: the records, the box's statement, what the server knows. Out: a `Report` of plain sentences, as HTML or PDF. The same
report each time, to the octet. It speaks of devices, never of persons, and says of itself that the records count.
Bounded: `MAX_ROWS` rows a section; how many more there are is said, and they are all in the records.
"""

from __future__ import annotations

import html
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from dashboard.bundles.records import Record
from dashboard.pages import kinds, kinds_box, kinds_signs
from wire.findings import FindingKind

MAX_ROWS = 500
LIMITS = (
    "The box speaks of devices. Who used a device is not in these records.",
    "It sees names of sites and how much traffic there was. It does not see pages, messages, pictures or searches.",
    "It sees nothing of a device that uses mobile data or another network, nor what devices of the home send each other.",
    "A name that a device asked for may have been asked for by an app, an advertisement or an update.",
    "A finding is what a rule made of records. It may be wrong; what else could explain it stands beside it.",
    "Where this report and the records differ, the records count. verify.py shows whether they were altered.",
)
_KINDS = {**kinds.DEVICES, **kinds_signs.SIGNS, **kinds_box.BOX}
_STYLE = (
    "body{font-family:sans-serif;max-width:50em;margin:2em auto;line-height:1.4}"
    "h1,h2{line-height:1.2}.label{border:3px solid #000;padding:.5em;font-weight:bold}li{margin-bottom:.5em}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its sentences."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is said."""

    title: str
    label: str
    statement: str
    """Of the certifying officer; empty where there is none."""
    sections: tuple[Section, ...]


def make(
    records: Iterable[Record], given: Mapping[str, Any], *, label: str, statement: str, authorities: Sequence[Any]
) -> Report:
    """Write a report over a bundle's records."""
    findings: dict[str, dict[str, Any]] = {}
    states: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    free, gaps, coverage = 0, [], 0
    records = [record for record in records if record.state != "edge"]  # these are before and after
    for record in records:
        states[record.state] += 1
        by_kind[record.leaf["kind"]] += 1
        free += record.leaf["at"]["clock"] != "authenticated"
        if record.leaf["kind"] == "finding" and record.plain.get("finding_id"):
            findings[str(record.plain["finding_id"])] = record.plain
        elif record.leaf["kind"] == "gap":
            gaps.append(_gap(record))
        coverage += record.leaf["kind"] == "coverage"
    title = "Records of a household's box" if given["purpose"] == "evidence" else "A person's own records"
    told = [_finding(plain) for plain in findings.values()]
    missing = [
        f"{states[state]} records {why}."
        for state, why in (
            ("erased", "were erased, because their time was over or they should not have been kept"),
            ("withheld", "are about devices that were not asked for, and are left out"),
            ("others", "also name other devices; they are left out, and shown with those cut out"),
        )
        if states[state]
    ]
    clock = f"Of {free} records nobody had vouched for the time; their order is certain, their time is the box's own."
    sections = (
        Section(heading="What this is", lines=_about(given, sum(states.values()), authorities)),
        Section(heading="What was found", lines=_bounded(told, "The box found nothing in this time.")),
        Section(
            heading="What else was recorded",
            lines=tuple(f"{kind}: {count} records" for kind, count in sorted(by_kind.items())) or ("Nothing.",),
        ),
        Section(
            heading="When the box could not see",
            lines=(*_bounded(gaps, "No gap was recorded in this time."), f"It told {coverage} times how much it saw."),
        ),
        Section(
            heading="What is not in here", lines=(*missing, *([clock] if free else [])) or ("Nothing is left out.",)
        ),
        Section(heading="What these records cannot show", lines=LIMITS),
    )
    return Report(title=title, label=label, statement=statement, sections=sections)


def as_html(report: Report) -> bytes:
    """The report as one page without scripts and without anything from elsewhere."""
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(report.title)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f'<h1>{html.escape(report.title)}</h1><p class="label">{html.escape(report.label)}</p>',
    ]
    if report.statement:
        parts.append(f"<p>{html.escape(report.statement)}</p>")
    for section in report.sections:
        parts.append(f"<h2>{html.escape(section.heading)}</h2><ul>")
        parts += [f"<li>{html.escape(line)}</li>" for line in section.lines]
        parts.append("</ul>")
    return ("\n".join([*parts, "</body></html>"]) + "\n").encode()


def as_pdf(report: Report) -> bytes:
    """The report as PDF; `invariant` leaves out when and by what it was made."""
    styles = getSampleStyleSheet()
    body = ParagraphStyle("body", parent=styles["BodyText"], spaceAfter=4, leading=14, splitLongWords=1)
    story: list[Any] = [
        Paragraph(html.escape(report.title), styles["Title"]),
        Paragraph(f"<b>{html.escape(report.label)}</b>", body),
    ]
    if report.statement:
        story.append(Paragraph(html.escape(report.statement), body))
    for section in report.sections:
        story += [Spacer(1, 8), Paragraph(html.escape(section.heading), styles["Heading2"])]
        story += [Paragraph(html.escape(line), body) for line in section.lines]
    made = io.BytesIO()
    document = SimpleDocTemplate(made, pagesize=A4, invariant=1, title=report.title, author="", subject=report.label)
    document.build(story)
    return made.getvalue()


def _about(given: Mapping[str, Any], count: int, authorities: Sequence[Any]) -> tuple[str, ...]:
    devices = ", ".join(given["devices"]) or "all that the order covers"
    lines = [
        f"Records made from {_when(given['since_ms'])} up to {_when(given['until_ms'])} by the box at {given['site']}.",
        f"Devices: {devices}. Records: {count}. Software of the box: {given['software']}.",
        f"Asked for by account {given['by']}, agreed by {given['second'] or 'nobody else'}.",
    ]
    if given["break_glass"]:
        lines.append("One person asked for it in an emergency; others were told.")
    for item in authorities:
        document = item["document"]
        span = f"{document['not_before']} to {document['not_after']}"
        lines.append(f"Authority {document['id']}, number {document['number']} ({document['kind']}), in force {span}.")
    return tuple(lines)


def _finding(plain: Mapping[str, Any]) -> str:
    try:
        what = _KINDS[FindingKind(str(plain.get("kind")))].one
    except (KeyError, ValueError):
        what = str(plain.get("kind"))
    what = what.replace("{who}", "A device").replace("{whom}", "a device").replace("{n}", "1")
    about = plain.get("device_id")
    sure = round(float(plain.get("confidence", 0)) * 100)
    device = f" (device {about})" if about else ""
    when = f"Seen {plain.get('count', 1)} times, first {plain.get('first_seen')}, last {plain.get('last_seen')}."
    lines = [f"{what}{device}. {when} How sure: {sure} in 100."]
    hit = plain.get("hit")
    if isinstance(hit, dict):
        lines.append(f"List {hit.get('list_id')}, version {hit.get('list_version')}, entry {hit.get('entry')}.")
    rule = plain.get("rule")
    if isinstance(rule, dict):
        lines.append(f"Rule {rule.get('id')} {rule.get('version')}, clause {rule.get('clause')}.")
    for word, name in (("Why", "reasons"), ("What else could explain it", "alternatives")):
        told = " ".join(str(item) for item in plain.get(name) or ())
        lines += [f"{word}: {told}"] if told else []
    return " ".join(lines)


def _gap(record: Record) -> str:
    plain = record.plain
    told = ", ".join(f"{name} {plain[name]}" for name in sorted(plain) if isinstance(plain[name], str | int))
    return f"Told {_when(record.leaf['at']['wall_ms'])}: {told or 'what it was is not in here'}."


def _bounded(lines: Sequence[str], none: str) -> tuple[str, ...]:
    if not lines:
        return (none,)
    more = len(lines) - MAX_ROWS
    return (*lines[:MAX_ROWS], *([f"{more} more are in the records."] if more > 0 else []))


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %B %Y %H:%M:%S UTC")
