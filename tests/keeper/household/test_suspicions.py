from __future__ import annotations

from typing import Any

import pytest

from appliance.keeper.devices.identity import Likeness
from wire.base import Standing
from wire.findings import Finding

OLD, NEW = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


@pytest.fixture
def suspicions(bench: Any) -> Any:
    bench.give(OLD, Standing.REGISTERED)
    bench.wait(10)
    bench.sight(NEW)
    bench.acknowledge()
    return bench.core._book.proposals._suspicions


def say(bench: Any, suspicions: Any, probability: float) -> None:
    likeness = Likeness(probability=probability, reasons=("Made up.",) * 30)
    scope = bench.core._judgement.scope
    with bench.store.transaction():
        suspicions.same_device(bench.device(OLD), bench.device(NEW), likeness, scope=scope, at=bench.wall)


@pytest.mark.req("N8", "R17", "R26")
def test_one_finding_that_follows_the_probability(bench: Any, suspicions: Any) -> None:
    for probability in (0.9, 0.91, 0.95):
        say(bench, suspicions, probability)
    sent = [item for item in bench.payloads(bench.wait(1)) if isinstance(item, Finding)]
    same = [item for item in sent if item.kind.value == "same-device"]
    assert len({item.finding_id for item in same}) == 1
    assert [(item.revision, item.confidence) for item in same] == [(1, 0.9), (2, 0.95)], "a hundredth is no news"
    assert "(95%)" in same[-1].reasons[0]
    assert bench.open_kinds(NEW) == ["same-device"]


@pytest.mark.req("N8", "R11")
def test_less_likely_it_is_a_device_that_is_not_registered_again(bench: Any, suspicions: Any) -> None:
    say(bench, suspicions, 0.95)
    with bench.store.transaction():
        suspicions.no_more(bench.device(NEW), bench.wall, scope=bench.core._judgement.scope)
    assert bench.open_kinds(NEW) == ["unregistered-device"]


@pytest.mark.req("R17")
def test_only_a_device_on_the_register_that_was_there_before_is_named(bench: Any, suspicions: Any) -> None:
    def alternatives() -> list[str]:
        (stored,) = bench.store.findings.open_of(bench.device(NEW).device_id)
        return [item for item in stored.finding.alternatives if item.startswith("Likely not")]

    likeness = Likeness(probability=0.12)
    with bench.store.transaction():
        suspicions.unlikely(bench.device(NEW), bench.device(NEW), likeness)
        assert alternatives() == []
        suspicions.unlikely(bench.device(NEW), bench.device(OLD), likeness)
        suspicions.unlikely(bench.device(NEW), bench.device(OLD), Likeness(probability=0.2))
    assert len(alternatives()) == 1
    assert alternatives()[0].endswith("(20%).")
