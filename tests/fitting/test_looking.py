from __future__ import annotations

import os
from typing import Any

import pytest
from click.testing import CliRunner

from appliance import fresh
from appliance.cli.look import look as command
from appliance.fitting import light, looking, looks
from appliance.fresh import Problem
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


def test_the_air_is_looked_at_seldom(box: Any, now: float, monkeypatch: pytest.MonkeyPatch) -> None:
    scans: list[float] = []

    def scan(*_arguments: object, **_more: object) -> bool:
        scans.append(1)
        return True

    monkeypatch.setattr(looks, "upstream_wifi", scan)
    moment = max(now, os.stat(box.places.at(layout.HOUSEHOLD_FILE)).st_mtime)  # noqa: PTH116 - a number
    for minute in range(5):
        assert looking.look(box.places, now=moment + 60 * minute).seen.upstream_wifi is True
    assert len(scans) <= 2
    before = len(scans)
    looking.look(box.places, now=moment + 2 * looking.SCAN_SECONDS)
    assert len(scans) == before + 1


@pytest.mark.req("R9")
def test_an_engineer_reads_what_is_wrong_and_the_fix(box: Any) -> None:
    (box.places.at("/sys/class/net") / "eth0" / "carrier").write_text("0\n")
    done = CliRunner().invoke(command, ["--root", str(box.root)])
    assert done.exit_code == 0, done.output
    assert "No cable is plugged in" in done.output
    assert "until it clicks" in done.output
    box.places.at(layout.HOUSEHOLD_FILE).unlink()
    assert CliRunner().invoke(command, ["--root", str(box.root)]).exit_code == 2
