from __future__ import annotations

import dataclasses

import pytest

from appliance.probe.own import Own


def test_what_it_is_does_not_change_during_an_errand(own: Own) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        own.number = 1  # type: ignore[misc] # that is what is tried
    assert own.address in own.network
