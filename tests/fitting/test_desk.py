from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.fitting import desk
from appliance.fitting.uplink import Desk
from lab.pki import CertificateAuthority, CertificateFiles
from wire.enrolment import MAX_ANSWER


@pytest.fixture
def pki(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path / "pki")


@pytest.fixture
def issued(pki: CertificateAuthority) -> CertificateFiles:
    return pki.issue("desk", addresses=("127.0.0.1",))


Serve = Callable[[bytes], str]


@pytest.fixture
def serve(issued: CertificateFiles) -> Iterator[Serve]:
    """One connection is answered with these octets, over TLS."""
    threads: list[threading.Thread] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)

    def start(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def once() -> None:
            with listener:
                raw, _ = listener.accept()
                try:
                    with context.wrap_socket(raw, server_side=True) as sock:
                        asked = b""
                        while not asked.endswith(b"\r\n\r\n{}"):
                            asked += sock.recv(65536)
                        sock.sendall(answer)
                        sock.unwrap()  # the rest of what was said comes over before the end
                except OSError:
                    return

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(10)


def ask(url: str, pki: CertificateAuthority) -> desk.Came:
    return desk.ask(url, pki.certificate_path.read_text(), b"{}")


def http(status: str, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def test_answers_of_a_desk(serve: Serve, pki: CertificateAuthority) -> None:
    assert ask(serve(http("200 OK", b"sealed")), pki) == desk.Came(desk=Desk.ANSWERED, answer=b"sealed")
    waiting = ask(serve(http("202 Accepted", b"waiting to be claimed\n")), pki)
    assert waiting == desk.Came(desk=Desk.WAITING, says="waiting to be claimed")
    refused = ask(serve(http("403 Forbidden", b"not \x1b[31min stock\n")), pki)
    assert (refused.desk, refused.says) == (Desk.REFUSED, "not [31min stock")
    assert len(ask(serve(http("403 Forbidden", b"x" * 9999)), pki).says) == desk.SAYS


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http("200 OK", b"x" * (MAX_ANSWER + 1)), Desk.BAD_ANSWER),
        (http("302 Found"), Desk.BAD_ANSWER),
        (http("200 OK", b"sealed")[:-2], Desk.UNREACHABLE),
        (b"SSH-2.0-else\r\n", Desk.UNREACHABLE),
        (b"", Desk.UNREACHABLE),
    ],
)
def test_what_is_no_desk_is_told(serve: Serve, pki: CertificateAuthority, answer: bytes, expected: Desk) -> None:
    assert ask(serve(answer), pki).desk is expected


@pytest.mark.req("R69")
def test_only_the_authority_of_the_card_is_believed(serve: Serve, tmp_path: Path) -> None:
    assert ask(serve(http("200 OK")), CertificateAuthority(tmp_path / "other")).desk is Desk.UNTRUSTED


def test_a_name_that_is_not_the_desks_is_not_believed(serve: Serve, pki: CertificateAuthority) -> None:
    url = serve(http("200 OK")).replace("127.0.0.1", "localhost")
    assert ask(url, pki).desk is Desk.UNTRUSTED


def test_where_nobody_is_or_the_address_is_none(pki: CertificateAuthority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert ask(f"https://127.0.0.1:{port}", pki).desk is Desk.UNREACHABLE
    assert ask("https://", pki).desk is Desk.UNREACHABLE


@pytest.mark.req("R9")
@pytest.mark.parametrize("first", [b"", b"\x16\x03\x03\x0f\xff"])
def test_what_drips_is_cut_off(pki: CertificateAuthority, monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    monkeypatch.setattr(desk, "TIMEOUT", 0.5)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            sock, _ = listener.accept()
            with sock, contextlib.suppress(OSError):
                sock.sendall(first)  # a record of TLS that never comes to its end
                while not over.wait(0.05):
                    sock.sendall(b"\0" if first else b"")

        thread = threading.Thread(target=drip)
        thread.start()
        came = ask(f"https://127.0.0.1:{listener.getsockname()[1]}", pki)
        over.set()
        thread.join(10)
    assert came.desk in {Desk.UNTRUSTED, Desk.UNREACHABLE}
