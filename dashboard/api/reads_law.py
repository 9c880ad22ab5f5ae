"""What can be read of what was asked of a box, held for a household, asked for at home, arranged and handed out.

In: a call. Out: models. Every household comes through `desk.household_or_404`.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort
from sqlalchemy import func, select

from dashboard.api import models
from dashboard.api.frame import Call
from dashboard.api.listing import Declared, list_of
from dashboard.api.models import Page, moment, moment_or_none
from dashboard.pages import sentences, words
from dashboard.pages.desk import audit_view, household_or_404, id_or_404
from dashboard.pages.orders import told
from dashboard.pages.outcomes import outcome_words
from dashboard.store import queries
from dashboard.store.arrangements import arrangements_of
from dashboard.store.queries import StoredCommand, stored_commands
from dashboard.store.schema import authority_document, bundle, bundle_part, command, request


def household_commands(call: Call) -> Page[models.Command] | Response:
    """What was asked of a household's box, newest first."""
    keys = [command.c.created_at, command.c.command_id]

    def shown(row: dict[str, Any]) -> models.Command:
        return _command(call, StoredCommand(**row))

    return list_of(call, stored_commands(), command.c.site, keys, shown, action="view-household", newest_first=True)


def one_command(call: Call) -> models.Command:
    """One command, and what became of it."""
    with call.at_desk.reads.connect() as connection:
        tenant = call.at_desk.settings.tenant
        found = queries.command_of(connection, tenant, id_or_404(call.where["command"]))
        if found is None:
            abort(404)
        household_or_404(connection, found.site)
    audit_view("view-command", f"{found.site}/{found.command_id}")
    return _command(call, found)


def _command(call: Call, row: StoredCommand) -> models.Command:
    heading, _explanation, done = outcome_words(row, call.at_desk.now())
    return models.Command(
        site=row.site,
        command=row.command_id,
        action=str(row.body.get("action", "")),
        text=told(row.body, call.at_desk.zone).short,
        state=row.state,
        says=heading,
        done=done,
        device=row.device_id,
        reason=words.plain(row.reason.replace("\n", " "), 500),
        by=row.by,
        asked=moment(row.created_at),
        expires=moment(row.expires_at),
        answered=moment_or_none(row.answered_at),
        second=row.second,
        emergency=bool(row.break_glass),
    )


def household_documents(call: Call) -> Page[models.Document] | Response:
    """Signed documents that are held for a household, newest first."""
    keys = [authority_document.c.stored_at, authority_document.c.sha256]
    query = select(authority_document)
    return list_of(call, query, authority_document.c.site, keys, _document, action="view-law", newest_first=True)


def _document(row: dict[str, Any]) -> models.Document:
    return models.Document(
        authority=row["authority_id"],
        number=row["number"],
        sha256=row["sha256"],
        stored=moment(row["stored_at"]),
        by=row["by"],
        document=row["document"],
    )


def household_requests(call: Call) -> Page[models.Request] | Response:
    """What people at home asked for, newest first."""
    keys = [request.c.at, request.c.request_id]
    query = select(request).where(request.c.kind != "notice-read")
    return list_of(call, query, request.c.site, keys, _request, action="view-requests", newest_first=True)


def _request(row: dict[str, Any]) -> models.Request:
    return models.Request(
        request=row["request_id"],
        kind=row["kind"],
        device=row["device_id"],
        proved=row["proved"],
        text=words.plain(row["text"].replace("\n", " "), 500),
        at=moment(row["at"]),
        until=moment_or_none(row["until"]),
        state=row["state"],
        note=words.plain(row["note"], 500),
        answered=moment_or_none(row["answered_at"]),
    )


def household_bundles(call: Call) -> Page[models.Bundle] | Response:
    """Records collected to hand out, newest first."""
    here = (
        select(func.count())
        .where(bundle_part.c.site == bundle.c.site, bundle_part.c.bundle_id == bundle.c.bundle_id)
        .scalar_subquery()
        .label("arrived")
    )
    keys = [bundle.c.built_at, bundle.c.bundle_id]
    return list_of(call, select(bundle, here), bundle.c.site, keys, _bundle, action="view-handed", newest_first=True)


def _bundle(row: dict[str, Any]) -> models.Bundle:
    return models.Bundle(
        bundle=row["bundle_id"],
        state=row["state"],
        problem=words.plain(row["problem"]),
        parts=row["parts"],
        arrived=row["arrived"],
        records=row["records"],
        built=moment(row["built_at"]),
        completed=moment_or_none(row["completed_at"]),
        octets=row["octets"],
        sha256=row["sha256"],
        certified=moment_or_none(row["certified_at"]),
    )


def household_arrangements(call: Call) -> models.Arrangements:
    """What is arranged with a household's box."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        stored = arrangements_of(connection, home.site)
    audit_view("view-arrangements", home.site)
    said = None if stored is None else sentences.arrangements(stored.payload)
    return models.Arrangements(
        said=moment_or_none(stored.stored_at if stored else None),
        arrangements=said.model_dump(mode="json", exclude_none=True) if said else {},
    )


LISTS: Declared = (
    ("/households/<site>/commands", household_commands, models.Command, "commands"),
    ("/households/<site>/documents", household_documents, models.Document, "law"),
    ("/households/<site>/requests", household_requests, models.Request, "law"),
    ("/households/<site>/bundles", household_bundles, models.Bundle, "law"),
)
ONES: Declared = (
    ("/households/<site>/arrangements", household_arrangements, models.Arrangements, "arrangements"),
    ("/commands/<command>", one_command, models.Command, "commands"),
)
