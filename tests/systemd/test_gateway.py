"""The lab's household with a box that systemd runs: what the units promise, seen from outside and in /proc."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware import layout, names, render
from lab import addresses
from lab.client import Client
from lab.gateway import ROOMS, WIRED_UNITS, Gateway, Wired
from lab.host import Host
from lab.nspawn import Machine, Tree, why_not
from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
Find = Callable[[str, str], Seen]

SYSTEMD = Path(__file__).resolve().parents[2] / "systemd"
UNITS = tuple(f"gatehouse-{room}.service" for room in ROOMS)
CAP_NET_ADMIN = 1 << 12
ALONE = {"sensor", "keeper", "porch"}
"""Rooms with a network of their own that leads nowhere."""

HOSTAPD = """
interface=air0
driver=none
ssid=Example home
ctrl_interface=/run/hostapd
ctrl_interface_group={group}
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_psk_file={passphrases}
"""
"""An access point without a radio: it reads the passphrases and opens its control socket as one with a radio does."""


def _access_point() -> str:
    """A unit with everything that our drop-in gives hostapd, and without the radio that Debian's waits for."""
    drop_in = (SYSTEMD / "system" / "hostapd@.service.d" / "50-gatehouse.conf").read_text()
    return "[Service]" + drop_in.partition("[Service]")[2].replace("%i", "air0")


ORDER = """
import selectors, sys
from pathlib import Path
from appliance import link
from appliance.messages import Enforcement
listener = link.listen(Path("/run/gatehouse/keeper/warden.sock"))
listener.setblocking(True)
end, _ = listener.accept()
link.Link(end).send(Enforcement(generation=99, quarantined=(sys.argv[1],), lease=float(sys.argv[2])))
selectors.DefaultSelector().select(1.0)
"""
"""Says to the warden, in the keeper's place, that a device is held for so many seconds; then it is gone."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    if (why := why_not()) is not None:
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="test-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        files = {
            "/etc/hostapd/air0.conf": HOSTAPD.format(group=layout.UIDS["warden"], passphrases=layout.PASSPHRASE_FILE),
            "/etc/systemd/system/access-point.service": _access_point(),
        }
        with Gateway(Path(folder), quarantine=True, files=files) as running:
            running.wait_ready(90)
            yield running


@pytest.fixture(scope="module")
def officer(gateway: Gateway) -> Officer:
    return gateway.officer("test-officer")


@pytest.fixture(scope="module")
def at_first(gateway: Gateway) -> dict[str, str]:
    """How the box was when it had come up, before any test did something to it."""
    box = gateway.machine
    return {
        "failed": box.systemctl("--failed"),
        "state": box.run(["systemctl", "is-system-running"], check=False).stdout.strip(),
        "journal": box.journal(),
        "probe": box.show("gatehouse-probe.timer", "ActiveState")["ActiveState"],
    }


@pytest.fixture
def box(gateway: Gateway, at_first: dict[str, str]) -> Machine:  # noqa: ARG001 - looked at before anything is done
    """The box with everything of ours running, whatever a test before did to it."""
    gateway.resume_box()
    wait_until(lambda: _running(gateway.machine), what="all of ours to run", seconds=60)
    return gateway.machine


@pytest.fixture
def find(officer: Officer) -> Find:
    """Wait for a finding of a kind about the device with a hardware address."""

    def find_(kind: str, mac: str) -> Seen:
        found: list[Seen] = []

        def look() -> bool:
            found[:] = [seen for seen in officer.findings(SITE) if seen.kind == kind and mac in seen.macs]
            return bool(found)

        wait_until(look, what=f"a finding {kind} about {mac}", seconds=30, pause=0.2)
        return found[0]

    return find_


def _running(box: Machine) -> bool:
    return set(_states(box, "SubState").values()) == {"running"}


def _states(box: Machine, name: str) -> dict[str, str]:
    """A property of each of our units."""
    said = box.systemctl("show", *UNITS, "--property=Id", f"--property={name}")
    pairs = [dict(line.split("=", 1) for line in block.splitlines()) for block in said.strip().split("\n\n")]
    return {pair["Id"]: pair[name] for pair in pairs}


def _reaches(host: Host, address: str) -> bool:
    return host.run(["busybox", "ping", "-c1", "-W1", address], check=False).returncode == 0


def _held(gateway: Gateway) -> dict[str, int]:
    """Devices in the kernel's quarantine, each with the seconds it has left."""
    said = gateway.home.gateway.run(["nft", "-j", "list", "set", "inet", names.TABLE, names.QUARANTINED]).stdout
    elements = next(item["set"] for item in json.loads(said)["nftables"] if "set" in item).get("elem", [])
    return {item["elem"]["val"]: item["elem"]["expires"] for item in elements}


