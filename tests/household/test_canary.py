"""Ten thousand names that a third party looked up, in the traffic of a real household, and in no file anywhere.

A household's phone and unknown ones ask the box's resolver for names with a mark in them, open TLS with them and send
them as HTTP hosts; a registered laptop beside them looks up listed names with another mark. Then every file of the run is
searched: box, broker, dashboard, logs, backup; the second mark shows that the search finds. What the lab's own internet
writes is not searched: it is the far end, which is asked.
"""

from __future__ import annotations

import json
import secrets
import signal
import socket
import sqlite3
import ssl
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from os import kill
from pathlib import Path
from subprocess import run

import dns.message
import pytest

from lab.client import Client
from lab.faults.purge import search
from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
Find = Callable[[str, str], Seen]

THEIRS = f"theirs{secrets.token_hex(6)}"
OWN = f"own{secrets.token_hex(6)}"
NAMES = 10_000
A_SECOND = 90
"""Questions of one device: the box answers 100."""
STRANGERS = 13
"""With the phone they are enough to ask ten thousand questions in some eight seconds."""
HELLOS = 200
SEARCHED = ("box", "broker", "dashboard", "logs", "keys")


def ask(clients: tuple[Client, ...], names: list[str]) -> int:
    """Ask the box for each name, the devices in turn, as fast as the box lets each ask; how many answers came."""
    with ExitStack() as undo:
        asking = []
        for client in clients:
            handle = undo.enter_context(client.socket(socket.AF_INET, socket.SOCK_DGRAM))
            handle.setblocking(False)
            asking.append((handle, (client._first_resolver(), 53)))
        answers, began = 0, time.monotonic()
        for number, name in enumerate(names):
            handle, resolver = asking[number % len(asking)]
            handle.sendto(dns.message.make_query(name, "A").to_wire(), resolver)
            ahead = number / (A_SECOND * len(clients)) - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
            answers += _drain(handle)
    return answers


def _drain(handle: socket.socket) -> int:
    got = 0
    try:
        while handle.recv(4096):
            got += 1
    except BlockingIOError:
        return got
    return got


def hello(name: str) -> bytes:
    """A TLS ClientHello that names a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def send(client: Client, address: str, port: int, octets: bytes) -> None:
    with client.socket(socket.AF_INET, socket.SOCK_STREAM) as handle:
        handle.settimeout(10)
        handle.connect((address, port))
        handle.sendall(octets)


def found(stack: Stack, mark: str) -> list[str]:
    return [hit for name in SEARCHED if (stack.folder / name).exists() for hit in search(stack.folder / name, [mark])]


@pytest.fixture(scope="module")
def planted(stack: Stack, officer: Officer, find: Find) -> int:
    """The household's traffic with marks in it; how many of the ten thousand were answered."""
    laptop = stack.join("registered-laptop")
    seen = find("unregistered-device", laptop.mac)
    officer.register(seen, standing="registered", label="laptop", reason="The person's own.")
    wait_until(lambda: _registered(stack), what="the box to register it", seconds=20)

    phone = stack.join("household-phone")
    strangers = [stack.join("unregistered-phone", mac=f"02:00:00:ca:00:{number:02x}") for number in range(STRANGERS)]
    officer.register(
        find("unregistered-device", phone.mac), standing="household", label="phone", reason="The partner's."
    )
    names = [f"{THEIRS}-{number:05d}.example" for number in range(NAMES - 2 * 100)]
    names += [f"bücher-{THEIRS}-{number}.example".encode("idna").decode() for number in range(100)]
    names += [f"{THEIRS}-{number}.listed.example" for number in range(100)]
    answered = ask((phone, *strangers), names)
    address = next(item for item in laptop.resolve("www.news.example") if ":" not in item)
    for number in range(HELLOS):
        client = phone if number % 2 else strangers[0]
        send(client, address, 443, hello(f"{THEIRS}-tls-{number}.listed.example"))
        host = f"{THEIRS}-http-{number}.listed.example"
        send(client, address, 80, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    laptop.lookup(f"{OWN}.listed.example")
    find("listed-name", laptop.mac)
    return answered  # the whole household goes with the module's stack


def _registered(stack: Stack) -> bool:
    with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as box:
        return bool(box.execute("select 1 from device where standing = 'registered'").fetchone())


def _heard(stack: Stack) -> int:
    """Messages of the tap on name look-ups, as the box says: every question passed the sensor's eyes."""
    with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as server:
        (text,) = server.execute("select status from site").fetchone()
    return sum(tap["messages"] for tap in json.loads(text)["taps"] if tap["name"] == "dns")


@pytest.mark.req("R55", "R56", "R18", "N2")
def test_no_name_of_theirs_is_in_any_file(stack: Stack, planted: int) -> None:
    assert planted > 1000, "the box answered what its far end answered at this rate"
    wait_until(lambda: _heard(stack) >= NAMES, what="the box to say how many it heard", seconds=30)
    backup = stack.folder / "dashboard" / "backup.db"
    stack._dashboard("backup", str(backup))
    assert backup.exists()
    own = found(stack, OWN)
    assert {hit.split(":")[0] for hit in own} & {"keeper.db", "keeper.db-wal"}, "the search finds what may be kept"
    assert {hit.split(":")[0] for hit in own} & {"dashboard.db", "dashboard.db-wal"}
    assert found(stack, THEIRS) == []


@pytest.mark.req("R55", "N2")
def test_dnsmasq_writes_nothing_down(stack: Stack, planted: int) -> None:
    """The household's folder holds the router's files: leases, configuration, logs. Not those of the internet's side."""
    assert planted
    router = [path for path in (stack.folder / "household").rglob("*") if path.is_file()]
    assert router
    assert [hit for hit in search(stack.folder / "household", [THEIRS]) if not hit.startswith("internet")] == []


@pytest.mark.req("R55", "N2")
def test_a_crash_leaves_no_core_file(stack: Stack, planted: int) -> None:
    assert planted
    for room, pid in stack.room_pids().items():
        limits = Path(f"/proc/{pid}/limits").read_text()
        (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert line.split()[4:6] == ["0", "0"], room
        assert Path(f"/proc/{pid}/mem").stat().st_uid == 0, f"{room}: not its own user's to read"
    before = stack.room_pids()["sensor"]
    kill(before, signal.SIGSEGV)  # a process of this run
    wait_until(lambda: stack.room_pids().get("sensor") not in {None, before}, what="a new sensor", seconds=20)
    assert not [path for path in stack.folder.rglob("core*") if path.is_file() and path.stat().st_size > 100_000]
    assert found(stack, THEIRS) == []


@pytest.mark.req("R55")
def test_another_process_of_its_user_may_not_trace_it(stack: Stack) -> None:
    if stack.why_one_user:
        pytest.skip(stack.why_one_user)
    pid = stack.room_pids()["sensor"]
    uid = Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[0]
    read = f"open('/proc/{pid}/mem', 'rb')"
    done = run(
        ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", sys.executable, "-c", read],
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode != 0
    assert b"PermissionError" in done.stderr
