"""Counts of the kernel's sets: what is new since the last reading, put beside the device whose it is."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import MAX_TALKS, Talk, TalksCounted
from appliance.warden.rules import Firewall, NftError
from appliance.warden.talks import Talks
from firmware import household, names

LAPTOP, PHONE = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"
FAR = "203.0.113.9"


def element(octets: int, *parts: object) -> dict[str, Any]:
    """As nft 1.0.6 lists it."""
    return {"elem": {"val": {"concat": list(parts)}, "expires": 170, "counter": {"packets": 1, "bytes": octets}}}


def up(octets: int, mac: str = LAPTOP, own: str = "192.0.2.10", port: int = 443) -> dict[str, Any]:
    return element(octets, mac, own, FAR, "tcp", port)


def down(octets: int, own: str = "192.0.2.10", port: int = 443) -> dict[str, Any]:
    return element(octets, own, FAR, "tcp", port)


def told(counted: list[TalksCounted]) -> set[Talk]:
    return {talk for message in counted for talk in message.talks}


@pytest.mark.req("R11", "N10")
def test_what_was_exchanged_since_the_last_reading_is_told_both_ways() -> None:
    talks = Talks()
    assert talks.count({"talks_up4": [up(1000)], "talks_down4": [down(9000)]}, 1.0, 1.0) == []
    counted = talks.count({"talks_up4": [up(1500)], "talks_down4": [down(9900)]}, 61.0, 61.5)
    assert counted == [TalksCounted(ts=61.0, seconds=60.5, talks=(Talk(LAPTOP, FAR, 6, 443, 500, 900),))]
    assert talks.count({"talks_up4": [up(1500)], "talks_down4": [down(9900)]}, 121.0, 121.5) == []


def test_an_element_that_went_and_came_back_counts_from_nothing() -> None:
    talks = Talks()
    talks.count({"talks_up4": [up(1000)]}, 1.0, 1.0)
    assert told(talks.count({"talks_up4": [up(70)]}, 61.0, 61.0)) == {Talk(LAPTOP, FAR, 6, 443, 70, 0)}


@pytest.mark.req("N10")
def test_who_puts_anothers_address_on_a_packet_draws_off_nothing_that_comes_back() -> None:
    for macs in ((LAPTOP, PHONE), (PHONE, LAPTOP)):
        talks = Talks()
        talks.count({}, 1.0, 1.0)
        sets = {
            "talks_up4": [up(90_000 if mac == LAPTOP else 60, mac) for mac in macs],
            "talks_down4": [down(10**6), down(50, port=8443)],
        }
        assert told(talks.count(sets, 61.0, 61.0)) == {
            Talk(LAPTOP, FAR, 6, 443, 90_000, 10**6),
            Talk(PHONE, FAR, 6, 443, 60, 0),
            Talk(LAPTOP, FAR, 6, 8443, 0, 50),
        }


def test_addresses_of_one_device_are_told_together_and_devices_apart() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    sets = {
        "talks_up4": [up(1), up(2, own="192.0.2.77"), up(4, PHONE, "192.0.2.11")],
        "talks_up6": [element(8, LAPTOP, "2001:db8:1::a", "2001:db8::9", 17, 443)],
        "talks_down6": [element(16, "2001:db8:1::a", "2001:db8::9", "udp", 443)],
    }
    assert told(talks.count(sets, 61.0, 61.0)) == {
        Talk(LAPTOP, FAR, 6, 443, 3, 0),
        Talk(PHONE, FAR, 6, 443, 4, 0),
        Talk(LAPTOP, "2001:db8::9", 17, 443, 8, 16),
    }


def test_a_way_back_is_known_by_the_address_or_counted_as_nobodys() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    sets = {"talks_up4": [up(1)], "talks_down4": [down(5, port=8443), down(7, own="192.0.2.99")]}
    assert told(talks.count(sets, 61.0, 61.0)) == {Talk(LAPTOP, FAR, 6, 443, 1, 0), Talk(LAPTOP, FAR, 6, 8443, 0, 5)}
    assert talks.unmatched == 1


def test_many_are_told_in_several_messages() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    counted = talks.count({"talks_up4": [up(1, port=port) for port in range(1, MAX_TALKS + 2)]}, 61.0, 61.0)
    assert [len(message.talks) for message in counted] == [MAX_TALKS, 1]


def test_forgotten_readings_are_told_to_nobody() -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    talks.forget()
    assert talks.count({"talks_up4": [up(1000)]}, 61.0, 61.0) == []


_json = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["elem", "val", "concat"]), inner),
    max_leaves=8,
)


@given(st.lists(_json, max_size=5), st.lists(st.lists(_json, max_size=6), max_size=4))
def test_what_is_not_of_the_form_is_passed_over(odd: list[Any], parts: list[list[Any]]) -> None:
    talks = Talks()
    talks.count({}, 1.0, 1.0)
    elements = [*odd, *(element(1, *part) for part in parts)]
    talks.count({"talks_up4": [*elements, up(3)], "talks_down4": elements}, 61.0, 61.0)
    assert Talk(LAPTOP, FAR, 6, 443, 3, 0) in told(talks.count({"talks_up4": [up(6)]}, 121.0, 121.0))


ECHO = """
import socket
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind(("::", 4444))
print("ready")
while True:
    data, whom = sock.recvfrom(4096)
    for _ in range(3):
        sock.sendto(data, whom)
