from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.core import Peer
from appliance.keeper.probing import ANSWERS_DHCP, SCHEDULE, SPACING, Probing
from appliance.keeper.store.database import Store
from appliance.messages import ProbeKind
from wire.authority import CollectClause, DataClass
from wire.base import Standing
from wire.models import CommandResult, Outcome
from wire.orders import RunProbe

OTHER = "00:00:5e:00:53:09"


def asks(bench: Any, kind: ProbeKind | None = None) -> m.ProbeLeave:
    bench.connect(Peer.PROBE)
    (leave,) = [item for item in bench.hear(Peer.PROBE, m.ProbeRequest(kind=kind)) if isinstance(item, m.ProbeLeave)]
    return leave


@pytest.mark.req("R12")
def test_each_kind_is_due_once_a_day_and_never_often(store: Store, scope: Scope) -> None:
    probing = Probing(store)
    of_itself = (ProbeKind.SWEEP, ProbeKind.SERVICES, ProbeKind.DHCP)  # the test of detection has its own clause
    assert probing.leave(None, scope, 1e6).kinds == of_itself
    again = probing.leave(None, scope, 1e6 + SPACING)
    assert (again.kinds, again.why, again.refused) == ((), "Nothing is wanted and nothing is due.", False)
    assert Probing(store).leave(ProbeKind.SWEEP, scope, 1e6 + SPACING).kinds == (ProbeKind.SWEEP,), "asked for"
    soon = probing.leave(ProbeKind.SWEEP, scope, 1e6 + SPACING + 1)
    assert ("quarter of an hour" in soon.why, soon.refused) == (True, True)
    assert ProbeKind.DHCP in probing.leave(None, scope, 1e6 + SCHEDULE).kinds


@pytest.mark.req("R12", "R53")
def test_a_wish_is_remembered_and_needs_leave(bench: Any, signed: Any) -> None:
    assert asks(bench).kinds
    soon = bench.payloads(bench.order(RunProbe(kind="services")))
    assert next(item for item in soon if isinstance(item, CommandResult)).outcome is Outcome.REFUSED
    bench.wait(SPACING)
    wanted = bench.payloads(bench.order(RunProbe(kind="services")))
    assert next(item for item in wanted if isinstance(item, CommandResult)).outcome is Outcome.APPLIED
    bench.stop()
    bench.start(signed())
    bench.online()
    assert asks(bench).kinds == (ProbeKind.SERVICES,)
    bench.document(None)
    refused = asks(bench, ProbeKind.SWEEP)
    assert (refused.kinds, bool(refused.why), refused.refused) == ((), True, True)


@pytest.mark.req("R53")
def test_no_leave_to_keep_who_is_there_no_probe(store: Store, make_authority: Any) -> None:
    clauses = (CollectClause(number="1", standings=(Standing.REGISTERED,), classes=(DataClass.PRESENCE,)),)
    scope = Scope(authority=make_authority(clauses=clauses))
    assert Probing(store).leave(None, scope, 1e6).kinds == ()
    assert "No authority" in str(Probing(store).want(ProbeKind.SWEEP, scope, 1e6))
    assert "No authority" in str(Probing(store).want(ProbeKind.SWEEP, None, 1e6))


@pytest.mark.req("R11", "R12")
def test_who_answers_is_there(bench: Any) -> None:
    asks(bench)
    answer = m.ProbeAnswer(ts=bench.wall, mac=OTHER, kind=ProbeKind.SWEEP, ip="192.0.2.9")
    done = m.ProbeDone(ts=bench.wall, kind=ProbeKind.SWEEP, sent=254, answers=1)
    bench.hear(Peer.PROBE, answer, done, m.Credit(count=1))
    assert bench.open_kinds(OTHER) == ["unregistered-device"]
    assert bench.store.get("probe_done_sweep").endswith(" 254 1")
    assert bench.core._health.overflow == 1, "what a probe should not say is counted"


@pytest.mark.req("R12")
def test_who_hands_out_addresses_is_noted_with_its_evidence(bench: Any) -> None:
    asks(bench)
    bench.hear(Peer.PROBE, m.ProbeAnswer(ts=bench.wall, mac=OTHER, kind=ProbeKind.DHCP, ip="192.0.2.9"))
    assert ANSWERS_DHCP in [item.rule for item in bench.store.evidence.hits([OTHER])]
    appearance = bench.core._book._appearance
    assert appearance.judge(bench.device(OTHER)) == bench.device(OTHER), "and says nothing of what it is"
