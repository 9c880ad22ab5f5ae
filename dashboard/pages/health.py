"""The health of a household's box and of its lists, in words. Stored rows in, contexts out."""

from __future__ import annotations

from dashboard.pages import sentences, words
from dashboard.pages.contexts_arranged import DetectionRow, ListRow
from dashboard.pages.contexts_household import Box
from dashboard.pages.desk import Desk
from dashboard.store.queries import Household
from wire.box import DetectionTest, ListHealth, TapHealth


def box(at_desk: Desk, home: Household, unread: int) -> Box:
    """A household's box; `unread` records of it are kept that cannot be read yet."""
    said = sentences.status(home.status)
    well, sentence = sentences.reporting(home.heard_at, said, at_desk.now())
    return Box(
        reporting=well,
        heard=at_desk.moment_or_none(home.heard_at),
        said_at=at_desk.moment_or_none(home.status_at),
        sentence=sentence,
        authority=words.plain(said.authority) if said and said.authority else "The box has not said.",
        recording=bool(said and said.recording),
        waiting=words.count(said.outbox, "record", "records") if said and said.outbox else "",
        unread=words.count(unread, "record", "records") if unread else "",
        parts=tuple((words.plain(part.name, 30), _running(part.connected)) for part in said.processes) if said else (),
        taps=tuple((words.plain(tap.name, 30), f"{tap.messages:,}", _missed(tap)) for tap in said.taps) if said else (),
        blind=tuple(
            (
                at_desk.moment(gap.started.timestamp()),
                at_desk.moment_or_none(gap.ended.timestamp() if gap.ended else None),
                sentences.blind(gap.cause),
            )
            for gap in (said.gaps if said and said.gaps else ())
        ),
        lists=tuple(_list(at_desk, one) for one in (said.lists if said and said.lists else ())),
        test=_test(at_desk, said.test) if said and said.test else None,
    )


def _list(at_desk: Desk, one: ListHealth) -> ListRow:
    version = "None in force"
    if one.version is not None:
        version = f"Version {words.plain(one.version, 64)}, {words.count(one.entries, 'entry', 'entries')}"
    problems = []
    if one.stale:
        problems.append("It has not been renewed for longer than it should.")
    if one.problem:
        problems.append(words.plain(one.problem))
    if one.malformed:
        lines = ", ".join(str(number) for number in one.malformed_lines)
        more = " and more" if one.malformed > len(one.malformed_lines) else ""
        at = f": line {lines}{more}" if lines else ""
        problems.append(f"{words.count(one.malformed, 'line is', 'lines are')} no entry and left out{at}.")
    if one.unsupported:
        problems.append(f"{words.count(one.unsupported, 'entry is', 'entries are')} of a form that cannot be used.")
    return ListRow(
        title=words.plain(one.title, 120),
        version=version,
        published=at_desk.moment_or_none(one.published.timestamp() if one.published else None),
        taken=at_desk.moment_or_none(one.taken_at.timestamp() if one.taken_at else None),
        problems=tuple(problems),
    )


def _test(at_desk: Desk, said: DetectionTest) -> DetectionRow:
    late = said.due.timestamp() < at_desk.now()
    if said.passed_at is None:
        text = "It has never been passed" if late else "It has not been due yet"
    else:
        text = "It is due again and was not passed since" if late else "It was passed"
    return DetectionRow(
        text=text,
        well=not late,
        due=at_desk.moment(said.due.timestamp()),
        passed=at_desk.moment_or_none(said.passed_at.timestamp() if said.passed_at else None),
        detail=words.plain(said.detail) if said.detail else "",
    )


def _running(connected: bool) -> str:
    return "Running" if connected else "Not running"


def _missed(tap: TapHealth) -> str:
    parts = [
        words.count(number, one, many)
        for number, one, many in (
            (tap.lost, "lost", "lost"),
            (tap.unparsed, "not understood", "not understood"),
            (tap.overflow, "left out", "left out"),
        )
        if number
    ]
    return ", ".join(parts) or "Nothing"
