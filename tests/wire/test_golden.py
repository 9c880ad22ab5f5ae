"""The bytes of version 1 stay what they are: a box in a home for years and a newer dashboard must agree.

`REMAKE_GOLDEN=1 pytest tests/wire/test_golden.py` writes files that are missing; it never
overwrites one, because a changed payload is a new version with files of its own.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.base import Correction, Payload
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.findings import Finding, FindingKind, Grade, Rule, Severity
from wire.models import TYPES, Command, type_of
from wire.orders import (
    AddWatch,
    AnswerProposal,
    BindPassphrase,
    CorrectDevice,
    EndAway,
    EndQuiet,
    EndWatch,
    Order,
    QuietRule,
    ReportAgent,
    RunProbe,
    SetAway,
    Span,
    SplitDevice,
)

NAMES = (
    "arrangements",
    "arrangements-none",
    "command",
    "command-add-watch",
    "command-answer-proposal",
    "command-bind-passphrase",
    "command-correct-device",
    "command-end-away",
    "command-end-quiet",
    "command-end-watch",
    "command-quiet-rule",
    "command-report-agent",
    "command-run-probe",
    "command-set-passphrase",
    "command-end-passphrase",
    "command-set-network",
    "command-take-release",
    "command-wipe-box",
    "command-set-away",
    "command-split-device",
    "device",
    "device-known",
    "device-merged",
    "device-sure",
    "device-visible",
    "finding",
    "finding-agent-disagrees",
    "finding-box-reset",
    "finding-cable-moved",
    "finding-class-changed",
    "finding-clock-changed",
    "finding-closed",
    "finding-confidential",
    "finding-detection-test-missed",
    "finding-device-behind",
    "finding-dns-tunnel",
    "finding-encrypted-dns",
    "finding-hidden-names",
    "finding-internet-lost",
    "finding-list-refused",
    "finding-list-stale",
    "finding-name-shown",
    "finding-other-dhcp-server",
    "finding-other-resolver",
    "finding-passphrase-ended",
    "finding-passphrase-named",
    "finding-passphrase-shared",
    "finding-passphrases-tried",
    "finding-power-lost",
    "finding-private-relay",
    "finding-proxy",
    "finding-same-device",
    "finding-second-router",
    "finding-settings-changed",
    "finding-silent-device",
    "finding-storage-changed",
    "finding-tor",
    "finding-trend",
    "finding-tunnel",
    "finding-unknown-protocol",
    "finding-unseen-use",
    "finding-upstream-device",
    "finding-visit-over",
    "proposal",
    "receipt",
    "result",
    "session",
    "status",
    "status-last-will",
    "status-with-changes",
    "status-with-gaps",
    "status-with-law",
    "status-with-lists",
    "batch",
    "bundle",
    "bundle-none",
    "command-break-glass",
    "cosigned",
    "head",
    "notice",
    "part",
    "request",
    "request-notice-read",
    "seed",
    "time",
    "told-time",
    *(f"finding-{kind}" for kind in ("authority-changed", "authority-ending", "box-silent", "break-glass")),
    *(f"finding-{kind}" for kind in ("ledger-conflict", "many-new-addresses", "records-dropped", "review-due")),
    *(f"finding-{kind}" for kind in ("storage-full", "time-unauthenticated")),
    *(f"command-{act}" for act in ("build-bundle", "end-hold", "end-unmask", "erase-records", "fetch-bundle")),
    *(f"command-{act}" for act in ("issue-code", "pause-recording", "restore-devices", "resume-recording")),
    *(f"command-{act}" for act in ("set-authority", "set-hold", "unmask", "withdraw-consent")),
)

_AT = datetime(2026, 3, 1, 18, 30, 0, 250000, tzinfo=UTC)
_LATER_KINDS = (
    FindingKind.SAME_DEVICE,
    FindingKind.CLASS_CHANGED,
    FindingKind.KEY_SHARED,
    FindingKind.KEY_ENDED,
    FindingKind.VISIT_OVER,
)
_EARLIER_KINDS = (FindingKind.LISTED_NAME, FindingKind.UNREGISTERED_DEVICE)
_BOX_KINDS = (
    FindingKind.POWER_LOST,
    FindingKind.WAN_LOST,
    FindingKind.CABLE_MOVED,
    FindingKind.BOX_RESET,
    FindingKind.SETTINGS_CHANGED,
    FindingKind.CLOCK_CHANGED,
    FindingKind.STORAGE_CHANGED,
    FindingKind.LIST_STALE,
    FindingKind.LIST_REFUSED,
    FindingKind.TEST_MISSED,
    FindingKind.UPSTREAM_DEVICE,
)
"""Findings about the box or its network: of no device."""
_LAW_KINDS = (
    FindingKind.TIME_UNAUTHENTICATED,
    FindingKind.AUTHORITY_ENDING,
    FindingKind.AUTHORITY_CHANGED,
    FindingKind.REVIEW_DUE,
    FindingKind.BREAK_GLASS,
    FindingKind.MANY_ADDRESSES,
    FindingKind.RECORDS_DROPPED,
    FindingKind.STORAGE_FULL,
    FindingKind.BOX_SILENT,
    FindingKind.LEDGER_CONFLICT,
    FindingKind.PASSPHRASE_GUESSED,
)
"""About the law, the ledger and the network: of no device; the two before the last are the server's own."""
_SIGNS = tuple(kind for kind in FindingKind if kind not in _EARLIER_KINDS + _LATER_KINDS + _LAW_KINDS)
_GRADES = tuple(Grade)
_ORDERS: tuple[Order, ...] = (
    CorrectDevice(device_id="device-3", correction=Correction(category="phone", os_family="Example OS")),
    AnswerProposal(proposal_id="proposal-1", confirm=True),
    SplitDevice(device_id="device-3", macs=("02:00:5e:00:53:02",)),
    BindPassphrase(key_id="k-3", purpose="guest", until=_AT + timedelta(days=7)),
    RunProbe(kind="services"),
    QuietRule(
        rule="tunnel",
        device_id="device-3",
        subject="192.0.2.7:51820",
        finding_id="finding-40",
        reason="The employer asks for it.",
        until=_AT + timedelta(days=30),
    ),
    EndQuiet(quiet_id="quiet-1"),
    SetAway(starts=_AT, ends=_AT + timedelta(days=7), device_id="device-3", reason="At a hospital."),
    EndAway(away_id="away-1"),
    AddWatch(
        name="listed.example",
        below=False,
        severity=Severity.ACT_NOW,
        reason="Agreed at the review.",
        expires=_AT + timedelta(days=90),
    ),
    EndWatch(watch_id="watch-1"),
    ReportAgent(
        device_id="device-3",
        source="Example agent",
        covers_from=_AT - timedelta(days=1),
        covers_to=_AT,
        spans=(Span(starts=_AT - timedelta(hours=2), ends=_AT - timedelta(hours=1), events=12),),
    ),
)
"""All but `set-standing`, which has its file since the first version, and those of `act_examples`."""


