from __future__ import annotations

from dashboard.pages import deciding
from dashboard.store.outcomes import Action, Heading, Outcome, Purpose


def test_all_that_can_be_stored_has_words() -> None:
    assert set(deciding.ACTIONS) == set(Action)
    assert set(deciding.OUTCOMES) == set(Outcome)
    assert set(deciding.HEADINGS) == set(Heading)
    assert set(deciding.PURPOSES) == set(Purpose)
    assert len(Heading) == 11
