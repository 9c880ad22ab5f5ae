from __future__ import annotations

import hashlib
import re
import select
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.courier import releases
from appliance.courier.fetch import Limits
from appliance.courier.releases import ReleaseFetcher
from appliance.messages import ReleaseFetched, ReleaseWanted

BODY = bytes(range(256)) * 400
SHA = hashlib.sha256(BODY).hexdigest()


class Server:
    """One file, sent as far as the test says."""

    def __init__(self) -> None:
        self.ranges: list[str | None] = []
        self.body = BODY
        self.stop_after: int | None = None
        """Octets after which the next answer ends, though more were promised."""
        self.knows_ranges = True
        self.status = 200
        self.hold = threading.Event()
        self.hold.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                outer.ranges.append(asked)
                start = 0
                if asked and outer.knows_ranges and (found := re.fullmatch(r"bytes=(\d+)-", asked)):
                    start = int(found[1])
                self.send_response(outer.status if outer.status != 200 else 206 if start else 200)
                rest = outer.body[start:]
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(outer.body) - 1}/{len(outer.body)}")
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                cut, outer.stop_after = outer.stop_after, None
                self.wfile.write(rest if cut is None else rest[:cut])
                self.wfile.flush()
                outer.hold.wait(20)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/b.raucb"

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def fetcher(tmp_path: Path) -> ReleaseFetcher:
    return ReleaseFetcher(tmp_path, limits=Limits(connect=2, idle=2, total=20), reserve=0)


def _until(fetcher: ReleaseFetcher) -> list[ReleaseFetched]:
    """Words up to the last of a wish."""
    words: list[ReleaseFetched] = []
    while not words or words[-1].outcome == "on-its-way":
        assert select.select([fetcher], [], [], 20)[0], "nothing was said"
        words += fetcher.take()
    return words


def _want(server: Server, *, sha256: str = SHA, size: int = len(BODY)) -> ReleaseWanted:
    return ReleaseWanted(sha256=sha256, url=server.url, size=size)


@pytest.mark.req("R4")
def test_a_file_that_is_cut_off_is_fetched_on(
    server: Server, fetcher: ReleaseFetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "STEP", 20_000)
    server.stop_after = 50_000
    fetcher.want(_want(server))
    (*_progress, failed) = _until(fetcher)
    assert failed.outcome == "failed"
    assert (tmp_path / "release" / f"{SHA}.part").exists()
    fetcher.want(_want(server))
    words = _until(fetcher)
    assert words[-1] == ReleaseFetched(sha256=SHA, outcome="whole", octets=len(BODY))
    assert [word.octets for word in words[:-1]] == sorted({word.octets for word in words[:-1]})
    assert server.ranges[0] is None
    assert re.fullmatch(r"bytes=[1-9]\d*-", str(server.ranges[1]))
    assert (tmp_path / "release" / f"{SHA}.raucb").read_bytes() == BODY
    fetcher.want(_want(server))
    assert _until(fetcher)[-1].outcome == "whole"
    assert len(server.ranges) == 2, "what is there is not fetched again"


def test_a_server_that_knows_no_ranges_sends_all_of_it_again(
    server: Server, fetcher: ReleaseFetcher, tmp_path: Path
) -> None:
    server.stop_after, server.knows_ranges = 50_000, False
    fetcher.want(_want(server))
    assert _until(fetcher)[-1].outcome == "failed"
    fetcher.want(_want(server))
    assert _until(fetcher)[-1].outcome == "whole"
    assert (tmp_path / "release" / f"{SHA}.raucb").read_bytes() == BODY


@pytest.mark.req("R4")
@pytest.mark.parametrize(
    ("fault", "says"),
    [("another", "not the file"), ("longer", "more than"), ("missing", "answered 404"), ("no room", "no room")],
)
def test_what_is_not_the_file_is_not_kept(server: Server, tmp_path: Path, fault: str, says: str) -> None:
    fetcher = ReleaseFetcher(
        tmp_path, limits=Limits(connect=2, idle=2, total=20), reserve=2**60 if fault == "no room" else 0
    )
    match fault:
        case "another":
            server.body = BODY[:-1] + b"x"
        case "longer":
            server.body = BODY + b"x"
        case _:
            server.status = 404
    fetcher.want(_want(server))
    (word,) = _until(fetcher)
    assert word.outcome == "failed"
    assert says in word.detail
    left = [path for path in (tmp_path / "release").iterdir() if path.stat().st_size]
    assert left == []


@pytest.mark.req("R4")
def test_a_new_wish_ends_the_one_before_and_only_one_file_lies_there(
    server: Server, fetcher: ReleaseFetcher, tmp_path: Path
) -> None:
    server.stop_after = 1000
    server.hold.clear()
    fetcher.want(_want(server))
    while not server.ranges:
        select.select([], [], [], 0.01)
    other = hashlib.sha256(BODY[:500]).hexdigest()
    server.body = BODY[:500]
    fetcher.want(_want(server, sha256=other, size=500))
    server.hold.set()
    words: list[ReleaseFetched] = []
    while not any(word.outcome == "whole" for word in words):
        words += _until(fetcher)
    assert words[-1].sha256 == other
    assert [path.name for path in (tmp_path / "release").iterdir()] == [f"{other}.raucb"]
