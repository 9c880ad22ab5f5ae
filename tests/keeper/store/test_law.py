from __future__ import annotations

from appliance.keeper.store import law
from appliance.keeper.store.database import Store
from appliance.keeper.store.law import Paused, Unmasked, Withdrawal


def paused(starts: float, ends: float | None) -> Paused:
    return Paused(starts=starts, ends=ends, by="officer-1", reason="A visit.")


def test_pauses_are_bounded_and_one_that_lasts_is_never_forgotten(store: Store) -> None:
    with store.transaction():
        store.law.pause(paused(1.0, None))
        for number in range(law.MAX_PAUSES + 20):
            store.law.pause(paused(10.0 + number, 10.5 + number))
    found = store.law.pauses()
    assert len(found) <= law.MAX_PAUSES + 1
    assert paused(1.0, None) in found
    assert not store.law.pauses_full(1000.0)
    with store.transaction():
        assert store.law.resume(500.0) == 1
        assert store.law.resume(500.0) == 0


def test_as_many_pauses_as_last_are_counted(store: Store) -> None:
    with store.transaction():
        for _ in range(law.MAX_PAUSES):
            store.law.pause(paused(1.0, None))
    assert store.law.pauses_full(2.0)


def test_withdrawals_are_bounded(store: Store) -> None:
    with store.transaction():
        for number in range(law.MAX_WITHDRAWALS + 5):
            store.law.withdraw(
                Withdrawal(authority_id="a-1", number=number, consent=None, at=1.0, by="officer-1", reason="No.")
            )
    found = store.law.withdrawals()
    assert len(found) == law.MAX_WITHDRAWALS
    assert found[-1].number == law.MAX_WITHDRAWALS + 4


def test_an_unmasked_device_is_there_until_it_is_masked(store: Store) -> None:
    opened = Unmasked(
        device_id="d-1",
        starts=1.0,
        ends=2.0,
        clause="6",
        authority_id="a-1",
        authority_number=1,
        by="officer-1",
        second=None,
        broken=True,
        reason="A concern.",
    )
    with store.transaction():
        store.law.unmask(opened)
        store.law.unmask(opened)
    assert store.law.unmasked() == (opened,)
    with store.transaction():
        store.law.mask("d-1")
    assert store.law.unmasked() == ()
