"""The thread that fetches, and the wishes that wait for it, so that the broker never waits for a list server.

In: `ListWanted`. Out: one `Fetched` for each, behind a descriptor that a selector can wait on.
Bounded: one fetch at a time, `MAX_QUEUE` wanted; more are answered `failed` at once and counted.
Only ids of lists that the settings name are fetched, whoever asks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Mapping
from pathlib import Path

from appliance.courier.fetch import Fetched, Limits, failed, fetch, trust
from appliance.messages import ListWanted
from wire.files import FileError

MAX_QUEUE = 64

_log = logging.getLogger(__name__)


class Fetcher:
    """Fetches one wish after the other."""

    def __init__(self, *, authorities: Mapping[str, Path | None], folder: Path, limits: Limits | None = None) -> None:
        """`authorities`: lists that may be fetched, each with the CA file of its server where it has its own."""
        self._authorities = authorities
        self._folder = folder
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._turn = 0
        self._wanted: queue.Queue[tuple[int, ListWanted]] = queue.Queue(MAX_QUEUE)
        self._done: queue.Queue[Fetched] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.overflow = 0
        """Wishes refused because too many waited."""

    def fileno(self) -> int:
        """Readable when `take` has something."""
        return self._wake_read

    def want(self, wanted: ListWanted) -> None:
        """Fetch this when its turn comes; the answer is in `take`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fetching", daemon=True)
            self._thread.start()
        try:
            self._wanted.put_nowait((self._turn, wanted))
        except queue.Full:
            self.overflow += 1
            self._finish(self._turn, failed(wanted, "too many files are wanted at once"))

    def take(self) -> list[Fetched]:
        """What was fetched, or failed, since the last call. The caller owns the descriptors."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        found: list[Fetched] = []
        while True:
            try:
                found.append(self._done.get_nowait())
            except queue.Empty:
                return found

    def forget(self) -> None:
        """Who wanted it is gone: drop what waits, what came, and what is still coming."""
        with self._lock:
            self._turn += 1
        while True:
            try:
                self._wanted.get_nowait()
            except queue.Empty:
                break
        for fetched in self.take():
            _drop(fetched)

    def _work(self) -> None:
        while True:
            turn, wanted = self._wanted.get()
            if turn == self._turn:
                self._finish(turn, self._one(wanted))

    def _one(self, wanted: ListWanted) -> Fetched:
        if wanted.list_id not in self._authorities:
            return failed(wanted, "box.toml names no such list")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            context = trust(self._authorities[wanted.list_id])
        except FileError as error:
            return failed(wanted, str(error))
        except OSError as error:
            return failed(wanted, f"the file could not be kept: {error.strerror or error}")
        try:
            return fetch(wanted, context=context, folder=self._folder, limits=self._limits)
        except Exception as error:  # noqa: BLE001 - were this thread to die, no later wish would be answered
            _log.exception("a list could not be fetched")
            return failed(wanted, f"fetching went wrong: {error}")

    def _finish(self, turn: int, fetched: Fetched) -> None:
        with self._lock:
            if turn != self._turn:
                _drop(fetched)
                return
            self._done.put(fetched)
        with contextlib.suppress(BlockingIOError):  # so much waits that one more wake-up says nothing new
            os.write(self._wake_write, b"!")


def _drop(fetched: Fetched) -> None:
    if fetched.descriptor is not None:
        os.close(fetched.descriptor)
