"""What can be read: households and all that is kept about them, one operation each, in one or two statements.

In: a call. Out: models. Every household comes through `desk.household_or_404` or `charge.sees`, so a token sees what its
account is in charge of, and each look is in the audit as that at a page is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Response, abort, g
from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from dashboard.access import May
from dashboard.api import models, problems
from dashboard.api.frame import Api, Call
from dashboard.api.models import ListQuery, Page, moment, moment_or_none
from dashboard.api.paging import CursorError, part
from dashboard.pages import evidence, sentences, words
from dashboard.pages.desk import audit_view, household_or_404, id_or_404, who
from dashboard.pages.orders import told
from dashboard.pages.outcomes import outcome_words
from dashboard.pages.rows import addresses
from dashboard.store import charge, devices, queries
from dashboard.store.arrangements import arrangements_of
from dashboard.store.queries import Household, StoredCommand, StoredFinding, stored_commands
from dashboard.store.schema import (
    audit,
    authority_document,
    bundle,
    bundle_part,
    command,
    device,
    finding,
    proposal,
    request,
    site,
    stay,
)
from wire.findings import Severity

_RANKS = tuple(Severity)


Declared = tuple[tuple[str, Callable[[Call], Any], Any, str], ...]
"""Address, function, model, tag."""


def declare(api: Api) -> None:
    """Declare the operations that read."""
    lists: Declared = (
        ("/households", households, models.Household, "households"),
        ("/households/<site>/devices", household_devices, models.Device, "devices"),
        ("/households/<site>/devices/<device>/stays", device_stays, models.Stay, "devices"),
        ("/households/<site>/proposals", household_proposals, models.Proposal, "devices"),
        ("/households/<site>/commands", household_commands, models.Command, "commands"),
        ("/households/<site>/documents", household_documents, models.Document, "law"),
        ("/households/<site>/requests", household_requests, models.Request, "law"),
        ("/households/<site>/bundles", household_bundles, models.Bundle, "law"),
    )
    ones: Declared = (
        ("/households/<site>", household, models.Household, "households"),
        ("/households/<site>/findings/<finding>", household_finding, models.Finding, "findings"),
        ("/households/<site>/devices/<device>", household_device, models.Device, "devices"),
        ("/households/<site>/arrangements", household_arrangements, models.Arrangements, "arrangements"),
        ("/commands/<command>", one_command, models.Command, "commands"),
    )
    api.operation("GET", "/me", need=May.BE_HERE, answer=models.Me, tag="account", tagged=False)(me)
    for rule, run, answer, tag in lists:
        api.operation("GET", rule, need=May.SEE, answer=_page_of(answer), tag=tag, query=ListQuery)(run)
    for rule, run, answer, tag in ones:
        api.operation("GET", rule, need=May.SEE, answer=answer, tag=tag)(run)
    found = Page[models.Finding]
    query = models.FindingsQuery
    api.operation("GET", "/findings", need=May.SEE, answer=found, tag="findings", query=query)(findings)
    api.operation("GET", "/households/<site>/findings", need=May.SEE, answer=found, tag="findings", query=query)(
        household_findings
    )
    api.operation("GET", "/audit", need=May.SEE_AUDIT, answer=Page[models.AuditLine], tag="audit", query=ListQuery)(
        audit_lines
    )


def _page_of(item: Any) -> Any:
    return Page[item]


# --- whose token it is ---------------------------------------------------------------------------


def me(call: Call) -> models.Me:
    """Whose token this is, and what it may do."""
    del call
    holder = g.holder
    return models.Me(
        account=holder.who.account_id,
        name=holder.who.name,
        role=holder.who.role,
        rights=sorted(holder.rights),
        service=holder.service,
        token=holder.token_id,
        expires=moment(holder.who.expires_at),
    )


# --- households ----------------------------------------------------------------------------------


def households(call: Call) -> Page[models.Household] | Response:
    """Households in your charge."""
    query = select(site.c.site, site.c.title, site.c.status, site.c.status_at, site.c.heard_at).where(_mine(call))
    with call.at_desk.reads.connect() as connection:
        rows, following = _part(call, connection, query, [site.c.site])
        if isinstance(rows, Response):
            return rows
        counts = _counts(connection, [row["site"] for row in rows])
    audit_view("view-households", "")
    return Page(items=[_household(Household(**row), counts) for row in rows], next=following)


def household(call: Call) -> models.Household:
    """One household."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        counts = _counts(connection, [home.site])
    audit_view("view-household", home.site)
    return _household(home, counts)


