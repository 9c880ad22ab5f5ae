from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.broker.render import BrokerMissingError, find_mosquitto, find_plugin
from lab.faults import broker


@pytest.mark.req("R69", "N3")
def test_a_broker_that_is_killed_loses_nothing_and_doubles_nothing(short_folder: Path) -> None:
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    result = broker.run(short_folder, short=True, say=lambda _line: None)
    assert result.kept, result
    assert result.figures["lost"] == result.figures["double"] == "0"
    assert int(result.figures["times killed"]) >= broker.SHORT_KILLS
