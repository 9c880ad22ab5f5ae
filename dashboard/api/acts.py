"""What can be done: each act is the form of a page, sent as JSON, so that there is one set of rules and not two.

In: a body with the form's fields. Out: what the page's own view made of it: a command that was asked for, or what does
not hold, as the page's error summary says it. Two people, reasons, charge and the audit are the view's, and so the same.

A form that programs need often has an entry in `acts_table`: its address here, the page's endpoint, its fields. Every
other form is under `/forms`, with its fields by the names that the page gives them.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Annotated, Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, make_response, request
from pydantic import Field, create_model
from werkzeug.datastructures import FileStorage, ImmutableMultiDict

from dashboard.api import models, problems
from dashboard.api.frame import PREFIX, Api, Call, Model, Routes
from dashboard.commands import new_token
from dashboard.tokens import OFFERED

MOST_TEXT = 4000
MOST_LIST = 64
_PROOF = ("/again", "/sign-in")
"""Where a page sends who must prove afresh who they are: a token cannot."""

Text = Annotated[str, Field(max_length=MOST_TEXT)]
Texts = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=MOST_LIST)]
Token = Annotated[
    str, Field(pattern="^[0-9a-f]{32}$", description="Makes two sendings one; made here if it is not given.")
]


Fields = Annotated[
    dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_-]{0,63}$")], Text | Texts],
    Field(max_length=200, description="The form's fields, by the names that they have on the page."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A page's form."""

    name: str
    rule: str
    endpoint: str
    """The page's."""
    says: str
    tag: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Name in the form, and its type and default as pydantic takes them."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Parts of the page's address that this act gives itself."""
    form: Mapping[str, str] = field(default_factory=dict)
    """Fields of the form that this act gives itself."""
    file: str = ""
    """Field of the body that the form takes as a file."""


def body_of(act: Act) -> type[Model]:
    """The model of an act's body."""
    fields: dict[str, Any] = {
        name: kind if isinstance(kind, tuple) else (kind, ...) for name, kind in act.fields.items()
    }
    fields["token"] = (Token | None, None)
    name = "".join(part.capitalize() for part in act.name.split("_"))
    made: type[Model] = create_model(f"{name}Body", __base__=Model, **fields)
    return made


def declare(api: Api, routes: Routes, acts: tuple[Act, ...], *, but: Collection[str]) -> None:
    """Declare an operation for each act, and one for every other form of a page that a token may send.

    The right that it wants is that of the page's view. `but` are endpoints of forms that are left out.
    """
    named = {act.endpoint for act in acts} | set(but)
    others = tuple(
        Act(
            name="form_" + endpoint.replace(".", "_"),
            rule=f"/forms{rule.rstrip('/')}",
            endpoint=endpoint,
            says=f"Send the form of the page {rule}.",
            tag="forms",
            fields={"fields": Fields},
        )
        for endpoint, (rule, need) in sorted(routes.items())
        if endpoint not in named and need in OFFERED
    )
    for act in acts + others:
        if act.endpoint not in routes:
            continue  # a page that this app was made without; a test holds the table to the pages
        need = routes[act.endpoint][1]

        def run(call: Call, act: Act = act) -> Any:
            return _do(act, call)

        run.__name__ = act.name
        run.__doc__ = act.says
        api.operation("POST", act.rule, need=need, answer=models.Taken, tag=act.tag, status=202, body=body_of(act))(run)


def _do(act: Act, call: Call) -> models.Taken | Response:
    sent = call.body.model_dump(exclude_none=True)
    files = {}
    if act.file:
        files["file"] = FileStorage(io.BytesIO(sent.pop(act.file).encode()), filename="document.json")
    form = [("token", sent.pop("token", None) or new_token()), *act.form.items()]
    sent |= sent.pop("fields", {})
    for name, value in sent.items():
        form += [(name, _typed(item)) for item in (value if isinstance(value, list) else [value])]
    request.form = ImmutableMultiDict(form)
    request.files = ImmutableMultiDict(files)
    answer = make_response(current_app.view_functions[act.endpoint](**call.where, **act.fixed))
    if 300 <= answer.status_code < 400:
        return _taken(answer.location or "/")
    errors = errors_of(answer.get_data(as_text=True))
    if errors or answer.status_code >= 400:
        return problems.problem(answer.status_code if answer.status_code >= 400 else 422, errors=errors)
    code = getattr(g.get("page"), "code", None)
    return models.Taken(command=None, address=None, see="/", code=code or None)


def _taken(location: str) -> models.Taken | Response:
    path = urlsplit(location).path
    if path.startswith(_PROOF):
        return problems.problem(403, "This wants a person who proves afresh who they are; a token cannot.")
    parts = path.strip("/").split("/")
    if parts[0] != "commands" or len(parts) != 2:
        return models.Taken(command=None, address=None, see=path, code=None)
    if "wrong=" in location:
        return problems.problem(422, errors=[("reason", "Enter the reason for your decision, in fewer characters")])
    return models.Taken(command=parts[1], address=f"{PREFIX}/commands/{parts[1]}", see=path, code=None)


def _typed(value: object) -> str:
    """A value as a browser would send it."""
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


class _Summary(HTMLParser):
    """Collects the links of a page's error summary: the fields and what is wrong with them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._depth = 0
        self._at = ""
        self._said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        given = dict(attrs)
        if tag == "div" and (self._depth or "govuk-error-summary" in (given.get("class") or "").split()):
            self._depth += 1
        if tag == "a" and self._depth:
            self._at, self._said = (given.get("href") or "").removeprefix("#"), []

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag == "div" and self._depth:
            self._depth -= 1
        if tag == "a" and self._at:
            self.found.append((self._at, " ".join("".join(self._said).split())))
            self._at = ""

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._at:
            self._said.append(data)


def errors_of(page: str) -> list[tuple[str, str]]:
    """What a page's error summary says: element ids and sentences; empty where it has none."""
    reader = _Summary()
    reader.feed(page)
    return reader.found
