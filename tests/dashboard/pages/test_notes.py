"""*Notes*: written, put right, never changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.pages.notes import HEADINGS
from dashboard.store import notes, schema

AT = "/households/site-1/notes"


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device(label="grey laptop")
    seed.finding()


def _write(client: FlaskClient, csrf: Callable[[TestResponse], str], **fields: str) -> TestResponse:
    shown = client.get(AT)
    token = re.findall(r'name="token" value="([0-9a-f]{32})"', shown.text)[0]
    form = {"csrf_token": csrf(shown), "token": token, "agency": "Probation", "text": "Spoke at the door."}
    return client.post(AT, data=form | fields)


@pytest.mark.req("S3")
def test_there_are_the_eleven_headings_and_no_score(officer: FlaskClient) -> None:
    html = officer.get(AT).text
    assert len(HEADINGS) == 11
    for text in HEADINGS.values():
        assert text in html
    assert "Nothing here scores anyone" in html


@pytest.mark.req("S2", "S3")
def test_a_note_has_agency_author_heading_and_what_it_is_about(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    done = _write(officer, csrf, heading="employment", about="device:dev-1", text="First line.\nSecond <b>line</b>.")
    assert done.status_code == 303
    _write(officer, csrf, about="finding:find-1", text="On the finding.")
    html = officer.get(AT).text
    for part in ("Probation, officer-1", "Employment or positive routine", "First line.", "grey laptop", "A finding"):
        assert part in html, part
    assert "<b>" not in html
    assert 'value="Probation"' in html
    filtered = officer.get(f"{AT}?heading=employment").text
    assert "First line." in filtered
    assert "On the finding." not in filtered
    written = [row["outcome"] for row in seed.rows(schema.audit) if row["action"] == "write-note"]
    assert written == ["kept", "kept"]
    assert not any("First" in str(row) for row in seed.rows(schema.audit))


def test_a_form_sent_twice_is_one_note(officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]) -> None:
    for _twice in range(2):
        assert _write(officer, csrf, token="a" * 32).status_code == 303
    assert len(seed.rows(schema.note)) == 1


def test_a_correction_is_a_note_of_its_own_and_both_stay(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str]
) -> None:
    _write(officer, csrf, token="a" * 32, text="Wrong day.")
    assert f"corrects={'a' * 32}" in officer.get(AT).text
    form = officer.get(f"{AT}?corrects={'a' * 32}").text
    assert "The note that you put right stays" in form
    _write(officer, csrf, token="b" * 32, text="Right day.", corrects="a" * 32)
    html = officer.get(AT).text
    assert "Wrong day." in html
    assert "A later note puts this right" in html
    assert f'href="#note-{"a" * 32}"' in html
    assert [row["action"] for row in seed.rows(schema.audit) if row["action"].endswith("-note")] == [
        "write-note",
        "correct-note",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, "Enter the note"),
        ({"text": "x" * 2001}, "Note must be 2000 characters or fewer"),
        ({"text": "a\x00b"}, "Note must only have characters that can be seen"),
        ({"agency": ""}, "Enter the agency"),
        ({"heading": "score"}, "Select a heading from the list"),
        ({"about": "device:elsewhere"}, "Select what the note is about"),
        ({"about": "finding:elsewhere"}, "Select what the note is about"),
        ({"corrects": "c" * 32}, "The note to put right is not there"),
        ({"token": "x"}, "This form was not complete"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    officer: FlaskClient, seed: Any, csrf: Callable[[TestResponse], str], fields: dict[str, str], said: str
) -> None:
    answer = _write(officer, csrf, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    if "text" not in fields:
        assert "Spoke at the door." in answer.text
    assert seed.rows(schema.note) == []


def test_a_household_has_room_for_so_many(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 1)
    assert _write(officer, csrf).status_code == 303
    answer = _write(officer, csrf)
    assert answer.status_code == 422
    assert "too many notes" in answer.text


def test_who_may_only_look_writes_nothing(sign_in_as: Callable[..., FlaskClient], seed: Any) -> None:
    client = sign_in_as("auditor", Role.AUDITOR)
    assert 'name="text"' not in client.get(AT).text
    assert client.post(AT, data={}).status_code in {400, 403}
    assert seed.rows(schema.note) == []


@pytest.mark.req("S2")
def test_all_notes_can_be_read_and_a_correction_is_told_of_on_any_page(
    officer: FlaskClient, csrf: Callable[[TestResponse], str], clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_SHOWN", 2)
    for number in range(3):
        clock.at += 1
        _write(officer, csrf, text=f"Note {number}.", heading="employment")
    first = officer.get(f"{AT}?page=2&heading=employment").text
    assert "Note 0." in first
    assert "Note 1." not in first
    assert 'href="/households/site-1/notes?heading=employment&amp;page=1"' in first
    note_id = re.findall(r'id="note-([0-9a-f]{32})"', first)[0]
    clock.at += 1
    _write(officer, csrf, text="Better.", corrects=note_id)
    assert "A later note puts this right" in officer.get(f"{AT}?page=2&heading=employment").text
    assert "A later note puts this right" not in officer.get(AT).text
    assert 'page=2"' in officer.get(AT).text


@pytest.mark.req("S3")
def test_a_link_may_ask_for_a_note_about_a_closed_finding(officer: FlaskClient, seed: Any) -> None:
    seed.finding("find-old", state="closed")
    html = officer.get("/households/site-1/findings/find-1").text
    assert 'href="/households/site-1/notes?about=finding:find-1#write"' in html
    assert re.search(r'value="finding:find-old" selected', officer.get(f"{AT}?about=finding:find-old").text)
    assert "finding:find-none" not in officer.get(f"{AT}?about=finding:find-none").text
    assert "<script>" not in officer.get(f"{AT}?about=device:<script>").text
