"""What `apply` tells programs, and that it tells nobody of files that are not this machine's."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.cli import surroundings
from appliance.cli.surroundings import Machine
from appliance.upkeep import vitals
from firmware.household import Radio, Wifi
from firmware.plan import Step
from lab.household import default


class Programs:
    """Records what is run; some of it succeeds."""

    def __init__(self, *fails: str) -> None:
        self.ran: list[str] = []
        self.fails = fails

    def __call__(self, words: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        line = " ".join(words)
        self.ran.append(line)
        wrong = line in self.fails
        return subprocess.CompletedProcess(words, 1 if wrong else 0, "", "it is not so\nmore\n" if wrong else "")


@pytest.fixture
def booted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_SYSTEMD", tmp_path)


def programs(monkeypatch: pytest.MonkeyPatch, *fails: str) -> Programs:
    made = Programs(*fails)
    monkeypatch.setattr(subprocess, "run", made)
    return made


ACTIVE = "systemctl --quiet is-active gatehouse-warden.service"


@pytest.mark.usefixtures("booted")
def test_each_step_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = programs(monkeypatch)
    machine = Machine()
    for step in (
        Step(act="reload-units"),
        Step(act="load-settings"),
        Step(act="load-modules"),
        Step(act="reload-network"),
        Step(act="start", unit="hostapd@wlan0.service"),
        Step(act="restart", unit="dnsmasq.service"),
        Step(act="stop", unit="ssh.service"),
    ):
        assert machine.do(step) == ""
    assert ran.ran == [
        "systemctl daemon-reload",
        "/lib/systemd/systemd-sysctl",
        "/lib/systemd/systemd-modules-load",
        "networkctl reload",
        "systemctl start hostapd@wlan0.service",
        "systemctl try-restart dnsmasq.service",
        "systemctl stop ssh.service",
    ]


@pytest.mark.usefixtures("booted")
@pytest.mark.req("R57")
def test_the_warden_changes_its_own_rules_so_that_what_it_holds_stays_held(monkeypatch: pytest.MonkeyPatch) -> None:
    there = programs(monkeypatch)
    assert Machine().do(Step(act="load-rules")) == ""
    assert there.ran == [ACTIVE, "systemctl restart gatehouse-warden.service"]
    gone = programs(monkeypatch, ACTIVE)
    assert Machine().do(Step(act="load-rules")) == ""
    assert gone.ran == [ACTIVE, "nft -f /etc/nftables.conf"]


@pytest.mark.usefixtures("booted")
def test_at_boot_no_unit_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = programs(monkeypatch)
    Machine(waits=False).do(Step(act="start", unit="gatehouse-uplink.service"))
    assert ran.ran == ["systemctl --no-block start gatehouse-uplink.service"]


@pytest.mark.usefixtures("booted")
def test_what_goes_wrong_is_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    programs(monkeypatch, "networkctl reload")
    assert Machine().do(Step(act="reload-network")) == "it is not so"


@pytest.mark.usefixtures("booted")
def test_files_of_another_root_are_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = programs(monkeypatch)
    for act in ("load-rules", "load-settings", "reload-units"):
        assert "another root" in Machine(tmp_path).do(Step(act=act))
    assert ran.ran == []


def test_where_systemd_does_not_run_only_the_rules_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_SYSTEMD", tmp_path / "nowhere")
    ran = programs(monkeypatch)
    assert "does not run here" in Machine().do(Step(act="restart", unit="dnsmasq.service"))
    assert Machine().do(Step(act="load-rules")) == ""
    assert ran.ran == ["nft -f /etc/nftables.conf"]


@pytest.mark.req("R57")
@pytest.mark.usefixtures("booted")
def test_a_wifi_is_up_where_each_radio_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Machine().serves(default()) == "", "it has none"
    radios = (Radio(interface="radio0"), Radio(interface="radio1", band="5", channel=36))
    home = default().model_copy(update={"wifi": Wifi(ssid="Made-up home", country="GB", radios=radios)})
    assert Machine().serves(home) == "the Wi-Fi is not up (radio0, radio1)"
    up = {"radio0"}
    monkeypatch.setattr(vitals, "answers_here", lambda radio: radio in up)
    assert Machine().serves(home) == "the Wi-Fi is not up (radio1)"
    up.add("radio1")
    assert Machine().serves(home) == ""
    up.clear()
    assert Machine(tmp_path).serves(home) == "", "the files are of another root"