def _counts(connection: Connection, sites: list[str]) -> dict[str, tuple[int, int, str | None]]:
    ranked = case({severity: place for place, severity in enumerate(_RANKS)}, value=finding.c.severity, else_=9)
    informs = finding.c.severity == Severity.INFORMATION
    query = (
        select(
            finding.c.site,
            func.sum(case((informs, 0), else_=1)).label("decide"),
            func.sum(case((informs, 1), else_=0)).label("inform"),
            func.min(ranked).label("worst"),
        )
        .where(finding.c.site.in_(sites), finding.c.state == "open")
        .group_by(finding.c.site)
    )
    return {
        row.site: (int(row.decide), int(row.inform), _RANKS[row.worst] if row.worst < len(_RANKS) else None)
        for row in connection.execute(query)
    }


def _household(home: Household, counts: dict[str, tuple[int, int, str | None]]) -> models.Household:
    said = sentences.status(home.status)
    decide, inform, worst = counts.get(home.site, (0, 0, None))
    return models.Household(
        site=home.site,
        title=words.plain(home.title, 120),
        heard=moment_or_none(home.heard_at),
        recording=None if said is None else said.recording,
        authority=words.plain(said.authority) if said and said.authority else "",
        open_findings=decide,
        for_information=inform,
        worst=worst,
    )


# --- findings ------------------------------------------------------------------------------------


def findings(call: Call) -> Page[models.Finding] | Response:
    """Findings of all households in your charge, newest first."""
    return _findings(call, _mine(call), "view-findings", "")


def household_findings(call: Call) -> Page[models.Finding] | Response:
    """Findings of one household, newest first."""
    home = _home(call)
    return _findings(call, finding.c.site == home.site, "view-household", home.site)


def household_finding(call: Call) -> models.Finding:
    """One finding."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        row = queries.finding_of(connection, home.site, id_or_404(call.where["finding"]))
        named = [] if row is None or row.device_id is None else [row.device_id]
        known = devices.devices_named(connection, home.site, named)
    if row is None:
        abort(404)
    audit_view("view-finding", f"{home.site}/{row.finding_id}")
    about = known.get(row.device_id or "")
    return _finding(home.site, row, about.standing if about else None)


def _findings(call: Call, which: ColumnElement[bool], action: str, subject: str) -> Page[models.Finding] | Response:
    query = (
        select(finding, device.c.standing)
        .join(site, site.c.site == finding.c.site)
        .outerjoin(device, (device.c.site == finding.c.site) & (device.c.device_id == finding.c.device_id))
        .where(which)
    )
    if call.query.state:
        query = query.where(finding.c.state == call.query.state)
    keys = [finding.c.raised_at, finding.c.site, finding.c.finding_id]
    with call.at_desk.reads.connect() as connection:
        rows, following = _part(call, connection, query, keys, newest_first=True)
    if isinstance(rows, Response):
        return rows
    audit_view(action, subject)
    items = []
    for row in rows:
        stored = StoredFinding(**{name: row[name] for name in StoredFinding.__slots__})
        items.append(_finding(row["site"], stored, row["standing"]))
    return Page(items=items, next=following)


def _finding(site_id: str, row: StoredFinding, standing: str | None) -> models.Finding:
    whole = sentences.payload(row.payload)
    clause = whole.rule.clause if whole else ""
    return models.Finding(
        site=site_id,
        finding=row.finding_id,
        kind=row.kind,
        severity=row.severity,
        state=row.state,
        device=row.device_id,
        cause=row.cause,
        sentence=sentences.finding(row.kind, standing),
        why=sentences.why(row.kind, clause),
        sure=words.confidence(whole.confidence) if whole else "Not said",
        first_seen=moment(row.first_seen),
        last_seen=moment(row.last_seen),
        raised=moment(row.raised_at),
        count=row.count,
        clause=words.plain(clause, 40),
        rule=f"{whole.rule.id} {words.plain(whole.rule.version, 64)}" if whole else "",
        reasons=list(evidence.reasons(whole)),
        alternatives=[words.plain(item) for item in whole.alternatives] if whole else [],
        matched={fact.key: fact.value for fact in evidence.matched(whole)},
        closed_because=words.plain(whole.closed_because) if whole and whole.closed_because else "",
    )


# --- devices -------------------------------------------------------------------------------------


def household_devices(call: Call) -> Page[models.Device] | Response:
    """Devices ever seen at a household."""
    return _list(call, select(device), device.c.site, [device.c.device_id], _device, action="view-household")


def household_device(call: Call) -> models.Device:
    """One device."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        query = select(device).where(device.c.site == home.site, device.c.device_id == id_or_404(call.where["device"]))
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        abort(404)
    audit_view("view-device", f"{home.site}/{row['device_id']}")
    return _device(dict(row))


