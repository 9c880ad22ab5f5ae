from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from appliance import link
from appliance.messages import Status
from appliance.upkeep import vitals


@pytest.fixture
def resolver() -> Callable[[str], int]:
    """A resolver on loopback that answers one question; its port."""

    def make(address: str) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            with sock:
                raw, peer = sock.recvfrom(512)
                answer = dns.message.make_response(dns.message.from_wire(raw))
                if address:
                    answer.answer.append(dns.rrset.from_text(answer.question[0].name, 60, "IN", "A", address))
                else:
                    answer.set_rcode(dns.rcode.SERVFAIL)
                sock.sendto(answer.to_wire(), peer)

        port = int(sock.getsockname()[1])
        threading.Thread(target=serve, daemon=True).start()
        return port

    return make


def test_names_are_answered_or_not(resolver: Callable[[str], int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert vitals.answers("127.0.0.1", "gatehouse.home.arpa", port=resolver("192.0.2.1")) == 1
    assert vitals.answers("127.0.0.1", ".", port=resolver("")) == 0
    monkeypatch.setattr(vitals, "PATIENCE", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert vitals.answers("127.0.0.1", ".", port=deaf.getsockname()[1]) is None


def test_an_access_point_that_answers_is_up(short_path: Path) -> None:
    assert not vitals.access_point_up(short_path / "none")
    peers: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hostapd:
        hostapd.bind(str(short_path / "wlan0"))

        def serve() -> None:
            _ping, peer = hostapd.recvfrom(64)
            peers.append(peer)
            hostapd.sendto(b"PONG\n", peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert vitals.access_point_up(short_path)
        thread.join(5)
    assert peers[0].startswith(b"\0"), "no path: hostapd has a /tmp of its own (PrivateTmp=)"
    assert not vitals.access_point_up(short_path), "nobody is behind it any more"


def test_a_server_of_addresses_is_seen_in_the_kernels_table(tmp_path: Path) -> None:
    assert not vitals.gives_addresses(tmp_path)
    (tmp_path / "net").mkdir()
    head = "  sl  local_address rem_address   st\n"
    (tmp_path / "net/udp").write_text(head + "  10: 00000000:0035 00000000:0000 07\n")
    assert not vitals.gives_addresses(tmp_path)
    (tmp_path / "net/udp").write_text(head + "  10: 00000000:0043 00000000:0000 07\n")
    assert vitals.gives_addresses(tmp_path)


def test_the_keeper_says_which_processes_are_there(short_path: Path) -> None:
    path = short_path / "status.sock"
    assert vitals.processes(path) == frozenset()
    listener = link.listen(path)
    status = Status(
        recording=False, authority="", devices=0, open_findings=0, outbox=0, broker_connected=True,
        sensor_connected=True, warden_connected=False, mask_generation=0, taps=(),
    )  # fmt: skip

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.setblocking(True)
            sock.recv(4096)
            link.Link(sock).send(status)
            sock.setblocking(True)
            sock.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    listener.setblocking(True)
    thread.start()
    assert vitals.processes(path) == {"keeper", "sensor", "server"}
    thread.join(5)
    listener.close()
