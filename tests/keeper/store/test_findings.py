from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.keeper import findings
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.now import Now
from appliance.keeper.store.database import Store
from appliance.keeper.store.findings import StoredFinding
from wire.findings import FindingKind

KIND = FindingKind.UNREGISTERED_DEVICE.value


@pytest.mark.req("R26")
def test_findings_by_device_kind_and_subject(store: Store, scope: Scope, make_device: Callable[..., Device]) -> None:
    store.findings.limit = 2
    now = Now(scope=scope, ts=1.0, at=1.0)
    for number in (1, 2):
        device = make_device(f"d-{number}", f"02:00:00:00:00:0{number}")
        finding = findings.unregistered(device, clause="2", via=None, now=now, finding_id=f"f-{number}")
        assert store.findings.has_room()
        store.findings.put(StoredFinding(finding=finding, subject="s", reported_at=float(number), dirty=number == 2))
    assert store.findings.open("d-1", KIND) is None
    first = store.findings.open("d-1", KIND, "s")
    assert first is not None
    assert store.findings.about(KIND, "s") == ["d-1", "d-2"]
    assert [item.finding.finding_id for item in store.findings.unreported(2.0)] == ["f-2"]
    assert store.findings.unreported(1.9) == []
    assert not store.findings.has_room()
    assert store.findings.overflow == 1
    closed = findings.closed(first.finding, "Because.")
    store.findings.put(StoredFinding(finding=closed, subject="s", reported_at=3.0, dirty=False))
    assert (store.findings.open_count(), store.findings.open_of("d-1")) == (1, [])
    assert store.findings.has_room(), "the closed one is forgotten"
