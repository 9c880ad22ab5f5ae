from __future__ import annotations

import json

import pytest

from appliance.keeper.store.database import Store
from appliance.keeper.store.dropped import Untold, say_dropped, take_untold, untold
from appliance.keeper.store.outbox import Priority
from wire.ledger import RecordKind


@pytest.mark.req("R69", "N4")
def test_what_made_way_is_a_gap_in_the_ledger_and_waits_to_be_told(store: Store) -> None:
    for round_ in (1, 2):
        with store.transaction():
            for number in range(3):
                store.outbox.add(
                    type_="t", subject=f"{round_}-{number}", body="{}", priority=Priority.RECORD, created=round_ * 10.0
                )
            assert store.outbox.shed() == 3
            assert say_dropped(store) == 3
            assert say_dropped(store) == 0, "said once"
    rows = list(store.ledger.log.rows(0, store.ledger.size))
    assert [row.kind for row in rows] == [RecordKind.GAP, RecordKind.GAP]
    read = store.ledger.body(rows[0])
    assert read is not None
    assert json.loads(read[1]) == {
        "cause": "quota",
        "class": "record",
        "dropped": 3,
        "first_seq": 1,
        "last_seq": 3,
        "from": 10,
        "to": 10,
    }
    assert untold(store) == Untold(count=6, since=10.0, until=20.0)
    with store.transaction():
        assert take_untold(store) == Untold(count=6, since=10.0, until=20.0)
        assert take_untold(store) is None
