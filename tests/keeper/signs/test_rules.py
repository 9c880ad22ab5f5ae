from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.keeper.signs import rules
from appliance.keeper.signs.window import Context, Observed, Use, Window
from appliance.signals import NETWORK, Signal
from wire.base import Standing

texts = st.one_of(
    st.sampled_from(["", "hello", "syn", "guard", "directory", "initiation", "63/64", "windows/syn", "null,rate"]),
    st.text(max_size=128),
)
records = st.builds(
    Observed,
    record_id=st.integers(0, 10**6).map(lambda number: f"r-{number}"),
    signal=st.sampled_from(Signal),
    value=texts,
    first=st.floats(0, 1e9),
    last=st.floats(1e9, 2e9),
    count=st.integers(1, 2**50),
    server=st.one_of(st.none(), st.ip_addresses().map(str), st.text(max_size=60)),
    port=st.one_of(st.none(), st.integers(0, 65535)),
    octets=st.one_of(st.none(), st.integers(0, 2**50)),
)
uses = st.builds(Use, flows=st.integers(0, 10**6), unnamed=st.integers(0, 10**6), lookups=st.integers(0, 10**6))
contexts = st.builds(
    Context,
    device_id=st.sampled_from(["d-1", None]),
    standing=st.one_of(st.none(), st.sampled_from(Standing)),
    category=st.sampled_from([None, "phone", "laptop", "tv", "speaker"]),
    refused=st.sets(st.sampled_from(["canary", "relay", "discovery"])).map(frozenset),
    hour=uses,
    day=uses,
    usual=st.one_of(st.none(), st.floats(0, 1)),
    gateway=st.booleans(),
    upstream=st.integers(0, 64),
)


@pytest.mark.req("R18", "R63", "S5")
@settings(max_examples=200, deadline=None)
@given(observed=st.lists(records, max_size=40), context=contexts)
def test_whatever_is_heard_signs_are_whole(observed: list[Observed], context: Context) -> None:
    signs = [
        *rules.weigh(Window(observed), context),
        *rules.weigh_network("02:00:00:00:00:09", Window(observed), context),
    ]
    seen = set()
    for sign in signs:
        assert sign.alternatives
        assert sign.reasons
        assert all(0 < len(text) <= 300 for text in (*sign.reasons, *sign.alternatives))
        assert len(sign.subject) <= 300
        assert len(sign.records) <= 32
        assert 0 < sign.confidence <= 1
        assert sign.count >= 1
        assert sign.since <= sign.ts
        assert "breach" not in repr(sign).lower()
        assert sign.kind in rules.KINDS
        assert (sign.kind, sign.subject) not in seen, "one finding of a kind and subject"
        seen.add((sign.kind, sign.subject))
    assert len(signs) <= 64


@given(observed=st.lists(records, max_size=20), context=contexts, seed=st.integers())
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_it_was_heard_changes_no_grade(
    observed: list[Observed], context: Context, seed: int
) -> None:
    def grades(items: list[Observed]) -> dict[Any, str]:
        return {(sign.kind, sign.subject): sign.grade for sign in rules.weigh(Window(items), context)}

    once = list({item.record_id: item for item in observed}.values())
    mixed = random.Random(seed).sample(once, len(once))  # noqa: S311 - a script, not a secret
    assert set(grades(once)) == set(grades(mixed)) or len(once) > 8
    same = set(grades(once)) & set(grades(mixed))
    assert {key: grades(once)[key] for key in same} == {key: grades(mixed)[key] for key in same}


@pytest.mark.req("R18")
def test_every_signal_is_weighed_by_some_rule(script: Any) -> None:
    alone = {
        Signal.BUSY: "tells how much another signal is worth",
        Signal.TTL: "needs a value that says something",
        Signal.SYSTEM: "needs a second family",
        Signal.NO_SNI: "needs many",
        Signal.QUIC_UNNAMED: "needs many",
        Signal.ECH: "counts only where it is real",
    }
    for signal in set(Signal) - NETWORK - set(alone):
        assert script().hear(signal, "hello", server="192.0.2.7").signs() or signal is Signal.TOR, signal
    for signal in NETWORK:
        assert script().hear(signal, "arp").network(), signal


QUIET: dict[str, list[tuple[Signal, str, dict[str, Any]]]] = {
    "video call": [(Signal.BUSY, "udp", {"octets": 10**9}), (Signal.NO_SNI, "tls", {"count": 4})],
    "a long call over Wi-Fi": [
        (Signal.IKE, "2", {}),
        (Signal.IKE, "esp", {"count": 9}),
        (Signal.BUSY, "udp", {"octets": 10**7}),
    ],
    "game": [(Signal.RANDOM_FIRST, "64", {"count": 2}), (Signal.BUSY, "udp", {"octets": 10**8})],
    "content network": [(Signal.NO_SNI, "tls", {"count": 60}), (Signal.QUIC_UNNAMED, "moved", {"count": 20})],
    "backup over TLS": [(Signal.BUSY, "tls", {"octets": 10**11}), (Signal.SSTP, "hello", {})],
    "browser that fills in ECH": [(Signal.ECH, "grease", {"count": 10_000})],
    "browser that hides names": [(Signal.ECH, "real", {"count": 50})],
    "browser that asks first": [(Signal.CANARY, "firefox", {"count": 9})],
    "phone that asks the box": [
        (Signal.DOT, "syn", {"server": "192.168.8.1", "count": 99}),
        (Signal.DISCOVERY, "opportunistic", {}),
    ],
    "phone with a plan": [(Signal.RELAY, "icloud", {"count": 20, "server": None})],
    "television": [(Signal.OTHER_RESOLVER, "udp", {"count": 9})],
    "page about a VPN": [(Signal.VPN_NAMED, "example-vpn", {})],
    "copying a file to a server": [(Signal.SSH, "OpenSSH_9.2", {})],
    "virtual machine": [(Signal.TTL, "63/64", {"count": 900}), (Signal.TTL, "64/64", {})],
    "just come from another network": [(Signal.TETHER, "192.168.43.0/24", {})],
    "protection against viruses": [(Signal.DNS_TUNNEL, "length", {})],
}


@pytest.mark.req("R18", "R28")
@pytest.mark.parametrize("what", QUIET)
def test_everyday_things_do_not_rise_above_low(script: Any, what: str) -> None:
    played = script()
    for signal, value, fields in QUIET[what]:
        played.hear(signal, value, **({"server": "192.0.2.7"} | fields))
    assert [(sign.kind.value, sign.grade.value) for sign in played.signs() if sign.grade != "low"] == []
