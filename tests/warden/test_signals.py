"""What the real rules show the real sensor of tunnels and of devices behind a device."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.messages import CollectionMask, SensorStarted, SignalSeen
from appliance.signals import Signal

pytestmark = pytest.mark.lab

LAPTOP = "02:00:5e:00:53:0a"
PHONE = "02:00:5e:00:53:0b"
FAR = "198.51.100.1"

TUNNEL = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
hello = b"\\x01\\0\\0\\0" + bytes(range(7, 7 + 128)) + bytes(16)
for payload in [b"\\x04\\0\\0\\0peer" + bytes(56)] * 20 + [hello]:
    sock.sendto(payload, (sys.argv[1], 51820))
"""

KNOCK = """
import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
sock.settimeout(0.2)
if ":" in sys.argv[1]:
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, int(sys.argv[2]))
else:
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(sys.argv[2]))
try:
    sock.connect((sys.argv[1], 443))
except OSError:
    pass
"""

SEALED = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 50)
sock.sendto(b"\\0\\0\\x10\\x01\\0\\0\\0\\x01" + bytes(64), (sys.argv[1], 0))
"""

ADVERTISEMENT = """
import socket
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
mac, own, all_nodes = bytes.fromhex("02005e00530b"), bytes.fromhex("fe80" + "00" * 13 + "0b"), bytes.fromhex("ff02" + "00" * 13 + "01")
message = bytes.fromhex("8600") + bytes(2) + bytes.fromhex("40000708") + bytes(8)
total = sum(int.from_bytes((own + all_nodes + len(message).to_bytes(4, "big") + bytes(3) + b":" + message)[at:at + 2], "big") for at in range(0, 40 + len(message), 2))
total = (total & 0xFFFF) + (total >> 16)
message = message[:2] + (~(total + (total >> 16)) & 0xFFFF).to_bytes(2, "big") + message[4:]
header = bytes.fromhex("60000000") + len(message).to_bytes(2, "big") + bytes((58, 255)) + own + all_nodes
sock.send(bytes.fromhex("333300000001") + mac + bytes.fromhex("86dd") + header + message)
"""


def told(signal: Signal, value: str, mac: str = LAPTOP) -> Any:
    return lambda message: (
        isinstance(message, SignalSeen) and (message.signal, message.value, message.mac) == (signal, value, mac)
    )


@pytest.fixture
def sensor_end(home: Any) -> Any:
    """The keeper's end, once a sensor listens that may tell signals of the laptop, and of the network."""
    end = home.keeper("sensor")
    home.start("warden")
    home.start_sensor()
    end.until(lambda message: isinstance(message, SensorStarted))
    end.say(CollectionMask(generation=5, names=(), signs=(LAPTOP,), network=True, lease=60.0))
    # The mask and the frames come by different ways: knock until the first signal is let out.
    for _ in range(50):
        home.laptop.python(KNOCK, FAR, "64")
        end.pump(0.2)
        if any(told(Signal.TTL, "64/64")(message) for message in end.heard):
            return end
    pytest.fail("no signal was let out")


@pytest.mark.req("R11", "N11")
def test_tunnels_and_hop_limits_reach_the_keeper_as_they_left_the_device(home: Any, sensor_end: Any) -> None:
    home.laptop.python(KNOCK, FAR, "127")
    home.laptop.python(KNOCK, "2001:db8:ff::1", "63")
    home.phone.python(KNOCK, FAR, "127")
    home.laptop.python(SEALED, FAR)
    home.laptop.python(TUNNEL, FAR)
    sensor_end.until(told(Signal.TTL, "127/128"))
    sensor_end.until(told(Signal.TTL, "63/64"))
    sealed = sensor_end.until(told(Signal.IKE, "esp"))
    assert (sealed.server, sealed.port) == (FAR, None)
    shaken = sensor_end.until(told(Signal.WIREGUARD, "initiation"))
    assert (shaken.server, shaken.port, shaken.count) == (FAR, 51820, 1)
    sensor_end.until(told(Signal.WIREGUARD, "data"))  # a tunnel from before: its handshake came as the 21st packet
    assert not [message for message in sensor_end.heard if isinstance(message, SignalSeen) and message.mac == PHONE]


@pytest.mark.req("N11")
def test_another_router_is_heard_whoever_it_is_and_the_box_is_not(home: Any, sensor_end: Any) -> None:
    home.phone.python(ADVERTISEMENT)
    sensor_end.until(told(Signal.ROUTER, "advertisement", PHONE))
    offering = {
        message.mac
        for message in sensor_end.heard
        if isinstance(message, SignalSeen) and message.signal in {Signal.ROUTER, Signal.DHCP_SERVER}
    }
    assert offering == {PHONE}