def _command(order: Order, **given: Any) -> Command:
    return Command(
        command_id="command-2",
        sequence=13,
        issued_at=_AT,
        expires_at=_AT + timedelta(minutes=10),
        by="officer-1",
        body=order,
        **given,
    )


@pytest.fixture(scope="session")
def examples(
    examples: Mapping[str, Payload], act_examples: tuple[Order, ...], box_examples: tuple[Order, ...]
) -> Mapping[str, Payload]:
    """Those of `conftest`, and one finding of every kind and one command of every order."""
    first = _AT - timedelta(hours=1)
    return {
        **examples,
        **{
            f"finding-{kind.value}": Finding(
                finding_id=f"finding-{number}",
                revision=1,
                kind=kind,
                severity=Severity.THIS_WEEK,
                device_id="device-4",
                state="open",
                first_seen=first,
                last_seen=_AT,
                raised_at=_AT,
                count=1,
                rule=Rule(
                    id=kind.value, version="2026.2", authority_id="order-0001", authority_number=2, clause="3(b)"
                ),
                confidence=0.87,
                reasons=("As the rule says.",),
                alternatives=("Another device of the same kind.",),
            )
            for number, kind in enumerate(_LATER_KINDS, start=11)
        },
        **{
            f"finding-{kind.value}": Finding(
                finding_id=f"finding-{number}",
                revision=1,
                kind=kind,
                severity=Severity.THIS_WEEK,
                device_id=None if kind in _BOX_KINDS else "device-3",
                state="open",
                first_seen=first,
                last_seen=_AT,
                raised_at=_AT,
                count=1,
                rule=Rule(
                    id=kind.value, version="2026.4", authority_id="order-0001", authority_number=2, clause="3(d)"
                ),
                confidence=0.6,
                reasons=("It looks like what the rule says.",),
                alternatives=("Something else may look the same.",),
                grade=_GRADES[number % len(_GRADES)],
                cause=f"cause-{number}",
                records=("record-2", "record-1"),
                signals=1 + number % 3,
            )
            for number, kind in enumerate(_SIGNS, start=40)
        },
        **{f"command-{order.action}": _command(order) for order in (*_ORDERS, *box_examples)},
        **{
            f"finding-{kind.value}": Finding(
                finding_id=f"finding-{number}",
                revision=1,
                kind=kind,
                severity=Severity.TODAY,
                state="open",
                first_seen=first,
                last_seen=_AT,
                raised_at=_AT,
                count=1,
                rule=Rule(id=kind.value, version="1", authority_id="order-0001", authority_number=2, clause="-"),
                confidence=1.0,
                reasons=("As the rule says.",),
                alternatives=(),
                cause=f"cause-{number}",
            )
            for number, kind in enumerate(_LAW_KINDS, start=90)
        },
        **{
            f"command-{order.action}": _command(order, second="officer-2", reason="Agreed at the review.")
            for order in act_examples
        },
        "command-break-glass": _command(act_examples[4], break_glass=True, reason="A child is in danger."),
    }


