"""What every operation goes through: who is asking, whether they may, what they sent, and how it is answered.

In: a request under `/api/v1`. Out: JSON that its model describes, or a problem document. No cookie is looked at and none
is set, so that no other site can make a browser act here; there is no CORS header either. Bounded: bodies have
`MOST_BODY` octets and the parser's own depth, lists `MOST_PAGE` items, and a token has its pace.

An operation is declared once, with `Api.operation`: the address, what it takes, what it answers, which right it wants.
The document (`dashboard.api.document`) is made of the same declarations, so it says what the program does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from dashboard import access, tokens
from dashboard.access import May
from dashboard.api import problems
from dashboard.api.pace import Pace
from dashboard.pages.desk import Desk, desk

PREFIX = "/api/v1"
MOST_BODY = 64 * 1024
MOST_QUERY = 2048
NAME = "api"
DOCUMENT = f"{NAME}.document"
"""The one endpoint that wants no token."""
Routes = Mapping[str, tuple[str, May]]
"""Address and right of each page, by its endpoint."""
_BEARER = re.compile(r"[Bb]earer +(\S{1,200})")


class Model(BaseModel):
    """What goes in or out: nothing that is not declared."""

    model_config = ConfigDict(extra="forbid")


class NoQuery(Model):
    """An operation without query parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that holds."""

    at_desk: Desk
    where: dict[str, str]
    """Parts of the address."""
    query: Any
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the interface can do at one address with one method."""

    method: str
    rule: str
    """Address below `PREFIX`, as Flask writes it."""
    name: str
    tag: str
    need: May
    run: Callable[[Call], Any]
    """Answers with a value of `answer`'s type, or a whole response."""
    answer: TypeAdapter[Any]
    status: int
    query: type[Model]
    body: type[Model] | None
    summary: str
    tagged: bool
    """Whether the answer carries an entity tag."""


@dataclass(slots=True, kw_only=True, eq=False)
class Api:
    """All operations; one for an app."""

    operations: list[Operation] = field(default_factory=list)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        need: May,
        answer: Any,
        tag: str,
        status: int = 200,
        query: type[Model] = NoQuery,
        body: type[Model] | None = None,
        tagged: bool = True,
    ) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
        """Declare an operation; the function's name and docstring become its id and summary."""

        def declare(run: Callable[[Call], Any]) -> Callable[[Call], Any]:
            self.operations.append(
                Operation(
                    method=method,
                    rule=rule,
                    name=run.__name__,
                    tag=tag,
                    need=need,
                    run=run,
                    answer=TypeAdapter(answer),
                    status=status,
                    query=query,
                    body=body,
                    summary=(run.__doc__ or "").strip().split("\n")[0],
                    tagged=tagged and method == "GET",
                )
            )
            return run

        return declare

    def blueprint(self, document: Callable[[], Response]) -> Blueprint:
        """All operations as views."""
        made = Blueprint(NAME, __name__, url_prefix=PREFIX)
        made.add_url_rule("/openapi.json", "document", document)
        for one in self.operations:
            made.add_url_rule(one.rule, one.name, _view(one), methods=[one.method])
        return made


def is_api(path: str) -> bool:
    """Whether an address is the interface's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def admit(at_desk: Desk, pace: Pace) -> Response | None:
    """Find out whose token it is and whether it may; None lets the request pass."""
    request.max_content_length = MOST_BODY
    if request.endpoint == DOCUMENT:
        return None
    sent = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    holder = None
    now = at_desk.now()
    if sent is not None:
        with at_desk.reads.connect() as connection:
            holder = tokens.holder_of(connection, token=sent.group(1), now=now)
    if holder is None:
        answer = problems.problem(401)
        answer.headers["WWW-Authenticate"] = "Bearer"  # RFC 6750, 3
        return answer
    g.who, g.holder = holder.who, holder
    short = pace.wait(holder.token_id, now)
    if short:
        answer = problems.problem(429)
        answer.headers["Retry-After"] = str(int(short) + 1)
        return answer
    if holder.used_at is None or now - holder.used_at >= tokens.USED_SECONDS:
        tokens.note_use(at_desk.engine, token_id=holder.token_id, now=now)
    view = current_app.view_functions.get(request.endpoint or "")
    need = None if view is None else access.need_of(view)
    if need is not None and need not in holder.rights:
        g.denied = True
        abort(403)
    return None


def _view(one: Operation) -> Callable[..., Response]:
    @access.needs(one.need)
    def view(**where: str) -> Response:
        try:
            query = one.query.model_validate_strings(_query())
            body = None if one.body is None else _body(one.body)
        except ValidationError as error:
            return problems.invalid(error)
        made = one.run(Call(at_desk=desk(), where=where, query=query, body=body))
        return made if isinstance(made, Response) else answer(one, made)

    view.__name__ = one.name
    return view


def answer(one: Operation, made: Any) -> Response:
    """An answer of an operation's own model."""
    text = one.answer.dump_json(made)
    response = Response(text, one.status, mimetype="application/json")
    if one.tagged:
        response.set_etag(hashlib.sha256(text).hexdigest()[:32])
        response.make_conditional(request)
    return response


def _query() -> dict[str, str]:
    if len(request.query_string) > MOST_QUERY:
        abort(400)
    values = {}
    for name, found in request.args.lists():
        if len(found) > 1:
            abort(400)  # which of the two counts is nothing to guess
        values[name] = found[0]
    return values


def _body(model: type[Model]) -> Model:
    if request.mimetype != "application/json":
        abort(415)
    return model.model_validate_json(request.get_data(cache=False), strict=True)
