"""Sentences for who holds a device: what a finding is about, never how it was noticed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.household import own_words
from wire.authority import Authority
from wire.base import Correction, Standing
from wire.findings import Finding, FindingKind, Rule, Severity
from wire.models import LooksLike

THEN = datetime(2030, 3, 17, 9, 5, tzinfo=UTC)


def finding(kind: FindingKind) -> Finding:
    return Finding(
        finding_id="f-1",
        revision=1,
        kind=kind,
        severity=Severity.TODAY,
        device_id="d-1",
        state="open",
        first_seen=THEN,
        last_seen=THEN,
        raised_at=THEN,
        count=1,
        rule=Rule(id=kind.value, version="1", authority_id="a-1", authority_number=1, clause="3"),
        confidence=0.5,
        reasons=("A connection to port 51820 with 148 octets.",),
        alternatives=(),
    )


@pytest.mark.req("R63", "R76")
@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_has_words_that_teach_nothing(kind: FindingKind) -> None:
    said = own_words.found(finding(kind))
    assert said.endswith("First noticed on 17 March 2030 at 09:05 (UTC).")
    assert "51820" not in said
    assert not re.search(r"(?i)\b(tls|dns|vpn|port|sni|quic|offender|suspect|guilty)\b", said)


def test_what_it_looks_like_and_what_was_put_right() -> None:
    device = Device(
        device_id="d-1",
        revision=1,
        standing=Standing.UNKNOWN,
        addresses=(Address(mac="02:00:5e:00:53:0b", first_seen=0.0, last_seen=0.0),),
        first_seen=0.0,
        last_seen=0.0,
        reported_at=0.0,
        looks_like=LooksLike(text="a phone", confidence=0.8, reasons=("It announces itself as one.",)),
        correction=Correction(category="tablet"),
    )
    assert own_words.looks(device) == (
        "It looks like this: a phone",
        "It announces itself as one.",
        "An officer put this right: tablet.",
    )


def test_when_it_goes(make_authority: Callable[..., Authority]) -> None:
    assert "The box stops keeping records on" in own_words.erased(Scope(authority=make_authority()))[0]
    assert all("stops keeping" not in line for line in own_words.erased(None))
