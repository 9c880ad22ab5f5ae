from __future__ import annotations

import pytest

from appliance.keeper import identity_findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.fingerprint import Category, ClassChange
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.now import Now
from wire.base import Standing
from wire.findings import Finding, FindingKind


def device(number: int, standing: Standing = Standing.UNKNOWN, label: str | None = None) -> Device:
    return Device(
        device_id=f"d-{number}",
        revision=1,
        standing=standing,
        addresses=(Address(mac=f"02:00:00:00:00:0{number}", first_seen=1.0, last_seen=1.0),),
        first_seen=1.0,
        last_seen=1.0,
        reported_at=1.0,
        label=label,
    )


def every_kind(scope: Scope) -> list[Finding]:
    now = Now(scope=scope, ts=1.0, at=2.0)
    new, known = device(1), device(2, Standing.REGISTERED, "Phone " + "x" * 70)
    change = ClassChange(
        was=Category("tv"), now=Category("phone"), confidence=0.8, reasons=("a" * 400,) * 20, alternatives=("b",)
    )
    return [
        identity_findings.same_device(
            new, known, probability=0.93, reasons=("c",) * 20, against=("d",), clause="2", now=now, finding_id="f-1"
        ),
        identity_findings.class_changed(new, change, clause="1", now=now, finding_id="f-2"),
        identity_findings.key_shared(new, known, "key-7", at_once=True, clause="2", now=now, finding_id="f-3"),
        identity_findings.key_shared(new, device(3), "key-7", at_once=False, clause="2", now=now, finding_id="f-4"),
        identity_findings.system_changed(new, "Android", "iOS", clause="1", now=now, finding_id="f-7"),
        identity_findings.key_ended(new, "visit-1", ended=1.0, clause="2", now=now, finding_id="f-5"),
        identity_findings.visit_over(new, ended=1.0, clause="2", now=now, finding_id="f-6"),
    ]


@pytest.mark.req("R29", "R63", "R52", "N8", "N9")
def test_each_says_what_was_seen_what_else_it_may_be_and_names_no_person(scope: Scope) -> None:
    found = every_kind(scope)
    assert {item.kind for item in found} == {
        FindingKind.SAME_DEVICE,
        FindingKind.CLASS_CHANGED,
        FindingKind.KEY_SHARED,
        FindingKind.KEY_ENDED,
        FindingKind.VISIT_OVER,
    }
    for finding in found:
        assert finding.reasons
        assert finding.alternatives
        assert finding.rule.id == finding.kind.value
        text = finding.model_dump_json().lower()
        for word in ("breach", "offender", "person", "mac address", "dhcp", "ssid", "keyid"):
            assert word not in text


@pytest.mark.req("N8", "R17")
def test_how_sure_it_is_stands_in_the_first_sentence(scope: Scope) -> None:
    assert scope
    known = device(2, Standing.REGISTERED, "Phone")
    assert identity_findings.same_device_words(known, 0.93) == (
        "Probably the registered device “Phone” with a new address (93%)."
    )
    assert "work device with" in identity_findings.same_device_words(device(2, Standing.WORK), 0.9)
