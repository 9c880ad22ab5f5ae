"""A bundle of a real box: asked for by two people at the pages, carried while processes die, and found to hold."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import verify
from lab.officer import Officer
from lab.service import wait_until
from lab.stack import SITE, Stack
from wire.keys import key_id, public_text, read_signing

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
PAGE = f"/households/{SITE}/handed"


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def kill(stack: Stack, name: str) -> None:
    """SIGKILL of a process that this run started, by its id; its supervisor starts it again."""
    os.kill(stack.room_pids()[name] if name == "keeper" else stack.server_pid(name), signal.SIGKILL)


def ask(officer: Officer, **fields: str) -> str:
    """Ask for a bundle; the page of the order."""
    today = datetime.now(UTC)
    days = {"since": f"{today - timedelta(days=1):%d/%m/%Y}", "until": f"{today + timedelta(days=1):%d/%m/%Y}"}
    said = officer.fill(PAGE, "/handed", **days, **fields)
    found = re.search(r'action="(/commands/[a-z0-9-]+)/take-back"', said)
    assert found is not None, said
    return found[1]


def download(officer: Officer) -> bytes:
    """The first bundle that is ready."""
    found = re.search(rf'href="({PAGE}/[a-z0-9-]+/file)"', officer.get(PAGE))
    assert found is not None
    wanted = urllib.request.Request(officer._url + found[1])  # noqa: S310 - the run's own pages
    with officer._opener.open(wanted, timeout=10) as response:
        return bytes(response.read())


@pytest.mark.req("R68", "N3", "N12")
def test_two_people_get_a_bundle_that_holds_though_processes_die_on_its_way(stack: Stack, tmp_path: Path) -> None:
    one, two = stack.officer("evidence-one"), stack.officer("evidence-two")
    stack.join("unregistered-phone")
    confirmed = "select 1 from ledger_head where cosignature is not null"
    wait_until(
        lambda: (
            rows(stack.keeper_database, "select 1 from ledger where kind = 'finding'")
            and rows(stack.keeper_database, confirmed)
        ),
        what="a finding and a confirmed head",
        seconds=60,
        pause=0.3,
    )

    order = ask(one, purpose="evidence", device="", reason="A hearing")
    asked = order.rpartition("/")[2]
    held = f"select state from command where command_id = '{asked}'"  # noqa: S608 - an id of this run
    assert rows(stack.database, held) == [("needs-second",)]
    assert f'{order}/agree"' not in one.get(order), "who asked cannot agree"
    two.fill(order, "/agree", reason="I looked at it")

    bundle = "select state from bundle"
    wait_until(lambda: rows(stack.keeper_database, bundle), what="the order to reach the box", pause=0.05)
    kill(stack, "keeper")
    wait_until(lambda: rows(stack.database, bundle), what="the bundle to be built", seconds=30)
    kill(stack, "ingest")
    wait_until(lambda: rows(stack.database, bundle) == [("complete",)], what="all of it to come", seconds=60, pause=0.3)

    wait_until(lambda: not rows(stack.keeper_database, bundle), what="the box to delete its own", pause=0.3)
    raw = download(one)
    name = tmp_path / "bundle.zip"
    name.write_bytes(raw)
    keys = {who: public_text(read_signing(stack.folder / "keys" / f"{who}-signing.pem")) for who in ("box", "server")}
    known = [f"--{who}={key_id(key)}" for who, key in keys.items()]
    known.append(f"--issuer={key_id(public_text(stack.issuer))}")
    checker = Path(verify.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", checker, name, *known], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check = verify.Check(raw).run()
    assert check.given["second"] is not None
    assert check.given["second"] != check.given["by"]
    kinds = {row[1] for row in check.rows}
    assert {"finding", "coverage", "authority"} <= kinds
    (finding,) = [row for row in check.rows if row[1] == "finding"][:1]
    assert finding[12] is not None, "an unknown device's finding is given"
    assert len(check.leaves) >= len(check.rows) > 10
    views = rows(stack.database, "select count(*) from audit where action = 'download-bundle'")
    assert views == [(1,)]
