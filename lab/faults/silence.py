"""A box that falls silent, and a server that was away: who says so, and when.

The box's processes are killed while their supervisor is held; the time to the finding is taken at the dashboard's tables. Then the
box comes back; then ingest is away for longer than a box may be silent, and accuses nobody when it is back. Bounded: one
box, one silence, waits of `PATIENCE` seconds at most. Ends only processes that this run started, by their ids.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

from lab.faults.result import Result, Say
from lab.service import wait_until
from lab.stack import SITE, Stack
from wire.files import replace

NAME = "silence"
PROMISE = "silence of a box is raised within 3 minutes of its last word, and never because the server was away"
KEPT_SECONDS = 180.0
PATIENCE = 240.0
SHORT_LIMIT = 15.0
"""In the short form; the lab's box says something every 10 s."""
_LONG_LIMIT = 150.0


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    limit = SHORT_LIMIT if short else _LONG_LIMIT
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with Stack(folder, poll_seconds=0.5) as stack:
        stack.wait_ready(60)
        if short:
            _restart_ingest(stack, limit)
        wait_until(lambda: _heard(stack) > 0, what="the box to be heard", seconds=60)
        _kill(stack)
        wait_until(lambda: _silences(stack, "open") == 1, what="silence to be said", seconds=PATIENCE)
        seconds = time.time() - _heard(stack)
        say(f"said {seconds:.1f} s after the last word")
        os.kill(stack.server_pid("box"), signal.SIGKILL)  # the lab starts it again
        began = time.monotonic()
        wait_until(lambda: _silences(stack, "closed") == 1, what="the finding to be closed", seconds=PATIENCE)
        back = time.monotonic() - began
        say(f"closed {back:.1f} s after the box was started")
        away = limit + 10
        stack.services.end("ingest")
        time.sleep(away)
        _start_ingest(stack)
        wait_until(lambda: _listens(stack), what="ingest to listen again", seconds=60)
        time.sleep(limit / 3)
        accused = _silences(stack, "open")
    return Result(
        kept=seconds <= (KEPT_SECONDS if not short else limit + 15) and accused == 0,
        figures={
            "set to": f"{limit:g} s",
            "silence said": f"{seconds:.1f} s after the last word",
            "closed": f"{back:.1f} s after the box was started again",
            "accused because the server was away": f"{accused}, after {away:g} s away",
        },
        remarks=("The box's processes are killed, so the broker says at once that the connection ended.",),
    )


def _kill(stack: Stack) -> None:
    """End the box at once: its supervisor is held first, so that nobody starts anything again."""
    os.kill(stack.server_pid("box"), signal.SIGSTOP)
    for pid in stack.room_pids().values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _restart_ingest(stack: Stack, limit: float) -> None:
    path = stack.folder / "dashboard" / "ingest.toml"
    stack.services.end("ingest")
    replace(path, f"silent_seconds = {limit}\n".encode() + path.read_bytes())
    _start_ingest(stack)


def _start_ingest(stack: Stack) -> None:
    config = stack.folder / "dashboard" / "ingest.toml"
    stack.services.start("ingest", stack.home.hq, [sys.executable, "-m", "dashboard.ingest", "--config", str(config)])


def _silences(stack: Stack, state: str) -> int:
    return int(_of_server(stack, "select count(*) from finding where kind = 'box-silent' and state = ?", state))


def _heard(stack: Stack) -> float:
    return _of_server(stack, "select coalesce(max(heard_at), 0) from site where site = ?", SITE)


def _listens(stack: Stack) -> bool:
    now = time.time()
    return _of_server(stack, "select count(*) from watchman where at > ?", now - 10) == 1


def _of_server(stack: Stack, question: str, value: object) -> float:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as connection:
        return float(connection.execute(question, (value,)).fetchone()[0])
    return 0.0
