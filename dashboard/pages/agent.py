"""*Report of software on a device*: an officer hands in a file, and the box compares it with what it saw (N7).

A file of many times of use becomes several commands. Their ids follow from the form's one, so that a form
sent twice is the same commands again, and one that broke off in the middle can be sent again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from dashboard import commands
from dashboard.access import May, needs
from dashboard.commands import TOKEN, AlreadySent, Decision
from dashboard.pages import agent_feed, typed, words
from dashboard.pages.agent_feed import Fed
from dashboard.pages.asking import again, officer, send
from dashboard.pages.bar import household_bar
from dashboard.pages.contexts_arranged import AgentForm, AgentPage
from dashboard.pages.desk import desk, household_or_404, id_or_404, show
from dashboard.pages.rows import device_name
from dashboard.pages.typed import Errors
from dashboard.store import devices
from dashboard.store.devices import StoredDevice
from dashboard.store.queries import Household
from wire.orders import ReportAgent

MOST_BODY = agent_feed.MOST_OCTETS + 16 * 1024
"""Octets of a form with a file in it."""
MOST_DAYS = 31
MOST_SOURCE = 80
ENDPOINT = "agent.report"
_REASON = "Report of software on the device"

pages = Blueprint("agent", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """The form's fields."""

    token: str
    source: str
    starts: str
    ends: str
    reason: str


_NOTHING = _Typed(token="", source="", starts="", ends="", reason="")


@pages.get("/households/<site>/devices/<device>/agent")
@needs(May.DECIDE)
def form(site: str, device: str) -> Response:
    """The form."""
    officer()
    home, row = _found(site, device)
    return _show(home, row, _NOTHING, (), ())


@pages.post("/households/<site>/devices/<device>/agent")
@needs(May.DECIDE)
def report(site: str, device: str) -> ResponseReturnValue:
    """Hand a file in."""
    officer()
    home, row = _found(site, device)
    fields = _Typed(
        token=request.form.get("token", ""),
        source=typed.tidy(request.form.get("source", "")),
        starts=request.form.get("starts", "").strip(),
        ends=request.form.get("ends", "").strip(),
        reason=typed.tidy(request.form.get("reason", "")),
    )
    errors, orders, faults = _read(fields, row.device_id)
    if errors or not orders:
        return _show(home, row, fields, errors, faults)
    answer: ResponseReturnValue | None = None
    for number, order in enumerate(orders):
        try:
            answer = send(_decision(fields, order, number), site)
        except AlreadySent as error:
            return _show(home, row, fields, (("agent-file", again(error)),), ())
    if answer is None:  # pragma: no cover - there is an order at least
        abort(400)
    return answer


def _decision(fields: _Typed, order: ReportAgent, number: int) -> Decision:
    token = fields.token if number == 0 else hashlib.sha256(f"{fields.token}/{number}".encode()).hexdigest()[:32]
    return Decision(token=token, order=lambda _: order, reason=fields.reason or _REASON, device_id=order.device_id)


def _found(site: str, device: str) -> tuple[Household, StoredDevice]:
    with desk().reads.connect() as connection:
        home = household_or_404(connection, site)
        row = devices.devices_named(connection, site, [id_or_404(device)]).get(device)
    if row is None:
        abort(404)
    return home, row


def _read(fields: _Typed, device_id: str) -> tuple[Errors, tuple[ReportAgent, ...], tuple[str, ...]]:
    zone, now = desk().zone, desk().now()
    first, last = typed.day(fields.starts), typed.day(fields.ends)
    errors: list[tuple[str, str]] = []
    if not fields.source:
        errors.append(("agent-source", "Enter the name of the software"))
    errors += typed.text_errors("agent-source", "Name", fields.source, MOST_SOURCE)
    errors += _day_errors(first, last, today=datetime.fromtimestamp(now, zone).date())
    errors += typed.text_errors("agent-reason", "Text", fields.reason.replace("\n", " "), typed.MOST_REASON)
    upload = request.files.get("file")
    raw = b"" if upload is None else upload.read(agent_feed.MOST_OCTETS + 1)
    if not raw:
        errors.append(("agent-file", "Choose a file that is not empty"))
    elif not TOKEN.fullmatch(fields.token):
        errors.append(("agent-file", typed.INCOMPLETE))
    if errors or first is None or last is None:
        return tuple(errors), (), ()
    # Of a day that is not over, the report covers what has passed.
    until = min(typed.end(last, zone), typed.after(now, 0).replace(microsecond=0))
    covers = {"covers_from": typed.begin(first, zone), "covers_to": until}
    fed: Fed = agent_feed.read(raw, **covers)
    if fed.faults:
        return (("agent-file", "The file cannot be used as it is"),), (), tuple(words.plain(one) for one in fed.faults)
    return (), agent_feed.reports(fed.spans, device_id=device_id, source=fields.source, **covers), ()


def _day_errors(first: date | None, last: date | None, *, today: date) -> list[tuple[str, str]]:
    errors = []
    if first is None:
        errors.append(("agent-starts", "Enter the first day of the report, such as 2026-01-31"))
    if last is None:
        errors.append(("agent-ends", "Enter the last day of the report, such as 2026-02-06"))
    if first is not None and last is not None:
        if last < first:
            errors.append(("agent-ends", "The last day must not be before the first"))
        elif last - first >= timedelta(days=MOST_DAYS):
            errors.append(("agent-ends", f"A report must cover {MOST_DAYS} days or fewer"))
        elif last > today:
            errors.append(("agent-ends", "The last day has not come yet"))
    return errors


def _show(home: Household, row: StoredDevice, fields: _Typed, errors: Errors, faults: tuple[str, ...]) -> Response:
    at = f"/households/{home.site}/devices/{row.device_id}"
    with desk().reads.connect() as connection:
        bar = household_bar(desk(), connection, home, "devices")
    page = AgentPage(
        bar=bar,
        device=device_name(row, row.device_id),
        device_address=at,
        form=AgentForm(
            opened=True,
            target=f"{at}/agent",
            token=commands.new_token(),
            reason=fields.reason,
            errors=errors,
            source=fields.source,
            starts=fields.starts,
            ends=fields.ends,
        ),
        columns=agent_feed.COLUMNS,
        limits=f"At most {agent_feed.MOST_SPANS:,} times of use, {agent_feed.MOST_OCTETS // 1024} KiB "
        f"and {MOST_DAYS} days in one file.",
        faults=faults,
    )
    return show(
        "agent",
        page,
        title="Error: Report" if errors else "Report of software on a device",
        action="view-device",
        subject=f"{home.site}/{row.device_id}",
        section="households",
        status=422 if errors else 200,
    )
