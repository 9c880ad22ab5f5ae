"""Kill -9 of each process and of the broker while devices join: nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing

import pytest

from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
Find = Callable[[str, str], Seen]
ROOMS = ("sensor", "keeper", "courier", "warden", "porch", "resolver")
SERVERS = ("broker", "ingest", "pages", "box")
"""`box` is the supervisor of the rooms: they go with it and come back with it."""


def _kill_and_wait_back(stack: Stack, name: str) -> None:
    """SIGKILL one process that this run started, by id, and wait for its successor."""
    pid = stack.room_pids()[name] if name in ROOMS else stack.server_pid(name)
    os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        now = stack.room_pids().get(name) if name in ROOMS else stack.server_pid(name)
        return now not in {None, pid}

    wait_until(back, what=f"{name} to be started again", seconds=15)


@pytest.mark.req("R57", "N4")
@pytest.mark.parametrize("name", [*ROOMS, *SERVERS])
def test_a_killed_process_comes_back_and_loses_nothing(stack: Stack, officer: Officer, find: Find, name: str) -> None:
    before = stack.join("unregistered-phone", mac=_mac(name, 0))
    committed = find("unregistered-device", before.mac)

    during = stack.join("unregistered-phone", mac=_mac(name, 1), lease=False)
    _kill_and_wait_back(stack, name)
    during.lease()

    after = stack.join("unregistered-phone", mac=_mac(name, 2))
    assert find("unregistered-device", after.mac).state == "open"
    assert find("unregistered-device", during.mac).state == "open"

    if name == "sensor":
        wait_until(
            lambda: "The part of the box that listens had stopped" in officer.get(f"/households/{SITE}/box"),
            what="the page to say when the box could not see",
            seconds=20,
        )
    ids = Counter(seen.finding_id for seen in officer.findings(SITE))
    assert committed.finding_id in ids
    assert set(ids.values()) == {1}
    devices = Counter(seen.macs for seen in officer.findings(SITE) if seen.kind == "unregistered-device")
    assert set(devices.values()) == {1}, "one device, one finding"
    for client in (before, during, after):
        stack.home.leave(client)


def test_the_outbox_drains_and_every_event_is_stored_once(stack: Stack, find: Find) -> None:
    phone = stack.join("unregistered-phone", mac="02:00:00:aa:99:01")
    find("unregistered-device", phone.mac)
    stack.home.leave(phone)

    def waiting() -> int:
        with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as box:
            return int(box.execute("select count(*) from outbox").fetchone()[0])

    wait_until(lambda: waiting() == 0, what="the outbox to drain", seconds=60)
    with closing(sqlite3.connect(f"file:{stack.database}?mode=ro", uri=True)) as server:
        rows = server.execute("select source, id, count(*) from event group by source, id").fetchall()
        conflicts = server.execute("select count(*) from audit where action = 'event-conflict'").fetchone()[0]
    assert rows
    assert {count for _, _, count in rows} == {1}
    assert conflicts == 0


def _mac(name: str, index: int) -> str:
    """A locally administered address of its own for each case."""
    number = (*ROOMS, *SERVERS).index(name)
    return f"02:00:00:aa:{number:02x}:{index:02x}"
