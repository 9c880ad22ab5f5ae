from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.keeper.law.acts import Acts, Given
from wire.acts import BREAK_SECONDS, EndUnmask, PauseRecording, ResumeRecording, Unmask
from wire.models import Command

NOW = 1_900_000_000.0
AT = datetime.fromtimestamp(NOW, UTC)
UNMASK = Unmask(device_id="d-1", until=AT, reason="A concern.")


class Followed:
    """Acts of which every one is followed, and what was given with them."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self.acts = Acts()
        for act in (Unmask, PauseRecording, ResumeRecording):
            self.acts.on(act, self._follow)

    def _follow(self, _order: object, given: Given) -> None:
        self.given.append(given)

    def give(self, **fields: Any) -> str | None:
        plain: dict[str, Any] = {
            "command_id": "c-1",
            "sequence": 1,
            "issued_at": AT,
            "expires_at": AT,
            "by": "officer-1",
        }
        return self.acts.apply(Command(**(plain | fields)), scope=None, at=NOW)


@pytest.fixture
def followed() -> Followed:
    return Followed()


@pytest.mark.req("N2")
@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"body": UNMASK}, "two people"),
        ({"body": UNMASK, "second": "officer-1"}, "two people"),
        ({"body": UNMASK, "second": "officer-2"}, None),
        ({"body": UNMASK, "break_glass": True}, None),
        ({"body": ResumeRecording(reason="Over."), "break_glass": True}, "emergency"),
        ({"body": PauseRecording(reason="A visit.")}, None),
        ({"body": PauseRecording(reason="A visit."), "break_glass": True}, "emergency"),
    ],
)
def test_who_may_give_an_act(followed: Followed, fields: dict[str, Any], refusal: str | None) -> None:
    said = followed.give(**fields)
    assert (said is None) is (refusal is None)
    assert refusal is None or refusal in (said or "")
    assert len(followed.given) == (refusal is None)


@pytest.mark.req("N3")
def test_an_emergency_is_over_after_an_hour(followed: Followed) -> None:
    followed.give(body=UNMASK, break_glass=True)
    followed.give(body=UNMASK, second="officer-2")
    broken, two = followed.given
    assert (broken.ends, broken.two) == (NOW + BREAK_SECONDS, False)
    assert (two.ends, two.two) == (float("inf"), True)


def test_what_nobody_follows_is_not_known(followed: Followed) -> None:
    assert followed.acts.knows(UNMASK)
    assert not followed.acts.knows(EndUnmask(device_id="d-1"))
