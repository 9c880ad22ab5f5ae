from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages import agent_feed
from dashboard.pages.agent_feed import Fed, read, reports
from wire.codec import MAX_PAYLOAD, payload_json
from wire.models import Command

FROM, TO = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 1, 13, tzinfo=UTC)


def _read(raw: bytes) -> Fed:
    return read(raw, covers_from=FROM, covers_to=TO)


def _line(minute: int, events: object = "") -> str:
    at = FROM + timedelta(minutes=minute)
    return f"{at.isoformat()},{(at + timedelta(seconds=30)).isoformat()},{events}"


@pytest.mark.req("N7")
def test_csv_is_read_whatever_the_order_and_further_columns() -> None:
    raw = (
        "\ufeffEnd, start ,app,events\r\n"
        '2026-01-11T10:00:00+01:00,2026-01-11T09:00:00+01:00,"mail, and more",7\r\n'
        "\r\n"
        "2026-01-10T08:00:00Z,2026-01-10T07:30:00Z,x,\r\n"
    ).encode()
    fed = _read(raw)
    assert fed.faults == ()
    assert [(span.starts.isoformat(), span.events) for span in fed.spans] == [
        ("2026-01-10T07:30:00+00:00", 1),
        ("2026-01-11T08:00:00+00:00", 7),
    ]


@pytest.mark.req("N7")
def test_json_is_read_as_a_list_or_within_an_object() -> None:
    spans = [{"start": "2026-01-10T07:30:00.5Z", "end": "2026-01-10T08:00:00Z", "events": 3}]
    for whole in (spans, {"spans": spans, "device": "x"}):
        fed = _read(json.dumps(whole).encode())
        assert fed.faults == ()
        assert [(span.starts.microsecond, span.events) for span in fed.spans] == [(0, 3)]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "The file is empty"),
        (b" \n", "The file is empty"),
        (b"start,end\n\xff,x\n", "Line 2: not text in UTF-8"),
        (b"start,end\n\0", "Line 2: not a text file"),
        (b"begin,finish\n1,2\n", "Line 1: the first line must name the columns start and end"),
        (b"start,end\nnow,then\n", "Line 2: start must be a time with its offset"),
        (b"start,end\n2026-01-10T07:30:00Z\n", "Line 2: end must be a time with its offset"),
        (b"start,end\n2026-01-10T07:30:00,2026-01-10T08:00:00\n", "Line 2: start must be a time with its offset"),
        (b"start,end\n2026-01-10T07:30:00Z,2026-01-10T07:30:00Z\n", "Line 2: end must be a second or more later"),
        (b"start,end\n2026-01-09T07:30:00Z,2026-01-10T07:30:00Z\n", "Line 2: lies outside the days"),
        (b"start,end\n2026-01-10T07:30:00Z,2026-01-13T07:30:00Z\n", "Line 2: lies outside the days"),
        (b"start,end\n1,2,3\n", "Line 2: 3 values, the first line names 2 columns"),
        (b'start,end\n"a"b,c\n', "Line 2: not a line of a CSV file"),
        (("start,end,events\n" + _line(5, "-1")).encode(), "Line 2: events must be a whole number"),
        (("start,end,events\n" + _line(5, "1e9")).encode(), "Line 2: events must be a whole number"),
        (b"[1", "The file: not JSON"),
        (b'{"spans": 7}', "The file: must hold a list"),
        (b'[{"start": 1}, 7]', "Entry 1: start must be a time"),
        (b"[7]", "Entry 1: must be an object"),
        (b"[" * 5000, "The file: not JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(raw: bytes, fault: str) -> None:
    fed = _read(raw)
    assert fed.spans == ()
    assert fed.faults[0].startswith(fault)


def test_faults_octets_and_times_of_use_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = _read(("start,end\n" + "x,y\n" * 50).encode())
    assert (len(many.faults), many.faults[-1]) == (agent_feed.MOST_FAULTS + 1, "and 45 more")
    assert "more than 204,800 bytes" in _read(b"x" * (agent_feed.MOST_OCTETS + 1)).faults[0]
    monkeypatch.setattr(agent_feed, "MOST_SPANS", 3)
    raw = "start,end,events\n" + "\n".join(_line(minute) for minute in range(4))
    assert "More than 3 times of use" in _read(raw.encode()).faults[0]


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
def test_nothing_that_a_file_holds_raises(raw: bytes) -> None:
    fed = _read(b"start,end\n" + raw)
    assert fed.spans == () or fed.faults == ()
    assert _read(raw) is not None


def test_times_that_overlap_become_one() -> None:
    raw = (
        "start,end,events\n2026-01-10T07:00:00Z,2026-01-10T08:00:00Z,2\n"
        "2026-01-10T07:30:00Z,2026-01-10T07:40:00Z,3\n2026-01-10T08:00:00Z,2026-01-10T09:00:00Z,4\n"
    )
    fed = _read(raw.encode())
    assert [(span.ends.hour, span.events) for span in fed.spans] == [(8, 5), (9, 4)]


@pytest.mark.req("N7")
def test_a_long_report_is_several_orders_without_a_gap_each_of_which_fits() -> None:
    raw = "start,end,events\n" + "\n".join(_line(minute, 1_000_000) for minute in range(450))
    fed = _read(raw.encode())
    orders = reports(fed.spans, device_id="d" * 64, source="\u00e9" * 80, covers_from=FROM, covers_to=TO)
    assert [len(order.spans) for order in orders] == [200, 200, 50]
    assert (orders[0].covers_from, orders[-1].covers_to) == (FROM, TO)
    assert all(one.covers_to == other.covers_from for one, other in pairwise(orders))
    for order in orders:
        assert all(order.covers_from <= span.starts < span.ends <= order.covers_to for span in order.spans)
        command = Command(command_id="c" * 64, sequence=2**50, issued_at=FROM, expires_at=TO, by="b" * 64, body=order)
        assert len(payload_json(command)) < MAX_PAYLOAD


def test_a_report_of_no_use_is_one_order() -> None:
    fed = _read(b"start,end\n")
    assert fed == Fed(spans=(), faults=())
    (order,) = reports(fed.spans, device_id="dev-1", source="Agent", covers_from=FROM, covers_to=TO)
    assert order.spans == ()
