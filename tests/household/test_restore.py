"""The dashboard is restored from a backup while the box runs: both go on, and what is missing is said (N15, N17)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress

import pytest

from lab.officer import Officer
from lab.service import wait_until
from lab.stack import SITE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.req("N15", "N17")]
PATIENCE = 60.0


def _of(stack: Stack, question: str, *values: object) -> object:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as connection:
        return connection.execute(question, values).fetchone()[0]
    return None


def _wait(stack: Stack, what: str, question: str, *values: object) -> None:
    wait_until(lambda: bool(_of(stack, question, *values)), what=what, seconds=PATIENCE)


def _asked(stack: Stack, officer: Officer, mac: str) -> object:
    """Register a device; the number of the command, once the box has followed it."""
    found = next(seen for seen in officer.findings(SITE) if mac in seen.macs)
    officer.register(found, standing="registered", label=mac[-2:], reason="for the test")
    which = "from command where state = 'applied' and body like ?"
    _wait(stack, "the box's answer", f"select count(*) {which}", f"%label%{mac[-2:]}%")
    return _of(stack, f"select sequence {which}", f"%label%{mac[-2:]}%")


def _cli(stack: Stack, *arguments: str) -> None:
    config = stack.folder / "dashboard" / "dashboard.toml"
    command = [sys.executable, "-m", "dashboard.cli", "--config", str(config), *arguments]
    subprocess.run(command, check=True, capture_output=True)


def _start(stack: Stack) -> None:
    """Ingest and pages, on the restored file; the pages on the socket they had."""
    folder, python, own = stack.folder / "dashboard", [sys.executable, "-m"], stack._own.fileno()
    ingest = [*python, "dashboard.ingest", "--config", str(folder / "ingest.toml")]
    pages = [*python, "dashboard.web", "--config", str(folder / "dashboard.toml"), "--fd", str(own)]
    stack.services.start("ingest", stack.home.hq, ingest)
    stack.services.start("pages", stack.home.hq, pages, pass_fds=(own,))


def _seen(officer: Officer, mac: str) -> bool:
    return any(mac in seen.macs for seen in officer.findings(SITE))


def test_a_running_box_and_a_restored_dashboard_go_on(new_stack: Callable[..., AbstractContextManager[Stack]]) -> None:
    first, second, third = (f"02:00:5e:00:53:{number:02x}" for number in (0x61, 0x62, 0x63))
    with new_stack() as stack:
        officer = stack.officer("before")
        stack.join("registered-laptop", mac=first)
        wait_until(lambda: _seen(officer, first), what="the first device", seconds=PATIENCE)
        _wait(stack, "a confirmed head", "select count(*) from ledger_head where verdict = 'cosigned'")
        _cli(stack, "backup", str(stack.folder / "copy"))
        size = _of(stack, "select max(size) from ledger_head where verdict = 'cosigned'")
        stack.join("registered-laptop", mac=second)
        wait_until(lambda: _seen(officer, second), what="the second device", seconds=PATIENCE)
        _wait(stack, "a later head", "select count(*) from ledger_head where verdict = 'cosigned' and size > ?", size)

        before = _asked(stack, officer, second)
        for name in ("ingest", "pages"):
            stack.services.end(name)
        restored = time.time()
        _cli(stack, "restore", "--replace", str(stack.folder / "copy"))
        assert _of(stack, "select max(size) from ledger_head where verdict = 'cosigned'") == size
        _start(stack)
        _wait(stack, "the box to be heard", "select count(*) from site where heard_at > ?", restored)

        stack.join("registered-laptop", mac=third)
        _wait(
            stack,
            "what is new",
            "select count(*) from event where received_at > ? and payload like ?",
            restored,
            f"%{third}%",
        )
        _wait(
            stack,
            "the log to be confirmed again",
            "select count(*) from ledger_head where verdict = 'cosigned' and received_at > ? and size > ?",
            restored,
            size,
        )
        assert _of(stack, "select count(*) from finding where kind = 'ledger-conflict'") == 0
        anew = stack.officer("after")
        wait_until(lambda: _seen(anew, third), what="the third device's finding", seconds=PATIENCE)
        after = _asked(stack, anew, third)
        assert isinstance(before, int)
        assert isinstance(after, int)
        assert after > before, "the box follows it: its number was not given before"
