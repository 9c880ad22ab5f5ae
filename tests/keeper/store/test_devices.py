from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.store import devices as module
from appliance.keeper.store.database import Store
from appliance.keeper.store.devices import Link
from appliance.keeper.store.evidence import Piece
from appliance.traits import Trait
from wire.base import Correction, Standing
from wire.models import JoinedBy, LooksLike, Presence, PresenceState

ONE, TWO = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


@pytest.mark.req("R13")
def test_all_of_a_device_comes_back(store: Store, make_device: Callable[..., Device]) -> None:
    addresses = (
        Address(mac=ONE, first_seen=1.0, last_seen=2.0, key_id="key-7", returned=True),
        Address(mac=TWO, first_seen=2.0, last_seen=9.0, joined_by=JoinedBy.PERSON),
    )
    device = make_device(
        "d-1",
        addresses=addresses,
        standing=Standing.GUEST,
        label="Made up",
        looks_like=LooksLike(text="Printer", confidence=0.5, reasons=("because",)),
        guest_until=9.0,
        visit_ended=8.0,
        quarantined=True,
        correction=Correction(category="tv"),
        presence=Presence(state=PresenceState.ASLEEP, since=datetime(2026, 1, 1, tzinfo=UTC)),
    )
    part = make_device("d-2", merged_into="d-1")
    with store.transaction():
        store.devices.put(device)
        store.devices.put(part)
    assert {item.device_id: item for item in store.devices.all()} == {"d-1": device, "d-2": part}


@pytest.mark.req("N8")
def test_an_address_moves_with_all_that_hangs_on_it(store: Store, make_device: Callable[..., Device]) -> None:
    one, two = make_device("d-1", ONE), make_device("d-2", TWO)
    piece = Piece(trait=Trait.TLS_JA4, token="t", value="t", distinctive=0.1)
    with store.transaction():
        store.devices.put(one)
        store.devices.put(two)
        store.evidence.add(TWO, piece, 1.0)
        store.devices.put(replace(one, addresses=(*one.addresses, *two.addresses)))
    found = {item.device_id: item.macs for item in store.devices.all()}
    assert found == {"d-1": (ONE, TWO), "d-2": ()}
    assert store.evidence.of([TWO]) == [piece]


def test_forgetting_leaves_nothing(store: Store, make_device: Callable[..., Device]) -> None:
    with store.transaction():
        store.devices.put(make_device("d-1", ONE))
        store.devices.link(Link(mac=ONE, device_id="d-1", since=1.0))
        store.evidence.add(ONE, Piece(trait=Trait.TLS_JA4, token="t", value="t", distinctive=0.1), 1.0)
        store.evidence.hit(ONE, "rule", 1.0)
        store.evidence.add_name(ONE, "a.example", authority_id="a", authority_number=1, clause="1", ts=1.0)
    with store.transaction():
        store.devices.remove_address(ONE)
        store.devices.remove("d-1")
    for table in ("device", "address", "evidence", "hit", "name_visit", "link", "session"):
        assert store._db.table(table).count == 0, table


@pytest.mark.req("N8")
def test_the_history_of_an_address_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINKS", 3)
    first = Link(mac=ONE, device_id="d-0", since=0.0)
    last = Link(
        mac=ONE, device_id="d-4", since=4.0, how=JoinedBy.PERSON, probability=0.9, reasons=("because",), by="officer-1"
    )
    with store.transaction():
        store.devices.link(first)
        for number in range(1, 4):
            store.devices.link(Link(mac=ONE, device_id=f"d-{number}", since=float(number)))
        store.devices.link(last)
    links = store.devices.links([ONE, TWO])
    assert [(link.device_id, link.until) for link in links] == [("d-2", 3.0), ("d-3", 4.0), ("d-4", None)]
    assert links[-1] == last
    assert store.devices.linked("d-2")
    assert not store.devices.linked("d-0")
