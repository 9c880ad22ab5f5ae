from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.keeper.household.storage import CALM_SECONDS, RECOVER_SECONDS, SAY_SECONDS
from appliance.keeper.store.outbox import Priority
from wire.findings import Finding, FindingKind
from wire.ledger import RecordKind


def of_kind(bench: Any, kind: FindingKind) -> list[Finding]:
    """The findings of a kind as the keeper keeps them."""
    rows = bench.store._db.execute("select payload from finding where kind = ?", (kind.value,))
    return [Finding.model_validate_json(payload) for (payload,) in rows]


def gaps(bench: Any) -> list[dict[str, Any]]:
    """What the ledger's gap records say."""
    ledger = bench.store.ledger
    rows = [row for row in ledger.log.rows(0, ledger.size) if row.kind is RecordKind.GAP]
    return [json.loads(read[1]) for row in rows if (read := ledger.body(row)) is not None]


def drop(bench: Any, count: int) -> None:
    store = bench.store
    with store.transaction():
        for number in range(count):
            store.outbox.add(type_="t", subject=str(number), body="{}", priority=Priority.RECORD, created=bench.wall)
        assert store.outbox.shed() == count


@pytest.mark.req("R69", "N4")
def test_what_was_dropped_is_one_finding_that_counts_on(bench: Any) -> None:
    bench.wait(SAY_SECONDS)
    drop(bench, 3)
    bench.wait(1)
    assert [gap["dropped"] for gap in gaps(bench) if gap["cause"] == "quota"] == [3], "written down in the next turn"
    bench.wait(SAY_SECONDS)
    drop(bench, 2)
    bench.wait(SAY_SECONDS + 1)
    (finding,) = of_kind(bench, FindingKind.RECORDS_DROPPED)
    assert (finding.count, finding.state, finding.device_id) == (5, "open", None)
    bench.wait(CALM_SECONDS + SAY_SECONDS)
    (finding,) = of_kind(bench, FindingKind.RECORDS_DROPPED)
    assert finding.state == "closed"


@pytest.mark.req("R69")
def test_a_full_disk_is_told_and_what_was_spared_is_counted_and_told_after_it(bench: Any) -> None:
    bench.wait(SAY_SECONDS)
    bench.store.relieve()
    bench.sight("02:00:00:00:00:77")
    (finding,) = of_kind(bench, FindingKind.STORAGE_FULL)
    assert finding.state == "open"
    assert of_kind(bench, FindingKind.UNREGISTERED_DEVICE), "the alert is made all the same"
    kinds = [kind for (kind,) in bench.store._db.execute("select type from outbox where priority >= 3")]
    assert kinds == [], "a device's state is spared"
    bench.wait(RECOVER_SECONDS + SAY_SECONDS)
    (finding,) = of_kind(bench, FindingKind.STORAGE_FULL)
    assert finding.state == "closed"
    assert any(gap.get("skipped", {}).get("state") for gap in gaps(bench))
    bench.wait(5)
    kinds = [kind for (kind,) in bench.store._db.execute("select type from outbox where priority = 3")]
    assert any("device" in kind for kind in kinds), "and told when there is room again"


@pytest.mark.req("R69", "N4")
def test_turns_that_found_no_room_at_all_are_in_the_ledger_when_there_is(bench: Any) -> None:
    bench.wait(SAY_SECONDS)
    bench.store.relieve()
    bench.store.room.missed("turn")

    def fails() -> None:
        with bench.store.transaction():
            assert bench.store.room.take_skipped()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    bench.wait(SAY_SECONDS)
    skipped = [gap["skipped"] for gap in gaps(bench) if "skipped" in gap]
    assert [each["turn"] for each in skipped] == [1], "also where the first to say so was rolled back"
