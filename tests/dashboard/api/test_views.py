"""The pages as data: narrowed down as the pages are, and nothing that a page keeps to itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.api.views import QUERIES
from dashboard.pages import search


@pytest.fixture(autouse=True)
def homes(seed: Any, program: FlaskClient) -> FlaskClient:
    seed.site("site-1", title="NM-0001")
    seed.site("site-2", title="NM-0002")
    return program


def test_a_search_finds_what_the_page_finds(program: FlaskClient) -> None:
    found = program.get("/api/v1/pages/search", query_string={"q": "NM-0002"})
    assert found.status_code == 200
    assert "site-2" in found.text
    assert "site-1" not in found.text
    assert program.get("/api/v1/pages/search", query_string={"x": "1"}).status_code == 422
    assert program.get("/api/v1/pages/search?q=a&q=b").status_code == 400


def test_a_list_is_narrowed_down(program: FlaskClient) -> None:
    whole = program.get("/api/v1/pages/households").text
    part = program.get("/api/v1/pages/households", query_string={"q": "NM-0002"}).text
    assert "/households/site-1" in whole
    assert "/households/site-1" not in part
    assert "/households/site-2" in part


def test_what_narrows_a_page_is_what_its_view_reads(app: Flask) -> None:
    folder = Path(search.__file__).parent
    for endpoint, names in QUERIES.items():
        assert endpoint in app.view_functions
        text = (folder / f"{endpoint.partition('.')[0]}.py").read_text()
        for name in names:
            assert re.search(rf"[\"']{re.escape(name)}[\"']", text), (endpoint, name)


def test_a_page_is_no_page_there(program: FlaskClient) -> None:
    answer = program.get("/api/v1/pages/households/site-1")
    assert answer.mimetype == "application/json"
    assert "<" not in answer.text.replace("\\u003c", "")
    assert "Set-Cookie" not in answer.headers
