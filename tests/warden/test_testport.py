"""The box's own port on the bridge: there once, quiet, and heard by the bridge like a device."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.lab

_PROGRAM = """
import json, select, socket, subprocess
from appliance.warden import testport
from firmware.names import TEST_PORT, TEST_PORT_INSIDE
def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout
without = testport.ensure("br-lan")
ip("link", "add", "br-lan", "address", "02:00:5e:10:00:01", "type", "bridge", "stp_state", "0", "forward_delay", "0")
ip("link", "set", "br-lan", "addrgenmode", "none")
ip("link", "set", "br-lan", "up")
twice = [testport.ensure("br-lan"), testport.ensure("br-lan")]
links = {item["ifname"]: item for item in json.loads(ip("-j", "addr", "show"))}
frame = bytes.fromhex("02005e100001" "020000000099" "88b5") + b"hello".ljust(50, bytes(1))
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5)) as ear:
    ear.bind(("br-lan", 0x88B5))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as mouth:
        mouth.bind((TEST_PORT, 0))
        mouth.send(frame)
    ready, _, _ = select.select([ear], [], [], 10)
    heard = bool(ready) and ear.recv(100) == frame
print(json.dumps({
    "without": without, "twice": twice, "heard": heard,
    "master": links[TEST_PORT_INSIDE].get("master"), "flags": links[TEST_PORT]["flags"],
    "addresses": links[TEST_PORT]["addr_info"] + links[TEST_PORT_INSIDE]["addr_info"],
}))
"""


@pytest.mark.req("R33")
def test_a_frame_of_its_own_comes_in_at_the_bridge_as_a_device_s_does() -> None:
    import json

    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["without"] is False, "no bridge yet: said, not raised"
    assert found["twice"] == [True, True]
    assert found["master"] == "br-lan"
    assert found["heard"]
    assert "NOARP" in found["flags"]
    assert "MULTICAST" not in found["flags"]
    assert found["addresses"] == [], "it has no address, so it asks for nothing and nobody is told of it"