def _device(row: dict[str, Any]) -> models.Device:
    like = sentences.looks(row["looks_like"])
    stored = devices.StoredDevice(**{name: row[name] for name in devices.StoredDevice.__slots__})
    return models.Device(
        site=row["site"],
        device=row["device_id"],
        standing=row["standing"],
        label=words.plain(row["label"] or "", 80),
        looks_like=words.plain(like.text) if like else "",
        confidence=like.confidence if like else None,
        quarantined=row["quarantined"],
        first_seen=moment(row["first_seen"]),
        last_seen=moment(row["last_seen"]),
        addresses=[
            models.Address(
                mac=item.mac,
                first_seen=item.first_seen,
                last_seen=item.last_seen,
                locally_administered=item.locally_administered,
            )
            for item in addresses(stored)
        ],
        merged_into=row["merged_into"],
        passphrase=words.plain(row["key_id"], 64) if row["key_id"] else None,
    )


def device_stays(call: Call) -> Page[models.Stay] | Response:
    """When a device was at home, newest first."""
    query = select(stay).where(stay.c.device_id == id_or_404(call.where["device"]))
    return _list(
        call, query, stay.c.site, [stay.c.started, stay.c.session_id], _stay, action="view-device", newest_first=True
    )


def _stay(row: dict[str, Any]) -> models.Stay:
    return models.Stay(
        stay=row["session_id"],
        device=row["device_id"],
        mac=words.plain(row["mac"], 17),
        started=moment(row["started"]),
        ended=moment_or_none(row["ended"]),
        asleep_seconds=row["asleep_seconds"],
        ended_because=words.plain(row["ended_because"] or ""),
    )


def household_proposals(call: Call) -> Page[models.Proposal] | Response:
    """Pairs of devices that may be one."""
    return _list(call, select(proposal), proposal.c.site, [proposal.c.proposal_id], _proposal, action="view-household")


def _proposal(row: dict[str, Any]) -> models.Proposal:
    return models.Proposal(
        site=row["site"],
        proposal=row["proposal_id"],
        device=row["device_id"],
        other=row["other_id"],
        probability=row["probability"],
        state=row["state"],
        raised=moment(row["raised_at"]),
        reasons=_plain(row["reasons"]),
        against=_plain(row["against"]),
    )


# --- what was asked, held, handed out ------------------------------------------------------------


def household_commands(call: Call) -> Page[models.Command] | Response:
    """What was asked of a household's box, newest first."""
    keys = [command.c.created_at, command.c.command_id]

    def shown(row: dict[str, Any]) -> models.Command:
        return _command(call, StoredCommand(**row))

    return _list(call, stored_commands(), command.c.site, keys, shown, action="view-household", newest_first=True)


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
    return _list(call, query, authority_document.c.site, keys, _document, action="view-law", newest_first=True)


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
    return _list(call, query, request.c.site, keys, _request, action="view-requests", newest_first=True)


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
    return _list(call, select(bundle, here), bundle.c.site, keys, _bundle, action="view-handed", newest_first=True)


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


# --- the audit -----------------------------------------------------------------------------------


def audit_lines(call: Call) -> Page[models.AuditLine] | Response:
    """Who did what, newest first."""
    with call.at_desk.reads.connect() as connection:
        rows, following = _part(call, connection, select(audit), [audit.c.audit_id], newest_first=True)
    if isinstance(rows, Response):
        return rows
    audit_view("view-audit", "")
    items = [
        models.AuditLine(
            number=row["audit_id"],
            at=moment(row["at"]),
            account=row["account_id"],
            action=row["action"],
            subject=words.plain(row["subject"], 160),
            outcome=row["outcome"],
            digest=row["digest"],
        )
        for row in rows
    ]
    return Page(items=items, next=following)


# --- shared --------------------------------------------------------------------------------------


def _mine(call: Call) -> ColumnElement[bool]:
    return charge.sees(who(), call.at_desk.now(), call.at_desk.settings.tenant)


def _home(call: Call) -> Household:
    with call.at_desk.reads.connect() as connection:
        return household_or_404(connection, call.where["site"])


def _part(
    call: Call,
    connection: Connection,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    *,
    newest_first: bool = False,
) -> tuple[Any, str | None]:
    try:
        return part(
            connection, query, keys, cursor=call.query.cursor, limit=call.query.limit, newest_first=newest_first
        )
    except CursorError as error:
        return problems.problem(422, errors=[("cursor", str(error))]), None


def _list(
    call: Call,
    query: Select[Any],
    whose: ColumnElement[Any],
    keys: Sequence[ColumnElement[Any]],
    shown: Callable[[dict[str, Any]], Any],
    *,
    action: str,
    newest_first: bool = False,
) -> Page[Any] | Response:
    """A part of a list about one household."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
        rows, following = _part(call, connection, query.where(whose == home.site), keys, newest_first=newest_first)
    if isinstance(rows, Response):
        return rows
    audit_view(action, home.site)
    return Page(items=[shown(row) for row in rows], next=following)


def _plain(texts: Iterable[Any]) -> list[str]:
    return [words.plain(item) for item in texts]