"""

ASK = """
import socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(10)
sock.sendto(bytes(1000), (sys.argv[1], 4444))
for _ in range(3):
    sock.recv(4096)
"""


@pytest.mark.lab
@pytest.mark.req("R11", "N10")
def test_the_kernel_counts_both_ways_and_the_rules_stay_as_they_were(home: Any, tmp_path: Path) -> None:
    def nft(arguments: Any, script: str) -> str:
        done = subprocess.run(
            [*home.gateway.enter, "nft", *arguments], input=script, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NftError(done.stderr)
        return done.stdout

    accounting = tmp_path / "accounting"
    accounting.write_text("1\n")
    firewall = Firewall(household.load(home.folder / "household.toml"), nft=nft, accounting=accounting)
    firewall.start(0.0)
    talks = Talks()
    assert talks.count(firewall.talks(), 1000.0, 0.0) == []
    home.background(home.internet, ECHO)
    for place, server in ((home.laptop, "198.51.100.1"), (home.laptop, "2001:db8:ff::1"), (home.phone, "198.51.100.1")):
        place.python(ASK, server)
    # Headers count as the router forwards them: 28 octets with IPv4, 48 with IPv6.
    assert told(talks.count(firewall.talks(), 1060.0, 60.0)) == {
        Talk(LAPTOP, "198.51.100.1", 17, 4444, 1028, 3084),
        Talk(LAPTOP, "2001:db8:ff::1", 17, 4444, 1048, 3144),
        Talk(PHONE, "198.51.100.1", 17, 4444, 1028, 3084),
    }
    assert firewall.ensure(60.0) == "", "elements that come and go are no change of the rules"


@pytest.mark.lab
@pytest.mark.req("R11")
def test_a_set_that_is_full_counts_what_finds_no_room(home: Any) -> None:
    (talk_set,) = [talks for talks in names.TALK_SETS if talks.name == "talks_up4"]
    rules = f"""
table inet t {{
    set s {{
        type {talk_set.type}
        size 4
        flags dynamic,timeout
        timeout {names.TALKS_TIMEOUT_MINUTES}m
        counter
    }}
    counter over {{
    }}
    chain c {{
        type filter hook prerouting priority 0
        iifname "br0" meta l4proto udp goto d
    }}
    chain d {{
        {talk_set.match} update @s {{ {talk_set.key} }} return
        counter name over
    }}
}}
"""
    subprocess.run([*home.gateway.enter, "nft", "-f", "-"], input=rules, text=True, check=True)
    ask = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    home.laptop.python(ask + "for port in range(9000, 9010):\n    s.sendto(b'x', ('198.51.100.1', port))")
    listed = json.loads(home.gateway.run("nft -j list set inet t s"))["nftables"][1]["set"]["elem"]
    assert len(listed) == 4
    assert '"packets": 6' in home.gateway.run("nft -j list counter inet t over")
