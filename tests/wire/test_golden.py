"""The bytes of version 1 stay what they are: a box in a home for years and a newer dashboard must agree.

`REMAKE_GOLDEN=1 pytest tests/wire/test_golden.py` writes files that are missing; it never
overwrites one, because a changed payload is a new version with files of its own.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wire.base import Payload
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.findings import Finding, FindingKind
from wire.models import TYPES, Command, type_of
from wire.orders import Order

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
    "status-with-gaps",
    "status-with-lists",
)


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
