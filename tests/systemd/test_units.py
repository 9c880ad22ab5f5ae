"""Every unit is one that systemd takes whole, and none is left more than it may have."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from firmware import layout

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
LIMITS = {
    "gatehouse-warden.service": 1.5,
    "gatehouse-courier.service": 1.5,
    "gatehouse-porch.service": 0.5,
    "gatehouse-sensor.service": 0.5,
    "gatehouse-keeper.service": 0.5,
    "gatehouse-resolver.service": 1.5,
    "gatehouse-probe.service": 1.5,
    "dnsmasq.service": 2.5,
    "hostapd@wlan0.service": 2.5,
}
"""Exposure that systemd-analyze may find at most, from 0 (none) to 10."""

PARTS = tuple(
    sorted(
        path.name.removesuffix(".d").replace("@.", "@wipe." if "request" in path.name else "@wlan0.")
        for path in (SYSTEMD / "system").iterdir()
    )
)
ROOMS = tuple(name for name in layout.UIDS if name != "fitting")


def _verify(tree: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", f"--root={tree}", name]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", PARTS)
def test_systemd_takes_every_unit_and_every_drop_in(name: str, tree: Path) -> None:
    if name.startswith(("hostapd@", "chrony.", "nftables.")) and not _there(tree, name):
        pytest.skip(f"the package of {name} is not installed")
    done = _verify(tree, name)
    of_ours = [line for line in done.stderr.splitlines() if "gatehouse" in line or name in line]
    assert (done.returncode, of_ours) == (0, [])


def _there(tree: Path, name: str) -> bool:
    return (tree / "usr/lib/systemd/system" / name.replace("@wlan0", "@")).exists()


def test_what_is_wrong_in_a_unit_would_be_noticed(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy, symlinks=True)
    folder = copy / "usr/lib/systemd/system"
    sensor = (folder / "gatehouse-sensor.service").read_text()
    (folder / "gatehouse-sensor.service").write_text(sensor.replace("PrivateNetwork=", "PrivateNetworks="))
    (folder / "gatehouse-porch.service").write_text("[Service]\nExecStart=/usr/bin/not-there\n")
    assert _verify(copy, "gatehouse-sensor.service").returncode != 0
    assert _verify(copy, "gatehouse-porch.service").returncode != 0


@pytest.mark.parametrize(("name", "most"), LIMITS.items())
def test_no_process_is_left_more_than_it_may_have(name: str, most: float, tree: Path) -> None:
    if not _there(tree, name):
        pytest.skip(f"the package of {name} is not installed")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={round(most * 10)}"]
    done = subprocess.run([*command, f"--root={tree}", name], capture_output=True, text=True, check=False, timeout=60)
    said = next((line for line in done.stdout.splitlines() if "Overall exposure" in line), done.stderr)
    print(said)  # noqa: T201 - the figure is what one wants to know of a run
    assert float(said.rpartition(": ")[2].split()[0]) <= most
    assert done.returncode == 0, said


def test_each_process_has_its_user_and_each_user_its_number() -> None:
    lines = (SYSTEMD / "sysusers.d" / "gatehouse.conf").read_text().splitlines()
    users = {words[1]: words[2] for line in lines if (words := line.split()) and words[0] == "u"}
    assert users.pop("dnsmasq") == "-"
    assert users == {f"gatehouse-{name}": str(uid) for name, uid in layout.UIDS.items()}


@pytest.mark.parametrize("room", ROOMS)
def test_a_process_is_its_user_and_starts_from_the_layout(
    room: str, unit: Callable[[str], Mapping[str, Sequence[str]]]
) -> None:
    of = unit(f"gatehouse-{room}.service")
    assert of["User"] == of["Group"] == [f"gatehouse-{room}"]
    (start,) = of["ExecStart"]
    assert start.startswith(f"{layout.PROGRAM}/bin/python3 -m appliance.{room} --config {layout.BOX_FILE}")
    assert of["ConditionPathExists"] == [layout.BOX_FILE]
    if room != "probe":
        assert of["StateDirectory"] == [f"{layout.STATE}/{room}".removeprefix("/var/lib/")]
        assert of["RuntimeDirectory"] == [f"{layout.RUN}/{room}".removeprefix("/run/")]


def test_what_is_common_to_all_processes_is_the_same_in_all(
    unit: Callable[[str], Mapping[str, Sequence[str]]],
) -> None:
    own = {
        *("Description", "After", "Requires", "Conflicts", "ExecStart", "User", "Group", "StateDirectory"),
        *("RuntimeDirectory", "ReadWritePaths", "PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies"),
        *("CapabilityBoundingSet", "AmbientCapabilities", "MemoryHigh", "MemoryMax", "TasksMax", "OOMScoreAdjust"),
        *("ProcSubset", "SystemCallFilter", "PrivateUsers"),
    }
    rooms = [name for name in ROOMS if name != "probe"]
    common = [
        {key: list(values) for key, values in unit(f"gatehouse-{room}.service").items() if key not in own}
        for room in rooms
    ]
    for room, found in zip(rooms, common, strict=True):
        assert found == common[0], f"{room} differs from {rooms[0]}: {json.dumps(found)}"


def test_only_two_processes_hold_a_right_and_each_only_its_one(
    unit: Callable[[str], Mapping[str, Sequence[str]]],
) -> None:
    rights = {room: unit(f"gatehouse-{room}.service") for room in ROOMS}
    held = {room: " ".join(of["CapabilityBoundingSet"]) for room, of in rights.items() if of["CapabilityBoundingSet"]}
    assert held == {"warden": "CAP_NET_ADMIN", "probe": "CAP_NET_RAW"}
    for of in rights.values():
        assert of["AmbientCapabilities"] == of["CapabilityBoundingSet"]
        assert of["NoNewPrivileges"] == ["yes"]


def test_the_family_is_served_before_us_when_memory_is_short(
    unit: Callable[[str], Mapping[str, Sequence[str]]],
) -> None:
    family = [int(unit(name)["OOMScoreAdjust"][0]) for name in ("dnsmasq.service", "hostapd@.service")]
    ours = [int(unit(f"gatehouse-{room}.service")["OOMScoreAdjust"][0]) for room in ROOMS]
    assert max(family) < 0 < min(ours)
    for room in ROOMS:
        assert {"MemoryMax", "TasksMax"} <= unit(f"gatehouse-{room}.service").keys()


@pytest.mark.req("R55")
def test_the_journal_does_not_say_who_joins_the_wifi(unit: Callable[[str], Mapping[str, Sequence[str]]]) -> None:
    """hostapd writes `AP-STA-CONNECTED` with the device's address to its standard output."""
    of = unit("hostapd@.service")
    assert of["StandardOutput"] == ["null"]
    (start,) = (line for line in of["ExecStart"] if line)
    assert " -d" not in start
    assert " -f" not in start


