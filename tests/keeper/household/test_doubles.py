"""What is there twice is taken apart; the whole stories are in `tests/keeper/test_imposture.py`."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.household import doubles
from wire.base import Standing
from wire.findings import Finding

OWN, SECOND, THIRD = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"


@pytest.fixture
def phone(bench: Any) -> str:
    """A registered phone that has changed its address twice, with a passphrase of its own."""
    bench.station(OWN, "key-7")
    device_id = str(bench.device(OWN).device_id)
    bench.down(bench.command(device_id, Standing.REGISTERED))
    for before, mac in ((OWN, SECOND), (SECOND, THIRD)):
        bench.station(before, joined=False)
        bench.wait(60)
        bench.station(mac, "key-7")
    bench.wait(5)
    bench.acknowledge()
    assert bench.device(THIRD).device_id == device_id
    return device_id


def both_heard(bench: Any, *macs: str, seconds: float) -> list[Any]:
    sent = []
    for _ in range(int(seconds // 10)):
        sent += bench.payloads(bench.wait(10))
        for mac in macs:
            sent += bench.payloads(bench.sight(mac))
    bench.acknowledge()
    return sent


@pytest.mark.req("N9", "N8")
def test_the_address_joined_last_goes_whichever_comes_later(bench: Any, phone: str) -> None:
    """The second address comes back beside the third: it was the device's earlier."""
    bench.station(SECOND, "key-7")
    sent = both_heard(bench, SECOND, THIRD, seconds=300)
    assert bench.device(SECOND).device_id == phone
    other = bench.device(THIRD)
    assert (other.device_id != phone, other.standing) == (True, Standing.UNKNOWN)
    assert {item.kind.value for item in sent if isinstance(item, Finding) and item.device_id == other.device_id} == {
        "passphrase-shared",
        "unregistered-device",
    }


@pytest.mark.req("N8")
def test_a_moment_beside_each_other_is_no_double(bench: Any, phone: str) -> None:
    bench.station(SECOND, "key-7")
    both_heard(bench, SECOND, THIRD, seconds=90)
    bench.station(THIRD, joined=False)
    both_heard(bench, SECOND, seconds=300)
    assert bench.device(THIRD).device_id == bench.device(SECOND).device_id == phone
    assert bench.open_kinds(THIRD) == []


def test_they_are_looked_for_now_and_then(bench: Any, phone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(_self: object, device: Any) -> None:
        looked.append(device.device_id)

    monkeypatch.setattr(doubles.Doubles, "_second", look)
    bench.wait(doubles.CHECK_SECONDS)
    looked.clear()
    for _ in range(int(doubles.CHECK_SECONDS)):
        bench.wait(1)
    assert looked == [phone]
