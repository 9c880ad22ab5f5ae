"""What `gatehouse up` gives its processes in the lab, the units give them on a box: one place must not drift from the other."""

from __future__ import annotations

import shlex
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import annotated_types
import pytest

from appliance.cli import up
from appliance.confinement import Ability
from appliance.requests import RequestName
from appliance.settings import SoftwareSettings
from appliance.supervisor import Pace, Program
from firmware import layout, names

Read = Callable[[str], Mapping[str, Sequence[str]]]

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
EVERYTHING = Ability(own_uids=True, groups=True, bounding=True, network=True, net_admin=True, net_raw=True)
CAPABILITIES = {"+net_admin": "CAP_NET_ADMIN", "+net_raw": "CAP_NET_RAW"}


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    uids = {name: uid for name, uid in layout.UIDS.items() if name != "fitting"}
    with socket.socket() as listener:
        return {each.name: each for each in up._programs(Path(layout.BOX_FILE), uids, EVERYTHING, listener)}


def _word(argv: Sequence[str], start: str) -> str:
    return next(word.removeprefix(start) for word in argv if word.startswith(start))


def test_both_start_the_same_processes_the_same_way(programs: dict[str, Program], unit: Read) -> None:
    found = {path.stem.removeprefix("gatehouse-") for path in (SYSTEMD / "system").glob("gatehouse-*.service")}
    assert set(programs) <= found
    for name, program in programs.items():
        (start,) = unit(f"gatehouse-{name}.service")["ExecStart"]
        assert start.split()[1:] == list(program.argv[program.argv.index("-m") :])


def test_both_take_the_same_rights_away(programs: dict[str, Program], unit: Read) -> None:
    for name, program in programs.items():
        of = unit(f"gatehouse-{name}.service")
        kept = _word(program.argv, "--bounding-set=").split(",")[1:]
        assert of["CapabilityBoundingSet"] == [CAPABILITIES[right] for right in kept], name
        alone = program.argv[:3] == ("unshare", "--net", "--")
        assert (of.get("PrivateNetwork", ["no"]) == ["yes"]) is alone, name
        assert program.argv[program.argv.index("--reuid") + 1] == str(layout.UIDS[name])


def test_both_stop_them_in_the_same_order(programs: dict[str, Program], unit: Read) -> None:
    after = {name: set(unit(f"gatehouse-{name}.service")["After"]) for name in programs}

    def follows(one: str, other: str) -> bool:
        direct = {each for each in programs if f"gatehouse-{each}.service" in after[one]}
        return other in direct or any(follows(each, other) for each in direct)

    for one, other in product(programs.values(), repeat=2):
        if one.stop_stage < other.stop_stage:
            assert follows(one.name, other.name), f"{one.name} must start after {other.name}, to stop before it"


def test_both_have_the_same_patience(programs: dict[str, Program], unit: Read) -> None:
    for name, program in programs.items():
        of = unit(f"gatehouse-{name}.service")
        assert of["TimeoutStartSec"] == [f"{Pace().start:g}"]
        if program.every is None:
            assert of["WatchdogSec"] == [f"{Pace().silence:g}"]
        else:
            timer = unit(f"gatehouse-{name}.timer")
            assert timer["OnUnitActiveSec"] == [f"{program.every:g}"]


def test_the_notice_page_s_listener_is_the_same(unit: Read) -> None:
    assert unit("gatehouse-porch.socket")["Backlog"] == [str(up._BACKLOG)]
    assert "gatehouse-porch.socket" in unit("gatehouse-porch.service")["Requires"]


def test_every_request_to_root_has_its_unit(unit: Read) -> None:
    preset = (SYSTEMD / "system-preset" / "10-gatehouse.preset").read_text()
    (line,) = [line for line in preset.splitlines() if line.startswith("enable gatehouse-request@.path")]
    assert line.split()[2:] == [name.value for name in RequestName]
    assert unit("gatehouse-request@.path")["PathExists"] == [f"{layout.RUN}/requests/%i.json"]


@pytest.mark.parametrize(("result", "stays"), [("success", True), ("exit-code", False), ("timeout", False)])
def test_a_request_that_came_while_one_was_served_is_not_lost(
    unit: Read, tmp_path: Path, result: str, stays: bool
) -> None:
    (line,) = unit("gatehouse-request@.service")["ExecStopPost"]
    there = f"{layout.RUN}/requests/%i.json"
    assert there in line
    request = tmp_path / "set-network.json"
    request.touch()
    words = shlex.split(line.removeprefix("-").replace("$$", "$").replace(there, str(request)))
    subprocess.run(words, check=True, env={"SERVICE_RESULT": result, "PATH": "/usr/bin:/bin"})
    assert request.exists() is stays


@pytest.mark.req("R4")
def test_a_proof_ends_before_its_unit_is_ended(unit: Read) -> None:
    (given,) = unit("gatehouse-health.service")["RuntimeMaxSec"]
    longest = SoftwareSettings.model_fields["prove_minutes"].metadata
    (most,) = [bound.le for bound in longest if isinstance(bound, annotated_types.Le)]
    assert isinstance(most, int)
    assert most < int(given.removesuffix("min"))


def test_folders_in_memory_are_those_that_the_processes_use() -> None:
    lines = (SYSTEMD / "tmpfiles.d" / "gatehouse.conf").read_text().splitlines()
    owners = {words[1]: words[3] for line in lines if (words := line.split()) and words[0] in {"d", "f"}}
    assert owners[names.KNOWN_FOLDER] == "gatehouse-warden"
    assert owners[f"{layout.RUN}/requests"] == "gatehouse-keeper"
    for name in layout.UIDS:
        if name not in {"probe", "fitting"}:
            assert owners[f"{layout.RUN}/{name}"] == f"gatehouse-{name}"
