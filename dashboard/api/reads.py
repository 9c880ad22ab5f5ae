"""What can be read: households and all that is kept about them, one operation each, in one or two statements.

In: a call. Out: models. Every household comes through `desk.household_or_404` or `charge.sees`, so a token sees what its
account is in charge of, and each look is in the audit as that at a page is. What is about devices is in
`reads_devices`, what was asked, held, arranged and handed out in `reads_law`.
"""

from __future__ import annotations

from typing import Any

from flask import Response, abort, g
from sqlalchemy import ColumnElement, Connection, case, func, select

from dashboard.access import May
from dashboard.api import models, reads_devices, reads_law
from dashboard.api.frame import Api, Call
from dashboard.api.listing import Declared, mine, part_of
from dashboard.api.models import ListQuery, Page, moment, moment_or_none
from dashboard.pages import evidence, sentences, words
from dashboard.pages.desk import audit_view, household_or_404, id_or_404
from dashboard.store import devices, queries
from dashboard.store.queries import Household, StoredFinding
from dashboard.store.schema import audit, device, finding, site
from wire.findings import Severity

_RANKS = tuple(Severity)


def declare(api: Api) -> None:
    """Declare the operations that read."""
    lists: Declared = (
        ("/households", households, models.Household, "households"),
        *reads_devices.LISTS,
        *reads_law.LISTS,
    )
    ones: Declared = (
        ("/households/<site>", household, models.Household, "households"),
        ("/households/<site>/findings/<finding>", household_finding, models.Finding, "findings"),
        *reads_devices.ONES,
        *reads_law.ONES,
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
    query = select(site.c.site, site.c.title, site.c.status, site.c.status_at, site.c.heard_at).where(mine(call))
    with call.at_desk.reads.connect() as connection:
        rows, following = part_of(call, connection, query, [site.c.site])
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
    return _findings(call, mine(call), "view-findings", "")


def household_findings(call: Call) -> Page[models.Finding] | Response:
    """Findings of one household, newest first."""
    with call.at_desk.reads.connect() as connection:
        home = household_or_404(connection, call.where["site"])
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
        rows, following = part_of(call, connection, query, keys, newest_first=True)
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


# --- the audit -----------------------------------------------------------------------------------


def audit_lines(call: Call) -> Page[models.AuditLine] | Response:
    """Who did what, newest first."""
    with call.at_desk.reads.connect() as connection:
        rows, following = part_of(call, connection, select(audit), [audit.c.audit_id], newest_first=True)
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
