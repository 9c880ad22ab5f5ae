from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.minimise import DeviceObservation, Leave, minimise
from appliance.signals import Signal
from appliance.traits import Trait
from wire.authority import CollectClause, DataClass
from wire.base import Standing

MAC = "02:00:00:00:00:02"
NAME = "looked-up.example"
HOST = "host-name-of-a-device"


def blind(text: str) -> str:
    return f"hash-of-{len(text)}"


OBSERVATIONS: list[DeviceObservation] = [
    m.Sighting(ts=1.0, mac=MAC, via=m.Via.ARP, ip="192.0.2.1"),
    m.Sighting(ts=1.0, mac=MAC, via=m.Via.ARP, side=m.Side.WAN),
    m.TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP4_HOST_NAME, value=HOST),
    m.TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP6_DUID, value=HOST),
    m.TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP4_PARAMETERS, value="1,3"),
    m.NameLookedUp(ts=1.0, mac=MAC, name=NAME, how=m.How.DNS, generation=1),
    m.NameClassSeen(ts=1.0, mac=MAC, name_class="push"),
    m.NeighbourChanged(ts=1.0, mac=MAC, ip="192.0.2.1", reachable=True),
    m.StationChanged(ts=1.0, mac=MAC, joined=True, key_id=HOST),
    m.DeviceVolume(ts=1.0, mac=MAC, up=5),
    m.SignalSeen(
        ts=1.0, since=1.0, mac=MAC, signal=Signal.BUSY, value="tls", generation=1, octets=7, server="192.0.2.7"
    ),
    m.ActivitySeen(
        ts=1.0,
        since=0.0,
        mac=MAC,
        generation=1,
        flows=3,
        unnamed=2,
        octets=9,
        unnamed_octets=8,
        classes={"push": 1},
        others=1,
    ),
    m.SignalSeen(ts=1.0, since=1.0, mac=MAC, signal=Signal.UPSTREAM, value="arp", generation=1),
]
NETWORK = OBSERVATIONS[-1]


@pytest.mark.req("R53", "R55", "R56", "R61")
@settings(max_examples=400)
@given(
    observation=st.sampled_from(OBSERVATIONS),
    standing=st.sampled_from(Standing),
    allowed=st.sets(st.sampled_from(DataClass)),
    of=st.sets(st.sampled_from(Standing), min_size=1),
    in_force=st.booleans(),
)
def test_nothing_passes_that_the_authority_does_not_allow(
    *,
    make_authority: Any,
    observation: DeviceObservation,
    standing: Standing,
    allowed: set[DataClass],
    of: set[Standing],
    in_force: bool,
) -> None:
    clauses = (CollectClause(number="1", standings=tuple(of), classes=tuple(allowed) or (DataClass.VOLUMES,)),)
    scope = Scope(authority=make_authority(clauses=clauses)) if in_force else None
    kept = minimise(observation, standing, scope, blind)
    leave = allowed if in_force and standing in of else set()
    if observation is NETWORK:  # about the network, whoever sends it
        unknown = allowed if in_force and Standing.UNKNOWN in of else set()
        assert (kept is not None) == ({DataClass.PRESENCE, DataClass.SIGNS} <= unknown)
        return
    if DataClass.PRESENCE not in leave:
        assert kept is None
        return
    if isinstance(observation, m.SignalSeen | m.ActivitySeen):
        assert (kept is not None) == (DataClass.SIGNS in leave)
        assert not getattr(kept, "octets", None) or DataClass.VOLUMES in leave
        assert not getattr(kept, "unnamed_octets", 0) or DataClass.VOLUMES in leave
    text = repr(kept)
    names = leave & {DataClass.LIST_HITS, DataClass.FULL_NAMES}
    assert (NAME in text) == (isinstance(observation, m.NameLookedUp) and bool(names))
    if HOST in text:
        assert DataClass.FINGERPRINT in leave
        assert standing is Standing.REGISTERED or isinstance(observation, m.StationChanged)
    assert not (isinstance(kept, m.DeviceVolume) and DataClass.VOLUMES not in leave)
    assert not (isinstance(kept, m.NameClassSeen) and DataClass.SIGNS not in leave)
    if isinstance(observation, m.Sighting | m.NeighbourChanged | m.StationChanged | m.TraitSeen):
        side = getattr(observation, "side", m.Side.LAN)
        assert (kept is None) == (side is m.Side.WAN)


def test_announced_names_are_blinded_for_all_but_registered_devices(scope: Scope) -> None:
    for trait in (Trait.DHCP4_HOST_NAME, Trait.DHCP6_DUID):
        heard = m.TraitSeen(ts=1.0, mac=MAC, trait=trait, value=HOST)
        kept = minimise(heard, Standing.UNKNOWN, scope, blind)
        assert isinstance(kept, m.TraitSeen)
        assert kept.value == blind(HOST)
        assert minimise(heard, Standing.REGISTERED, scope, blind) == heard
    empty = m.TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP4_HOST_NAME, value="")
    assert minimise(empty, Standing.UNKNOWN, scope, blind) == empty, "seen empty stays so"
    habit = m.TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP4_PARAMETERS, value="1,3")
    assert minimise(habit, Standing.UNKNOWN, scope, blind) == habit


def test_without_leave_for_fingerprints_an_announcement_is_a_sighting(make_authority: Any) -> None:
    clauses = (CollectClause(number="1", standings=(Standing.UNKNOWN,), classes=(DataClass.PRESENCE,)),)
    scope = Scope(authority=make_authority(clauses=clauses))
    heard = m.TraitSeen(ts=1.0, mac=MAC, trait=Trait.DHCP4_HOST_NAME, value=HOST)
    assert minimise(heard, Standing.UNKNOWN, scope, blind) == m.Sighting(ts=1.0, mac=MAC, via=m.Via.DHCP)


def test_a_passphrase_is_a_fingerprint(make_authority: Any, scope: Scope) -> None:
    clauses = (CollectClause(number="1", standings=(Standing.UNKNOWN,), classes=(DataClass.PRESENCE,)),)
    joined = m.StationChanged(ts=1.0, mac=MAC, joined=True, key_id="key-1")
    presence_only = Scope(authority=make_authority(clauses=clauses))
    assert minimise(joined, Standing.UNKNOWN, presence_only, blind) == m.StationChanged(ts=1.0, mac=MAC, joined=True)
    assert minimise(joined, Standing.UNKNOWN, scope, blind) == joined


@pytest.mark.req("R55", "R61", "N2")
def test_only_what_the_mask_in_force_let_out_counts() -> None:
    leave = Leave(names={MAC: 3}, signs={MAC: 5}, network=7)

    def signal(of: Signal, generation: int, mac: str = MAC) -> m.SignalSeen:
        return m.SignalSeen(ts=1.0, since=1.0, mac=mac, signal=of, value="", generation=generation)

    name = m.NameLookedUp(ts=1.0, mac=MAC, name=NAME, how=m.How.DNS, generation=3)
    assert leave.lets_out(name)
    assert not Leave(names={MAC: 4}).lets_out(name)
    assert leave.lets_out(signal(Signal.SSH, 5))
    assert not leave.lets_out(signal(Signal.SSH, 4))
    assert not leave.lets_out(signal(Signal.SSH, 9, mac="02:00:00:00:00:03"))
    assert leave.lets_out(signal(Signal.ROUTER, 7, mac="02:00:00:00:00:03"))
    assert not leave.lets_out(signal(Signal.ROUTER, 6))
    assert not Leave().lets_out(signal(Signal.ROUTER, 99))
