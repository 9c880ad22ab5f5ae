"""Fetching from a real server on loopback: one that is well, and every way in which one is not."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.courier import fetch as under_test
from appliance.courier.fetch import Fetched, Limits, fetch, nameless, trust
from appliance.messages import ListWanted
from lab.pki import CertificateAuthority
from wire.files import FileError

BODY = b"bets.example\nwagers.example\n"
Reply = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A web server whose answers a test chooses by path."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append((self.path, dict(self.headers)))
                self.close_connection = True
                outer.replies[self.path](self)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "http" if context is None else "https"
        self._server.handle_error = lambda *_args: None  # type: ignore[method-assign] # hung up on, on purpose
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self._server.server_address[1]}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(status: int = 200, body: bytes = BODY, length: int | None = -1, **headers: str) -> Reply:
    """Send a status, headers and a body; `length` None says none, -1 the true one."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if length is not None:
            handler.send_header("Content-Length", str(len(body) if length == -1 else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def get(server: Server, tmp_path: Path) -> Callable[..., Fetched]:
    def run(
        path: str = "/list",
        *,
        most: int = 1000,
        etag: str | None = None,
        url: str | None = None,
        limits: Limits | None = None,
        ca: Path | None = None,
    ) -> Fetched:
        wanted = ListWanted(list_id="gambling", url=url or server.url(path), etag=etag, most=most)
        return fetch(wanted, context=trust(ca), folder=tmp_path, limits=limits or Limits(connect=2, idle=0.2, total=20))

    return run


def content(fetched: Fetched) -> bytes:
    assert fetched.descriptor is not None, fetched.message.detail
    with os.fdopen(fetched.descriptor, "rb") as file:
        return file.read()


def refused(fetched: Fetched) -> str:
    assert fetched.message.outcome == "failed"
    assert fetched.descriptor is None
    return fetched.message.detail


def test_a_file_comes_whole_and_has_no_name(server: Server, get: Callable[..., Fetched], tmp_path: Path) -> None:
    server.replies["/list"] = answer(ETag='"v3"')
    fetched = get()
    assert fetched.message.outcome == "new"
    assert fetched.message.etag == '"v3"'
    assert fetched.descriptor is not None
    assert os.fstat(fetched.descriptor).st_nlink == 0
    assert stat.S_IMODE(os.fstat(fetched.descriptor).st_mode) == 0o600
    assert list(tmp_path.iterdir()) == []
    assert content(fetched) == BODY


def test_the_same_etag_is_the_same_file(server: Server, get: Callable[..., Fetched]) -> None:
    server.replies["/list"] = answer(304, b"", length=None, ETag='"v3"')
    fetched = get(etag='"v3"')
    assert (fetched.message.outcome, fetched.message.etag, fetched.descriptor) == ("same", '"v3"', None)
    assert server.asked[0][1]["If-None-Match"] == '"v3"'
    assert "304" in refused(get()), "nobody asked for that"


def test_asks_for_no_compression_and_tells_nothing_of_itself(server: Server, get: Callable[..., Fetched]) -> None:
    server.replies["/list"] = answer()
    content(get())
    headers = server.asked[0][1]
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"] == "gatehouse"
    assert "Authorization" not in headers
    assert "Cookie" not in headers


def test_the_environment_s_proxy_is_not_used(
    server: Server, get: Callable[..., Fetched], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.replies["/list"] = answer()
    assert content(get()) == BODY


def test_nobody_there(get: Callable[..., Fetched]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert refused(get(url=f"http://127.0.0.1:{port}/list")) == "the server is not reached"


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://127.0.0.1:99999/", "http://\N{SNOWMAN}..example/"])
def test_addresses_that_are_none(get: Callable[..., Fetched], url: str) -> None:
    assert refused(get(url=url))


@pytest.mark.parametrize(("status", "says"), [(404, "404"), (500, "500"), (204, "204"), (206, "206")])
def test_other_answers_are_no_file(server: Server, get: Callable[..., Fetched], status: int, says: str) -> None:
    server.replies["/list"] = answer(status, b"")
    assert says in refused(get())


def test_larger_than_said_or_unsaid_is_cut_off(server: Server, get: Callable[..., Fetched], tmp_path: Path) -> None:
    big = b"x" * 5000
    server.replies["/honest"] = answer(body=big)
    assert refused(get("/honest")) == "it has 5,000 octets, the most is 1,000"
    server.replies["/silent"] = answer(body=big, length=None)
    assert refused(get("/silent")) == "it has more than 1,000 octets"
    server.replies["/negative"] = answer(body=big, length=-5000)
    assert refused(get("/negative"))
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_ends_early_is_no_file(server: Server, get: Callable[..., Fetched]) -> None:
    server.replies["/list"] = answer(length=len(BODY) + 10)
    assert refused(get()) == "the server hung up in the middle"


def test_compressed_is_not_unfolded_past_the_bound(server: Server, get: Callable[..., Fetched]) -> None:
    import gzip

    server.replies["/list"] = answer(body=gzip.compress(b"x" * 1_000_000), Content_Encoding="gzip")
    assert refused(get(most=2000)) == "it has more than 2,000 octets"


@contextmanager
def dripping(server: Server, *, before: bytes, every: float) -> Iterator[None]:
    """A server that sends an octet now and then."""
    over = threading.Event()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(before)
        while not over.wait(every):
            handler.wfile.write(b"x")

    server.replies["/list"] = reply
    yield
    over.set()


def test_a_silent_server_is_given_up(server: Server, get: Callable[..., Fetched]) -> None:
    with dripping(server, before=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxx", every=60):
        assert refused(get()) == "the server does not answer in time"


@pytest.mark.parametrize(
    "before",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HT"],
    ids=["body", "header", "status"],
)
def test_a_server_that_drips_is_cut_at_the_end(server: Server, get: Callable[..., Fetched], before: bytes) -> None:
    with dripping(server, before=before, every=0.02):
        assert refused(get(limits=Limits(connect=2, idle=5, total=0.3))) == "the server took too long"


def test_redirects_are_followed_a_few_times(server: Server, get: Callable[..., Fetched]) -> None:
    server.replies["/a"] = answer(302, b"", Location="/b")
    server.replies["/b"] = answer(308, b"", Location=server.url("/list"))
    server.replies["/list"] = answer()
    assert content(get("/a")) == BODY
    server.replies["/round"] = answer(301, b"", Location="/round")
    assert refused(get("/round")) == "the server sends on more than 3 times"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::1/", ""])
def test_redirects_to_elsewhere_are_not_followed(server: Server, get: Callable[..., Fetched], target: str) -> None:
    server.replies["/a"] = answer(302, b"", Location=target)
    assert "sends on" in refused(get("/a"))


def test_an_etag_that_cannot_be_sent_back_is_dropped(server: Server, get: Callable[..., Fetched]) -> None:
    server.replies["/list"] = answer(ETag='"' + "x" * 300 + '"')
    fetched = get()
    assert fetched.message.etag is None
    content(fetched)


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path / "pki")


@pytest.fixture
def secure(authority: CertificateAuthority) -> Iterator[Server]:
    issued = authority.issue("lists", addresses=("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    made = Server(context)
    yield made
    made.close()


def test_https_by_the_authority_of_the_settings(
    secure: Server, authority: CertificateAuthority, get: Callable[..., Fetched]
) -> None:
    secure.replies["/list"] = answer()
    assert content(get(url=secure.url("/list"), ca=authority.certificate_path)) == BODY
    assert "certificate does not hold" in refused(get(url=secure.url("/list")))


def test_https_never_steps_down(
    secure: Server, server: Server, authority: CertificateAuthority, get: Callable[..., Fetched]
) -> None:
    server.replies["/list"] = answer()
    secure.replies["/a"] = answer(302, b"", Location=server.url("/list"))
    says = refused(get(url=secure.url("/a"), ca=authority.certificate_path))
    assert says == "the server sends on from https to http"


def test_no_certificate_authority_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        trust(tmp_path / "none.pem")
    (tmp_path / "bad.pem").write_text("nothing")
    with pytest.raises(FileError, match="not a PEM"):
        trust(tmp_path / "bad.pem")


def test_a_file_system_without_nameless_files_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def without(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return real(path, flags, mode)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", without)
        descriptor = nameless(tmp_path)
    assert os.fstat(descriptor).st_nlink == 0
    os.close(descriptor)


def test_a_full_disk_is_said(server: Server, get: Callable[..., Fetched], monkeypatch: pytest.MonkeyPatch) -> None:
    server.replies["/list"] = answer()

    def full(_response: object, _descriptor: int, _most: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(under_test, "_keep", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert refused(get()) == "the file could not be kept: No space left on device"
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2  # the server's own end may still be closing


def test_certificates_of_the_lab_hold_for_a_while(authority: CertificateAuthority) -> None:
    """Else the tests above would prove nothing but an expiry."""
    from cryptography import x509

    issued = authority.issue("lists", addresses=("127.0.0.1",))
    certificate = x509.load_pem_x509_certificate(Path(issued.certificate).read_bytes())
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(minutes=5)
