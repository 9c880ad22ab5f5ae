"""The built image comes up for the first time: its units, its keys, its ports, its limits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from firmware import layout, names
from lab import addresses, scan
from lab.client import Client
from lab.machine import disk, image
from lab.machine.stack import LABEL, BoxStack

pytestmark = [pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def device(box: BoxStack) -> Client:
    return box.join("linux-laptop")


def test_every_unit_that_has_to_start_started(box: BoxStack) -> None:
    shell = box.machine.shell()
    assert shell.run("systemctl --failed --no-legend --plain").stdout == ""
    assert shell.run("systemctl is-system-running --wait", seconds=300, check=False).stdout.strip() == "running"
    assert "ordering cycle" not in shell.run("journalctl -b --no-pager -p warning").stdout


def test_the_root_cannot_be_written_and_etc_is_memory(box: BoxStack) -> None:
    shell = box.machine.shell()
    assert shell.run("touch /usr/lib/gatehouse/x", check=False).returncode
    assert shell.run("findmnt -n -o FSTYPE /").stdout.strip() == "squashfs"
    assert shell.run("findmnt -n -o FSTYPE /etc").stdout.strip() == "overlay"


def test_what_is_kept_is_encrypted_and_has_grown_to_the_card_s_end(box: BoxStack) -> None:
    shell = box.machine.shell()
    assert shell.run(f"findmnt -n -o SOURCE {layout.DATA}").stdout.startswith("/dev/mapper/")
    assert shell.run("cryptsetup luksDump /dev/disk/by-partuuid/5ca1ab1e-07 | grep -c '^Version:.*2'").stdout == "1"
    octets = int(shell.run(f"df --output=size -B1 {layout.DATA} | tail -1").stdout)
    assert octets > 1024**3, "the card has 4 GiB"


@pytest.mark.req("R69")
def test_keys_are_born_on_the_box_and_readable_for_their_owner_only(box: BoxStack) -> None:
    shell = box.machine.shell()
    owners = {layout.SIGNING_KEY: "keeper", layout.SEALING_KEY: "keeper", layout.TLS_KEY: "courier"}
    for path, owner in owners.items():
        assert shell.run(f"stat -c '%a %u' {path}").stdout == f"600 {layout.UIDS[owner]}", path
    manifest = json.loads((box.built.path.parent / "qemu.manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]
    assert not [name for name in manifest["files"] if name.startswith(f"{layout.DATA}/".lstrip("/"))]


@pytest.mark.req("R1", "R8")
def test_the_set_up_page_answers_on_the_household_s_side(box: BoxStack, device: Client) -> None:
    page = box.wait_page(device, lambda text: LABEL.search(text) is not None)
    assert "It is the router of a home." in page
    assert "It keeps nothing about any device now." in page


@pytest.mark.req("R57")
def test_the_home_has_its_internet_before_anybody_claims_the_box(device: Client) -> None:
    assert device.resolve("www.news.example")
    assert device.browse("www.news.example") == 200


@pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed")
@pytest.mark.parametrize("side", ["lan", "wan"])
def test_open_ports_are_those_of_the_document(box: BoxStack, device: Client, side: str) -> None:
    shell, text = box.machine.shell(), scan.table(Path(__file__).parents[2])
    assert device.leased is not None
    asker = device if side == "lan" else box.home.internet
    address = str(device.leased.routers[0]) if side == "lan" else addresses.WAN[0].partition("/")[0]
    # The card of these tests has an engineer's key.
    wanted = scan.documented(text, side, "tcp") | ({names.SHELL_PORT} if side == "lan" else set())
    assert scan.tcp_open(asker, address, retries=3, rate=1500) == wanted
    heard = scan.listening(shell.run("ss -H -l -n -t -u").stdout)
    listed = {(kind, port) for kind in ("tcp", "udp") for port in scan.documented(text, "lan", kind)}
    listed.add(("tcp", names.SHELL_PORT))
    # Answers to what the box asks itself for an address: only from a server's port, as the document says.
    assert heard - {("udp", 68), ("udp", 546)} <= listed


def test_a_process_that_takes_more_memory_than_it_may_is_ended(box: BoxStack) -> None:
    shell = box.machine.shell()
    greedy = "python3 -c 'x = bytearray(120 * 1024 * 1024); print(len(x))'"
    run = "systemd-run --quiet --wait --collect --pipe --property=MemoryMax=50M --property=MemorySwapMax=0"
    assert shell.run(f"{run} --property=MemoryMax=200M {greedy}").stdout == "125829120"
    assert shell.run(f"{run} {greedy}", check=False).returncode


@pytest.mark.req("R2")
def test_the_card_of_the_operator_is_all_that_was_written_at_the_station(box: BoxStack) -> None:
    start = disk.partitions(box.base)[0].start
    card = disk.read_file(box.base, start, "/gatehouse/operator.toml").decode()
    assert "PRIVATE" not in card
    told = box.machine.shell().run(f"cat {layout.OPERATOR_FILE}").stdout
    assert told.strip() == card.strip()
    assert isinstance(image.find(Path(__file__).parents[2]), image.Image)
