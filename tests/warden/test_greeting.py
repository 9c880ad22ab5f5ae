"""Who is led to the notice, and at which port of the bridge a device is."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from appliance.messages import (
    MAX_UNREAD,
    UNREAD_SECONDS,
    CollectionMask,
    How,
    NameLookedUp,
    NoticeDue,
    SensorStarted,
    Unread,
    WardenState,
)
from appliance.warden.greeting import Greeting, heard_at
from appliance.warden.rules import Firewall, NftError
from firmware import household, names

MAC, OTHER = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
GOLDEN = Path(__file__).parents[1] / "firmware" / "golden" / "household.toml"


def due(*devices: tuple[str, float]) -> NoticeDue:
    return NoticeDue(devices=tuple(Unread(mac=mac, seconds=seconds) for mac, seconds in devices))


def test_rules_and_messages_agree_about_their_bound() -> None:
    assert names.UNREAD_SIZE == MAX_UNREAD


@pytest.mark.req("R57", "R59")
def test_every_element_ends_by_itself_within_a_minute() -> None:
    greeting = Greeting()
    greeting.take(due((MAC, UNREAD_SECONDS), (OTHER, 5.5)), 100.0)
    assert greeting.fill(100.0) == (
        "flush set inet gatehouse unread\n"
        f"add element inet gatehouse unread {{ {MAC} timeout 60s, {OTHER} timeout 5s }}\n"
    )
    assert greeting.add(106.0) == f"add element inet gatehouse unread {{ {MAC} timeout 54s }}\n"
    assert greeting.add(160.0) == ""


@pytest.mark.req("R57")
def test_who_has_read_it_is_let_go_at_once() -> None:
    greeting = Greeting()
    greeting.take(due((MAC, 60.0)), 100.0)
    greeting.take(due(), 101.0)
    assert greeting.fill(101.0) == "flush set inet gatehouse unread\n"


@pytest.mark.req("R57")
def test_an_address_of_everybody_is_led_nowhere() -> None:
    greeting = Greeting()
    greeting.take(due(("ff:ff:ff:ff:ff:ff", 60.0), ("33:33:00:00:00:01", 60.0), (MAC, 60.0)), 0.0)
    assert list(greeting.until) == [MAC]


def test_rules_that_are_loaded_anew_carry_it_over() -> None:
    said: list[str] = []

    def nft(arguments: object, script: str) -> str:
        if arguments == ["-f", "-"]:
            said.append(script)
            return ""
        raise NftError("nothing is loaded")

    firewall = Firewall(household.load(GOLDEN), nft=nft, accounting=Path("/dev/null"))
    firewall.greet(due((MAC, 60.0)), 100.0)
    assert said[-1].startswith("flush set inet gatehouse unread\n")
    with pytest.raises(NftError):
        firewall.ensure(110.0)
    assert said[-1].endswith(f"add element inet gatehouse unread {{ {MAC} timeout 50s }}\n")


def bridge(folder: Path, *entries: tuple[str, int]) -> Path:
    for name, number in (("eth1", 1), ("wlan0", 2), ("far", 300)):
        port = folder / "br0" / "brif" / name
        port.mkdir(parents=True)
        (port / "port_no").write_text(f"0x{number:x}\n")
    table = b"".join(
        struct.pack("=6sBBIBxH", bytes.fromhex(mac.replace(":", "")), number & 255, 0, 7, number >> 8, 0)
        for mac, number in entries
    )
    (folder / "br0" / "brforward").write_bytes(table)
    return folder


def test_the_port_at_which_a_device_is_heard(tmp_path: Path) -> None:
    folder = bridge(tmp_path, (MAC, 2), (OTHER, 300))
    assert heard_at("br0", MAC, folder=folder) == "wlan0"
    assert heard_at("br0", OTHER, folder=folder) == "far"
    assert heard_at("br0", "02:00:5e:00:53:0c", folder=folder) is None
    assert heard_at("br1", MAC, folder=folder) is None


def test_a_table_that_is_cut_off_or_names_no_port_says_nothing(tmp_path: Path) -> None:
    folder = bridge(tmp_path, (MAC, 9))
    assert heard_at("br0", MAC, folder=folder) is None
    table = folder / "br0" / "brforward"
    table.write_bytes(table.read_bytes()[:11])
    assert heard_at("br0", MAC, folder=folder) is None


PAGE = """
import socket
listener = socket.create_server(("", 80))
print("ready")
while True:
    connection, _ = listener.accept()
    connection.recv(4096)
    connection.send(b"the page of the box")
    connection.close()
"""

PLAIN = """
import socket, sys
try:
    sock = socket.create_connection((sys.argv[1], 80), timeout=10)
except ConnectionRefusedError:
    print("nobody there")
else:
    sock.sendall(b"GET / HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % sys.argv[2].encode())
    print(sock.recv(100).decode())
"""


@pytest.mark.req("R59", "N4")
def test_what_leads_to_the_notice_is_seen_all_the_same(home: Any) -> None:
    sensor_end, warden_end = home.keeper("sensor"), home.keeper("warden")
    home.start("warden")
    assert warden_end.until(lambda message: isinstance(message, WardenState)).applied
    home.background(home.gateway, PAGE)
    home.start_sensor()
    sensor_end.until(lambda message: isinstance(message, SensorStarted))
    sensor_end.say(CollectionMask(generation=7, names=(MAC,), lease=60.0))
    warden_end.say(NoticeDue(devices=(Unread(mac=MAC, seconds=60.0),)))
    found: list[NameLookedUp] = []
    for attempt in range(50):  # mask and notice come by ways of their own
        answer = home.laptop.python(PLAIN, "198.51.100.1", f"plain-{attempt}.example")
        sensor_end.pump(0.2)
        found = [message for message in sensor_end.heard if isinstance(message, NameLookedUp)]
        if found:
            break
    assert found
    assert "the page of the box" in answer
    assert (found[0].mac, found[0].how, found[0].server) == (MAC, How.HTTP, "198.51.100.1")
    assert "nobody there" in home.phone.python(PLAIN, "198.51.100.1", "plain.example")
