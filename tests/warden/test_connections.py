"""One device opens more connections than it may: real rules, a real kernel, and the others who want the internet too."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance import messages
from appliance.messages import RulesOverflow
from firmware import names, render
from firmware.household import load

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120), pytest.mark.req("R57")]

FAR, FAR6 = "198.51.100.1", "2001:db8:ff::1"
ECHO = """
import selectors, socket
selector = selectors.DefaultSelector()
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    sock = socket.socket(family)
    if family is socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, 7000))
    sock.listen(64)
    selector.register(sock, selectors.EVENT_READ, True)
print("ready")
while True:
    for key, _ in selector.select():
        if key.data:
            selector.register(key.fileobj.accept()[0], selectors.EVENT_READ, False)
        elif said := key.fileobj.recv(100):
            key.fileobj.send(said)
        else:
            selector.unregister(key.fileobj)
            key.fileobj.close()
"""
ASK = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], 7000), timeout=5) as sock:
        sock.send(b"hello")
        print(sock.recv(100).decode())
except OSError as error:
    print(type(error).__name__)
"""
TALK = """
import socket, sys
sock = socket.create_connection((sys.argv[1], 7000), timeout=20)
for line in sys.stdin:
    sock.send(line.encode())
    print(sock.recv(100).decode(), end="", flush=True)
"""
FLOOD = """
import socket, sys
count, sources = int(sys.argv[1]), sys.argv[3:]
for source in sources:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((source, 0))
    for port in range(10000, 10000 + count // len(sources)):
        try:
            sock.sendto(b"x", (sys.argv[2], port))
        except OSError:
            pass  # what came back of an earlier one
"""


def rules(home: Any, *, rate: bool = True, count: bool = True) -> str:
    """As on the box; without one of the two bounds where a test is about the other."""
    text = render.rules(load(home.folder / "household.toml"), wan_tap=False)
    paced = f"limit rate over {names.OPENED_A_SECOND}/second burst {names.OPENED_AT_ONCE} packets"
    counted = f"ct count over {names.MOST_CONNECTIONS}"
    assert paced in text
    assert counted in text
    text = text if rate else text.replace(paced, "limit rate over 500000/second burst 500000 packets")
    return text if count else text.replace(counted, "ct count over 4000000")


def put(home: Any, text: str) -> None:
    path: Path = home.folder / "rules.nft"
    path.write_text(text)
    home.gateway.run(f"sysctl -qw net.netfilter.nf_conntrack_acct=1; nft -f {path}")


def known(home: Any) -> int:
    return int(home.gateway.run("cat /proc/sys/net/netfilter/nf_conntrack_count"))


def counter(home: Any, name: str) -> int:
    said = home.gateway.run(f"nft list counter inet gatehouse {name}")
    return int(re.findall(r"packets (\d+)", said)[0])


def elements(home: Any, name: str) -> list[Any]:
    said = json.loads(home.gateway.run(f"nft -j list set inet gatehouse {name}"))
    return next(item["set"].get("elem", []) for item in said["nftables"] if "set" in item)


@pytest.fixture
def busy(home: Any) -> Any:
    """A home whose internet answers, and in which the laptop has a connection that stands."""
    home.background(home.internet, ECHO)
    return home


def test_without_the_bounds_one_device_has_as_many_as_it_likes(busy: Any) -> None:
    """What the others below are compared with."""
    put(busy, rules(busy, rate=False, count=False))
    busy.laptop.python(FLOOD, "6000", FAR, "192.0.2.10")
    assert known(busy) >= 5900


@pytest.mark.parametrize("far", [FAR, FAR6])
def test_one_device_at_its_limit_leaves_the_others_theirs(busy: Any, far: str) -> None:
    put(busy, rules(busy, rate=False))
    sources = ["192.0.2.10"]
    if far == FAR6:  # a device may have as many addresses as it likes: they count together
        sources = [f"2001:db8:1::aa:{number:x}" for number in range(1, 21)]
        added = "; ".join(f"ip addr add {address}/64 dev eth0 nodad" for address in sources)
        busy.laptop.run(added)
    busy.laptop.python(FLOOD, "6000", far, *sources)
    assert names.MOST_CONNECTIONS - 20 <= known(busy) <= names.MOST_CONNECTIONS + 50
    assert counter(busy, names.CONNECTIONS_REFUSED) >= 3500
    assert busy.laptop.python(ASK, far).strip() == "ConnectionRefusedError", "said at once"
    assert busy.phone.python(ASK, far).strip() == "hello"
    assert [item["elem"]["val"] for item in elements(busy, names.AT_LIMIT)] == ["02:00:5e:00:53:0a"]


def test_what_stood_before_stands_and_what_ends_makes_room(busy: Any) -> None:
    put(busy, rules(busy, rate=False))
    busy.gateway.run("sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3")
    process = busy.laptop
    script = f"""
import subprocess, sys
talk = subprocess.Popen([sys.executable, "-uc", {TALK!r}, {FAR!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def say(word):
    talk.stdin.write(word + "\\n"); talk.stdin.flush()
    return talk.stdout.readline().strip()
print(say("before"))
subprocess.run([sys.executable, "-c", {FLOOD!r}, "4000", {FAR!r}, "192.0.2.10"], check=True)
print(say("during"))
talk.stdin.close()
talk.wait()
"""
    assert process.python(script).split() == ["before", "during"]
    assert counter(busy, names.CONNECTIONS_REFUSED) > 0
    for _ in range(60):
        if busy.laptop.python(ASK, FAR).strip() == "hello":
            break
        busy.gateway.run("sleep 0.5")  # the kernel's own clock: entries leave 3 s after their last packet
    else:
        pytest.fail("no room was made")


