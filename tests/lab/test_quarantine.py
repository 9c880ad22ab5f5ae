"""Quarantine with real devices: what is held, what still works, and what a new address changes."""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import pytest

from lab import addresses
from lab.client import Client
from lab.host import Host, LabError
from lab.household import Household
from lab.service import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
Maker = Callable[..., Client]
Hold = Callable[[Sequence[str]], None]

FILL = """
import sys
from pathlib import Path
from appliance.messages import Enforcement
from appliance.warden.rules import Firewall
from firmware.household import load
firewall = Firewall(load(Path(sys.argv[1])))
assert firewall.start(0.0) == "", "the rules in force are those of the household"
macs = tuple(sys.argv[2:])
firewall.hold(Enforcement(generation=1, quarantined=macs, closed=macs), 0.0)
"""

NOTICE = """
import http.server, socket
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(418)
        self.end_headers()
with Server(("::", 80), Page) as server:
    print("ready", flush=True)
    server.serve_forever()
"""
"""Stands where the notice page does and answers with a status that nothing else here gives."""

HELD = 418


@pytest.fixture
def hold(home: Household) -> Iterator[Hold]:
    """Sets the quarantine with the warden's own code; it is empty again when the test ends."""

    def fill(macs: Sequence[str]) -> None:
        home.gateway.run([sys.executable, "-c", FILL, home.household_file, *macs])

    yield fill
    fill(())


@pytest.fixture
def notice(home: Household) -> Iterator[None]:
    with home.gateway.popen([sys.executable, "-c", NOTICE], stdout=-1) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield
        server.kill()


def reaches(host: Host, address: str) -> bool:
    return host.run(["busybox", "ping", "-c1", "-W1", address], check=False).returncode == 0


def opens(client: Client, address: str, port: int) -> bool:
    """Whether a TCP connection comes about; what is held is dropped, so that a browser would wait long."""
    with client.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as handle:
        handle.settimeout(1.5)
        with suppress(OSError):
            handle.connect((address, port))
            return True
    return False


def resolver_of(client: Client, server: str, *, tcp: bool) -> str:
    """Who answered a question put to `server`; "nobody" where there is no answer."""
    with suppress(LabError):
        return client.lookup("answered-by.example", "TXT", resolver=server, tcp=tcp, timeout=3)[0].strip('"')
    return "nobody"


@pytest.mark.req("R59")
@pytest.mark.usefixtures("notice")
def test_a_held_device_reaches_the_box_and_its_notice_and_nothing_else(device: Maker, hold: Hold) -> None:
    phone, laptop = device("unregistered-phone"), device()
    lease = phone.lease()
    laptop.lease()
    phone6, laptop6 = phone.address6(), laptop.address6()
    assert phone.browse("social.example") == 200
    assert phone.browse("social.example", family=6) == 200
    assert reaches(phone, str(laptop.leased and laptop.leased.address))
    assert reaches(phone, str(laptop6))

    hold([phone.mac])

    for family, site in ((4, addresses.SITES[0][0]), (6, addresses.SITES[0][1])):
        assert not reaches(phone, site)
        assert not opens(phone, site, 443)
        assert phone.browse("social.example", scheme="http", family=family) == HELD  # type: ignore[arg-type]
    assert phone.quic("video.example") == 0
    for mine, theirs in ((phone, str(laptop6)), (laptop, str(phone6)), (laptop, str(lease.address))):
        assert not reaches(mine, theirs)
    for server in (*addresses.OTHER_RESOLVER, "192.0.2.1", "2001:db8:1::1"):
        for tcp in (False, True):
            assert resolver_of(phone, server, tcp=tcp) in addresses.RESOLVER, "the box answers, whoever was asked"
    assert phone.lease().address == lease.address
    assert phone.browse("gatehouse.home.arpa", scheme="http") == HELD
    assert laptop.browse("social.example") == 200
    assert laptop.browse("social.example", scheme="http") == 200

    hold([])
    assert phone.browse("social.example") == 200
    # The laptop is still asking for the phone's hardware address, once a second.
    wait_until(lambda: reaches(laptop, str(lease.address)), what="the laptop to reach the phone again", seconds=10)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_connection_that_stood_before_is_cut_in_both_directions(
    home: Household, device: Maker, hold: Hold, family: socket.AddressFamily
) -> None:
    phone, site = online(device, family)
    with home.internet.socket(family, socket.SOCK_STREAM) as listener, phone.socket(family, socket.SOCK_STREAM) as near:
        listener.bind((site, 7443))
        listener.listen(1)
        near.settimeout(5)
        near.connect((site, 7443))
        far, _ = listener.accept()
        with far:
            near.send(b"before")
            assert far.recv(16) == b"before"
            far.send(b"back")
            assert near.recv(16) == b"back"
            hold([phone.mac])
            near.send(b"held")
            far.send(b"held")
            assert select.select([far, near], [], [], 1.5)[0] == []
            hold([])
            far.settimeout(10)
            assert far.recv(16) == b"held", "what was held is sent again by the device itself"


@pytest.mark.parametrize(("family", "port"), [(socket.AF_INET, 67), (socket.AF_INET6, 547)])
def test_a_stream_from_a_port_that_the_box_answers_from_is_cut_too(
    home: Household, device: Maker, hold: Hold, family: socket.AddressFamily, port: int
) -> None:
    phone, site = online(device, family)
    with home.internet.socket(family) as far, phone.socket(family) as near:
        far.bind((site, port))
        near.connect((site, port))
        for end in (far, near):
            end.settimeout(5)
        near.send(b"subscribe")
        _, peer = far.recvfrom(16)
        far.sendto(b"before", peer)
        assert near.recv(16) == b"before"
        hold([phone.mac])
        far.sendto(b"held", peer)
        assert select.select([near], [], [], 1.5)[0] == []
        hold([])
        far.sendto(b"after", peer)
        assert near.recv(16) == b"after"


def online(device: Maker, family: socket.AddressFamily) -> tuple[Client, str]:
    """A phone with addresses, and a web server's address of that family."""
    phone = device("unregistered-phone")
    phone.lease()
    phone.address6()
    return phone, addresses.SITES[0][0 if family == socket.AF_INET else 1]


@pytest.mark.req("R57")
def test_a_new_address_leaves_the_quarantine_of_the_old_one(device: Maker, hold: Hold) -> None:
    """The router holds addresses, not devices: it takes the keeper's rule for unknown ones to hold the new one too."""
    phone = device("unregistered-phone")
    phone.lease()
    hold([phone.mac])
    assert not opens(phone, addresses.SITES[0][0], 443)
    phone.change_mac()
    assert opens(phone, addresses.SITES[0][0], 443)
