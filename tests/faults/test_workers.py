from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.broker.render import BrokerMissingError, find_mosquitto, find_plugin
from lab.faults import workers
from lab.postgres import PostgresMissingError, find_programs


@pytest.mark.req("R69", "N3")
def test_workers_that_share_lose_nothing_and_number_commands_once(short_folder: Path) -> None:
    try:
        find_mosquitto()
        find_plugin()
        find_programs()
    except (BrokerMissingError, PostgresMissingError) as error:
        pytest.skip(str(error))
    result = workers.run(short_folder, short=True, say=lambda _line: None)
    assert result.kept, result
    assert result.figures["lost"] == result.figures["double"] == "0"
    assert result.figures["numbers missing or given twice"] == result.figures["out of order at the box"] == "0"
    assert int(result.figures["workers killed"]) >= workers.SHORT_KILLS
