"""The notice as text: what is shown is what is proved."""

from __future__ import annotations

from hashlib import sha256

import pytest

from appliance.messages import Notice
from appliance.notice import MAX_LINE, MAX_LINES, digest, lines, sections
from appliance.settings import NoticeSettings
from wire.household import Notice as NoticePayload

SETTINGS = NoticeSettings(
    operator="the Example Service",
    contact="c" * 300,
    complaints="Write to complaints@example.org.",
    help_lines=("Example line: 0808 157 0000",),
)


def notice(*kept: str, until: float | None = 1768381200.0) -> Notice:
    return Notice(recording=True, kind="consent", kept=kept, until=until)


@pytest.mark.req("R59", "R60")
def test_any_change_of_what_is_said_is_another_notice() -> None:
    said = [
        sections(notice("Which devices join."), SETTINGS),
        sections(notice("Which devices join!"), SETTINGS),
        sections(notice("Which devices join.", until=None), SETTINGS),
        sections(None, SETTINGS),
        sections(Notice(recording=False, kind=None, kept=(), until=None), SETTINGS),
        sections(notice("Which devices join."), SETTINGS.model_copy(update={"contact": "Another number."})),
    ]
    assert len({digest(each) for each in said}) == len(said)
    assert digest(said[0]) == digest(sections(notice("Which devices join."), SETTINGS))
    assert digest(said[0]) == sha256("\n".join(lines(said[0])).encode()).hexdigest()


def test_lines_fit_the_payload_that_proves_them() -> None:
    shown = sections(notice(*(f"{number} " + "long " * 200 for number in range(40))), SETTINGS)
    made = lines(shown)
    assert len(made) == MAX_LINES
    assert max(map(len, made)) <= MAX_LINE
    payload = NoticePayload.model_validate({"sha256": digest(shown), "lines": made, "at": "2026-01-14T09:00:00Z"})
    assert payload.lines == made


@pytest.mark.req("R58", "R20")
def test_it_is_plain_whatever_language_is_asked_for() -> None:
    assert sections(None, SETTINGS, "xx") == sections(None, SETTINGS)
    whole = " ".join(lines(sections(notice("Which devices join."), SETTINGS)))
    assert "Nobody in this home is asked to watch or to report anybody else." in whole
    assert not {"DNS", "MAC", "TLS", "IP"} & set(whole.split())
