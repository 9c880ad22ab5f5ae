from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance.keeper.ledger.kinds import filing, lasting
from wire.base import Payload, Standing
from wire.findings import Finding, FindingKind, ListHit, Rule, Severity
from wire.household import HouseholdRequest
from wire.ledger import LedgerSeed, RecordKind
from wire.models import Address, CommandResult, Device, Outcome, Presence, PresenceState, Proposal, Session

AT = datetime(2030, 3, 17, 17, tzinfo=UTC)
MAC = "02:00:00:00:00:01"
HIT = ListHit(how="dns", list_id="gambling", list_version="1", list_sha256="0" * 64, entry="bets.example")


def macs_of(device_id: str) -> tuple[str, ...]:
    return (MAC,) if device_id == "device-1" else ()


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "finding_id": "finding-1",
        "revision": 1,
        "kind": FindingKind.LISTED_NAME,
        "severity": Severity.TODAY,
        "device_id": "device-1",
        "state": "open",
        "first_seen": AT,
        "last_seen": AT,
        "raised_at": AT,
        "count": 1,
        "rule": Rule(id="listed-name", version="1", authority_id="authority-1", authority_number=1, clause="4"),
        "confidence": 1.0,
        "reasons": (),
        "alternatives": (),
    }
    return Finding(**(fields | changes))


def device(**changes: Any) -> Device:
    address = Address(mac=MAC, locally_administered=True, first_seen=AT, last_seen=changes.get("last_seen", AT))
    fields: dict[str, Any] = {
        "device_id": "device-1",
        "revision": 1,
        "standing": Standing.UNKNOWN,
        "addresses": (address,),
        "first_seen": AT,
        "last_seen": AT,
    }
    return Device(**(fields | changes))


PROPOSAL = Proposal(
    proposal_id="p-1",
    revision=1,
    device_id="device-1",
    other_id="device-2",
    probability=0.5,
    reasons=(),
    state="open",
    raised_at=AT,
)
SESSION = Session(session_id="s-1", revision=1, device_id="device-1", mac=MAC, started=AT)
RESULT = CommandResult(command_id="c-1", outcome=Outcome.APPLIED, at=AT)
REQUEST = HouseholdRequest(request_id="r-1", kind="guest", device_id="device-1", at=AT)


@pytest.mark.req("R68")
@pytest.mark.parametrize(
    ("payload", "kind", "data_class", "about"),
    [
        (finding(), RecordKind.FINDING, "signs", {"device-1", MAC}),
        (finding(hit=HIT), RecordKind.FINDING, "list_hits", {"device-1", MAC}),
        (finding(device_id=None), RecordKind.FINDING, "box", set()),
        (device(), RecordKind.DEVICE, "fingerprint", {"device-1", MAC}),
        (SESSION, RecordKind.SESSION, "presence", {"device-1", MAC}),
        (PROPOSAL, RecordKind.PROPOSAL, "fingerprint", {"device-1", "device-2", MAC}),
        (RESULT, RecordKind.DECISION, "box", set()),
        (REQUEST, RecordKind.HOUSEHOLD, "presence", {"device-1", MAC}),
        (REQUEST.model_copy(update={"device_id": None}), RecordKind.HOUSEHOLD, "box", set()),
    ],
)
def test_what_is_told_is_filed_under_its_kind(
    payload: Payload, kind: RecordKind, data_class: str, about: set[str]
) -> None:
    filed = filing(payload, macs_of)
    assert filed is not None
    assert (filed.kind, filed.data_class, {*filed.device_ids, *filed.macs}) == (kind, data_class, about)


def test_the_ledgers_own_messages_are_no_records() -> None:
    assert filing(LedgerSeed(epoch="e", stretch=1, begins=0, seed="0" * 64), macs_of) is None


@pytest.mark.req("R68")
def test_a_device_that_merely_is_still_there_is_the_same_record() -> None:
    later = AT + timedelta(hours=1)
    assert lasting(device(last_seen=later, revision=7)) == lasting(device())
    here = Presence(state=PresenceState.HERE, since=AT)
    for changes in ({"standing": Standing.GUEST}, {"label": "Tablet"}, {"presence": here}, {"quarantined": True}):
        assert lasting(device(**changes)) != lasting(device())
