from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.household.tamper import Ground
from appliance.keeper.signs.tamper import Place
from appliance.signals import Signal
from wire.findings import Finding, FindingKind
from wire.renewal import RenewalRequest

LAPTOP = "00:00:5e:00:53:01"


def test_a_message_that_a_peer_has_no_business_to_send_is_counted(bench: Any) -> None:
    before = bench.core._health.overflow
    for peer in (Peer.SENSOR, Peer.WARDEN, Peer.COURIER, Peer.PROBE):
        bench.hear(peer, m.NoticeRequest())
    assert bench.core._health.overflow == before + 4


def test_an_answer_to_no_question_of_the_probe_is_counted(bench: Any) -> None:
    before = bench.core._health.overflow
    bench.hear(Peer.PROBE, m.ProbeAnswer(ts=bench.wall, mac=LAPTOP, ip="192.0.2.9", kind=m.ProbeKind.TEST))
    assert bench.core._health.overflow == before + 1
    assert bench.core._book.registry.by_mac(LAPTOP) is None


@pytest.mark.req("R54")
def test_where_the_clock_was_set_back_both_ends_of_a_signal_move_with_it(make_bench: Any, signed: Any) -> None:
    clauses = [
        {"number": "1", "kind": "collect", "standings": ["registered", "unknown"], "classes": ["presence", "signs"]}
    ]
    bench = make_bench(signed(clauses=clauses))
    bench.online()
    bench.sight(LAPTOP)
    bench.wait(10, wall=bench.wall - 1000)
    signal = m.SignalSeen(
        ts=bench.wall,
        since=bench.wall - 5,
        mac=LAPTOP,
        signal=Signal.SOCKS,
        value="5",
        generation=bench.generation,
    )
    bench.hear(Peer.SENSOR, signal)
    (row,) = bench.store.records.of([LAPTOP], since=0, most=9)
    assert row.last - row.first == pytest.approx(5)
    assert row.last == pytest.approx(bench.wall + 1010)


@pytest.mark.req("R19", "R54")
def test_where_the_clock_was_set_back_a_cable_has_not_been_out_for_long(bench: Any) -> None:
    bench.core._book.tamper._ground = Ground(place=Place(), wan="wan0")
    bench.online()
    bench.wait(10, wall=bench.wall - 7200)
    bench.hear(Peer.WARDEN, m.LinkChanged(ts=bench.wall, interface="wan0", up=False))
    told = [item for item in bench.payloads(bench.wait(60)) if isinstance(item, Finding)]
    assert FindingKind.WAN_LOST not in {item.kind for item in told}
    bench.acknowledge()
    told = [item for item in bench.payloads(bench.wait(300)) if isinstance(item, Finding)]
    assert "for 6 minutes" in next(item.reasons[0] for item in told if item.kind is FindingKind.WAN_LOST)


def test_the_server_hears_at_once_when_the_broker_is_there(bench: Any) -> None:
    bench.wait(3)
    bench.hear(Peer.COURIER, m.BrokerState(connected=False))
    sent = bench.hear(Peer.COURIER, m.BrokerState(connected=True))
    assert [item for item in sent if isinstance(item, m.Outbound) and "/status/" in item.topic]


@pytest.mark.req("N3")
def test_the_courier_gets_its_request_for_a_certificate_signed(bench: Any) -> None:
    bench.online()
    answers = [
        item for item in bench.hear(Peer.COURIER, m.RenewalWanted(csr="csr")) if isinstance(item, m.RenewalSigned)
    ]
    (request,) = [RenewalRequest.model_validate_json(item.request) for item in answers]
    assert (request.site, request.csr) == ("box-1", "csr")