@pytest.mark.req("R55")
def test_the_journal_has_no_warnings_with_names(unit: Callable[[str], Mapping[str, Sequence[str]]]) -> None:
    """dnsmasq: `not giving name ... to the DHCP lease of ...`, `Insecure DS reply received for ...`."""
    assert unit("dnsmasq.service")["LogLevelMax"] == ["err"]


def test_whoever_takes_the_units_into_an_image_gets_them_switched_on(tree: Path) -> None:
    links = {path.name: path.parent.name for path in (tree / "etc/systemd/system").glob("*.wants/*")}
    assert links["gatehouse.target"] == "multi-user.target.wants"
    assert links["dnsmasq.service"] == "multi-user.target.wants"
    assert links["gatehouse-apply.service"] == links["gatehouse-first-boot.service"] == "sysinit.target.wants"
    passwd = (tree / "etc/passwd").read_text()
    assert all(f"gatehouse-{name}:x:{uid}:{uid}:" in passwd for name, uid in layout.UIDS.items())
    # Whatever else is installed on the machine that the image is built on: nothing of it runs on a box.
    allowed = (
        "gatehouse",
        "dnsmasq",
        "nftables",
        "systemd-network",
        "chrony",
        "getty",
        "dbus-org.freedesktop.network1",
    )
    assert [name for name in links if not name.startswith(allowed)] == []


def test_the_script_that_installs_them_is_sound() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", SYSTEMD / "install"], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
