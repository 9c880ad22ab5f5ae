from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.broker.render import BrokerMissingError, find_mosquitto, find_plugin
from lab.faults import outage


@pytest.mark.req("R69", "N3")
def test_what_waited_while_the_broker_was_away_arrives_once(short_folder: Path) -> None:
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    said: list[str] = []
    result = outage.run(short_folder, short=True, say=said.append)
    assert result.kept, result
    assert result.figures["lost"] == result.figures["double"] == "0"
    assert any("now the broker comes" in line for line in said)
