"""The weeks of two watched households, lived through by a real box: what an officer reads is kept as a baseline.

`python -m lab.week --signs --write tests/baselines` renews the files; the diff is to be read line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.week import household
from lab.week.days import Days
from lab.week.household import Way
from lab.week.plot import DAY
from lab.week.run import scratch
from lab.week.watched import Review, live
from wire.findings import FindingKind, Grade, Severity

BASELINES = Path(__file__).parents[2] / "baselines"
KINDS: dict[Way, tuple[FindingKind, Grade | None, Severity]] = {
    "other-resolver": (FindingKind.OTHER_RESOLVER, Grade.LOW, Severity.INFORMATION),
    "encrypted-names": (FindingKind.ENCRYPTED_DNS, Grade.HIGH, Severity.TODAY),
    "tunnel": (FindingKind.TUNNEL, Grade.HIGH, Severity.TODAY),
    "listed": (FindingKind.LISTED_NAME, None, Severity.TODAY),
    "tor": (FindingKind.TOR, Grade.HIGH, Severity.TODAY),
    "behind": (FindingKind.DEVICE_BEHIND, Grade.MEDIUM, Severity.THIS_WEEK),
}
"""What each way round is found as on its first day, and how surely."""

# A household's three weeks are a minute of computing, more on a busy machine.
pytestmark = pytest.mark.timeout(900)

READ = {"compliant": household.compliant, "non-compliant": household.non_compliant}


@pytest.fixture(scope="module")
def reviews() -> Iterator[Callable[[str], Review]]:
    lived: dict[str, Review] = {}
    with ExitStack() as stack:

        def once(name: str) -> Review:
            if name not in lived:
                days = Days(READ[name]())
                box = stack.enter_context(live(days, stack.enter_context(scratch())))
                lived[name] = Review(days=days, box=box)
            return lived[name]

        yield once


@pytest.mark.req("R26", "R27", "R28")
@pytest.mark.parametrize("name", READ)
def test_an_officer_reads_what_was_reviewed(reviews: Callable[[str], Review], name: str) -> None:
    assert reviews(name).text() == (BASELINES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.req("R27", "R28")
def test_a_household_that_keeps_to_what_was_agreed_is_hardly_an_item_a_day(reviews: Callable[[str], Review]) -> None:
    review = reviews("compliant")
    assert review.median() <= 1
    assert review.act_now() == 0
    kinds = {told.finding.kind for told in review.in_the_week() if told.finding.grade in {Grade.MEDIUM, Grade.HIGH}}
    assert kinds <= {FindingKind.TUNNEL}, "the employer's VPN on the work laptop, and nothing else"


@pytest.mark.req("R18", "R25", "N6", "N11")
def test_each_way_round_is_found_on_its_day(reviews: Callable[[str], Review]) -> None:
    review = reviews("non-compliant")
    for one in review.days.household.around:
        kind, grade, severity = KINDS[one.way]
        told = [
            told.finding
            for told in review.in_the_week()
            if int((told.at - review.days.starts) // DAY) == one.days[0]
            and told.finding.kind is kind
            and review.who(told.finding) == one.member
        ]
        assert told, one.says
        assert (told[-1].grade, told[-1].severity) == (grade, severity), one.says
    unseen = [finding for finding in review.box.findings.values() if finding.kind is FindingKind.UNSEEN_USE]
    assert [review.who(finding) for finding in unseen] == ["main-phone"]
    assert unseen[0].grade is Grade.MEDIUM


@pytest.mark.req("S5", "R29")
def test_every_sign_says_what_else_could_explain_it(reviews: Callable[[str], Review]) -> None:
    for finding in reviews("non-compliant").box.findings.values():
        assert finding.reasons
        assert finding.alternatives
        assert finding.rule.clause


@pytest.mark.req("R67")
def test_a_name_that_is_never_kept_is_in_no_finding(reviews: Callable[[str], Review]) -> None:
    told = "".join(one.finding.model_dump_json() for one in reviews("compliant").box.told)
    assert "help-line" not in told
    assert reviews("compliant").box.refusals() == []
