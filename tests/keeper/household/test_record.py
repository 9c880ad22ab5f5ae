from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.keeper.household.record import SOON_SECONDS
from wire.models import Device

PHONE = "02:00:00:00:00:0a"


@pytest.fixture
def record(bench: Any) -> Any:
    bench.sight(PHONE)
    bench.acknowledge()
    return bench.core._book._record


@pytest.mark.req("R13")
def test_news_are_gathered_and_told_once(bench: Any, record: Any) -> None:
    with bench.store.transaction():
        for number in range(50):
            record.soon(replace(bench.device(PHONE), label=f"Name {number}"))
    assert bench.rows("outbox") == 0
    assert bench.store.devices.all()[0].label == "Name 49", "written down at once"
    told = [item for item in bench.payloads(bench.wait(SOON_SECONDS)) if isinstance(item, Device)]
    assert [(item.label, item.revision) for item in told] == [("Name 49", 2)]
    bench.acknowledge()
    assert bench.payloads(bench.wait(SOON_SECONDS)) == []


def test_what_is_forgotten_is_not_told(bench: Any, record: Any) -> None:
    device = bench.device(PHONE)
    with bench.store.transaction():
        record.soon(device)
        bench.store.devices.remove_address(PHONE)
        record.remove(device)
    assert bench.payloads(bench.wait(SOON_SECONDS)) == []
    assert record._soon == {}
