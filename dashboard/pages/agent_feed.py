"""A file of what software on a device says of its use, read line by line (N7).

In: the octets of a CSV or JSON file. Out: times of use in order, or what is wrong, each with its line.
Pure; nothing a file holds raises. Bounded: `MOST_OCTETS`, `MOST_SPANS` times, the first `MOST_FAULTS`
faults; JSON is read by a parser with a depth of its own.

CSV: a first line with the columns `start,end` and, if wanted, `events`; further columns are not read.
JSON: a list of objects of the same fields, or an object with such a list as `spans`.
Times are ISO 8601 with their offset, e.g. `2026-01-31T09:00:00Z`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from wire.orders import ReportAgent, Span

MOST_OCTETS = 200 * 1024
MOST_SPANS = 4096
MOST_FAULTS = 5
SPANS_OF_ONE = 200
"""Times of use in one command: a sealed message holds 32 KiB."""
MOST_EVENTS = 10**6
COLUMNS = (
    ("start", "When a time of use began, such as 2026-01-31T09:00:00Z or 2026-01-31T09:00:00+01:00"),
    ("end", "When it ended"),
    ("events", "How many things were done in it: a whole number. May be left out"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    """What a file holds."""

    spans: tuple[Span, ...]
    """Times of use, the earliest first; empty if anything is wrong."""
    faults: tuple[str, ...]
    """What is wrong, each with its line or entry; at most MOST_FAULTS and how many more there are."""


def read(raw: bytes, *, covers_from: datetime, covers_to: datetime) -> Fed:
    """Read a file whose times lie between two moments."""
    text, fault = _text(raw)
    if fault:
        return _wrong(fault)
    spans: list[Span] = []
    faults: list[str] = []
    rows = _json(text) if text.lstrip()[0] in "[{" else _csv(text)
    for place, fields in rows:
        if isinstance(fields, str):
            faults.append(f"{place}: {fields}")
            continue
        span = _span(fields, covers_from, covers_to)
        if isinstance(span, str):
            faults.append(f"{place}: {span}")
        else:
            spans.append(span)
        if len(spans) > MOST_SPANS:
            return _wrong(f"More than {MOST_SPANS:,} times of use; hand in fewer days at once")
    if faults:
        more = len(faults) - MOST_FAULTS
        return Fed(spans=(), faults=(*faults[:MOST_FAULTS], *([f"and {more:,} more"] if more > 0 else [])))
    return Fed(spans=_joined(spans), faults=())


def reports(
    spans: tuple[Span, ...], *, device_id: str, source: str, covers_from: datetime, covers_to: datetime
) -> tuple[ReportAgent, ...]:
    """The orders that carry them: without gap between what each covers, so that no time is called unreported."""
    groups = [spans[start : start + SPANS_OF_ONE] for start in range(0, len(spans), SPANS_OF_ONE)] or [()]
    edges = [covers_from, *(group[0].starts for group in groups[1:]), covers_to]
    return tuple(
        ReportAgent(
            device_id=device_id, source=source, covers_from=edges[place], covers_to=edges[place + 1], spans=group
        )
        for place, group in enumerate(groups)
    )


def _text(raw: bytes) -> tuple[str, str]:
    """The file's text, and what is wrong with it; one of the two is empty."""
    if len(raw) > MOST_OCTETS:
        return "", f"The file has more than {MOST_OCTETS:,} bytes; hand in fewer days at once"
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "", f"Line {raw[: error.start].count(bytes([10])) + 1}: not text in UTF-8"
    if "\0" in text:
        return "", f"Line {text[: text.index(chr(0))].count(chr(10)) + 1}: not a text file"
    return text, "" if text.strip() else "The file is empty"


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """In order, those that overlap as one: what is divided among commands then lies in none but its own."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.starts, span.ends)):
        if joined and span.starts < joined[-1].ends:
            last = joined[-1]
            joined[-1] = Span(starts=last.starts, ends=max(last.ends, span.ends), events=last.events + span.events)
        else:
            joined.append(span)
    return tuple(joined)


def _wrong(text: str) -> Fed:
    return Fed(spans=(), faults=(text,))


def _csv(text: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names: list[str] | None = None
    try:
        for row in reader:
            place = f"Line {reader.line_num}"
            if not any(cell.strip() for cell in row):
                continue
            if names is None:
                names = [cell.strip().lower() for cell in row]
                if not {"start", "end"} <= set(names):
                    yield place, "the first line must name the columns start and end"
                    return
                continue
            if len(row) > len(names):
                yield place, f"{len(row)} values, the first line names {len(names)} columns"
                continue
            yield place, dict(zip(names, (cell.strip() for cell in row), strict=False))
    except csv.Error as error:
        yield f"Line {reader.line_num}", f"not a line of a CSV file ({error})"


def _json(text: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    try:
        whole = from_json(text)
    except ValueError as error:
        yield "The file", f"not JSON ({error})"
        return
    items = whole.get("spans") if isinstance(whole, dict) else whole
    if not isinstance(items, list):
        yield "The file", "must hold a list, or an object with a list as spans"
        return
    for number, item in enumerate(items, start=1):
        yield f"Entry {number}", item if isinstance(item, dict) else "must be an object with start and end"


def _span(fields: dict[str, Any], covers_from: datetime, covers_to: datetime) -> Span | str:
    starts, ends = _time(fields.get("start")), _time(fields.get("end"))
    if starts is None or ends is None:
        name = "start" if starts is None else "end"
        return f"{name} must be a time with its offset, such as 2026-01-31T09:00:00Z"
    if ends <= starts:
        return "end must be a second or more later than start"
    if starts < covers_from or ends > covers_to:
        return "lies outside the days that the report covers"
    events = _events(fields.get("events"))
    if events is None:
        return f"events must be a whole number from 0 to {MOST_EVENTS:,}"
    return Span(starts=starts, ends=ends, events=events)


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
        # To the second, and in UTC: enough to compare, and a message stays small.
        return None if found.tzinfo is None else found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _events(value: object) -> int | None:
    if value is None or value == "":
        return 1
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 7:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= MOST_EVENTS else None
