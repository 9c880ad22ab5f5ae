"""What is well on this box now: looks at kernel, programs and sockets in, names of what is well out.

Nothing is sent to the internet but one question for the name servers of the root, through the box's own resolver, as
any device asks it. Bounded: each look has `PATIENCE` seconds.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from appliance import clock, link
from appliance.messages import MessageError, Status, StatusRequest
from appliance.settings import BoxSettings
from firmware import names
from firmware.household import Household

PATIENCE = 3.0
_DHCP_SERVER = "0043"  # port 67 as /proc/net/udp writes it
_HOSTAPD = Path("/run/hostapd")


def well(settings: BoxSettings, house: Household) -> frozenset[str]:
    """Names of what is well; the words are in `appliance.upkeep.proof.WORDS`."""
    address = str(house.lan.address)
    looks: dict[str, Callable[[], bool]] = {
        "rules": rules_loaded,
        "names": lambda: answers(address, settings.notice.own_name) is not None,
        "internet": lambda: bool(answers(address, ".", "NS")),
        "addresses": gives_addresses,
        "access-point": access_point_up,
        "way-out": way_out,
    }
    found = {name for name, look in looks.items() if look()}
    return frozenset(found | processes(settings.keeper_socket("status")))


def rules_loaded() -> bool:
    """Whether the household's rules are in the kernel."""
    return f"table inet {names.TABLE}" in (_run(["nft", "list", "tables"]) or "").splitlines()


def way_out() -> bool:
    """Whether there is a default route."""
    for family in ("-4", "-6"):
        text = _run(["ip", family, "-json", "route", "show", "default"])
        with contextlib.suppress(ValueError):
            if text and json.loads(text):
                return True
    return False


def gives_addresses(proc: Path = Path("/proc")) -> bool:
    """Whether a DHCP server listens."""
    with contextlib.suppress(OSError):
        lines = (proc / "net/udp").read_text(encoding="ascii").splitlines()[1:]
        return any(line.split()[1].endswith(f":{_DHCP_SERVER}") for line in lines if len(line.split()) > 1)
    return False


def answers(server: str, name: str, kind: str = "A", *, port: int = 53) -> int | None:
    """How many records the resolver at `server` gives; None where it does not answer, 0 where it cannot find any."""
    question = dns.message.make_query(name, dns.rdatatype.from_text(kind))
    try:
        answer = dns.query.udp(question, server, timeout=PATIENCE, port=port)
    except (dns.exception.DNSException, OSError, ValueError):
        return None
    return len(answer.answer) if answer.rcode() == dns.rcode.NOERROR else 0


def access_point_up(control: Path = _HOSTAPD) -> bool:
    """Whether hostapd answers on one of its control sockets."""
    try:
        sockets = sorted(path for path in control.iterdir() if path.is_socket())[:8]
    except OSError:
        return False
    return any(_pong(path) for path in sockets)


def answers_here(radio: str, control: Path = _HOSTAPD) -> bool:
    """Whether the hostapd of this radio answers."""
    return _pong(control / radio)


def _pong(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.settimeout(PATIENCE)
        sock.bind("")  # an address without a path: hostapd sees a /tmp of its own, and could not answer into this one
        sock.connect(str(control))
        sock.send(b"PING")
        return sock.recv(64).strip() == b"PONG"
    return False


def processes(path: Path) -> frozenset[str]:
    """Which processes are there and whether the server is reached, as the keeper says at its status socket."""
    status = _status(path)
    if status is None:
        return frozenset()
    said = {
        "keeper": True,
        "sensor": status.sensor_connected,
        "warden": status.warden_connected,
        "server": status.broker_connected,
    }
    return frozenset(name for name, there in said.items() if there)


def _status(path: Path) -> Status | None:
    try:
        connection = link.connect(path)
    except OSError:
        return None
    try:
        connection.send(StatusRequest())
        until = clock.monotonic() + PATIENCE
        while (left := until - clock.monotonic()) > 0:
            select.select([connection], [], [], left)
            for message in connection.receive():
                if isinstance(message, Status):
                    return message
    except (OSError, MessageError):
        return None
    finally:
        connection.close()
    return None


def _run(argv: list[str]) -> str | None:
    try:
        ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout if ran.returncode == 0 else None
