"""Warden and sensor as real processes in a household of namespaces, with a keeper's ends held by the test."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.messages import (
    CollectionMask,
    Enforcement,
    How,
    LinkChanged,
    Message,
    NameClassSeen,
    NameLookedUp,
    NeighbourChanged,
    SensorStarted,
    Side,
    Sighting,
    TapReport,
    TraitSeen,
    Via,
    WardenState,
)
from appliance.traits import Trait

pytestmark = pytest.mark.lab

LAPTOP = "02:00:5e:00:53:0a"
PHONE = "02:00:5e:00:53:0b"

# A DHCPDISCOVER with a host name, vendor class, client id and a list of wanted options (RFC 2131, 2132).
DHCP = """
import socket, struct, sys
mac = bytes.fromhex(sys.argv[1].replace(":", ""))
options = (b"\\x35\\x01\\x01" b"\\x0c\\x06laptop" b"\\x3c\\x06vendor" b"\\x37\\x03\\x01\\x03\\x06" + b"\\x3d\\x07\\x01" + mac + b"\\xff")
bootp = struct.pack("!4BIHH", 1, 1, 6, 0, 7, 0, 0) + bytes(16) + mac + bytes(10) + bytes(192) + b"\\x63\\x82\\x53\\x63" + options
udp = struct.pack("!4H", 68, 67, 8 + len(bootp), 0) + bootp
header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\\xff" * 4)
total = sum(struct.unpack("!10H", header))
total = (total & 0xFFFF) + (total >> 16)
header = header[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + header[12:]
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
sock.send(b"\\xff" * 6 + mac + b"\\x08\\x00" + header + udp)
"""

QUESTION = """
import socket, struct, sys
name, server = sys.argv[1:]
family = socket.AF_INET6 if ":" in server else socket.AF_INET
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
sock = socket.socket(family, socket.SOCK_DGRAM)
sock.sendto(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\\0" + struct.pack("!2H", 1, 1), (server, 53))
"""

HELLO = """
import socket, ssl, sys
server, name = sys.argv[1:]
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
talk = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
try:
    talk.do_handshake()
except ssl.SSLWantReadError:
    pass
with socket.create_connection((server, 443), timeout=float(sys.argv[3]) if len(sys.argv) > 3 else 10) as sock:
    sock.sendall(outgoing.read())
    sock.recv(1)
"""

QUESTION_TCP = """
import socket, struct, sys
name, server = sys.argv[1:]
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
message = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\\0" + struct.pack("!2H", 1, 1)
with socket.create_connection((server, 53), timeout=10) as sock:
    sock.sendall(struct.pack("!H", len(message)) + message)
    sock.recv(1)
"""

RESOLVER = """
import socket
listener = socket.create_server(("::", 53), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready")
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.send(b"x")
    connection.close()
"""

QUIC_HELLO = """
import socket, sys, time
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
server, name = sys.argv[1:]
talk = QuicConnection(configuration=QuicConfiguration(is_client=True, server_name=name, alpn_protocols=["h3"]))
talk.connect((server, 443), now=time.time())
with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for datagram, _ in talk.datagrams_to_send(now=time.time()):
        sock.sendto(datagram, (server, 443))
"""

SERVER = """
import socket
listener = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready")
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.send(b"x")
    connection.close()
"""


def sighting(mac: str, via: Via) -> Any:
    return lambda message: isinstance(message, Sighting) and message.mac == mac and message.via is via


def state(generation: int) -> Any:
    return lambda message: isinstance(message, WardenState) and message.generation == generation


def reaches(place: Any, address: str) -> bool:
    done = subprocess.run(
        [*place.enter, "busybox", "ping", "-c1", "-W1", address], check=False, capture_output=True, timeout=30
    )
    return done.returncode == 0


@pytest.mark.req("R11", "R55", "N2")
def test_what_devices_send_reaches_the_keeper_with_the_right_address(home: Any) -> None:
    sensor_end, warden_end = home.keeper("sensor"), home.keeper("warden")
    home.start("warden")
    assert warden_end.until(state(0)).applied
    home.background(home.internet, SERVER)
    home.background(home.gateway, RESOLVER)
    home.start_sensor()
    started = sensor_end.until(lambda message: isinstance(message, SensorStarted))
    assert started.taps == ("flow", "dns", "chatter", "wan")
    sensor_end.say(CollectionMask(generation=7, names=(LAPTOP,), lease=30.0))
    # The mask and the frames come by different ways: ask until the first name is let out.
    names: list[Message] = []
    for attempt in range(50):
        home.laptop.python(QUESTION, f"first-{attempt}.example", "192.0.2.1")
        sensor_end.pump(0.2)
        names = [message for message in sensor_end.heard if isinstance(message, NameLookedUp)]
        if names:
            break
    assert names
    home.laptop.python(DHCP, LAPTOP)
    home.phone.run("busybox ping -c1 -W2 192.0.2.1")
    home.laptop.python(QUESTION, "asked-here.example", "192.0.2.1")
    home.laptop.python(QUESTION, "asked-elsewhere.example", "203.0.113.53")
    home.laptop.python(QUESTION, "asked-elsewhere-six.example", "2001:db8:ff::1")
    home.phone.python(QUESTION, "third-party.example", "192.0.2.1")
    home.laptop.python(HELLO, "198.51.100.1", "hello.example")
    home.laptop.python(HELLO, "2001:db8:ff::1", "hello-six.example")
    home.phone.python(HELLO, "198.51.100.1", "third-party-hello.example")
    for place, word in ((home.phone, "third-party"), (home.laptop, "laptop")):
        place.python(QUESTION_TCP, f"{word}-tcp.example", "192.0.2.1")
        place.python(QUESTION_TCP, f"{word}-tcp-elsewhere.example", "203.0.113.53")
        place.python(QUESTION_TCP, f"{word}-tcp-elsewhere-six.example", "2001:db8:ff::1")
        place.python(QUIC_HELLO, "198.51.100.1", f"{word}-quic.example")
        place.python(QUIC_HELLO, "2001:db8:ff::1", f"{word}-quic-six.example")

    sensor_end.until(sighting(PHONE, Via.ARP))
    sensor_end.until(sighting(PHONE, Via.FLOW))
    for trait, value in (
        (Trait.DHCP4_HOST_NAME, "laptop"),
        (Trait.DHCP4_VENDOR_CLASS, "vendor"),
        (Trait.DHCP4_PARAMETERS, "1,3,6"),
    ):
        seen = sensor_end.until(lambda message, t=trait: isinstance(message, TraitSeen) and message.trait is t)
        assert (seen.mac, seen.value) == (LAPTOP, value)
    for name, how, server in (
        ("asked-here.example", How.DNS, "192.0.2.1"),
        ("asked-elsewhere.example", How.DNS, "203.0.113.53"),
        ("asked-elsewhere-six.example", How.DNS, "2001:db8:ff::1"),
        ("hello.example", How.TLS, "198.51.100.1"),
        ("hello-six.example", How.TLS, "2001:db8:ff::1"),
        ("laptop-tcp.example", How.DNS, "192.0.2.1"),
        ("laptop-tcp-elsewhere.example", How.DNS, "203.0.113.53"),
        ("laptop-tcp-elsewhere-six.example", How.DNS, "2001:db8:ff::1"),
        ("laptop-quic.example", How.QUIC, "198.51.100.1"),
        ("laptop-quic-six.example", How.QUIC, "2001:db8:ff::1"),
    ):
        said = sensor_end.until(lambda message, name=name: isinstance(message, NameLookedUp) and message.name == name)
        assert (said.mac, said.how, said.server, said.generation) == (LAPTOP, how, server, 7)
    asked = [message for message in sensor_end.heard if isinstance(message, NameLookedUp | NameClassSeen)]
    assert {message.mac for message in asked} == {LAPTOP}
    # On each tap the phone's frames were before the laptop's, which are read by now.
    assert not [message for message in sensor_end.heard if "third-party" in repr(message)]
    report = sensor_end.until(lambda message: isinstance(message, TapReport) and message.tap == "flow")
    assert report.lost == 0
    assert warden_end.until(lambda message: isinstance(message, NeighbourChanged) and message.mac == LAPTOP)
    assert warden_end.until(lambda message: isinstance(message, LinkChanged) and message.interface == "lan1").up


@pytest.mark.req("R57")
def test_quarantine_leaves_the_box_and_nothing_else(home: Any) -> None:
    warden_end = home.keeper("warden")
    home.start("warden")
    assert warden_end.until(state(0)).applied
    home.background(home.internet, SERVER)
    assert reaches(home.phone, "198.51.100.1")
    assert reaches(home.phone, "192.0.2.10")
    warden_end.say(Enforcement(generation=3, quarantined=(PHONE,)))
    assert warden_end.until(state(3)).applied
    assert not reaches(home.phone, "198.51.100.1")
    assert not reaches(home.phone, "2001:db8:ff::1")
    assert not reaches(home.phone, "192.0.2.10")
    assert not reaches(home.laptop, "192.0.2.11")
    assert reaches(home.phone, "192.0.2.1")
    assert reaches(home.laptop, "198.51.100.1")
    warden_end.say(Enforcement(generation=4, quarantined=()))
    assert warden_end.until(state(4)).applied
    assert reaches(home.phone, "198.51.100.1")
    assert reaches(home.phone, "192.0.2.10")


def test_a_killed_sensor_gets_fresh_taps(home: Any) -> None:
    sensor_end = home.keeper("sensor")
    home.start("warden")
    first = home.start_sensor()
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=10)
    sensor_end.heard.clear()
    home.start_sensor()
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    home.phone.run("busybox ping -c1 -W2 192.0.2.1")
    sensor_end.until(sighting(PHONE, Via.ARP))


def test_a_sensor_outlives_its_warden_and_takes_taps_again(home: Any) -> None:
    sensor_end = home.keeper("sensor")
    warden = home.start("warden")
    home.start_sensor()
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    warden.send_signal(signal.SIGKILL)
    warden.wait(timeout=10)
    # The taps are the sensor's own now: it hears on.
    home.phone.run("busybox ping -c1 -W2 192.0.2.1")
    sensor_end.until(sighting(PHONE, Via.ARP))
    sensor_end.heard.clear()
    home.start("warden")
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    home.laptop.run("busybox ping -c1 -W2 192.0.2.1")
    sensor_end.until(lambda message: isinstance(message, Sighting) and message.mac == LAPTOP)


def test_rules_that_vanish_come_back_with_the_quarantine(home: Any) -> None:
    warden_end = home.keeper("warden")
    home.start("warden")
    warden_end.say(Enforcement(generation=2, quarantined=(PHONE,)))
    assert warden_end.until(state(2)).applied
    warden_end.heard.clear()
    home.gateway.run("nft flush ruleset")
    said = warden_end.until(lambda message: isinstance(message, WardenState) and bool(message.detail))
    assert said.applied
    assert "loaded again" in said.detail
    assert PHONE in home.gateway.run("nft list set inet gatehouse quarantined")
    assert not reaches(home.phone, "198.51.100.1")


@pytest.mark.req("R19")
def test_a_quarantine_that_is_emptied_by_hand_comes_back(home: Any) -> None:
    warden_end = home.keeper("warden")
    home.start("warden")
    warden_end.say(Enforcement(generation=2, quarantined=(PHONE,)))
    assert warden_end.until(state(2)).applied
    warden_end.heard.clear()
    home.gateway.run("nft flush set bridge gatehouse quarantined")
    said = warden_end.until(lambda message: isinstance(message, WardenState) and bool(message.detail))
    assert (said.generation, said.applied) == (2, True)
    assert PHONE in home.gateway.run("nft list set bridge gatehouse quarantined")


def test_a_quarantine_that_cannot_be_leaves_the_one_before(home: Any) -> None:
    warden_end = home.keeper("warden")
    home.start("warden")
    warden_end.say(Enforcement(generation=2, quarantined=(PHONE,)))
    assert warden_end.until(state(2)).applied
    warden_end.say(Enforcement(generation=3, quarantined=("no address",)))
    refused = warden_end.until(state(3))
    assert not refused.applied
    assert "not a hardware address" in refused.detail
    home.gateway.run("nft flush set inet gatehouse quarantined")
    again = warden_end.until(lambda message: isinstance(message, WardenState) and "set again" in message.detail)
    assert again.generation == 2, "what is in force is not what was refused"
    assert PHONE in home.gateway.run("nft list set inet gatehouse quarantined")


def test_a_warden_that_starts_again_leaves_rules_and_quarantine_alone(home: Any) -> None:
    warden_end = home.keeper("warden")
    first = home.start("warden")
    warden_end.say(Enforcement(generation=2, quarantined=(PHONE,)))
    assert warden_end.until(state(2)).applied
    before = home.gateway.run("nft -a list table inet gatehouse")
    first.terminate()
    assert first.wait(timeout=10) == 0
    warden_end.heard.clear()
    home.start("warden")
    assert warden_end.until(state(0)).applied
    after = home.gateway.run("nft -a list table inet gatehouse")
    handles = [line.rsplit("# handle", 1)[-1] for line in before.splitlines() if "# handle" in line]
    assert handles == [line.rsplit("# handle", 1)[-1] for line in after.splitlines() if "# handle" in line]
    assert PHONE in after


@pytest.mark.req("R57")
def test_no_nft_is_said_and_the_household_stays_online(
    home: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warden_end = home.keeper("warden")
    monkeypatch.setenv("PATH", str(tmp_path))
    for program in ("nsenter", "unshare"):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    warden = home.start("warden")
    said = warden_end.until(state(0))
    assert not said.applied
    assert "nft is not installed" in said.detail
    monkeypatch.undo()
    assert warden.poll() is None
    assert reaches(home.gateway, "198.51.100.1")


VOLUMES = """
import sys
from pathlib import Path
from appliance.warden.rules import Firewall
from firmware.household import load
for mac, octets in Firewall(load(Path(sys.argv[1]))).volumes().items():
    print(mac, octets)
"""


def test_what_is_forwarded_is_counted_for_each_device(home: Any) -> None:
    warden_end = home.keeper("warden")
    home.start("warden")
    assert warden_end.until(state(0)).applied
    for place, count in ((home.phone, 3), (home.laptop, 1)):
        place.run(f"busybox ping -c{count} -i0.01 -s972 -W2 198.51.100.1")
    counted = dict(line.split() for line in home.gateway.python(VOLUMES, str(home.settings.household)).splitlines())
    assert counted == {PHONE: "3000", LAPTOP: "1000"}


BROADCAST = """
import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
mac = bytes.fromhex("02005e005399")
sock.send(b"\\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + bytes([198, 51, 100, 9]) + bytes(6) + bytes([198, 51, 100, 2]))
"""


@pytest.mark.req("N11")
def test_a_device_upstream_of_the_box_is_heard_at_the_providers_side(home: Any) -> None:
    sensor_end = home.keeper("sensor")
    home.start("warden")
    home.start_sensor()
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    home.internet.python(BROADCAST)
    heard = sensor_end.until(lambda message: isinstance(message, Sighting) and message.mac == "02:00:5e:00:53:99")
    assert (heard.side, heard.via, heard.ip) == (Side.WAN, Via.ARP, "198.51.100.9")


def test_the_sensor_holds_no_capability(home: Any) -> None:
    sensor_end = home.keeper("sensor")
    home.start("warden")
    sensor = home.start_sensor()
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{sensor.pid}/status").read_text().splitlines() if ":" in line
    )
    for held in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(status[held], 16) == 0, held
    if home.users:
        assert status["Uid"].split() == ["65534"] * 4
