from __future__ import annotations

import pytest

from appliance.keeper.devices.passphrases import (
    MAX_KEYS,
    Binding,
    Judgement,
    Outcome,
    Passphrases,
    Purpose,
    TooManyKeysError,
)

LAPTOP = Binding(key_id="laptop-1", purpose=Purpose.DEVICE, device_id="d-1")
FREE = Binding(key_id="phone-2", purpose=Purpose.DEVICE)
GUEST = Binding(key_id="guest", purpose=Purpose.GUEST, until=100.0)
HOME = Binding(key_id="home", purpose=Purpose.HOUSEHOLD)
KEYS = Passphrases((LAPTOP, FREE, GUEST, HOME))


@pytest.mark.req("N9", "R17")
@pytest.mark.parametrize(
    ("key_id", "now", "holder_here", "expected"),
    [
        ("laptop-1", 5.0, False, Judgement(outcome=Outcome.SAME, device_id="d-1")),
        ("laptop-1", 5.0, True, Judgement(outcome=Outcome.SHARED, device_id="d-1")),
        ("phone-2", 5.0, False, Judgement(outcome=Outcome.FIRST)),
        ("guest", 99.9, False, Judgement(outcome=Outcome.OPEN)),
        ("guest", 100.0, False, Judgement(outcome=Outcome.ENDED)),
        ("home", 5.0, True, Judgement(outcome=Outcome.OPEN)),
        ("never-heard-of", 5.0, False, Judgement(outcome=Outcome.UNKNOWN)),
        (None, 5.0, False, Judgement(outcome=Outcome.UNKNOWN)),
    ],
)
def test_what_a_join_says(key_id: str | None, now: float, holder_here: bool, expected: Judgement) -> None:
    assert KEYS.judge(key_id, now, holder_here=holder_here) == expected


@pytest.mark.req("N9")
def test_the_first_device_that_joins_with_a_free_key_has_it_from_then_on() -> None:
    keys = KEYS.bind(Binding(key_id="phone-2", purpose=Purpose.DEVICE, device_id="d-2"))
    assert keys.judge("phone-2", 5.0, holder_here=False) == Judgement(outcome=Outcome.SAME, device_id="d-2")
    assert KEYS.get("phone-2") == FREE, "the value before is as it was"
    assert len(keys) == len(KEYS)


@pytest.mark.req("N8", "N9")
def test_keys_follow_devices_that_are_joined_and_split_again() -> None:
    joined = KEYS.handed_over("d-1", "d-9")
    assert joined.of_device("d-9") == (Binding(key_id="laptop-1", purpose=Purpose.DEVICE, device_id="d-9"),)
    assert joined.of_device("d-1") == ()
    assert set(joined.handed_over("d-9", "d-1")) == set(KEYS)


@pytest.mark.req("N9")
def test_a_full_table_refuses_a_new_key_and_keeps_changing_the_old() -> None:
    full = Passphrases(Binding(key_id=f"k{number}", purpose=Purpose.DEVICE) for number in range(MAX_KEYS))
    with pytest.raises(TooManyKeysError):
        full.bind(HOME)
    assert len(full.bind(Binding(key_id="k0", purpose=Purpose.GUEST))) == MAX_KEYS
