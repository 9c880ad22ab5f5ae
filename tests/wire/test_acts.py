from __future__ import annotations

from typing import get_args

import pytest

from wire import acts
from wire.base import Standing

ACTIONS = {model.model_fields["action"].default for model in get_args(acts.Act)}


def test_what_needs_two_and_what_an_emergency_opens_are_actions_there_are() -> None:
    assert acts.NEEDS_TWO <= ACTIONS
    assert acts.BREAKABLE <= acts.NEEDS_TWO


@pytest.mark.req("N2")
def test_only_making_another_s_device_the_person_s_own_opens_it() -> None:
    opening = {(before, after) for before in Standing for after in Standing if acts.opens(before, after)}

    others = (Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.INFRASTRUCTURE)
    assert opening == {(before, Standing.REGISTERED) for before in others}
