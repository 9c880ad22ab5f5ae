"""The authority's power over a running box: nothing without it, an end on time, no way round it."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.enter import refusal
from lab.service import wait_until
from lab.stack import GATEHOUSE, SITE, Stack
from wire.files import replace

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
ABOUT_DEVICES = ("device", "address", "evidence", "name_visit", "finding", "outbox", "mask")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A box of its own: what one authority allowed must not be in another test's way."""
    why = refusal()
    if why is not None:
        pytest.skip(f"the lab cannot run here: {why}")
    with tempfile.TemporaryDirectory(prefix="test-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder), poll_seconds=0.5) as running:
            running.wait_ready()
            yield running


def _rows(path: Path, *tables: str) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return {table: int(db.execute(f"select count(*) from {table}").fetchone()[0]) for table in tables}


def _said(stack: Stack) -> dict[str, Any]:
    """The box's last status, as the dashboard has it."""
    with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as db:
        row = db.execute("select status from site where site = ?", (SITE,)).fetchone()
    said: dict[str, Any] = json.loads(row[0]) if row[0] else {}
    return said


def _status(stack: Stack) -> tuple[int, dict[str, Any]]:
    """`gatehouse status --json` inside the box: exit code and what it says."""
    done = stack.home.gateway.run([GATEHOUSE, "status", "--config", stack.box_config, "--json"], check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, told


def _frames(stack: Stack) -> int:
    return sum(tap["messages"] for tap in _status(stack)[1]["status"]["taps"])


def _wait_said(stack: Stack, words: str, *, recording: bool, seconds: float = 20.0) -> None:
    def told() -> bool:
        said = _said(stack)
        return words in said.get("authority", "") and said.get("recording") is recording

    wait_until(told, what=f"the dashboard to hear {words!r}", seconds=seconds)


@pytest.mark.req("R53", "N1")
def test_without_a_valid_document_nothing_about_devices_is_anywhere(stack: Stack) -> None:
    path = stack.folder / "box" / "authority.json"
    path.unlink()
    _wait_said(stack, "There is no authority document", recording=False)
    stack.issue_authority(stack.authority(), issuer=Ed25519PrivateKey.generate())
    wait_until(lambda: _status(stack)[1]["status"]["recording"] is False, what="a forged document to be refused")

    before = _frames(stack)
    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:01")
    phone.lookup("canary-of-nobody.example")
    wait_until(lambda: _frames(stack) > before + 3, what="the sensor to have heard the phone")
    code, told = _status(stack)
    assert code == 1
    assert any("keeps no records about devices" in problem for problem in told["problems"])
    assert set(_rows(stack.keeper_database, *ABOUT_DEVICES).values()) == {0}
    assert set(_rows(stack.database, "event", "device", "finding").values()) == {0}
    for folder in ("box", "dashboard", "broker", "logs"):
        for file in (stack.folder / folder).rglob("*"):
            if file.is_file():
                raw = file.read_bytes()
                assert phone.mac.encode() not in raw, file
                assert b"canary-of-nobody" not in raw, file

    stack.issue_authority(stack.authority(number=2))
    _wait_said(stack, "is in force until", recording=True)
    phone.lookup("canary-of-nobody.example")
    wait_until(lambda: _rows(stack.database, "finding")["finding"] == 1, what="the phone to be found")
    assert _rows(stack.keeper_database, "name_visit") == {"name_visit": 0}
    stack.home.leave(phone)


@pytest.mark.req("R53", "N1")
def test_a_document_that_does_not_count_changes_nothing_and_is_told(stack: Stack) -> None:
    path = stack.folder / "box" / "authority.json"
    stack.issue_authority(stack.authority(number=3))
    _wait_said(stack, "number 3, is in force", recording=True)
    held = path.read_bytes()

    stack.issue_authority(stack.authority(number=4), issuer=Ed25519PrivateKey.generate())
    _wait_said(stack, "the signature does not hold", recording=True)
    unknown = json.loads(held)
    unknown["document"]["clauses"].append({"number": "99", "kind": "telepathy"})
    replace(path, json.dumps(unknown).encode(), mode=0o644)
    _wait_said(stack, "unknown kind 'telepathy'", recording=True)
    stack.issue_authority(stack.authority(number=4).model_copy(update={"site": "site-0002"}))
    _wait_said(stack, "it is for demo/site-0002", recording=True)
    stack.issue_authority(stack.authority(number=1))
    _wait_said(stack, "it is number 1, and number 3 was accepted already", recording=True)
    assert "number 3, is in force" in _said(stack)["authority"]
    page = stack.officer("authority-officer").get(f"/households/{SITE}")
    assert "A newer file was refused" in page

    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:02")
    wait_until(lambda: _rows(stack.database, "finding")["finding"] == 2, what="the box to go on recording")
    stack.home.leave(phone)
    replace(path, held, mode=0o644)
    wait_until(lambda: "refused" not in _said(stack)["authority"], what="the refusal to be over")


@pytest.mark.req("R54", "N1")
def test_an_authority_that_ends_stops_the_box_within_a_minute(stack: Stack) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=4)
    stack.issue_authority(stack.authority(number=5, not_after=ends))
    _wait_said(stack, "expired on", recording=False, seconds=64.0)
    kept = _rows(stack.keeper_database, "device", "evidence", "finding", "name_visit")
    names = _status(stack)[1]["status"]["mask_generation"]
    before = _frames(stack)
    phone = stack.join("unregistered-phone", mac="02:00:00:c0:00:03")
    wait_until(lambda: _frames(stack) > before + 3, what="the sensor to have heard the phone")
    assert _rows(stack.keeper_database, "device", "evidence", "finding", "name_visit") == kept
    assert _rows(stack.keeper_database, "mask") == {"mask": 0}
    assert _status(stack)[1]["status"]["mask_generation"] == names
    assert "expired on" in stack.officer("expiry-officer").get(f"/households/{SITE}")
    stack.issue_authority(stack.authority(number=6))
    _wait_said(stack, "number 6, is in force", recording=True)
    stack.home.leave(phone)
