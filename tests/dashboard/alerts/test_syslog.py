from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.alerts import syslog

AUDIT = {
    "audit_id": 7,
    "at": 1768424649.25,
    "account_id": "acc-1",
    "action": "view-household",
    "subject": "site-1/find-2",
    "outcome": "shown",
    "digest": "ab" * 32,
    "host": "gatehouse",
    "enterprise": 32473,
}


def test_a_row_of_the_audit_is_a_line_of_ids() -> None:
    assert syslog.audit_line(**AUDIT).decode() == (  # type: ignore[arg-type]
        "<110>1 2026-01-14T21:04:09.250000Z gatehouse gatehouse - audit "
        '[audit@32473 id="7" account="acc-1" action="view-household" subject="site-1/find-2" outcome="shown" '
        f'digest="{"ab" * 32}"]'
    )


def test_what_somebody_typed_is_withheld_and_said_to_be() -> None:
    line = syslog.audit_line(**AUDIT | {"subject": "GET /search?q=somebody"}).decode()  # type: ignore[arg-type]
    assert "somebody" not in line
    assert 'withheld="subject"' in line


def test_a_refusal_is_more_than_news() -> None:
    assert syslog.audit_line(**AUDIT | {"outcome": "refused"}).startswith(b"<109>1 ")  # type: ignore[arg-type]


def test_a_findings_state_is_a_line() -> None:
    line = syslog.finding_line(
        at=0.0,
        site="site-1",
        finding_id="f-1",
        kind="tunnel",
        severity="act_now",
        state="open",
        revision=3,
        host="gatehouse",
        enterprise=1,
    )
    assert line.startswith(b"<13>1 1970-01-01T00:00:00.000000Z gatehouse gatehouse - finding [finding@1 site=")
    assert b'severity="act_now" state="open" revision="3"]' in line


def test_what_was_left_out_is_a_warning_with_a_number() -> None:
    assert syslog.dropped_line(at=0.0, number=9, host="h", enterprise=1).endswith(b'dropped [audit@1 rows="9"]')


def test_a_frame_says_its_octets() -> None:
    assert syslog.framed("né".encode()) == b"3 n\xc3\xa9"


@pytest.mark.req("R66")
@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=40))
def test_whatever_a_row_holds_a_line_stays_a_line(subject: str, action: str, outcome: str) -> None:
    line = syslog.audit_line(**AUDIT | {"subject": subject, "action": action, "outcome": outcome}).decode()  # type: ignore[arg-type]
    assert line.isascii()
    assert line.isprintable()
    assert re.fullmatch(r'<\d+>1 \S+ \S+ \S+ - audit \[audit@32473( [a-z]+="[^"\]\\]*")+\]', line)
