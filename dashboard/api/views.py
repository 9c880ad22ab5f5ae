"""What the pages say, as data: the same context that a page is made of, in the same plain words.

In: a page's address below `/pages`. Out: its context as JSON, described by its dataclass. The page's own view does the
reading, so charge, rights and the audit are the same. Another page is one entry in `VIEWS`.
"""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g, make_response

from dashboard.api import problems
from dashboard.api.frame import Api, Call, Routes
from dashboard.pages import contexts, contexts_arranged, contexts_device, contexts_household, contexts_law

VIEWS: dict[str, Any] = {
    "today.today": contexts.TodayPage,
    "today.households": contexts.HouseholdsPage,
    "household.household": contexts_household.HouseholdPage,
    "finding.finding": contexts_household.FindingPage,
    "device.device": contexts_device.DevicePage,
    "proposal.proposal": contexts_device.ProposalPage,
    "arrangements.arrangements": contexts_arranged.ArrangementsPage,
    "law.law": contexts_law.LawPage,
    "law.device_law": contexts_law.DeviceLawPage,
    "handed.handed": contexts_law.HandedPage,
    "requests.requests": contexts_law.RequestsPage,
    "command.command": contexts.CommandPage,
}
EXEMPT: dict[str, str] = {
    "static": "files of the pages",
    "health": "for whoever watches the process",
    "signin.form": "a session is a person's",
    "handed.file": "a file of records is handed to a person, who answers for it",
    "agent.agent": "an empty form",
    "tokens.tokens_page": "a token sees no tokens",
    "tokens.described": "the document itself, for people",
}


def declare(api: Api, routes: Routes) -> None:
    """Declare an operation for each page."""
    for endpoint, context in VIEWS.items():
        if endpoint not in routes:
            continue  # as in `acts`
        rule, need = routes[endpoint]

        def run(call: Call, endpoint: str = endpoint) -> Any:
            return _page(endpoint, call)

        run.__name__ = "page_" + endpoint.replace(".", "_")
        run.__doc__ = f"What the page {rule} says."
        api.operation("GET", f"/pages{rule.rstrip('/')}", need=need, answer=context, tag="pages", tagged=False)(run)


def _page(endpoint: str, call: Call) -> Any:
    g.data_alone = True
    answer = make_response(current_app.view_functions[endpoint](**call.where))
    page = g.get("page")
    if page is None:
        return _elsewhere(answer)
    return page


def _elsewhere(answer: Response) -> Response:
    """A page that leads to another one: a device that counts as part of another."""
    return problems.problem(404, f"See {answer.location}" if answer.location else "")
