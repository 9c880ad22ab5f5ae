"""The file of a release, fetched in as many goes as it takes.

In: `ReleaseWanted`. Out: `ReleaseFetched`, and the file under its hash in this process's own folder. A go that is cut
off leaves what came (`HASH.part`), and the next one asks for the rest (RFC 9110 section 14.2); whoever sends another
file than the one that was wanted is told by the hash, and all of it goes. Statement and hash protect the content, so
plain http is taken.

Bounded: one file at a time and on the disk, of exactly the size that is wanted; a go takes `LIMITS.total` at most;
`RESERVE` octets of the disk stay free beside what root needs for its own copy; `MAX_WORDS` words wait to be taken.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import ssl
import threading
from collections import deque
from pathlib import Path

import urllib3

from appliance.courier.fetch import HEADERS, FetchError, Limits, Line, read_chunk, respond, trust
from appliance.messages import ReleaseFetched, ReleaseWanted

RESERVE = 256 * 1024**2
STEP = 8 * 1024**2
"""Octets between two words about how far it is."""
MAX_WORDS = 64
LIMITS = Limits(total=4 * 3600.0)
"""A slow line takes hours for 200 MB; what is cut off goes on."""

_log = logging.getLogger(__name__)


class ReleaseFetcher:
    """Fetches one release's file beside everything else; a new wish for another file ends the one before."""

    def __init__(self, folder: Path, *, limits: Limits = LIMITS, reserve: int = RESERVE) -> None:
        self._folder = folder / "release"
        self._limits = limits
        self._reserve = reserve
        self._lock = threading.Lock()
        self._words: deque[ReleaseFetched] = deque(maxlen=MAX_WORDS)
        self._wanted: ReleaseWanted | None = None
        self._line: Line | None = None
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """Readable when `take` has something."""
        return self._wake_read

    def want(self, wanted: ReleaseWanted) -> None:
        """Fetch this; what becomes of it is in `take`. The same wish again changes nothing while it is on its way."""
        with self._lock:
            if self._wanted == wanted:
                return
            if self._line is not None:
                self._line.cut()
            self._wanted = wanted
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="fetching a release", daemon=True)
                self._thread.start()

    def take(self) -> list[ReleaseFetched]:
        """Words since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        found: list[ReleaseFetched] = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._words.popleft())
        return found

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._wanted is None:
                    self._line = self._thread = None
                    return
                wanted, line = self._wanted, Line()
                self._line = line
            try:
                problem = self._one(wanted, line)
            except Exception as error:  # noqa: BLE001 - were this thread to die unheard, the keeper would wait
                _log.exception("a release could not be fetched")
                problem = f"fetching went wrong: {error}"
            with self._lock:  # before anything is said: who hears it may want the same again
                if self._wanted == wanted:
                    self._wanted = None
            if problem:
                self._say(wanted, "failed", 0, problem)
            else:
                self._say(wanted, "whole", wanted.size, "")

    def _say(self, wanted: ReleaseWanted, outcome: str, octets: int, detail: str) -> None:
        word = ReleaseFetched(
            sha256=wanted.sha256,
            outcome=outcome,  # type: ignore[arg-type] # one of its three
            octets=octets,
            detail=detail[:300],
        )
        self._words.append(word)
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    # --- in the thread --------------------------------------------------------------------------

    def _one(self, wanted: ReleaseWanted, line: Line) -> str:
        """Fetch what is missing of a file; why not, or nothing."""
        whole, part = self._folder / f"{wanted.sha256}.raucb", self._folder / f"{wanted.sha256}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for other in self._folder.iterdir():
                if other not in {whole, part}:
                    other.unlink()
            if whole.exists() and _hash(whole) == wanted.sha256:
                return ""
            have = part.stat().st_size if part.exists() else 0
            if have > wanted.size:
                part.unlink()
                have = 0
            free = shutil.disk_usage(self._folder).free
            if free + have < 2 * wanted.size + self._reserve:
                return f"there is no room for it: {free:,} octets are free"
            if have < wanted.size:
                with line.cut_after(self._limits.total):
                    self._rest(wanted, part, have, line, trust(None))
            if _hash(part) != wanted.sha256:
                part.unlink()
                return "what came is not the file that was wanted"
            _settle(part, whole)
        except FetchError as error:
            return "the server took too long" if line.is_cut else str(error)
        except OSError as error:
            return f"the file could not be kept: {error.strerror or error}"
        return ""

    def _rest(self, wanted: ReleaseWanted, part: Path, have: int, line: Line, context: ssl.SSLContext) -> None:
        """What is missing, behind what is there.

        Raises:
            FetchError: it does not come, or is too much.
            OSError: it cannot be written.
        """
        headers = HEADERS | ({"Range": f"bytes={have}-"} if have else {})
        with (
            line.pool(context, self._limits) as pool,
            contextlib.closing(respond(pool, wanted.url, headers)) as response,
        ):
            have = _starts_at(response, have)
            with part.open("r+b" if have else "wb") as file:
                file.seek(have)
                said = have
                while chunk := read_chunk(response):
                    have += len(chunk)
                    if have > wanted.size:
                        file.truncate(0)
                        raise FetchError(f"it has more than {wanted.size:,} octets")
                    file.write(chunk)
                    if have - said >= STEP:
                        said = have
                        self._say(wanted, "on-its-way", have, "")
                file.flush()
                os.fsync(file.fileno())
        if have < wanted.size:
            raise FetchError(f"{have:,} of {wanted.size:,} octets came; the rest is fetched later")


def _starts_at(response: urllib3.BaseHTTPResponse, have: int) -> int:
    """From which octet the answer goes on: `have`, or 0 where the server sends all of it again."""
    if response.status == 200:
        return 0
    said = response.headers.get("Content-Range", "")
    if response.status == 206 and said.startswith(f"bytes {have}-"):
        return have
    raise FetchError(f"the server answered {response.status} {response.reason or ''}".strip())


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(part: Path, whole: Path) -> None:
    part.rename(whole)
    folder = os.open(whole.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