def _back(box: Machine, before: dict[str, str], seconds: float) -> None:
    """Wait until systemd has started every one of ours again."""

    def again() -> bool:
        now = _states(box, "NRestarts")
        return all(int(now[unit]) > int(before[unit]) for unit in UNITS) and _running(box)

    wait_until(again, what="all of ours to be back", seconds=seconds, pause=0.2)


def test_the_box_comes_up_and_nothing_failed(at_first: dict[str, str]) -> None:
    assert (at_first["failed"], at_first["state"]) == ("", "running"), at_first["journal"][-3000:]
    assert "ordering cycle" not in at_first["journal"]
    assert at_first["probe"] == "active"


def test_a_device_has_an_address_and_its_finding_reaches_the_officer(
    gateway: Gateway, box: Machine, find: Find
) -> None:
    assert _running(box)
    phone = gateway.join("unregistered-phone", mac="02:00:00:bb:00:01")
    assert find("unregistered-device", phone.mac).state == "open"
    gateway.home.leave(phone)


def test_the_notice_page_answers_a_device_of_the_home(gateway: Gateway, box: Machine) -> None:
    assert _running(box)
    laptop = gateway.join("registered-laptop", mac="02:00:00:bb:00:06")
    page = laptop.run(["curl", "-sS", "--max-time", "10", f"http://{gateway.home.config.lan.address}/"]).stdout
    assert "Demonstration Constabulary" in page
    gateway.home.leave(laptop)


