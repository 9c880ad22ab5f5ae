from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, TooManyRequests

from dashboard.api import problems


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int


def test_what_does_not_hold_is_named_and_what_was_sent_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        _Strict.model_validate({"days": "<script>secret-1", "secret-2": 1})
    answer = problems.invalid(caught.value)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    body = json.loads(answer.get_data())
    assert {item["where"] for item in body["errors"]} == {"days", "secret-2"}
    assert "secret-1" not in answer.get_data(as_text=True)


def test_an_error_keeps_the_headers_that_belong_to_it_and_no_other() -> None:
    answer = problems.of_http(MethodNotAllowed(valid_methods=["GET"]))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.mimetype == "application/problem+json"
    assert problems.of_http(TooManyRequests(retry_after=7)).headers["Retry-After"] == "7"
    assert problems.of_http(HTTPException()).status_code == 500


def test_there_are_so_many_errors_of_so_many_characters() -> None:
    answer = problems.problem(422, errors=[("w" * 900, "\u202e" + "d" * 9000)] * 500)
    body = json.loads(answer.get_data())
    assert len(body["errors"]) == problems.MOST_ERRORS
    assert len(body["errors"][0]["where"]) <= 200
    assert len(body["errors"][0]["detail"]) <= problems.MOST_SAID + 1
    assert "\u202e" not in body["errors"][0]["detail"]
