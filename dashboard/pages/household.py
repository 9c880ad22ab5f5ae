"""*Household*: its findings, its devices, the health of its box, and what the box cannot see."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import ValidationError

from dashboard.pages import sentences, words
from dashboard.pages.contexts import Box, DeviceRow, FindingCard, HouseholdPage
from dashboard.pages.desk import Desk, desk, household_or_404, show
from dashboard.store import queries
from dashboard.store.queries import Household, StoredDevice, StoredFinding
from wire.base import Standing
from wire.models import Address, LooksLike, TapHealth

pages = Blueprint("household", __name__)


@pages.get("/households/<site>")
def household(site: str) -> Response:
    """One household."""
    at_desk = desk()
    with at_desk.reads.connect() as connection:
        home = household_or_404(connection, site)
        opened = queries.findings_of(connection, site, state="open", limit=queries.MOST_OPEN_SHOWN)
        closed = queries.findings_of(connection, site, state="closed", limit=queries.MOST_CLOSED_SHOWN)
        waiting = queries.count_findings(connection, site)
        devices = queries.devices_of(connection, site)
        number = queries.count_devices(connection, site)
        known = queries.devices_named(connection, site, [row.device_id for row in (*opened, *closed)])
    page = HouseholdPage(
        household=words.plain(home.title, 120),
        site=home.site,
        summary=_summary(waiting),
        findings=tuple(finding_card(at_desk, site, row, known.get(row.device_id)) for row in opened),
        closed=tuple(finding_card(at_desk, site, row, known.get(row.device_id)) for row in closed),
        findings_left_out=max(0, waiting - len(opened)),
        devices=tuple(device_row(at_desk, row) for row in devices),
        devices_left_out=max(0, number - len(devices)),
        box=_box(at_desk, home),
        cannot_see=sentences.CANNOT_SEE,
    )
    return show(
        "household",
        page,
        title="Household",
        action="view-household",
        subject=site,
        section="households",
        live=True,
    )


def finding_card(at_desk: Desk, site: str, row: StoredFinding, device: StoredDevice | None) -> FindingCard:
    """A finding in words, with what is known of its device."""
    whole = sentences.payload(row.payload)
    opened = row.state == "open"
    name = sentences.device(
        device.label if device else None, sentences.looks(device.looks_like) if device else None, row.device_id
    )
    return FindingCard(
        anchor=f"finding-{row.finding_id}",
        severity=sentences.mark(row.severity),
        sentence=sentences.finding(row.kind, device.standing if device else None),
        device=name,
        state="Open" if opened else "Closed",
        open=opened,
        first_seen=at_desk.moment(row.first_seen),
        last_seen=at_desk.moment(row.last_seen),
        times=words.count(row.count, "time", "times"),
        why=sentences.why(row.kind, whole.rule.clause if whole else ""),
        sure=words.confidence(whole.confidence) if whole else "Not said",
        closed_because=words.plain(whole.closed_because) if whole and whole.closed_because else "",
        address=f"/households/{site}/findings/{row.finding_id}",
        stays=sentences.stays(row.kind) if opened else "",
        action=sentences.action(row.kind) if opened else sentences.LOOK,
    )


def device_row(at_desk: Desk, row: StoredDevice) -> DeviceRow:
    """A device in words."""
    like: LooksLike | None = sentences.looks(row.looks_like)
    used = _addresses(row)
    return DeviceRow(
        anchor=f"device-{row.device_id}",
        name=words.plain(row.label, 80) if row.label else "No label yet",
        standing=words.standing(row.standing),
        standing_key=row.standing if row.standing in tuple(Standing) else Standing.UNKNOWN,
        looks_like=words.plain(like.text) if like else "Nothing is known yet",
        sure=words.confidence(like.confidence) if like else "",
        reasons=tuple(words.plain(reason) for reason in like.reasons) if like else (),
        first_seen=at_desk.moment(row.first_seen),
        last_seen=at_desk.moment(row.last_seen),
        private=bool(used) and _private(used[0].mac),
        quarantined=row.quarantined,
        addresses=tuple(f"{item.mac}, last seen {at_desk.moment(item.last_seen.timestamp()).text}" for item in used),
    )


def _addresses(row: StoredDevice) -> list[Address]:
    used: list[Address] = []
    for item in row.addresses:
        try:
            used.append(Address.model_validate(item))
        except ValidationError:
            continue
    return sorted(used, key=lambda item: item.last_seen, reverse=True)


def _private(mac: str) -> bool:
    # IEEE 802c: the second-lowest bit of the first octet says the address was not given by a maker.
    return bool(int(mac[:2], 16) & 0b10)


def _box(at_desk: Desk, home: Household) -> Box:
    said = sentences.status(home.status)
    well, sentence = sentences.reporting(home.heard_at, said, at_desk.now())
    return Box(
        reporting=well,
        heard=at_desk.moment_or_none(home.heard_at),
        said_at=at_desk.moment_or_none(home.status_at),
        sentence=sentence,
        authority=words.plain(said.authority) if said and said.authority else "The box has not said.",
        recording=bool(said and said.recording),
        waiting=words.count(said.outbox, "record", "records") if said and said.outbox else "",
        parts=tuple((words.plain(part.name, 30), _running(part.connected)) for part in said.processes) if said else (),
        taps=tuple((words.plain(tap.name, 30), f"{tap.messages:,}", _missed(tap)) for tap in said.taps) if said else (),
        blind=tuple(
            (
                at_desk.moment(gap.started.timestamp()),
                at_desk.moment_or_none(gap.ended.timestamp() if gap.ended else None),
                sentences.blind(gap.cause),
            )
            for gap in (said.gaps if said and said.gaps else ())
        ),
    )


def _running(connected: bool) -> str:
    return "Running" if connected else "Not running"


def _missed(tap: TapHealth) -> str:
    parts = [
        words.count(number, one, many)
        for number, one, many in (
            (tap.lost, "lost", "lost"),
            (tap.unparsed, "not understood", "not understood"),
            (tap.overflow, "left out", "left out"),
        )
        if number
    ]
    return ", ".join(parts) or "Nothing"


def _summary(waiting: int) -> str:
    if not waiting:
        return "Nothing needs a decision."
    return f"{words.count(waiting, 'finding needs', 'findings need')} a decision."
