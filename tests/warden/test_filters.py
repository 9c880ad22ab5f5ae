"""Whose questions go to a filter, with the real rules: from the next packet on, whatever the device asks from."""

from __future__ import annotations

import shutil
import time
from typing import Any

import pytest

from appliance.messages import Enforcement, Filter, WardenState
from firmware import names

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

LAPTOP = "02:00:5e:00:53:0a"
PLAIN, FILTERED = "203.0.113.1", "203.0.113.2"

ASK = """
import sys
import dns.message, dns.query
server, port, tcp = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "tcp"
question = dns.message.make_query("name.example", "A")
if tcp:
    answer = dns.query.tcp(question, server, timeout=3)
else:
    answer = dns.query.udp(question, server, timeout=3, source_port=port)
print(answer.answer[0][0].address)
"""

ANSWERS = """
import sys, time
import dns.exception, dns.message, dns.query
until = time.monotonic() + 20
while time.monotonic() < until:
    try:
        dns.query.udp(dns.message.make_query("name.example", "A"), "127.0.0.1", port=int(sys.argv[1]), timeout=0.5)
    except (OSError, dns.exception.Timeout):
        continue
    sys.exit(0)
sys.exit("no answer")
"""


def resolver(home: Any, port: int, address: str) -> None:
    """A dnsmasq in the gateway that answers every name with one address."""
    where = (
        "--conf-file=/dev/null",
        f"--port={port}",
        "--interface=br0",
        "--bind-dynamic",
        "--no-resolv",
        "--no-hosts",
    )
    who = ("--user=root", "--group=", "--pid-file=", "--keep-in-foreground")
    home.serve(home.gateway, "dnsmasq", *where, f"--address=/#/{address}", *who)
    home.gateway.python(ANSWERS, str(port))


REFUSED = """
import errno, socket, sys
with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(5)
    sock.connect((sys.argv[1], 53))
    sock.send(bytes(12))
    try:
        sock.recv(512)
    except OSError as error:
        print(errno.errorcode.get(error.errno, error))
"""


def asked(home: Any, server: str, way: str = "udp") -> str:
    return str(home.laptop.python(ASK, server, "40053", way)).strip()


@pytest.mark.req("R22", "R57")
def test_a_device_that_always_asks_from_one_port_is_filtered_and_let_go_at_once(home: Any) -> None:
    """A connection that stands keeps its translation; so one port that asks for ever would keep its resolver."""
    if shutil.which("dnsmasq") is None:
        pytest.skip("dnsmasq is not installed")
    keeper = home.keeper("warden")
    warden = home.start("warden")
    keeper.until(lambda message: isinstance(message, WardenState))
    resolver(home, 53, PLAIN)
    resolver(home, names.FILTERS[0].port, FILTERED)
    servers = ("192.0.2.1", "203.0.113.53", "2001:db8:1::1", "2001:db8:53::53")

    def say(generation: int, *macs: str, lease: float = 60.0) -> None:
        filters = (Filter(number=1, macs=macs),) if macs else ()
        keeper.say(Enforcement(generation=generation, quarantined=(), filters=filters, lease=lease))
        keeper.until(lambda message: isinstance(message, WardenState) and message.generation == generation)

    def answers() -> list[str]:
        return [asked(home, server, way) for server in servers for way in ("udp", "tcp")]

    everything = len(servers) * 2
    assert answers() == [PLAIN] * everything
    say(1, LAPTOP)
    assert asked(home, servers[0]) == FILTERED, "no old connection leads round the filter"
    assert asked(home, servers[2]) == FILTERED
    say(2, LAPTOP)
    assert [asked(home, server, "tcp") for server in servers] == [FILTERED] * len(servers)
    say(3)
    assert answers() == [PLAIN] * everything, "and none leads there when the order ends"

    say(4, LAPTOP, lease=5.0)
    assert asked(home, servers[0]) == FILTERED
    warden.kill()
    warden.wait(timeout=10)
    deadline = time.monotonic() + 30
    while asked(home, servers[0]) != PLAIN:
        assert time.monotonic() < deadline, "the lease is over and its port still leads to the filter"


@pytest.mark.req("R57")
def test_a_filter_that_is_not_there_refuses_at_once(home: Any) -> None:
    """A refusal that came back under another port would be none to the device: it would wait in silence."""
    keeper = home.keeper("warden")
    home.start("warden")
    order = Enforcement(generation=1, quarantined=(), filters=(Filter(number=2, macs=(LAPTOP,)),))
    keeper.say(order)
    keeper.until(lambda message: isinstance(message, WardenState) and message.generation == 1)
    for server in ("192.0.2.1", "203.0.113.53", "2001:db8:1::1", "2001:db8:53::53"):
        assert home.laptop.python(REFUSED, server).strip() == "ECONNREFUSED", server