def test_who_finds_no_share_of_their_own_has_one_together(busy: Any) -> None:
    """Addresses are easily forged: whoever takes all the shares takes no device's internet, and gets no more of it."""
    put(busy, rules(busy, rate=False).replace(f"size {names.SHARES_SIZE}", "size 1"))
    assert busy.phone.python(ASK, FAR).strip() == "hello"
    busy.laptop.python(FLOOD, "6000", FAR, "192.0.2.10")
    assert names.MOST_CONNECTIONS - 20 <= known(busy) <= names.MOST_CONNECTIONS + 50
    assert counter(busy, names.CONNECTIONS_OVERFLOW) >= 5900
    assert busy.phone.python(ASK, FAR).strip() == "hello"


def test_who_opens_too_fast_is_slowed_down_and_nobody_else(busy: Any) -> None:
    """Closed ones are in no count, and the kernel keeps them for a minute."""
    put(busy, rules(busy, count=False))
    busy.laptop.python(FLOOD, "6000", FAR, "192.0.2.10")
    assert names.OPENED_AT_ONCE <= known(busy) <= names.OPENED_AT_ONCE + names.OPENED_A_SECOND * 30
    assert busy.phone.python(ASK, FAR).strip() == "hello"
    assert elements(busy, names.AT_LIMIT) == []


def test_connections_to_the_boxes_own_ports_count_too(busy: Any) -> None:
    put(busy, rules(busy, count=False))
    busy.background(busy.gateway, ECHO.replace("7000", "80"))
    knock = """
import socket, sys
for _ in range(1600):
    with socket.socket() as sock:
        sock.setblocking(False)
        try:
            sock.connect(("192.0.2.1", int(sys.argv[1])))
        except BlockingIOError:
            pass
"""
    busy.laptop.python(knock, "81")
    assert counter(busy, names.CONNECTIONS_REFUSED) == 0, "of a port that is closed, nothing is kept"
    busy.laptop.python(knock, "80")
    assert counter(busy, names.CONNECTIONS_REFUSED) > 0
    assert known(busy) <= names.OPENED_AT_ONCE + names.OPENED_A_SECOND * 30


def test_nothing_else_that_the_box_answers_fills_the_table(busy: Any) -> None:
    """Echo requests, each with a number of its own, and questions for addresses, each from a port of its own."""
    put(busy, rules(busy, count=False))
    flood = """
import socket, struct
def fold(words):
    total = sum(words)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
    for number in range(3000):
        sock.sendto(struct.pack("!BBHHH", 8, 0, fold((0x800, number, 1)), number, 1), ("192.0.2.1", 0))
for port in range(20000, 23000):
    for address in ("192.0.2.1", "255.255.255.255"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.bind(("192.0.2.10", port))
            sock.sendto(b"x", (address, 67))
"""
    busy.laptop.python(flood)
    assert counter(busy, names.CONNECTIONS_REFUSED) > 0
    assert known(busy) <= names.OPENED_AT_ONCE + names.OPENED_A_SECOND * 30


def test_a_home_with_an_extender_may_be_given_more(busy: Any) -> None:
    path = busy.folder / "household.toml"
    path.write_text(path.read_text() + "\n[limits]\nconnections = 5000\nopened_at_once = 8000\n")
    put(busy, render.rules(load(path), wan_tap=False))
    busy.laptop.python(FLOOD, "6000", FAR, "192.0.2.10")
    assert 4980 <= known(busy) <= 5050


def test_the_keeper_hears_how_many_and_not_who(busy: Any) -> None:
    """Once a minute; here more often."""
    keeper = busy.keeper("warden")
    started = "import runpy, sys; from appliance.warden import main; main.OVER_SECONDS = 1.0; sys.argv[0] = 'warden'"
    script = f"{started}; runpy.run_module('appliance.warden', run_name='__main__')"
    busy.serve(busy.gateway, sys.executable, "-c", script, "--config", str(busy.folder / "box.toml"))
    keeper.until(lambda message: isinstance(message, messages.WardenState) and message.applied)
    busy.gateway.run(
        f"nft add element inet gatehouse {names.AT_LIMIT} '{{ 02:00:5e:00:53:0a }}'\n"
        f"nft add element inet gatehouse {names.HELD_OFF} '{{ 02:00:5e:00:53:0a timeout 60s }}'"
    )
    assert busy.laptop.python(ASK, FAR).strip() == "ConnectionRefusedError"
    told = keeper.until(lambda message: isinstance(message, RulesOverflow) and bool(message.packets))
    assert told.at_limit == 1
    assert told.packets[names.CONNECTIONS_REFUSED] >= 1
    assert "53:0a" not in repr(told)
    busy.gateway.run(
        f"nft flush set inet gatehouse {names.AT_LIMIT}\nnft reset counter inet gatehouse {names.CONNECTIONS_REFUSED}"
    )
    told = keeper.until(lambda message: isinstance(message, RulesOverflow) and not message.at_limit)
    assert names.CONNECTIONS_REFUSED not in told.packets, "that nobody is any more is told where nothing is counted"
