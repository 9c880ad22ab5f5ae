"""What went wrong, as a problem document (RFC 9457). In: an HTTP status and words. Out: an answer."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException

from dashboard.pages import words

MOST_ERRORS = 50
MOST_SAID = 300
_KEPT = frozenset({"Allow", "Retry-After", "WWW-Authenticate"})
"""Headers of an HTTP error that its answer keeps."""
_SAID = {
    400: "The request could not be read.",
    401: "Send a token that works as: Authorization: Bearer ...",
    403: "The token, or its account, does not have the right to do this.",
    404: "There is nothing here that this token may see.",
    405: "Use one of the methods in the Allow header.",
    409: "It was asked for already, or was decided meanwhile.",
    413: "The body is too long.",
    415: "Send the body as application/json.",
    422: "Something in the request does not hold; see errors.",
    429: "Too many requests. Wait as long as the Retry-After header says.",
    503: "The database could not be used. Try again in a minute.",
}


class FieldError(BaseModel):
    """One thing that does not hold."""

    model_config = ConfigDict(extra="forbid")

    where: str = Field(description="Field of the body, or name of a query parameter.", max_length=200)
    detail: str = Field(description="What is wrong, in words that can be shown.", max_length=MOST_SAID + 1)


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(default="about:blank", description="The status says it all.")
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list, max_length=MOST_ERRORS)


def problem(status: int, detail: str = "", errors: Iterable[tuple[str, str]] = ()) -> Response:
    """An answer that says what went wrong."""
    found = [FieldError(where=words.plain(where, 190), detail=words.plain(said, MOST_SAID)) for where, said in errors]
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or _SAID.get(status, "The request could not be served."),
        errors=found[:MOST_ERRORS],
    )
    return Response(body.model_dump_json(), status, mimetype="application/problem+json")


def of_http(error: HTTPException) -> Response:
    """An error of Flask's as a problem, with the headers that belong to it."""
    answer = problem(error.code or 500, _SAID.get(error.code or 500, ""))
    for name, value in error.get_headers():
        if name in _KEPT:
            answer.headers[name] = value
    return answer


def invalid(error: ValidationError) -> Response:
    """What of a body or query does not hold; without what was sent, which may be anything."""
    return problem(
        422,
        errors=(
            (".".join(str(part) for part in item["loc"]) or "body", item["msg"])
            for item in error.errors(include_url=False, include_input=False, include_context=False)[:MOST_ERRORS]
        ),
    )
