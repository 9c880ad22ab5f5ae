"""*Search*: by name, reference, box, hardware address of a device, or name of a service that a finding is about.

In: what was typed. Out: what is found among what who is asking may see. What was typed goes nowhere else: no name is
looked up (R42), and the audit says what kind of thing was searched for, not the text. Bounded as `store.search`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Blueprint, Response, request

from dashboard.access import May, needs
from dashboard.i18n import N_, _, ngettext
from dashboard.pages import sentences, words
from dashboard.pages.contexts_caseload import FoundRow, SearchPage
from dashboard.pages.desk import Desk, desk, show, who
from dashboard.pages.typed import tidy
from dashboard.store import charge, search
from dashboard.store.names import typed_key
from dashboard.store.search import MOST, FoundDevice, FoundFinding, FoundHousehold

pages = Blueprint("search", __name__)

MOST_TEXT = 300
LEAST = 2
"""Characters under which everything would be found."""
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){2,5}|[0-9a-f]{12}", re.IGNORECASE)
_KINDS = {"text": N_("by name or reference"), "mac": N_("by hardware address"), "name": N_("by name of a service")}


@pages.get("/search")
@needs(May.SEE)
def find() -> Response:
    """What is found."""
    at_desk = desk()
    text = words.plain(tidy(request.args.get("q", "")), MOST_TEXT)
    mac, key = mac_of(text), typed_key(text)
    kind = "mac" if mac else "name" if key else "text"
    homes: tuple[FoundHousehold, ...] = ()
    devices: tuple[FoundDevice, ...] = ()
    findings: tuple[FoundFinding, ...] = ()
    if len(text) >= LEAST:
        with at_desk.reads.connect() as connection:
            within = charge.sees(who(), at_desk.now(), at_desk.settings.tenant)
            homes = search.households(connection, within, text[:80])
            if mac:
                devices = search.devices(connection, within, mac)
            if key and not mac:
                findings = search.findings(connection, within, key)
    number = len(homes) + len(devices) + len(findings)
    page = SearchPage(
        text=text,
        summary=_summary(text, kind, number),
        households=tuple(
            FoundRow(
                text=words.plain(item.title, 120),
                detail=words.plain(item.reference or "", 80),
                address=f"/households/{item.site}",
            )
            for item in homes
        ),
        devices=tuple(_device(at_desk, item) for item in devices),
        findings=tuple(_finding(at_desk, item) for item in findings),
        full=_full(homes, devices, findings),
    )
    return show(
        "search",
        page,
        title=_("Search"),
        action="search" if text else "",
        subject=f"{kind}: {number}",
        section="households",
    )


def mac_of(text: str) -> str | None:
    """A typed hardware address, or the beginning of one, as it is stored; None for anything else."""
    if not _MAC.fullmatch(text):
        return None
    digits = re.sub(r"[:-]", "", text).lower()
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def _summary(text: str, kind: str, number: int) -> str:
    if not text:
        return ""
    if len(text) < LEAST:
        return _("Type at least %(least)d characters.", least=LEAST)
    found = ngettext("%(num)d result", "%(num)d results", number) if number else _("Nothing was found")
    return _("%(found)s, searched %(how)s.", found=found, how=_(_KINDS[kind]))


def _device(at_desk: Desk, item: FoundDevice) -> FoundRow:
    seen = words.date_time(item.last_seen, at_desk.zone)
    return FoundRow(
        text=sentences.device(item.label, None, item.device_id),
        detail=f"{words.plain(item.title, 120)}. {words.standing(item.standing)}. " + _("Last seen %(at)s", at=seen),
        address=f"/households/{item.site}/devices/{item.device_id}",
    )


def _finding(at_desk: Desk, item: FoundFinding) -> FoundRow:
    seen = words.date_time(item.last_seen, at_desk.zone)
    looked = _("Decided") if item.looked_at is not None else _("Nobody has decided")
    return FoundRow(
        text=sentences.finding(item.kind, None),
        detail=f"{words.plain(item.title, 120)}. " + _("Last seen %(at)s", at=seen) + f". {looked}",
        address=f"/households/{item.site}/findings/{item.finding_id}",
    )


def _full(*lists: Sequence[object]) -> bool:
    return any(len(rows) >= MOST for rows in lists)
