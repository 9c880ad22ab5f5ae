from __future__ import annotations

from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.law.asking import AGAIN_SECONDS, FIRST_SECONDS, PATIENCE_SECONDS
from appliance.keeper.law.timekeeping import WIDEST_SECONDS
from wire.findings import FindingKind, Severity


def vouched(served: Any) -> bool:
    return bool(served.bench.core._clock.authenticated)


@pytest.mark.req("R54")
def test_it_asks_when_the_broker_comes_and_again_after_an_hour(served: Any) -> None:
    assert len(served.questions) == 1
    served.answer()
    assert vouched(served)
    served.wait(AGAIN_SECONDS - 1)
    assert len(served.questions) == 1
    served.wait(2)
    assert len(served.questions) == 2


@pytest.mark.req("R54")
def test_an_answer_that_is_not_to_the_last_question_proves_nothing(served: Any) -> None:
    served.wait(6)
    first, last = served.questions
    served.answer(nonce=first.nonce)
    assert not vouched(served)
    served.answer(nonce="00" * 32)
    assert not vouched(served)
    assert served.bench.core._counsel.asking.refused == 2
    assert last.nonce != first.nonce
    served.answer()
    assert vouched(served)
    served.answer()
    assert served.bench.core._counsel.asking.refused == 3, "a repeated one neither"


@pytest.mark.req("R54")
def test_an_answer_that_took_too_long_says_nothing(served: Any) -> None:
    question = served.questions[-1]
    served.bench.monotonic += WIDEST_SECONDS + 1
    served.answer(nonce=question.nonce)
    assert not vouched(served)


@pytest.mark.req("R54")
def test_a_question_that_the_server_did_not_hear_is_asked_again_when_it_says_anything(served: Any) -> None:
    served.wait(FIRST_SECONDS)
    asked = len(served.questions)
    served.wait(FIRST_SECONDS)
    assert len(served.questions) == asked, "the second wait is longer"
    served.note(served.bench.down(served.bench.receipt((1, 1))))
    served.wait(0.1)
    assert len(served.questions) == asked + 1
    served.note(served.bench.down(served.bench.receipt((1, 1))))
    served.wait(0.1)
    assert len(served.questions) == asked + 1, "an answer may still be on its way"


@pytest.mark.req("R54")
def test_a_server_that_is_reached_and_does_not_vouch_for_the_time_is_a_finding(served: Any) -> None:
    bench = served.bench
    told = []
    for _ in range(int(PATIENCE_SECONDS // 30) + 2):
        told += bench.law(served.wait(30.0))
    found = {each.finding_id: each for each in told if each.kind is FindingKind.TIME_UNAUTHENTICATED}
    (finding,) = found.values()
    assert finding.severity is Severity.TODAY
    assert len(served.questions) < 20, "it does not ask without end"
    told = bench.law(served.answer()) + bench.law(served.wait(1.0))
    assert told[-1].kind is FindingKind.TIME_UNAUTHENTICATED
    assert told[-1].state == "closed"


@pytest.mark.req("R54")
def test_without_a_broker_nobody_is_to_blame(make_served: Any, signed: Any) -> None:
    served = make_served(signed())
    served.online()
    served.bench.hear(Peer.COURIER, m.BrokerState(connected=False))
    told = []
    for _ in range(30):
        told += served.bench.law(served.wait(60.0))
    assert not [each for each in told if each.kind is FindingKind.TIME_UNAUTHENTICATED]
    assert len(served.questions) == 1
