"""Templates use only what the page's dataclass declares, and each field says what it is."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from typing import Any, get_args, get_type_hints

import pytest
from flask import Flask
from jinja2 import nodes

from dashboard.pages import (
    contexts,
    contexts_account,
    contexts_arranged,
    contexts_bar,
    contexts_caseload,
    contexts_device,
    contexts_drawn,
    contexts_household,
    contexts_install,
    contexts_law,
    contexts_review,
    contexts_share,
    contexts_tabs,
    contexts_team,
    contexts_today,
    contexts_transfer,
    contexts_visit,
)

PAGES: dict[str, type] = {
    "today": contexts_today.TodayPage,
    "households": contexts_caseload.HouseholdsPage,
    "search": contexts_caseload.SearchPage,
    "looked": contexts_review.LookedPage,
    "household": contexts_household.HouseholdPage,
    "finding": contexts_household.FindingPage,
    "arrangements": contexts_arranged.ArrangementsPage,
    "agent": contexts_arranged.AgentPage,
    "device": contexts_device.DevicePage,
    "split": contexts_device.SplitPage,
    "proposal": contexts_device.ProposalPage,
    "law": contexts_law.LawPage,
    "device-law": contexts_law.DeviceLawPage,
    "requests": contexts_law.RequestsPage,
    "handed": contexts_law.HandedPage,
    "install-list": contexts_install.InstallListPage,
    "install-tasks": contexts_install.TasksPage,
    "install-step": contexts_install.StepPage,
    "install-watch": contexts_install.WatchPage,
    "install-cards": contexts_install.CardsPage,
    "install-devices": contexts_install.DevicesPage,
    "install-paper": contexts_install.PaperPage,
    "command": contexts.CommandPage,
    "devices": contexts_tabs.DevicesPage,
    "devices-confirm": contexts_tabs.BulkPage,
    "in-use": contexts_tabs.InUsePage,
    "timeline": contexts_drawn.TimelinePage,
    "coverage": contexts_drawn.CoveragePage,
    "activity": contexts_drawn.ActivityPage,
    "box": contexts_tabs.BoxPage,
    "boxes": contexts_tabs.BoxesPage,
    "box-detail": contexts_tabs.BoxDetailPage,
    "person": contexts_tabs.PersonPage,
    "notes": contexts_tabs.NotesPage,
    "private-address": contexts_tabs.HelpPage,
    "visits": contexts_visit.VisitsPage,
    "visit": contexts_visit.VisitPage,
    "visit-sign": contexts_visit.SignPage,
    "visit-signed": contexts_visit.SignedPage,
    "visit-before": contexts_visit.BeforePage,
    "visit-sheet": contexts_visit.SheetPage,
    "transfer": contexts_transfer.TransferPage,
    "transfers": contexts_transfer.TransfersPage,
    "history": contexts_transfer.HistoryPage,
    "shares": contexts_share.SharesPage,
    "shared": contexts_share.SharedPage,
    "shared-enter": contexts_share.SharedEnterPage,
    "summary": contexts_share.OwnPage,
    "summary-others": contexts_share.OthersPage,
    "sign-in": contexts_account.SignInPage,
    "sign-in-authenticator": contexts_account.AuthenticatorSignInPage,
    "again": contexts_account.AgainPage,
    "held": contexts_account.HeldPage,
    "account": contexts_account.AccountPage,
    "authenticator": contexts_account.AuthenticatorPage,
    "recovery": contexts_account.RecoveryPage,
    "accounts": contexts_account.AccountsPage,
    "one-account": contexts_account.OneAccountPage,
    "error": contexts.ErrorPage,
    "team": contexts_team.TeamPage,
    "duty": contexts_team.DutyPage,
    "messages-out": contexts_team.MessagesPage,
    "audit": contexts_team.AuditPage,
    "lists": contexts_team.ListsPage,
    "monthly": contexts_team.ReturnPage,
    "outcomes": contexts_team.OutcomesPage,
    "planned": contexts_team.PlannedPage,
    "alerts": contexts_team.AlertsPage,
}
LIVE = {"install-watch", "today", "households", "household", "box", "finding", "device", "proposal", "command"}
PARTS = {
    "devices": ["look"],
    "finding": ["register", "key", "quiet"],
    "arrangements": ["away", "watch"],
    "agent": ["agent"],
    "device": ["register", "correct", "split", "key"],
    "proposal": ["answer"],
    "visit-before": ["paper-before"],
    "visit-sheet": ["paper-sheet"],
    "summary": ["paper-own", "paper-help"],
    "summary-others": ["paper-others", "paper-help"],
}
CLASSES = list(
    dict.fromkeys(
        item
        for module in (
            contexts_account,
            contexts,
            contexts_bar,
            contexts_household,
            contexts_install,
            contexts_device,
            contexts_drawn,
            contexts_arranged,
            contexts_law,
            contexts_tabs,
            contexts_caseload,
            contexts_review,
            contexts_team,
            contexts_today,
            contexts_share,
            contexts_transfer,
            contexts_visit,
        )
        for _, item in inspect.getmembers(module, dataclasses.is_dataclass)
    )
)


def _source(app: Flask, name: str) -> nodes.Template:
    loader = app.jinja_env.loader
    assert loader is not None
    return app.jinja_env.parse(loader.get_source(app.jinja_env, name)[0])


def _used(tree: nodes.Template, variable: str) -> set[str]:
    return {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == variable
    }


def _templates(name: str) -> list[str]:
    found = [f"{name}.html"] + ([f"live/{name}.html"] if name in LIVE else [])
    return [*found, *(f"parts/{part}.html" for part in PARTS.get(name, ()))]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_uses_just_the_fields_it_declares(app: Flask, name: str) -> None:
    declared = {field.name for field in dataclasses.fields(PAGES[name])}
    used: set[str] = set()
    for template in _templates(name):
        used |= _used(_source(app, template), "page")
    assert used == declared


def test_the_frame_is_used_as_declared(app: Flask) -> None:
    declared = {field.name for field in dataclasses.fields(contexts.Frame)}
    used: set[str] = set()
    for name in app.jinja_env.list_templates(filter_func=lambda name: not name.startswith("govuk")):
        used |= _used(_source(app, name), "frame")
    assert used == declared


def test_a_field_nobody_declared_is_an_error_not_an_empty_place(app: Flask) -> None:
    page = contexts.ErrorPage(heading="h", explanation="e", home=False)
    with app.app_context(), pytest.raises(AttributeError):
        app.jinja_env.from_string("{{ page.headingg }}").render(page=page)


@pytest.mark.parametrize("item", CLASSES, ids=lambda item: item.__name__)
def test_contexts_are_frozen_slotted_and_say_what_each_field_is(item: Any) -> None:
    assert item.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(item))
    assert hasattr(item, "__slots__")
    body = ast.parse(inspect.getsource(item)).body[0]
    assert isinstance(body, ast.ClassDef)
    for place, node in enumerate(body.body):
        if isinstance(node, ast.AnnAssign):
            after = body.body[place + 1]
            assert isinstance(after, ast.Expr), ast.unparse(node)
            assert isinstance(after.value, ast.Constant), ast.unparse(node)


def test_contexts_hold_only_plain_values() -> None:
    """Nothing from the database, and nothing that could be changed, reaches a template."""
    allowed = {str, bool, int, float, type(None), Ellipsis, *CLASSES}
    for item in CLASSES:
        for hint in get_type_hints(item).values():
            parts = {hint}
            while any(get_args(part) for part in parts):
                parts = {inner for part in parts for inner in (get_args(part) or (part,))}
            assert parts <= allowed, (item, parts - allowed)