@pytest.fixture(autouse=True)
def _remake(
    golden: Path,
    examples: Mapping[str, Payload],
    signer: Ed25519PrivateKey,
    recipient: X25519PrivateKey,
    at: datetime,
) -> None:
    if not os.environ.get("REMAKE_GOLDEN"):
        return
    golden.mkdir(parents=True, exist_ok=True)
    for number, (name, payload) in enumerate(examples.items(), start=1):
        plain, sealed = golden / f"{name}.json", golden / f"{name}.sealed.json"
        if not plain.exists():
            plain.write_bytes(payload_json(payload))
        if not sealed.exists():
            topic = topic_for(payload, tenant="example", site="site-1")
            body = seal(
                payload_json(payload),
                type_=type_of(payload).ce_type,
                topic=topic,
                id_=f"0badcafe-{number}",
                sequence=number,
                at=at,
                signer=signer,
                recipient=recipient.public_key(),
            )
            sealed.write_text(json.dumps({"topic": str(topic), "envelope": body.decode()}, indent=1) + "\n")


def test_every_finding_and_every_order_has_a_file(examples: Mapping[str, Payload]) -> None:
    kinds = {payload.kind for payload in examples.values() if isinstance(payload, Finding)}
    assert kinds == set(FindingKind)
    orders = {type(payload.body) for payload in examples.values() if isinstance(payload, Command)}
    assert orders == set(get_args(get_args(Order)[0]))


def test_every_type_and_every_file_is_covered(golden: Path, examples: Mapping[str, Payload]) -> None:
    assert set(examples) == set(NAMES)
    assert {type_of(payload).ce_type for payload in examples.values()} == set(TYPES)
    wanted = {f"{name}.json" for name in NAMES} | {f"{name}.sealed.json" for name in NAMES}
    assert {path.name for path in golden.iterdir()} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_payload_becomes_these_bytes_and_back(name: str, golden: Path, examples: Mapping[str, Payload]) -> None:
    expected = examples[name]
    stored = (golden / f"{name}.json").read_bytes()
    assert payload_json(expected) == stored
    assert type(expected).model_validate_json(stored) == expected


@pytest.mark.parametrize("name", NAMES)
def test_an_envelope_sealed_then_opens_now(
    name: str,
    golden: Path,
    examples: Mapping[str, Payload],
    signer: Ed25519PrivateKey,
    recipient: X25519PrivateKey,
) -> None:
    stored = json.loads((golden / f"{name}.sealed.json").read_text())
    opened = open_sealed(
        stored["envelope"].encode(), topic=stored["topic"], recipient=recipient, signers=(signer.public_key(),)
    )
    assert opened.payload == examples[name]
    assert str(opened.topic) == stored["topic"]
    assert opened.envelope.id.startswith("0badcafe-")


@pytest.mark.parametrize("name", NAMES)
def test_a_sealed_envelope_shows_nothing_of_its_payload(
    name: str, golden: Path, examples: Mapping[str, Payload]
) -> None:
    stored = json.loads((golden / f"{name}.sealed.json").read_text())
    envelope = json.loads(stored["envelope"])
    clear = {key: value for key, value in envelope.items() if key != "data_base64"}
    assert set(clear) == {"specversion", "id", "source", "type", "time", "sequence", "datacontenttype"}
    sealed = base64.b64decode(envelope["data_base64"])
    for value in examples[name].model_dump(mode="json").values():
        if isinstance(value, str) and len(value) > 6:
            assert value.encode() not in sealed
            assert value not in {stored["topic"], clear["id"], clear["source"], clear["type"]}
