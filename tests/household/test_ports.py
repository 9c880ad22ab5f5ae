"""Every port of the box, asked from the household and from the internet: what answers is what the document lists."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab import addresses, scan
from lab.client import Client
from lab.host import Host
from lab.stack import Stack

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed"),
]


@pytest.fixture(scope="module")
def device(stack: Stack) -> Client:
    return stack.join("unregistered-phone")


def _box(stack: Stack, device: Client) -> dict[str, list[tuple[Host, str]]]:
    """Of each side: who asks, and by which address of the box."""
    lan, wan = stack.home.config.lan, stack.home.config.wan.interface
    provider = stack.home.internet
    device.address6()
    outside = scan.at(stack.home.gateway)(f"ip -br address show dev {wan}").split()[2:]
    four = [item.partition("/")[0] for item in outside if "." in item]
    six = [item.partition("/")[0] for item in outside if ":" in item and not item.startswith("fe80")]
    return {
        "lan": [(device, str(lan.address)), (device, str(lan.network6[1]))],
        "wan": [(provider, four[0]), (provider, six[0])],
    }


@pytest.mark.parametrize("side", ["lan", "wan"])
def test_open_tcp_ports_are_those_of_the_document(stack: Stack, device: Client, root: Path, side: str) -> None:
    wanted = scan.documented(scan.table(root), side, "tcp")
    interface = stack.home.config.lan.bridge if side == "lan" else stack.home.config.wan.interface
    for asker, address in _box(stack, device)[side]:
        # The notice page has an IPv4 address only.
        answering = wanted if ":" not in address else wanted - {stack.home.config.notice_port}
        with scan.counted(scan.at(stack.home.gateway), interface) as look:
            assert scan.tcp_open(asker, address, retries=2 if side == "lan" else 0, rate=8000) == answering, address
            missed = set(scan.ALL) - scan.ports(look("came_tcp"))
            assert not missed, f"{len(missed)} questions did not arrive"
            if side == "wan":
                assert not scan.ports(look("passed_tcp"))


@pytest.mark.parametrize("side", ["lan", "wan"])
def test_udp_ports_that_are_let_in_are_those_of_the_document(
    stack: Stack, device: Client, root: Path, side: str
) -> None:
    wanted = scan.documented(scan.table(root), side, "udp")
    interface = stack.home.config.lan.bridge if side == "lan" else stack.home.config.wan.interface
    for asker, address in _box(stack, device)[side]:
        with scan.counted(scan.at(stack.home.gateway), interface) as look:
            assert scan.udp_passed(asker, address, look) == wanted, address


def test_from_the_ports_that_servers_answer_from_nothing_more_is_let_in(stack: Stack, device: Client) -> None:
    allowed: dict[int, set[int]] = {53: set(), 67: {68}, 123: set(), 547: set()}
    asker, address = _box(stack, device)["wan"][0]
    for port, passed in allowed.items():
        with scan.counted(scan.at(stack.home.gateway), stack.home.config.wan.interface) as look:
            source = (addresses.PROVIDER[0], port)
            assert scan.udp_passed(asker, address, look, source=source) == passed, port


def test_no_process_listens_at_a_port_that_is_not_listed(stack: Stack, root: Path) -> None:
    text = scan.table(root)
    listed = {(kind, port) for kind in ("tcp", "udp") for port in scan.documented(text, "lan", kind)}
    heard = scan.listening(scan.at(stack.home.gateway)("ss -H -l -n -t -u"))
    # dnsmasq hears DHCP on any address, and has no socket that is not asked for.
    assert heard <= listed, heard - listed
