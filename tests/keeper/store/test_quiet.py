from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.keeper.store.database import Store
from wire.box import Quieted


@pytest.mark.req("R30")
def test_what_is_put_down_is_read_again(store: Store) -> None:
    one = Quieted(
        quiet_id="a-1", rule="proxy", reason="Work.", by="officer-1", at=datetime(2030, 1, 1, tzinfo=UTC), count=3
    )
    two = one.model_copy(
        update={"quiet_id": "a-2", "device_id": "d-1", "subject": "", "until": datetime(2031, 1, 1, tzinfo=UTC)}
    )
    with store.transaction():
        store.quiets.put(two)
        store.quiets.put(one)
        store.quiets.put(one.model_copy(update={"count": 4}))
    assert store.quiets.all() == [one.model_copy(update={"count": 4}), two]
    with store.transaction():
        store.quiets.remove("a-1")
    assert store.quiets.all() == [two]
