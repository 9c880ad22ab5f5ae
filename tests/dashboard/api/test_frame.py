"""The door of the interface: what is asked for before an operation runs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.api import frame
from dashboard.api.install import EXTENSION


@pytest.fixture(autouse=True)
def home(seed: Any, program: FlaskClient) -> FlaskClient:
    seed.site()
    return program


def test_a_parameter_that_is_there_twice_or_too_long_is_refused(program: FlaskClient) -> None:
    assert program.get("/api/v1/findings?limit=1").status_code == 200
    assert program.get("/api/v1/findings?limit=1&limit=2").status_code == 400
    assert program.get("/api/v1/findings?cursor=" + "a" * frame.MOST_QUERY).status_code == 400
    for limit in ("0", "201", "x", "1e1", ""):
        assert program.get(f"/api/v1/findings?limit={limit}").status_code == 422, limit


def test_a_body_has_so_many_octets_and_is_json(program: FlaskClient) -> None:
    path = "/api/v1/commands/x/agree"
    big = program.post(path, data=b'{"reason": "' + b"a" * frame.MOST_BODY + b'"}', content_type="application/json")
    assert big.status_code == 413
    assert big.mimetype == "application/problem+json"
    for sent in (b"", b"[]", b"{", b"[" * 60000, b"\xff", b'{"reason": NaN}', b'{"reason": 1}', b"null"):
        assert program.post(path, data=sent, content_type="application/json").status_code == 422, sent[:9]


def test_each_operation_has_one_right_of_its_own_view(app: Flask) -> None:
    operations = app.extensions[EXTENSION].api.operations
    assert len({(one.method, one.rule) for one in operations}) == len(operations) > 100


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/households/"])
def test_what_is_not_there_is_a_problem_and_no_page(program: FlaskClient, path: str) -> None:
    answer = program.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert frame.is_api(path)
    assert not frame.is_api("/api/v1x")
