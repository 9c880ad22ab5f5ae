"""A small household in network namespaces: a gateway, two devices, an internet of one machine.

Everything is made by the test that asks for it and goes with it; the machine's own network is not touched.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance import link, messages
from appliance.settings import BoxSettings, load
from lab.enter import mode

ROOT = Path(__file__).parents[2]
LAPTOP = "02:00:5e:00:53:0a"
PHONE = "02:00:5e:00:53:0b"
NOBODY = 65534
WAIT_SECONDS = 20.0

EXAMPLES = Path(__file__).parents[1] / "examples"

GATEWAY = """
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ip addr add 192.0.2.1/24 dev br0
ip addr add 2001:db8:1::1/64 dev br0 nodad
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 || true
"""


@dataclass
class Place:
    """One network namespace, held by a process that sleeps."""

    holder: subprocess.Popen[bytes]
    enter: list[str]

    @property
    def pid(self) -> int:
        return self.holder.pid

    def run(self, command: str) -> str:
        done = subprocess.run(
            [*self.enter, "sh", "-ec", command], check=False, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def python(self, script: str, *arguments: str) -> str:
        done = subprocess.run(
            [*self.enter, sys.executable, "-c", script, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@dataclass
class Peer:
    """The keeper's end towards one process, as the keeper would hold it."""

    path: Path
    uids: set[int]
    greeting: messages.Message | None = None
    """Said to whoever connects."""
    links: list[link.Link] = field(default_factory=list)
    heard: list[messages.Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.listener: socket.socket = link.listen(self.path)

    def pump(self, seconds: float) -> None:
        fresh = link.accept(self.listener, self.uids)
        if fresh is not None:
            self.links.append(fresh)
            if self.greeting is not None:
                fresh.send(self.greeting)
        select.select([self.listener.fileno(), *(connection.fileno() for connection in self.links)], [], [], seconds)
        for connection in list(self.links):
            try:
                self.heard += connection.receive()
            except link.LinkClosedError:
                connection.close()
                self.links.remove(connection)

    def until(self, wanted: Callable[[messages.Message], bool]) -> messages.Message:
        """The first message, heard already or soon, that is wanted."""
        deadline = time.monotonic() + WAIT_SECONDS
        seen = 0
        while time.monotonic() < deadline:
            for message in self.heard[seen:]:
                if wanted(message):
                    return message
            seen = len(self.heard)
            self.pump(0.2)
        pytest.fail(f"not heard in {WAIT_SECONDS} s; heard {self.heard[-20:]}")

    def say(self, message: messages.Message) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.links and time.monotonic() < deadline:
            self.pump(0.2)
        self.links[-1].send(message)

    def close(self) -> None:
        for connection in self.links:
            connection.close()
        self.listener.close()


class Home:
    """Gateway, laptop, phone and internet, and the processes started in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users = mode() == "root"
        """Whether other users than our own exist here; in a user namespace none is mapped."""
        self._started: list[subprocess.Popen[bytes]] = []
        self._peers: list[Peer] = []
        shutil.copy(EXAMPLES / "household.toml", folder)
        uids = f"[uids]\nsensor = {self.sensor_uid}\n"
        (folder / "box.toml").write_text((EXAMPLES / "box.toml").read_text() + uids)
        self.settings: BoxSettings = load(folder / "box.toml")
        self.gateway = self._place()
        self.laptop, self.phone, self.internet = self._place(), self._place(), self._place()
        self.gateway.run(GATEWAY)
        self._join(self.laptop, "lan1", LAPTOP, "192.0.2.10", "2001:db8:1::10")
        self._join(self.phone, "lan2", PHONE, "192.0.2.11", "2001:db8:1::11")
        self.gateway.run(
            f"ip link add wan0 type veth peer name eth0 netns {self.internet.pid}\n"
            "ip addr add 198.51.100.2/24 dev wan0\nip addr add 2001:db8:ff::2/64 dev wan0 nodad\n"
            "ip link set wan0 up\nip route add default via 198.51.100.1\n"
        )
        self.internet.run(
            "ip link set lo up\nip addr add 198.51.100.1/24 dev eth0\nip addr add 2001:db8:ff::1/64 dev eth0 nodad\n"
            "ip link set eth0 up\nip -6 route add 2001:db8:1::/64 via 2001:db8:ff::2\n"
        )

    @property
    def sensor_uid(self) -> int:
        return NOBODY if self.users else os.getuid()

    def _hold(self, command: list[str]) -> subprocess.Popen[bytes]:
        holder = subprocess.Popen([*command, "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        self._started.append(holder)
        assert holder.stdout is not None
        holder.stdout.readline()
        return holder

    def _place(self) -> Place:
        holder = self._hold(["unshare", "-n"])
        return Place(holder, ["nsenter", "-t", str(holder.pid), "-n"])

    def _join(self, place: Place, port: str, mac: str, address: str, address6: str) -> None:
        self.gateway.run(
            f"ip link add {port} type veth peer name eth0 netns {place.pid}\nip link set {port} master br0 up\n"
        )
        place.run(
            f"ip link set lo up\nip link set eth0 address {mac}\nip link set eth0 up\n"
            f"ip addr add {address}/24 dev eth0\nip addr add {address6}/64 dev eth0 nodad\n"
            "ip route add default via 192.0.2.1\nip -6 route add default via 2001:db8:1::1\n"
        )

    def keeper(self, peer: str) -> Peer:
        uids = {0, os.getuid(), self.sensor_uid}
        # A sensor says nothing before it has a mask; this one names nobody.
        mask = messages.CollectionMask(generation=0, names=(), lease=30.0) if peer == "sensor" else None
        opened = Peer(self.settings.keeper_socket(peer), uids, mask)
        self._peers.append(opened)
        return opened

    def start(self, name: str, *, where: Place | None = None, through: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        """Start a process of the box in the gateway."""
        place = where or self.gateway
        command = [*place.enter, *through, sys.executable, "-m", f"appliance.{name}", "--config"]
        process = subprocess.Popen([*command, str(self.folder / "box.toml")], cwd=ROOT)
        self._started.append(process)
        return process

    def start_sensor(self) -> subprocess.Popen[bytes]:
        """The sensor as the box runs it: nobody, without any capability."""
        drop = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
        who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups") if self.users else ()
        return self.start("sensor", through=(*drop, *who))

    def serve(self, place: Place, *command: str) -> None:
        """Run a program in a place until the test ends."""
        self._started.append(subprocess.Popen([*place.enter, *command], stderr=subprocess.DEVNULL))

    def background(self, place: Place, script: str) -> subprocess.Popen[bytes]:
        """A Python server in a place; it says a line when it is ready."""
        process = subprocess.Popen([*place.enter, sys.executable, "-uc", script], stdout=subprocess.PIPE)
        self._started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def close(self) -> None:
        for process in reversed(self._started):
            process.kill()
        for process in self._started:
            process.wait(timeout=10)
            if process.stdout is not None:
                process.stdout.close()
        for peer in self._peers:
            peer.close()


@pytest.fixture
def home() -> Iterator[Home]:
    for program in ("ip", "nft", "nsenter", "unshare", "setpriv", "busybox"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    # Not pytest's own folder: the sensor runs as nobody and must be able to reach its sockets.
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-"))
    folder.chmod(0o755)
    made: Home | None = None
    try:
        made = Home(folder)
        yield made
    finally:
        if made is not None:
            made.close()
        shutil.rmtree(folder, ignore_errors=True)
