from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.keeper.devices.model import Device
from appliance.keeper.store import evidence as module
from appliance.keeper.store.database import Store
from appliance.keeper.store.evidence import Piece
from appliance.traits import Trait

ONE, TWO, THREE = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"


def piece(trait: Trait, token: str, value: str | None = None, distinctive: float = 0.1) -> Piece:
    return Piece(trait=trait, token=token, value=value, distinctive=distinctive)


@pytest.fixture(autouse=True)
def known(store: Store, make_device: Callable[..., Device]) -> None:
    with store.transaction():
        for number, mac in enumerate((ONE, TWO, THREE)):
            store.devices.put(make_device(f"d-{number}", mac))


def test_traits_are_counted_and_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EVIDENCE", 2)
    with store.transaction():
        added = [store.evidence.add(ONE, piece(Trait.TLS_JA4, token), 1.0) for token in ("a", "b", "c", "a")]
        assert added == [True, True, False, False]
        assert store.evidence.traits_overflow == 1
        # A device that floods one trait does not keep the others out.
        assert store.evidence.add(ONE, piece(Trait.DHCP6_DUID, "d"), 2.0)
    assert {(item.trait, item.token) for item in store.evidence.of([ONE])} == {
        (Trait.TLS_JA4, "a"),
        (Trait.DHCP6_DUID, "d"),
    }
    assert store.evidence.traits_overflow == store.overflow() == 2


def test_rules_and_names_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HITS", 1)
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    with store.transaction():
        assert [store.evidence.hit(ONE, rule, 1.0) for rule in ("r1", "r2", "r1")] == [True, True, False]
        for name in ("a.example", "b.example", "c.example", "a.example"):
            store.evidence.add_name(ONE, name, authority_id="a", authority_number=1, clause="1", ts=1.0)
    assert [item.rule for item in store.evidence.hits([ONE, TWO])] == ["r1"]
    assert store.evidence.names([ONE, TWO]) == {"a.example": 2, "b.example": 1}
    assert (store.evidence.hits_overflow, store.evidence.names_overflow) == (1, 1)
    assert store.evidence.habitual_names([ONE], least=2, most=9) == {"a.example"}


@pytest.mark.req("R55", "R65")
def test_erasing_leaves_habits_and_hashes(store: Store) -> None:
    with store.transaction():
        store.evidence.add(ONE, piece(Trait.DHCP4_HOST_NAME, "blind-1", "canary"), 1.0)
        store.evidence.add(ONE, piece(Trait.DHCP4_CLIENT_ID, "", ""), 1.0)
        store.evidence.add(ONE, piece(Trait.TLS_JA4, "t13", "t13"), 1.0)
        store.evidence.add(TWO, piece(Trait.DHCP4_HOST_NAME, "blind-1", "canary"), 1.0)
    with store.transaction():
        store.evidence.erase_readable([ONE])
    assert {item.trait: item.value for item in store.evidence.of([ONE])} == {
        Trait.DHCP4_HOST_NAME: None,
        Trait.DHCP4_CLIENT_ID: "",
        Trait.TLS_JA4: "t13",
    }
    assert store.evidence.of([TWO])[0].value == "canary"
    with store.transaction():
        store.evidence.add(ONE, piece(Trait.DHCP4_HOST_NAME, "blind-1", "again"), 2.0)
        store.evidence.add(ONE, piece(Trait.DHCP4_HOST_NAME, "blind-1"), 3.0)
    values = {item.trait: item.value for item in store.evidence.of([ONE])}
    assert values[Trait.DHCP4_HOST_NAME] == "again", "a hearing without leave takes nothing back by itself"


@pytest.mark.req("N8")
def test_who_shares_what_is_distinctive(store: Store) -> None:
    with store.transaction():
        for mac in (ONE, TWO, THREE):
            store.evidence.add(mac, piece(Trait.TLS_JA4, "t13"), 1.0)
        for mac in (ONE, TWO):
            store.evidence.add(mac, piece(Trait.DHCP6_DUID, "blind-2", distinctive=1.0), 1.0)
    assert store.evidence.sharing([ONE], least=0.5, most=9) == [TWO]
    assert store.evidence.sharing([ONE], least=0.1, most=9) == [TWO, THREE]
    assert store.evidence.sharing([ONE], least=0.1, most=1) == [TWO]
    assert store.evidence.sharing([ONE, TWO], least=0.5, most=9) == []


@pytest.mark.req("R67")
def test_a_name_is_erased_wherever_it_was_asked_for(store: Store) -> None:
    asked = ("help.example", "www.help.example", "nothelp.example", "example")
    for below, left in ((False, set(asked) - {"help.example"}), (True, {"nothelp.example", "example"})):
        with store.transaction():
            for mac in (ONE, TWO):
                for name in asked:
                    store.evidence.add_name(mac, name, authority_id="a", authority_number=1, clause="3", ts=1.0)
            store.evidence.erase_name("help.example", below=below)
        assert set(store.evidence.names([ONE])) == set(store.evidence.names([TWO])) == left
