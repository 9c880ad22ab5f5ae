from __future__ import annotations

from typing import Any

from appliance.messages import TalksCounted
from appliance.sensor.signals.detector import Detector


def test_a_detector_that_overrides_nothing_says_nothing(facts: Any) -> None:
    silent = Detector()
    assert list(silent.take(facts.began())) == []
    assert list(silent.counted(TalksCounted(ts=1.0, seconds=60.0, talks=()))) == []
    assert list(silent.tick(1.0)) == []
    assert (silent.overflow, silent.hears_wan) == (0, False)
