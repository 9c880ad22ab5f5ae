"""The feed over real sockets: a collector with TLS on loopback that may be away, and one for datagrams."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dashboard.alerts.collector import Collector, CollectorError
from dashboard.alerts.feeding import AGAIN_SECONDS, Feeder
from dashboard.settings import Siem
from dashboard.store import feed, schema
from dashboard.store.queries import write_audit
from lab.pki import CertificateAuthority

NOW = 1768424649.0


class Peer:
    """A collector: takes frames of octet-counted messages (RFC 6587) until it is closed."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.lines: list[str] = []
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.arrived = threading.Condition()
        self.open: list[socket.socket] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                taken, _ = self.listener.accept()
            except OSError:
                return
            try:
                taken = self.context.wrap_socket(taken, server_side=True) if self.context else taken
                self.open.append(taken)
                self.read(taken)
            except OSError:
                taken.close()

    def read(self, taken: socket.socket) -> None:
        rest = b""
        while part := taken.recv(65536):
            rest += part
            while (found := re.match(rb"(\d+) ", rest)) and len(rest) >= found.end() + int(found[1]):
                end = found.end() + int(found[1])
                with self.arrived:
                    self.lines.append(rest[found.end() : end].decode())
                    self.arrived.notify_all()
                rest = rest[end:]

    def wait_for(self, number: int) -> list[str]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.lines) >= number, timeout=20), self.lines
            return list(self.lines)

    def drop(self) -> None:
        for one in self.open:
            # A read that waits keeps the connection alive beyond the close; the shutdown ends it at once.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.open.clear()

    def close(self) -> None:
        # An accept that waits is woken by the shutdown, not by the close.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()
        self.thread.join(10)


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path / "authority")


@pytest.fixture
def note(office: Any) -> Callable[..., None]:
    def write(*subjects: str) -> None:
        with office.engine.begin() as connection:
            for subject in subjects:
                write_audit(
                    connection, at=NOW, account_id="acc-1", action="view-household", subject=subject, outcome="shown"
                )

    return write


@pytest.fixture
def make_feeder(office: Any) -> Iterator[Callable[..., Feeder]]:
    opened: list[Collector] = []
    pause = threading.Event().wait

    def make(**settings: Any) -> Feeder:
        siem = Siem(host="127.0.0.1", **settings)
        opened.append(Collector(siem, pause=pause))
        return Feeder(engine=office.engine, tenant="northmoor", settings=siem, collector=opened[-1])

    yield make
    for one in opened:
        one.close()


def place(office: Any) -> Any:
    with office.engine.connect() as connection:
        return feed.place_of(connection, "gatehouse")


@pytest.mark.req("R66")
def test_what_is_new_arrives_once_and_in_order(office: Any, note: Any, make_feeder: Any) -> None:
    peer = Peer(None)
    feeder = make_feeder(port=peer.port, transport="tcp")
    note("before")
    feeder.go(NOW)
    note("site-1", "site-2")
    office.seed.site()
    office.seed.finding(raised_at=NOW - 1)
    feeder.go(NOW + 60)
    lines = peer.wait_for(3)
    assert ["subject=" in line for line in lines] == [True, True, False]
    assert 'subject="site-1"' in lines[0]
    assert 'finding="find-1"' in lines[2]
    feeder.go(NOW + 61)
    assert len(peer.lines) == 3
    assert place(office).sent == 3
    peer.close()


@pytest.mark.req("R66")
def test_a_collector_that_was_away_gets_all_of_it(office: Any, note: Any, make_feeder: Any) -> None:
    peer = Peer(None)
    feeder = make_feeder(port=peer.port, transport="tcp")
    feeder.go(NOW)
    note("site-1")
    feeder.go(NOW + 1)
    peer.wait_for(1)
    peer.close()
    note("site-2")
    assert feeder.go(NOW + 2) is False
    feeder.go(NOW + 3)
    assert place(office).problem
    assert feeder.wait() > AGAIN_SECONDS[0]
    back = Peer(None)
    other = make_feeder(port=back.port, transport="tcp")
    other.go(NOW + 4)
    assert ['subject="site-2"' in line for line in back.wait_for(1)] == [True], "from the last that was sent"
    assert place(office).problem == ""
    back.close()


def test_too_much_that_waits_is_left_out_and_counted(office: Any, note: Any, make_feeder: Any) -> None:
    peer = Peer(None)
    feeder = make_feeder(port=peer.port, transport="tcp", most_waiting=1000)
    feeder.go(NOW)
    note(*(f"n-{number}" for number in range(1003)))
    while feeder.go(NOW + 1):
        pass
    lines = peer.wait_for(1001)
    assert 'rows="3"' in lines[0]
    assert 'subject="n-3"' in lines[1]
    assert (place(office).dropped, place(office).sent) == (3, 1001)
    peer.close()


def test_states_that_may_still_be_overtaken_wait(office: Any, make_feeder: Any) -> None:
    peer = Peer(None)
    feeder = make_feeder(port=peer.port, transport="tcp")
    feeder.go(NOW - 60)
    office.seed.site()
    office.seed.finding(raised_at=NOW - 1)
    feeder.go(NOW)
    assert peer.lines == []
    feeder.go(NOW + feed.LAG_SECONDS)
    peer.wait_for(1)
    peer.close()


def test_over_tls_only_a_collector_of_the_authority_is_fed(
    note: Any, make_feeder: Any, authority: CertificateAuthority, tmp_path: Path
) -> None:
    files = authority.issue("collector", addresses=["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    peer = Peer(context)
    feeder = make_feeder(port=peer.port, ca=authority.certificate_path)
    feeder.go(NOW)
    note("site-1")
    feeder.go(NOW + 1)
    peer.wait_for(1)
    feeder.collector.close()  # the peer listens to one at a time: it would be its silence that is refused
    stranger = CertificateAuthority(tmp_path / "stranger")
    refuses = make_feeder(port=peer.port, ca=stranger.certificate_path)
    with pytest.raises(CollectorError, match="SSLCertVerificationError"):
        refuses.collector.send([b"x"])
    peer.close()


def test_datagrams_are_sent_one_a_line(note: Any, make_feeder: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.settimeout(20)
        feeder = make_feeder(port=taken.getsockname()[1], transport="udp")
        feeder.go(NOW)
        note("site-1")
        feeder.go(NOW + 1)
        assert taken.recv(4096).startswith(b"<110>1 ")


def test_the_place_is_kept_in_one_row(office: Any, make_feeder: Any) -> None:
    peer = Peer(None)
    make_feeder(port=peer.port, transport="tcp").go(NOW)
    make_feeder(port=peer.port, transport="tcp").go(NOW + 1)
    assert len(office.rows(schema.feed)) == 1
    peer.close()
