"""`gatehouse apply` as it is run: real nft, a real way to the internet, in namespaces of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

GATEHOUSE = Path(sys.executable).with_name("gatehouse")
WAIT = 30.0
HOME = """
[lan]
bridge = "br-lan"
address = "192.0.2.1"
network = "192.0.2.0/24"
network6 = "fd00:db8:1::/64"
[wan]
interface = "{wan}"
[resolver]
upstream = ["203.0.113.10"]
"""

# /etc in memory over the machine's own, as on the box; /run empty, so that no systemd is met.
PLACE = """
set -e
mount -t tmpfs none /run
mkdir -p /run/etc/upper /run/etc/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
ip netns add isp
ip netns add device
ip link set lo up
ip link add br-lan type bridge forward_delay 0
ip link set br-lan up
ip address add 192.0.2.1/24 dev br-lan
ip link add wan0 type veth peer name isp0 netns isp
ip address add 203.0.113.2/24 dev wan0
ip link set wan0 up
ip route add default via 203.0.113.10
ip -n isp address add 203.0.113.10/24 dev isp0
ip -n isp link set isp0 up
ip link add lan1 type veth peer name dev0 netns device
ip link set lan1 master br-lan up
ip -n device address add 192.0.2.20/24 dev dev0
ip -n device link set dev0 up
ip -n device route add default via 192.0.2.1
sysctl -qw net.ipv4.ip_forward=1
ip netns exec isp "$1" "$2" &
echo ready
exec sleep 1000
"""

INTERNET = """
import selectors, socket
selector = selectors.DefaultSelector()
for port in (53, 9999):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("203.0.113.10", port))
    selector.register(sock, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        asked, sender = key.fileobj.recvfrom(2048)
        # A resolver answers with the question and the bit that says so (RFC 1035 section 4.1.1).
        port = key.fileobj.getsockname()[1]
        key.fileobj.sendto(asked[:2] + bytes([asked[2] | 0x80]) + asked[3:] if port == 53 else asked, sender)
"""

DEVICE = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.3)
sock.sendto(b"hello", ("203.0.113.10", 9999))
sock.recv(16)
"""


class Place:
    """A router, an internet of one machine and a device."""

    def __init__(self, folder: Path) -> None:
        self.household = folder / "config" / "household.toml"
        self.household.parent.mkdir()
        (folder / "internet.py").write_text(INTERNET)
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
             "sh", "-c", PLACE, "sh", sys.executable, str(folder / "internet.py")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == "ready\n"

    def words(self, *words: str) -> list[str]:
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), check=False, capture_output=True, text=True, timeout=60)

    def apply(self, *options: str) -> list[str]:
        return self.words(str(GATEHOUSE), "apply", "--household", str(self.household), *options)

    def device_is_online(self) -> bool:
        return self.run("ip", "netns", "exec", "device", sys.executable, "-c", DEVICE).returncode == 0

    def until(self, online: bool) -> float:
        """Wait until the device is online, or is not; the seconds it took."""
        start = time.monotonic()
        while self.device_is_online() != online:
            assert time.monotonic() - start < WAIT, f"the device is not {'online' if online else 'offline'}"
        return time.monotonic() - start

    def rules(self) -> str:
        return self.run("nft", "list", "table", "inet", "gatehouse").stdout

    def close(self) -> None:
        self.holder.kill()
        self.holder.communicate()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if os.geteuid() != 0:
        pytest.skip("namespaces with an /etc of their own need root")
    place = Place(tmp_path)
    try:
        place.household.write_text(HOME.format(wan="wan0"))
        done = place.run(*place.apply("--boot")[len(place.words()) :])
        assert done.returncode == 0, done.stderr
        # As nftables.service does after it.
        assert place.run("nft", "-f", "/etc/nftables.conf").returncode == 0
        place.until(online=True)
        yield place
    finally:
        place.close()


@pytest.mark.req("R57")
def test_rules_that_cut_the_home_off_come_back_by_themselves(place: Place) -> None:
    place.household.write_text(HOME.format(wan="wan9"))
    with subprocess.Popen(
        place.apply("--seconds", "6"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as applying:
        place.until(online=False)
        assert 'oifname "wan9"' in place.rules(), "the real rules, in the kernel"
        _, said = applying.communicate(timeout=60)
    assert applying.returncode == 1
    assert "the change was taken back: the way to the internet is wan0, and the home's is wan9" in said
    place.until(online=True)
    assert 'oifname "wan0"' in place.rules()
    assert place.household.read_text() == HOME.format(wan="wan0")


@pytest.mark.req("R57", "N15")
def test_killed_in_the_middle_the_rules_come_back_all_the_same(place: Place) -> None:
    place.household.write_text(HOME.format(wan="wan9"))
    with subprocess.Popen(
        place.apply("--seconds", "600"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as applying:
        place.until(online=False)
        applying.kill()
        taken = place.until(online=True)
    assert taken < WAIT
    assert place.household.read_text() == HOME.format(wan="wan0")


def test_a_change_that_is_well_stays(place: Place) -> None:
    place.household.write_text("notice_port = 8080\n" + HOME.format(wan="wan0"))
    done = subprocess.run(place.apply(), check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "In force, and the internet is reached." in done.stdout
    assert "tcp dport { 53, 8080 } accept" in place.rules()
    assert place.device_is_online()
    again = subprocess.run(place.apply(), check=False, capture_output=True, text=True, timeout=60)
    assert again.stdout == "Nothing to change.\n"


def test_a_line_that_cannot_be_used_is_said_in_one_sentence(tmp_path: Path) -> None:
    household = tmp_path / "household.toml"
    household.write_text(HOME.format(wan="wan0").replace("192.0.2.0/24", "192.0.2.0/30"))
    done = subprocess.run(
        [GATEHOUSE, "apply", "--household", household, "--root", tmp_path / "root"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Not applied: ")
    assert done.stderr.count("\n") == 1
    assert "no room" in done.stderr


def test_nothing_to_confirm_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        [GATEHOUSE, "apply", "--household", tmp_path / "household.toml", "--confirm"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "Nothing is waiting for that.\n")


@pytest.mark.req("R57")
def test_a_box_whose_data_partition_is_lost_routes_by_cable(tmp_path: Path) -> None:
    root, net = tmp_path / "root", tmp_path / "root/sys/class/net"
    for name in ("eth0", "eth1"):
        (net / name / "device").mkdir(parents=True)
        (net / name / "type").write_text("1\n")
    command = [GATEHOUSE, "apply", "--boot", f"--root={root}", f"--household={tmp_path}/not-there/household.toml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 0, done.stderr
    assert "what fits any home is used" in done.stderr
    assert 'define wan = "eth0"' in (root / "etc/nftables.conf").read_text()
    assert "Name=eth1" in (root / "etc/systemd/network/20-gatehouse-lan-ports.network").read_text()
    assert not (root / "etc/hostapd").exists()
