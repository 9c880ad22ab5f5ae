from __future__ import annotations

import csv
import hashlib
import io
from base64 import b64decode
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.pages import csv_files
from dashboard.pages.csv_files import csv_answer, csv_text
from dashboard.store import schema


@pytest.fixture
def asking(app: Flask, engine: Engine, clock: Any) -> Any:
    account_id = auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)
    with engine.begin() as connection:
        token = auth._open_session(connection, account_id, clock.at)
    with app.test_request_context("/"):
        with engine.connect() as connection:
            g.who = auth.signed_in(connection, token=token, now=clock.at)
        yield g.who


def _lines(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.mark.req("R66")
def test_a_file_says_its_own_hash_and_is_in_the_audit(asking: Any, seed: Any) -> None:
    answer = csv_answer("caseload", ["Household", "Open"], [["NM-1", 2], ["NM-2", None]], action="export-caseload")
    body = answer.get_data()
    lines = _lines(body)
    assert lines[:3] == [["Household", "Open"], ["NM-1", "2"], ["NM-2", ""]]
    before = body[: body.index(b"SHA-256 of")]
    assert lines[3] == ["SHA-256 of the lines above", hashlib.sha256(before).hexdigest()]
    assert answer.headers["X-Rows-SHA256"] == lines[3][1]
    whole = answer.headers["Repr-Digest"].removeprefix("sha-256=:").removesuffix(":")
    assert b64decode(whole) == hashlib.sha256(body).digest()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="caseload.csv"'
    assert answer.content_type == "text/csv; charset=utf-8"
    line = seed.rows(schema.audit)[-1]
    assert (line["action"], line["outcome"], line["account_id"]) == ("export-caseload", "exported", asking.account_id)
    assert lines[3][1] in line["subject"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "|cmd", "%0a", "\uff1d1", "\r\n=1", "\u200b=1"],
)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    body, _, _ = csv_text(["Name"], [[text]])
    cell = _lines(body)[1][0]
    assert cell[0] in {"'", "["}, cell


def test_hidden_characters_quotes_and_line_ends_stay_in_their_cell() -> None:
    nasty = 'a","b"\r\nc\u202ed\x00'
    body, _, _ = csv_text(["Name", "Number"], [[nasty, -3], ["x" * 5000, 1.5]])
    lines = _lines(body)
    assert lines[1] == ['a","b" c[U+202E]d[U+0000]', "-3"]
    assert len(lines[2][0]) == csv_files.MOST_CELL + 1
    assert len(lines) == 4


def test_rows_have_a_most_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MOST_ROWS", 2)
    body, _, left_out = csv_text(["Name"], ([str(number)] for number in range(5)))
    assert left_out == 3
    assert _lines(body)[-1] == ["Rows left out", "3"]
    assert [line[0] for line in _lines(body)[1:3]] == ["0", "1"]


@pytest.mark.usefixtures("asking")
def test_what_would_make_no_file_is_refused() -> None:
    with pytest.raises(ValueError, match="cells"):
        csv_text(["Name"], [["a", "b"]])
    for name in ("", "../x", "a b", 'a"b', "a\r\nb"):
        with pytest.raises(ValueError, match="no name"):
            csv_answer(name, ["Name"], [], action="export-x")
