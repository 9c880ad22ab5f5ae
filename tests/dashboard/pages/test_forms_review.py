from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashboard.pages.forms_review import Reviewed
from dashboard.store.outcomes import Action, Outcome, State

NOW = datetime(2026, 1, 14, 21, 4, tzinfo=UTC).timestamp()
WHOLE = {"token": "a" * 32, "seen": "0", "action": "none", "outcome": "explained", "reason": "Seen"}


def _check(**fields: str) -> tuple[object, tuple[tuple[str, str], ...]]:
    return Reviewed.read(WHOLE | fields).check(now=NOW, zone=UTC, accounts={"acc-1"})


@pytest.mark.req("R37")
def test_a_whole_form_is_a_decision() -> None:
    decided, errors = Reviewed.read(WHOLE | {"heading": "opportunity", "purpose": "nonsense", "second": "1"}).check(
        now=NOW, zone=UTC, accounts=()
    )
    assert errors == ()
    assert decided is not None
    assert (decided.action, decided.outcome, decided.heading, decided.purpose) == (
        Action.NONE,
        Outcome.EXPLAINED,
        "opportunity",
        None,
    )
    assert decided.state is State.SECOND


def test_a_day_is_the_beginning_of_it_in_the_zone() -> None:
    decided, _ = Reviewed.read(WHOLE | {"action": "ask", "follow_up": "20/1/2026"}).check(
        now=NOW, zone=UTC, accounts=()
    )
    assert decided is not None
    assert decided.follow_up_at == datetime(2026, 1, 20, tzinfo=UTC).timestamp()
    assert decided.state is State.FOLLOW_UP


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"action": "ask", "follow_up": "2026-01-12"}, "review-follow-up"),
        ({"action": "ask", "follow_up": "2027-02-12"}, "review-follow-up"),
        ({"action": "refer"}, "review-referred"),
        ({"outcome": ""}, "review-outcome"),
        ({"reason": ""}, "review-reason"),
        ({"seen": "-1"}, "review-action"),
        ({"exculpatory": "x" * 501}, "review-exculpatory"),
    ],
)
def test_each_field_has_its_own_mistake(fields: dict[str, str], where: str) -> None:
    decided, errors = _check(**fields)
    assert decided is None
    assert [field for field, _ in errors] == [where]
