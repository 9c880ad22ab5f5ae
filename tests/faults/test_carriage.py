"""The way that the campaigns break is a way that carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import clock
from dashboard.broker.render import BrokerMissingError, find_mosquitto, find_plugin
from lab.faults.carriage import carriage
from lab.faults.sending import alert, stay


@pytest.mark.req("R69")
def test_an_acknowledgement_of_the_broker_is_no_custody(short_folder: Path) -> None:
    """Nobody listens: the broker acknowledges all the same, and the outbox keeps everything until the server's receipt."""
    try:
        find_mosquitto()
        find_plugin()
    except BrokerMissingError as error:
        pytest.skip(str(error))
    with carriage(short_folder) as rig:
        rig.keeper.put(alert(1, clock.now()), *(stay(number, 1, clock.now()) for number in range(30)), at=clock.now())
        rig.start("broker", "courier")
        assert rig.carry(lambda: rig.keeper.uplink.broker_connected, seconds=20)
        rig.carry(lambda: False, seconds=1.0)
        assert len(rig.keeper.store.outbox) == 31
        assert rig.events() == 0
        rig.broker.kill()
        rig.start("broker", "ingest")
        rig.wait_said("ingest", "connected to the broker")
        assert rig.carry(lambda: not len(rig.keeper.store.outbox), seconds=30)
        assert rig.events() == 31
        assert rig.there(["alert-1"]) == {"alert-1"}
