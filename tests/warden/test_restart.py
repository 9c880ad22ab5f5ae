"""A machine that starts again, with the real rules: what is fail-closed is held before the keeper has said a word."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest

from appliance.messages import Enforcement, WardenState
from firmware import household, render

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

PHONE, LAPTOP = "02:00:5e:00:53:0b", "02:00:5e:00:53:0a"


def reaches(place: Any) -> bool:
    command = [*place.enter, "busybox", "ping", "-c1", "-W1", "198.51.100.1"]
    return subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0


def until(wanted: bool, place: Any) -> None:
    deadline = time.monotonic() + 20
    while reaches(place) is not wanted:
        assert time.monotonic() < deadline


@pytest.mark.req("R57")
def test_what_is_fail_closed_is_held_again_and_the_rest_is_not(home: Any) -> None:
    keeper = home.keeper("warden")
    warden = home.start("warden")
    order = Enforcement(generation=2, quarantined=(PHONE, LAPTOP), closed=(PHONE,), ends=time.time() + 3600)
    keeper.say(order)
    keeper.until(lambda message: isinstance(message, WardenState) and message.generation == 2)
    assert not reaches(home.phone)
    assert not reaches(home.laptop)
    warden.kill()
    warden.wait(timeout=10)
    keeper.close()

    # As the machine finds itself after its start: the rules of its file, and empty sets.
    fresh = home.folder / "nftables.conf"
    fresh.write_text(render.rules(household.load(home.settings.household)))
    home.gateway.run(f"nft flush ruleset\nnft -f {fresh}")
    assert reaches(home.phone)
    second = home.start("warden")
    until(False, home.phone)
    assert reaches(home.laptop), "what has a lease is not held without one"
    second.kill()
    second.wait(timeout=10)

    # The authority ended while the machine was off, and there is no keeper to say so.
    kept = home.settings.state_dir / "warden" / "closed.json"
    kept.write_text(kept.read_text().replace(f"{order.ends!r}", f"{order.ends - 7200!r}"))
    home.start("warden")
    until(True, home.phone)
    assert not kept.exists()
