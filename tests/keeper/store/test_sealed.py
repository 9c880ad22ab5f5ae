from __future__ import annotations

import pytest

from appliance.keeper.store.database import Store
from appliance.keeper.store.sealed import Sealed


def test_rows_come_back_in_order_and_go_by_number(store: Store) -> None:
    with store.transaction():
        for number in range(5):
            assert store.sealed.add(boot="ab12", monotonic=float(number), observations=2, body=bytes([number]))
    assert len(store.sealed) == 10
    rows = store.sealed.first(3)
    assert [row.body for row in rows] == [b"\0", b"\1", b"\2"]
    assert store.sealed.last(1)[0].body == b"\4"
    with store.transaction():
        store.sealed.remove(rows[-1].n)
    assert len(store.sealed) == 4
    with store.transaction():
        assert store.sealed.remove_all() == 4
    assert not store.sealed.first(1)


@pytest.mark.req("N4")
def test_rows_and_octets_are_bounded(store: Store) -> None:
    sealed = Sealed(store._db, rows=2, octets=100)
    with store.transaction():
        assert sealed.add(boot="ab12", monotonic=1.0, observations=1, body=b"x" * 60)
        assert not sealed.add(boot="ab12", monotonic=1.0, observations=1, body=b"x" * 60)
        assert sealed.add(boot="ab12", monotonic=1.0, observations=1, body=b"x")
        assert not sealed.add(boot="ab12", monotonic=1.0, observations=1, body=b"x")
    assert len(sealed) == 2


def test_a_rollback_counts_again(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            store.sealed.add(boot="ab12", monotonic=1.0, observations=7, body=b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(store.sealed) == 0
