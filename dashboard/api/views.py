"""What the pages say, as data: the same context that a page is made of, in the same plain words.

In: a page's address below `/pages`, and what narrows it down (`QUERIES`). Out: its context as JSON, described by its
dataclass. The page's own view does the reading, so charge, rights and the audit are the same. Pages whose data is
described field by field are in `VIEWS`; of the others the document says that there is an object.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import Annotated, Any

from flask import Response, current_app, g, make_response
from pydantic import Field, create_model
from pydantic_core import to_jsonable_python

from dashboard import pages
from dashboard.api import problems
from dashboard.api.frame import Api, Call, Model, NoQuery, Routes
from dashboard.tokens import OFFERED

Narrowing = Annotated[str, Field(max_length=200, description="As in the page's address; empty narrows nothing down.")]
AnyPage = Annotated[dict[str, Any], Field(description="The page's context, as it is.")]

VIEWS: dict[str, str] = {
    "today.today": "TodayPage",
    "households.households": "HouseholdsPage",
    "search.find": "SearchPage",
    "looked.looked": "LookedPage",
    "household.household": "HouseholdPage",
    "finding.finding": "FindingPage",
    "device.device": "DevicePage",
    "proposal.proposal": "ProposalPage",
    "arrangements.arrangements": "ArrangementsPage",
    "law.law": "LawPage",
    "law.device_law": "DeviceLawPage",
    "handed.handed": "HandedPage",
    "requests.requests": "RequestsPage",
    "command.command": "CommandPage",
    "notes.notes": "NotesPage",
    "person.person": "PersonPage",
    "timeline.timeline": "TimelinePage",
    "visits.held": "VisitsPage",
    "visits.before": "BeforePage",
    "team.team": "TeamPage",
    "listed.lists": "ListsPage",
    "trail.audit": "AuditPage",
    "monthly.monthly_return": "ReturnPage",
}
QUERIES: dict[str, tuple[str, ...]] = {
    "search.find": ("q",),
    "households.households": (
        "q",
        "severity",
        "standing",
        "risk",
        "officer",
        "silent",
        "due",
        "ending",
        "sort",
        "page",
    ),
    "devices.devices": ("standing", "seen", "text", "page"),
    "notes.notes": ("heading", "page"),
    "timeline.timeline": ("span", "from"),
    "trail.audit": ("who", "action", "household", "since", "until", "before"),
    "monthly.monthly_return": ("month", "share"),
    "install_papers.notice": ("language",),
}
"""What narrows a page down, by the names in its address."""
_FILES = (".pdf", ".json", ".csv", ".js", ".zip", ".txt", "/file")
"""Ends of addresses that answer with a file and not with a page."""
EXEMPT: dict[str, str] = {
    "static": "files of the pages",
    "health": "for whoever watches the process",
    "signin.form": "a session is a person's",
    "handed.file": "a file of records is handed to a person, who answers for it",
    "agent.form": "an empty form",
    "tokens.tokens_page": "a token sees no tokens",
    "tokens.described": "the document itself, for people",
}


def contexts() -> dict[str, type]:
    """All contexts of pages, by their names."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(pages.__path__):
        if module.name.startswith("contexts"):
            held = vars(importlib.import_module(f"{pages.__name__}.{module.name}"))
            named = {name: item for name, item in held.items() if isinstance(item, type)}
            found |= {name: item for name, item in named.items() if dataclasses.is_dataclass(item)}
    return found


def declare(api: Api, routes: Routes) -> None:
    """Declare an operation for each page."""
    known = contexts()
    for endpoint, (rule, need) in sorted(routes.items()):
        if endpoint in EXEMPT or rule.endswith(_FILES) or (need not in OFFERED and endpoint not in VIEWS):
            continue
        context = known.get(VIEWS.get(endpoint, ""), AnyPage)

        def run(call: Call, endpoint: str = endpoint) -> Any:
            return _page(endpoint, call)

        run.__name__ = "page_" + endpoint.replace(".", "_")
        run.__doc__ = f"What the page {rule} says."
        query = _query_of(endpoint)
        at = f"/pages{rule.rstrip('/')}"
        api.operation("GET", at, need=need, answer=context, tag="pages", query=query, tagged=False)(run)


def _query_of(endpoint: str) -> type[Model]:
    """The query that a page's own view reads; what it says wrongly narrows nothing down, as at the page."""
    if endpoint not in QUERIES:
        return NoQuery
    fields: dict[str, Any] = dict.fromkeys(QUERIES[endpoint], (Narrowing, ""))
    made: type[Model] = create_model(f"{VIEWS.get(endpoint, endpoint)}Query", __base__=Model, **fields)
    return made


def _page(endpoint: str, call: Call) -> Any:
    g.data_alone = True
    answer = make_response(current_app.view_functions[endpoint](**call.where))
    page = g.get("page")
    if page is None:
        return _elsewhere(answer)
    return page if endpoint in VIEWS else to_jsonable_python(page, fallback=lambda _: None)


def _elsewhere(answer: Response) -> Response:
    """A page that leads to another one: a device that counts as part of another."""
    return problems.problem(404, f"See {answer.location}" if answer.location else "")
