from __future__ import annotations

from typing import Any

import pytest

from dashboard.pages.outcomes import outcome_words
from dashboard.store.queries import StoredCommand


def _command(state: str, **values: Any) -> StoredCommand:
    row: dict[str, Any] = dict.fromkeys(StoredCommand.__dataclass_fields__)
    row |= {"command_id": "c", "site": "s", "body": {"action": "run-probe"}, "reason": "", "by": "a", "by_name": "A"}
    return StoredCommand(**(row | {"created_at": 0.0, "expires_at": 10.0, "state": state, "detail": ""} | values))


@pytest.mark.req("R60")
@pytest.mark.parametrize(
    ("state", "said", "done"),
    [
        ("needs-second", "Waiting for a second person", False),
        ("disagreed", "Refused by a second person", True),
        ("taken-back", "Taken back", True),
        ("lapsed", "Nobody agreed in time", True),
        ("waiting", "Waiting to be sent", False),
        ("unsent", "Not sent", True),
        ("applied", "Done", True),
        ("of-later", "The box answered", True),
    ],
)
def test_each_state_has_words(state: str, said: str, done: bool) -> None:
    heading, _, over = outcome_words(_command(state), 5.0)
    assert heading.startswith(said)
    assert over == done


def test_an_answer_that_never_came_is_said() -> None:
    assert outcome_words(_command("sent"), 11.0)[0] == "No answer from the box in time"
    assert "It says so" in outcome_words(_command("refused", detail="It says so"), 11.0)[1]
