"""Keys from a constant seed, and one example of every payload, as the golden files hold them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.base import Payload, Standing
from wire.models import (
    Address,
    BoxStatus,
    Command,
    CommandResult,
    Device,
    Finding,
    FindingKind,
    Gap,
    GapCause,
    ListHit,
    LooksLike,
    Outcome,
    ProcessHealth,
    Receipt,
    Rule,
    Severity,
    TapHealth,
)
from wire.orders import SetStanding

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
def examples() -> Mapping[str, Payload]:
    """By file name; every type, and every optional field at least once."""
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
    return {
        "finding": Finding(
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
        ),
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
    }
