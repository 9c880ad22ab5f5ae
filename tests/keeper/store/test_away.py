from __future__ import annotations

from datetime import UTC, datetime

from appliance.keeper.store.activity import KEEP_HOURS
from appliance.keeper.store.away import MAX_AWAY
from appliance.keeper.store.database import Store
from wire.box import Away


def away(number: int, *, ends: float = 100.0, device_id: str | None = None) -> Away:
    return Away(
        away_id=f"a-{number}",
        starts=datetime.fromtimestamp(number, UTC),
        ends=datetime.fromtimestamp(ends, UTC),
        device_id=device_id,
        reason="On holiday.",
        by="officer-1",
    )


def test_what_was_put_comes_back_by_its_start(store: Store) -> None:
    with store.transaction():
        store.away.put(away(2, device_id="d-1"))
        store.away.put(away(1))
        store.away.put(away(2, ends=200.0, device_id="d-1"))
    assert store.away.all() == (away(1), away(2, ends=200.0, device_id="d-1"))
    with store.transaction():
        store.away.remove("a-1")
    assert [item.away_id for item in store.away.all()] == ["a-2"]


def test_only_one_that_is_over_makes_room(store: Store) -> None:
    with store.transaction():
        for number in range(MAX_AWAY):
            assert store.away.has_room(50.0)
            store.away.put(away(number, ends=100.0 + number))
        assert not store.away.has_room(50.0)
        assert store.away.has_room(102.5)
    assert "a-0" not in [item.away_id for item in store.away.all()]
    assert len(store.away.all()) == MAX_AWAY - 1


def test_it_is_kept_while_a_baseline_may_rest_on_it(store: Store) -> None:
    with store.transaction():
        store.away.put(away(1))
        assert not store.away.prune(100.0 + KEEP_HOURS * 3600)
        assert store.away.prune(101.0 + KEEP_HOURS * 3600)
    assert store.away.all() == ()
