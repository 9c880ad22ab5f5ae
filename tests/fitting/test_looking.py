from __future__ import annotations

import os
from typing import Any

import pytest
from click.testing import CliRunner

from appliance import fresh
from appliance.cli.look import look as command
from appliance.fitting import light, looking, looks
from appliance.fresh import Problem, Seen
from firmware import layout


@pytest.mark.req("R9")
def test_a_look_is_written_for_keeper_and_light(box: Any, now: float) -> None:
    (box.places.at("/sys/class/net") / "eth0" / "carrier").write_text("0\n")
    led = box.places.at("/sys/class/leds/ACT")
    led.mkdir(parents=True)
    (led / "trigger").write_text("")
    box.places.at(layout.BOX_FILE).write_text("")
    seen = looking.look(box.places, now=now)
    assert seen == fresh.read(box.places.at(layout.FRESH), owners=frozenset({os.geteuid()}))
    assert (seen.problem, seen.stage, seen.files) == (Problem.NO_CABLE, "enrolled", len(box.everything()))
    delay = int((led / "delay_off").read_text())
    assert delay == light.TABLE[light.State.FAULT].off, "the keeper of an enrolled box does not answer"


@pytest.mark.req("R9", "R57")
@pytest.mark.parametrize("heard", [True, None])
def test_the_air_is_looked_at_seldom_whatever_is_heard(
    box: Any, now: float, monkeypatch: pytest.MonkeyPatch, *, heard: bool | None
) -> None:
    scans: list[float] = []

    def scan(*_arguments: object, **_more: object) -> bool | None:
        scans.append(1)
        return heard

    way = looks.Way(router="00:00:5e:00:53:01")
    monkeypatch.setattr(looks, "look", lambda *_arguments, **_more: (Seen(port=True, cable=True), way))
    monkeypatch.setattr(looks, "upstream_wifi", scan)
    for minute in range(5):
        assert looking.look(box.places, now=now + 60 * minute).seen.upstream_wifi is heard
    assert len(scans) == 1
    looking.look(box.places, now=now + looking.SCAN_SECONDS)
    assert len(scans) == 2
    way = looks.Way()
    looking.look(box.places, now=now + 3 * looking.SCAN_SECONDS)
    assert len(scans) == 2, "without a router that answers there is nothing to compare with"


@pytest.mark.req("R9")
def test_an_engineer_reads_what_is_wrong_and_the_fix(box: Any) -> None:
    (box.places.at("/sys/class/net") / "eth0" / "carrier").write_text("0\n")
    done = CliRunner().invoke(command, ["--root", str(box.root)])
    assert done.exit_code == 0, done.output
    assert "No cable is plugged in" in done.output
    assert "until it clicks" in done.output
    box.places.at(layout.HOUSEHOLD_FILE).unlink()
    assert CliRunner().invoke(command, ["--root", str(box.root)]).exit_code == 2
