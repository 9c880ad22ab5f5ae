"""Keys from a constant seed, and one example of every payload, as the golden files hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.base import Correction, Payload, Standing
from wire.box import (
    Arrangements,
    Away,
    BoxStatus,
    DetectionTest,
    Gap,
    GapCause,
    ListHealth,
    ProcessHealth,
    Quieted,
    TapHealth,
    Watch,
)
from wire.findings import Finding, FindingKind, ListHit, Rule, Severity
from wire.models import (
    Address,
    Command,
    CommandResult,
    Device,
    JoinedBy,
    LooksLike,
    Outcome,
    Presence,
    PresenceState,
    Proposal,
    Receipt,
    Session,
    Visibility,
)
from wire.orders import (
    SetStanding,
)

_SEED = b"gatehouse golden files, version 1: keys for tests only"
_AT = datetime(2026, 3, 1, 18, 30, 0, 250000, tzinfo=UTC)


def _seed(name: str) -> bytes:
    return hashlib.sha256(_SEED + b"/" + name.encode()).digest()


@pytest.fixture(scope="session")
def signer() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_seed("signer"))


@pytest.fixture(scope="session")
def stranger() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_seed("stranger"))


@pytest.fixture(scope="session")
def recipient() -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_seed("recipient"))


@pytest.fixture(scope="session")
def other_recipient() -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_seed("other recipient"))


@pytest.fixture(scope="session")
def golden() -> Path:
    return Path(__file__).parent / "golden" / "v1"


@pytest.fixture(scope="session")
def at() -> datetime:
    return _AT


@pytest.fixture(scope="session")
def examples(law_examples: Mapping[str, Payload]) -> Mapping[str, Payload]:
    """By file name; every type, and what finding, order and arrangement may hold."""
    first = _AT - timedelta(hours=1)
    rule = Rule(id="listed-name", version="2026.1", authority_id="order-0001", authority_number=2, clause="3(a)")
    hit = ListHit(
        name="www.listed.example",
        how="dns",
        list_id="demo-list",
        list_version="2026-02-01",
        list_sha256="5e" * 32,
        entry="listed.example",
    )
    named = Finding(
        finding_id="finding-7",
        revision=3,
        kind=FindingKind.LISTED_NAME,
        severity=Severity.ACT_NOW,
        device_id="device-2",
        state="open",
        first_seen=first,
        last_seen=_AT,
        raised_at=_AT,
        count=2,
        rule=rule,
        confidence=0.95,
        reasons=("The device asked for a name on the list.", "Größe: klein"),
        alternatives=("A page may load names nobody typed.",),
        hit=hit,
    )
    return {
        "finding": named,
        "finding-closed": Finding(
            finding_id="finding-1",
            revision=2,
            kind=FindingKind.UNREGISTERED_DEVICE,
            severity=Severity.TODAY,
            device_id="device-1",
            state="closed",
            closed_because="An officer registered the device.",
            first_seen=first,
            last_seen=_AT,
            raised_at=_AT,
            count=1,
            rule=rule,
            confidence=1.0,
            reasons=("It has not been registered.",),
            alternatives=(),
        ),
        "device": Device(
            device_id="device-2",
            revision=9,
            standing=Standing.REGISTERED,
            label="Laptop",
            looks_like=LooksLike(text="A laptop", confidence=0.8, reasons=("Its DHCP request",)),
            addresses=(Address(mac="00:00:5e:00:53:02", locally_administered=False, first_seen=first, last_seen=_AT),),
            first_seen=first,
            last_seen=_AT,
            quarantined=True,
        ),
        "device-known": Device(
            device_id="device-3",
            revision=4,
            standing=Standing.HOUSEHOLD,
            looks_like=LooksLike(
                text="A phone, probably by Example",
                confidence=0.92,
                reasons=("It asks for an address as such phones do",),
                category="phone",
                os_family="Example OS",
                vendor="Example",
                model="Example One",
                conflicts=("It asked for updates as a television does",),
            ),
            addresses=(
                Address(
                    mac="02:00:5e:00:53:01",
                    locally_administered=True,
                    first_seen=first,
                    last_seen=first,
                    rotating=True,
                ),
                Address(
                    mac="02:00:5e:00:53:02",
                    locally_administered=True,
                    first_seen=_AT,
                    last_seen=_AT,
                    rotating=True,
                    joined_by=JoinedBy.PERSON,
                ),
            ),
            first_seen=first,
            last_seen=_AT,
            correction=Correction(category="phone", model="Example One"),
            presence=Presence(state=PresenceState.ASLEEP, since=_AT),
            key_id="k-3",
        ),
        "device-merged": Device(
            device_id="device-4",
            revision=2,
            standing=Standing.UNKNOWN,
            addresses=(),
            first_seen=_AT,
            last_seen=_AT,
            merged_into="device-3",
        ),
        "proposal": Proposal(
            proposal_id="proposal-1",
            revision=1,
            device_id="device-3",
            other_id="device-4",
            probability=0.87,
            reasons=("Both give the same name of their own.",),
            against=("The first had left only a moment before.",),
            state="open",
            raised_at=_AT,
        ),
        "session": Session(
            session_id="session-1",
            revision=2,
            device_id="device-3",
            mac="02:00:5e:00:53:02",
            started=first,
            ended=_AT,
            asleep_seconds=600,
            ended_because="It left the Wi-Fi.",
        ),
        "device-sure": Device(
            device_id="device-5",
            revision=1,
            standing=Standing.UNKNOWN,
            looks_like=LooksLike(
                text="Phone or tablet", confidence=0.83, reasons=(), category="phone", category_confidence=0.62
            ),
            addresses=(),
            first_seen=first,
            last_seen=_AT,
        ),
        "finding-passphrase-named": Finding(
            finding_id="finding-21",
            revision=1,
            kind=FindingKind.KEY_ENDED,
            severity=Severity.TODAY,
            device_id="device-4",
            state="open",
            first_seen=first,
            last_seen=_AT,
            raised_at=_AT,
            count=1,
            rule=rule,
            confidence=0.95,
            reasons=("This device joined with a visitor's Wi-Fi passphrase.",),
            alternatives=("The visit was made longer and the box was not told.",),
            key_id="k-3",
        ),
        "finding-name-shown": Finding(
            finding_id="finding-30",
            revision=1,
            kind=FindingKind.LISTED_NAME,
            severity=Severity.TODAY,
            device_id="device-2",
            state="open",
            first_seen=first,
            last_seen=_AT,
            raised_at=_AT,
            count=1,
            rule=rule,
            confidence=0.95,
            reasons=("The device asked for a name on the list.",),
            alternatives=("A page may load names nobody typed.",),
            hit=ListHit(
                name="xn--bcher-kva.example",
                how="subtree",
                list_id="demo-list",
                list_version="2026-02-01",
                list_sha256="5e" * 32,
                entry="xn--bcher-kva.example",
                category="books",
                owner="Example publisher",
                source="https://lists.example/demo",
                asked="shop.example",
                shown="b\u00fccher.example",
            ),
        ),
        "finding-confidential": named.model_copy(
            update={
                "finding_id": "finding-31",
                "revision": 1,
                "count": 1,
                "reasons": ("The device asked for a name on a confidential list.",),
                "hit": ListHit(
                    how="exact",
                    list_id="kept-list",
                    list_version="2026-02-01",
                    list_sha256="5e" * 32,
                    entry="keyed:" + "0a" * 16,
                ),
            }
        ),
        "device-visible": Device(
            device_id="device-6",
            revision=1,
            standing=Standing.REGISTERED,
            addresses=(),
            first_seen=first,
            last_seen=_AT,
            visibility=Visibility(
                day=_AT.replace(hour=0, minute=0, microsecond=0), connections=412, named=0.82, octets_named=0.4
            ),
        ),
        "arrangements": Arrangements(
            revision=3,
            quieted=(
                Quieted(
                    quiet_id="quiet-1",
                    rule="tunnel",
                    device_id="device-3",
                    subject="192.0.2.7:51820",
                    reason="The employer asks for it.",
                    by="officer-1",
                    at=_AT,
                    until=_AT + timedelta(days=30),
                    count=4,
                ),
                Quieted(quiet_id="quiet-2", rule="trend", reason="Known.", by="officer-1", at=_AT),
            ),
            away=(
                Away(
                    away_id="away-1",
                    starts=_AT,
                    ends=_AT + timedelta(days=7),
                    device_id="device-3",
                    reason="At a hospital.",
                    by="officer-1",
                ),
            ),
            watch=(
                Watch(
                    watch_id="watch-1",
                    name="listed.example",
                    reason="Agreed at the review.",
                    by="officer-1",
                    at=_AT,
                    expires=_AT + timedelta(days=90),
                ),
                Watch(
                    watch_id="watch-2",
                    name="help.example",
                    below=False,
                    excluded=True,
                    severity=Severity.INFORMATION,
                    reason="A helpline.",
                    by="officer-1",
                    at=_AT,
                    expires=_AT + timedelta(days=90),
                ),
            ),
        ),
        "arrangements-none": Arrangements(revision=1),
        "status-with-lists": BoxStatus(
            online=True,
            at=_AT,
            recording=True,
            lists=(
                ListHealth(
                    list_id="demo-list",
                    title="Demonstration",
                    version="2026-02-01",
                    entries=1_000_000,
                    published=first,
                    taken_at=_AT,
                    stale=True,
                    malformed=2,
                    malformed_lines=(17, 3041),
                    unsupported=1,
                    problem="The newer version lost more than a fifth of its entries.",
                ),
                ListHealth(list_id="kept-list", title="Kept"),
            ),
            test=DetectionTest(due=_AT, passed_at=first, detail="Asked for and found."),
        ),
        "status": BoxStatus(
            online=True,
            at=_AT,
            recording=True,
            authority="In force until 1 June 2026.",
            outbox=4,
            processes=(ProcessHealth(name="sensor", connected=True),),
            taps=(TapHealth(name="dns", messages=10, octets=900, lost=0, unparsed=1, overflow=0),),
        ),
        "status-with-gaps": BoxStatus(
            online=True,
            at=_AT,
            gaps=(
                Gap(started=_AT - timedelta(minutes=1), cause=GapCause.SENSOR_AWAY),
                Gap(started=first, ended=first + timedelta(minutes=3), cause=GapCause.KEEPER_AWAY),
                Gap(started=first, ended=first, cause=GapCause.TAPS_ANEW),
            ),
        ),
        "status-last-will": BoxStatus(online=False, at=_AT),
        "result": CommandResult(command_id="command-1", outcome=Outcome.OUT_OF_SEQUENCE, detail="Too late.", at=_AT),
        "command": Command(
            command_id="command-1",
            sequence=12,
            issued_at=_AT,
            expires_at=_AT + timedelta(minutes=10),
            by="officer-1",
            body=SetStanding(
                device_id="device-2", standing=Standing.GUEST, label="Visitor", guest_until=_AT + timedelta(days=2)
            ),
        ),
        "receipt": Receipt(epoch="0badcafe", ranges=((1, 4), (6, 6)), at=_AT),
        **law_examples,
    }
