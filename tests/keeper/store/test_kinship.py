from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.devices.model import Device
from appliance.keeper.devices.passphrases import Binding, Passphrases, Purpose
from appliance.keeper.store import kinship as module
from appliance.keeper.store.database import Store
from appliance.keeper.store.evidence import Piece
from appliance.keeper.store.kinship import StoredProposal
from appliance.traits import Trait
from wire.models import Proposal

DUID = (Trait.DHCP6_DUID, "blind-1")


def stored(number: int, state: str = "open", **changes: Any) -> StoredProposal:
    fields: dict[str, Any] = {
        "proposal_id": f"p-{number}",
        "revision": 1,
        "device_id": "d-1",
        "other_id": f"d-{number}",
        "probability": 0.9,
        "reasons": ("because",),
        "state": state,
        "raised_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return StoredProposal(proposal=Proposal(**(fields | changes)), identifiers=(DUID,), reported_at=float(number))


@pytest.mark.req("N8")
def test_proposals_come_back_in_either_order(store: Store) -> None:
    store.kinship.put_proposal(stored(2))
    store.kinship.put_proposal(stored(3))
    assert store.kinship.between("d-2", "d-1") == store.kinship.between("d-1", "d-2") == stored(2)
    assert store.kinship.proposal("p-3") == stored(3)
    assert store.kinship.open_of("d-3") == [stored(3)]
    after, some = store.kinship.open(after=0, most=1)
    assert [item.proposal.proposal_id for item in some] == ["p-2"]
    after, some = store.kinship.open(after=after, most=1)
    assert [item.proposal.proposal_id for item in some] == ["p-3"], "all have their turn"
    assert store.kinship.open(after=after, most=1) == (0, [])
    store.kinship.put_proposal(stored(2, "refused"))
    assert store.kinship.open_count() == 1


def test_proposals_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PROPOSALS", 3)
    for number, state in ((2, "refused"), (3, "withdrawn"), (4, "open")):
        assert store.kinship.has_room()
        store.kinship.put_proposal(stored(number, state))
    assert store.kinship.has_room(), "a withdrawn one goes first"
    assert store.kinship.proposal("p-3") is None
    store.kinship.put_proposal(stored(5))
    assert store.kinship.has_room(), "then one that was answered"
    assert store.kinship.proposal("p-2") is None
    store.kinship.put_proposal(stored(6))
    assert not store.kinship.has_room()
    assert store.kinship.overflow == 1


@pytest.mark.req("N8")
def test_confirmed_identifiers(
    store: Store, make_device: Callable[..., Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = "02:00:00:00:00:0a"
    with store.transaction():
        store.devices.put(make_device("d-2", mac))
        store.evidence.add(mac, Piece(trait=DUID[0], token=DUID[1], value=None, distinctive=1.0), 1.0)
        store.kinship.confirm("d-1", (DUID,), 1.0)
        assert store.kinship.confirmed(*DUID) == "d-1"
        assert store.kinship.with_confirmed() == {"d-1"}
        store.kinship.hand_over("d-1", "d-3")
        assert store.kinship.confirmed(*DUID) == "d-3"
        store.kinship.take_back("d-3", ("02:00:00:00:00:0f",))
        assert store.kinship.confirmed(*DUID) == "d-3"
        store.kinship.take_back("d-3", (mac,))
        assert store.kinship.confirmed(*DUID) is None
        monkeypatch.setattr(module, "MAX_CONFIRMED", 0)
        store.kinship.confirm("d-1", (DUID,), 1.0)
    assert (store.kinship.confirmed(*DUID), store.kinship.overflow) == (None, 1)


@pytest.mark.req("N9")
def test_passphrases_and_forgetting_a_device(store: Store) -> None:
    own = Binding(key_id="key-1", purpose=Purpose.DEVICE, device_id="d-1")
    guest = Binding(key_id="key-2", purpose=Purpose.GUEST, until=9.0)
    with store.transaction():
        store.kinship.put_passphrases(Passphrases([own, guest]))
        store.kinship.put_proposal(stored(2))
    assert list(module.Kinship(store._db).passphrases()) == [own, guest], "as a new process reads them"
    with store.transaction():
        store.kinship.forget("d-1")
    free = Binding(key_id="key-1", purpose=Purpose.DEVICE)
    assert list(module.Kinship(store._db).passphrases()) == list(store.kinship.passphrases()) == [free, guest]
    assert store.kinship.proposal("p-2") is None
