"""A running box to make faults at: a stack of its own, its registered device, and how its processes fare."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from appliance.keeper.household.crowd import ALLOWANCE
from appliance.warden.main import OVER_SECONDS
from lab.client import Client
from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack

OWN = "02:00:00:fa:00:01"
"""The device that an officer has registered."""

MOST_FINDINGS = ALLOWANCE + 4
"""So many new addresses are told one by one, as many devices may join at an installation; then one finding tells of all."""


@contextmanager
def box(folder: Path) -> Iterator[tuple[Stack, Officer, Client]]:
    """A stack with one registered device, which has a lease."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with Stack(folder, poll_seconds=0.5) as stack:
        stack.wait_ready(60)
        officer = stack.officer("fault-officer")
        client = stack.join("registered-laptop", mac=OWN)
        found = finding(officer, "unregistered-device", OWN)
        officer.register(found, standing="registered", label="Own laptop", reason="for the faults")
        wait_until(
            lambda: all(seen.state == "closed" for seen in officer.findings(SITE) if OWN in seen.macs),
            what="the device to be registered",
            seconds=30,
        )
        yield stack, officer, client


def finding(officer: Officer, kind: str, mac: str, *, seconds: float = 30.0) -> Seen:
    """The finding of a kind about the device with an address, waited for."""
    found: list[Seen] = []

    def look() -> bool:
        found[:] = [seen for seen in officer.findings(SITE) if seen.kind == kind and mac in seen.macs]
        return bool(found)

    wait_until(look, what=f"a finding {kind} about {mac}", seconds=seconds)
    return found[0]


def left_out(stack: Stack, name: str, *, short: bool) -> tuple[int, bool]:
    """What the rules counted under a name as over its bound; whether the box has it in a gap record of its ledger.

    The warden reads the counters once a minute; the short form looks at the counter only, and says True.

    Raises:
        TimeoutError: the box has not told of it after two readings.
    """
    counted = _counted(stack, name)
    if short:
        return counted, True
    wait_until(lambda: _recorded(stack, name) >= counted, what=f"{name} in the ledger", seconds=2 * OVER_SECONDS + 15)
    return counted, _of_box(stack, "select count(*) from ledger where kind = 'gap'") > 0


def _counted(stack: Stack, name: str) -> int:
    listed = json.loads(stack.home.gateway.run(["nft", "-j", "list", "counters"]).stdout)
    found = [item["counter"] for item in listed["nftables"] if item.get("counter", {}).get("name") == name]
    return sum(int(counter["packets"]) for counter in found)


def _recorded(stack: Stack, name: str) -> int:
    """The last reading that the keeper has written down, in one step with the gap record."""
    query = f"select coalesce((select json_extract(value, '$.{name}') from meta where key = 'unheard'), 0)"  # noqa: S608 - ours
    return _of_box(stack, query)


def _of_box(stack: Stack, query: str) -> int:
    with closing(sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0])


def resident(pid: int) -> int:
    """Octets of memory that a process holds; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


class Memory:
    """How much the box's processes hold, at first and at most."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._pids = stack.room_pids()
        self.first = {name: resident(pid) for name, pid in self._pids.items()}
        self.most = dict(self.first)

    def look(self) -> None:
        """Note what they hold now."""
        for name, pid in self._stack.room_pids().items():
            self.most[name] = max(self.most.get(name, 0), resident(pid))

    @property
    def restarted(self) -> list[str]:
        """Processes that are not the ones of the beginning."""
        now = self._stack.room_pids()
        return sorted(name for name, pid in self._pids.items() if now.get(name) != pid)

    @property
    def growth(self) -> dict[str, float]:
        """MiB by which each grew at most."""
        return {name: (self.most[name] - first) / 2**20 for name, first in self.first.items()}


def while_going(process_is_over: Callable[[], bool], look: Callable[[], None], *, seconds: float) -> None:
    """Look about four times a second until it is over.

    Raises:
        TimeoutError: it is not over within `seconds`.
    """
    until = time.monotonic() + seconds
    while not process_is_over():
        if time.monotonic() > until:
            raise TimeoutError(f"not over within {seconds:g} s")
        look()
        time.sleep(0.25)