@pytest.mark.parametrize("room", ROOMS)
def test_a_process_is_its_own_user_and_holds_no_more_than_its_right(box: Machine, room: str) -> None:
    pid = box.main_pid(f"gatehouse-{room}.service")
    text = box.run(["cat", f"/proc/{pid}/status"]).stdout
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    uid = str(layout.UIDS[room])
    assert status["Uid"].split() == status["Gid"].split() == [uid] * 4
    right = CAP_NET_ADMIN if room == "warden" else 0
    assert [int(status[f"Cap{kind}"], 16) for kind in ("Bnd", "Prm", "Eff", "Inh", "Amb")] == [right] * 5
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    outside, inside = (box.run(["readlink", f"/proc/{number}/ns/net"]).stdout for number in (1, pid))
    assert (outside != inside) is (room in ALONE)
    if room in ALONE:
        interfaces = box.run(["cat", f"/proc/{pid}/net/dev"]).stdout.splitlines()[2:]
        assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_process_can_write_to_its_own_folders_only(box: Machine, room: str) -> None:
    pid = box.main_pid(f"gatehouse-{room}.service")
    uid = str(layout.UIDS[room])
    enter = ["nsenter", f"--target={pid}", "--mount", "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]

    def writes(path: str) -> bool:
        return box.run([*enter, "sh", "-c", f"echo . > {path}/tried && rm {path}/tried"], check=False).returncode == 0

    assert writes(f"{layout.STATE}/{room}")
    assert writes(f"{layout.RUN}/{room}")
    for other in set(ROOMS) - {room}:
        assert not writes(f"{layout.STATE}/{other}")
    for path in ("/etc", "/usr/lib/gatehouse", layout.CONFIG, layout.KEYS, "/sys/fs/cgroup", "/proc/sys/net"):
        assert not writes(path)
    reads = [*enter, "cat", layout.SIGNING_KEY]
    assert (box.run(reads, check=False).returncode == 0) is (room == "keeper")


@pytest.mark.req("R57")
def test_what_is_killed_is_started_again(gateway: Gateway, box: Machine, find: Find) -> None:
    before = _states(box, "NRestarts")
    box.systemctl("kill", "--signal=KILL", *UNITS)
    _back(box, before, 40)
    phone = gateway.join("unregistered-phone", mac="02:00:00:bb:00:02")
    assert find("unregistered-device", phone.mac).state == "open"
    gateway.home.leave(phone)


@pytest.mark.req("R57")
def test_what_hangs_is_ended_by_its_watchdog_and_started_again(box: Machine) -> None:
    before = _states(box, "NRestarts")
    box.systemctl("kill", "--signal=STOP", "--kill-who=main", *UNITS)
    _back(box, before, 60)
    said = box.journal("--lines=400", *(f"--unit={unit}" for unit in UNITS))
    for unit in UNITS:
        assert f"{unit}: Watchdog timeout" in said


@pytest.mark.req("R57", "N4")
def test_stopping_ours_loses_nothing_and_the_home_has_internet_all_the_while(
    gateway: Gateway, box: Machine, officer: Officer, find: Find
) -> None:
    phone = gateway.join("unregistered-phone", mac="02:00:00:bb:00:03")
    found = find("unregistered-device", phone.mac)
    gateway.pause_box()
    assert set(_states(box, "ActiveState").values()) == {"inactive"}
    said = box.journal("--lines=300", "_PID=1")
    times = {
        unit: next(number for number, line in enumerate(reversed(said.splitlines())) if f"Stopped {unit}" in line)
        for unit in UNITS
    }
    last = times["gatehouse-keeper.service"]
    assert all(last < after for unit, after in times.items() if unit != "gatehouse-keeper.service")
    laptop = gateway.join("registered-laptop", mac="02:00:00:bb:00:04")
    assert _reaches(laptop, addresses.SINK[0])
    assert box.show("dnsmasq.service", "SubState")["SubState"] == "running"
    gateway.resume_box()
    assert find("unregistered-device", laptop.mac).state == "open"
    seen = Counter(each.finding_id for each in officer.findings(SITE) if phone.mac in each.macs)
    assert seen[found.finding_id] == 1
    for client in (phone, laptop):
        gateway.home.leave(client)


@pytest.mark.req("R57")
def test_a_held_device_is_free_within_a_minute_when_the_keeper_is_gone_for_good(
    gateway: Gateway, box: Machine, find: Find
) -> None:
    phone = gateway.join("unregistered-phone", mac="02:00:00:bb:00:05")
    find("unregistered-device", phone.mac)
    wait_until(lambda: phone.mac in _held(gateway), what="the device to be held", seconds=15)
    assert not _reaches(phone, addresses.SINK[0])
    box.systemctl("mask", "--runtime", "gatehouse-keeper.service")
    try:
        box.systemctl("kill", "--signal=KILL", "gatehouse-keeper.service")
        assert _held(gateway)[phone.mac] <= 60, "what the keeper said last ends by itself within a minute"
        _gone_after(gateway, phone, lease=4)
    finally:
        box.systemctl("unmask", "--runtime", "gatehouse-keeper.service")
        box.systemctl("start", "gatehouse-keeper.service")
        gateway.home.leave(phone)


def _gone_after(gateway: Gateway, phone: Client, *, lease: float) -> None:
    """The same with a lease that is over sooner: the warden renews nothing of what it was told."""
    python = f"{layout.PROGRAM}/bin/python3"
    gateway.machine.run([python, "-c", ORDER, phone.mac, str(lease)])
    began = time.monotonic()
    assert phone.mac in _held(gateway)
    wait_until(lambda: _reaches(phone, addresses.SINK[0]), what="the device to be free", seconds=lease + 10)
    assert time.monotonic() - began >= lease - 2, "it was held until then"


def test_hostapd_works_with_what_it_is_left_and_the_warden_hears_it(gateway: Gateway, box: Machine) -> None:
    if shutil.which("hostapd") is None:
        pytest.skip("hostapd is not installed")
    gateway.home.gateway.ip("link add air0 type veth peer name air1", "link set air0 up", "link set air1 up")
    passphrases = gateway.on_data(layout.PASSPHRASE_FILE)
    passphrases.write_text("keyid=household 00:00:00:00:00:00 made-up-passphrase\n")
    passphrases.chmod(0o600)
    os.chown(passphrases, layout.UIDS["warden"], layout.UIDS["warden"])
    try:
        box.systemctl("start", "access-point.service")
        said = ("--unit=gatehouse-warden.service", "--unit=access-point.service")
        try:
            wait_until(
                lambda: "attached to hostapd on air0" in box.journal(*said), what="the warden to attach", seconds=20
            )
        except TimeoutError as error:
            raise AssertionError(box.journal("--lines=30", *said)) from error
        status = box.run(["cat", f"/proc/{box.main_pid('access-point.service')}/status"]).stdout
        assert "CapEff:\t0000000000003004\n" in status, "DAC_READ_SEARCH, NET_ADMIN, NET_RAW"
    finally:
        box.systemctl("stop", "access-point.service")
        gateway.home.gateway.ip("link delete air0")


def test_a_request_that_is_none_is_done_away_with_and_becomes_no_loop(box: Machine) -> None:
    """Anything may lie in a folder that belongs to a process which reads what comes from the network."""
    path = f"{layout.RUN}/requests/set-network.json"
    box.run(["sh", "-c", f"echo '{{' > {path}.new && mv {path}.new {path}"])
    wait_until(
        lambda: box.run(["test", "-e", path], check=False).returncode != 0, what="the request to be taken", seconds=20
    )
    wait_until(
        lambda: (
            box.show("gatehouse-request@set-network.service", "ActiveState")["ActiveState"] in {"inactive", "failed"}
        ),
        what="the request to be done with",
        seconds=20,
    )
    assert box.show("gatehouse-request@set-network.path", "ActiveState", "Result")["Result"] == "success"
    box.systemctl("reset-failed")


@pytest.mark.req("R57")
def test_a_box_on_which_all_of_ours_fails_is_still_a_router(tmp_path: Path) -> None:
    if (why := why_not()) is not None:
        pytest.skip(why)
    broken = "[Service]\nExecStart=\nExecStart=/bin/false\n"
    with Wired(tmp_path / "household") as home:
        files = render.render(home.config) | {
            f"/etc/systemd/system/{unit}.d/90-broken.conf": broken
            for unit in (*UNITS, "gatehouse-apply.service", "gatehouse-first-boot.service")
        }
        tree = Tree(tmp_path / "tree", files, masked=WIRED_UNITS)
        data = tmp_path / "data"
        (data / "config").mkdir(parents=True)
        (data / "config" / "box.toml").write_text("")
        box = Machine(tree, home.gateway, data=data, log=tmp_path / "log")
        try:
            box.wait()
            assert "gatehouse-apply.service" in box.systemctl("--failed")
            assert all(int(number) >= 0 for number in _states(box, "NRestarts").values())
            client = home.join("registered-laptop")
            client.lease()
            assert _reaches(client, addresses.SINK[0])
            wait_until(
                lambda: all(int(number) >= 1 for number in _states(box, "NRestarts").values()),
                what="ours to be tried again and again",
                seconds=30,
            )
        finally:
            box.stop()
            tree.close()
