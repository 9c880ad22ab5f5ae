"""`python -m lab.faults.power_cuts`: power cuts of the store; prints one JSON object, see `Tally`.

In a process of its own, since SQLite's default file system is the process's.

A work is a run of transactions as the keeper makes them: a device's next revision, a message of each class, records
of the ledger, receipts, a status number, now and then names that are erased (the file is then written anew). At steps
drawn by chance the disk is taken as it could be after a cut; the store is opened on it and must hold exactly what was
committed, or that and the transaction that was being committed. Every sixth image is cut a second time while it is being
opened, worked with and closed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from appliance.keeper.devices.model import Address, Device
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import ROW_OCTETS, Priority
from lab.faults.crash_vfs import CutVfs, Disk
from wire.base import Standing
from wire.ledger import ClockState, RecordKind, Stamp, leaf_bytes
from wire.merkle import Frontier, leaf_hash, root

TRANSACTIONS = 24
"""Of one work: enough that names are erased and the file is written anew three times."""
TRANSACTIONS_AGAIN = 3
RATE, RATE_AGAIN = 0.02, 0.05
"""Of all steps of a work, the part before which the power is cut; a work has some 700, a recovery some 80."""
AGAIN_EVERY = 6
_MAC = "02:00:00:00:00:01"
_BODY = "x" * 300


@dataclass(slots=True)
class Tally:
    """What came of it."""

    cuts: int = 0
    """In work."""
    again: int = 0
    """In recovery."""
    lost: int = 0
    """Images in which something committed was missing."""
    corrupt: int = 0
    """Images that SQLite, the ledger or the store itself would not have."""
    torn: int = 0
    """Images in which half of a transaction stood."""
    in_commit: int = 0
    """Cuts while a transaction was being committed whose work was there whole."""
    problems: list[str] = field(default_factory=list)
    """The first few, in words."""

    def note(self, text: str) -> None:
        """Keep the first few."""
        if len(self.problems) < 5:
            self.problems.append(text)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What stands after a transaction."""

    waiting: frozenset[int]
    """Numbers in the outbox."""
    size: int
    root: bytes
    """Of the ledger."""


_EMPTY = _Mark(frozenset(), 0, Frontier().root)


class Work:
    """Transactions on a store, and what each must leave behind."""

    def __init__(self, store: Store, chance: random.Random, *, status: int) -> None:
        self.store = store
        self.chance = chance
        self.done = int(store.get("work") or "0")
        """Transactions that were committed."""
        self.marks = {self.done: _mark(store)}
        """What is there after each transaction."""
        self.status = status
        """Highest status number that was given out."""

    def one(self) -> None:
        """One transaction, and what belongs to it."""
        store, number = self.store, self.done + 1
        with store.transaction():
            store.set("work", str(number))
            at = float(number)
            store.ledger.begin(Stamp(wall_ms=number * 1000, mono_ms=number * 1000, boot="b", clock=ClockState.FREE))
            address = Address(mac=_MAC, first_seen=0.0, last_seen=at)
            store.devices.put(
                Device(
                    device_id="d-1",
                    revision=number,
                    standing=Standing.UNKNOWN,
                    addresses=(address,),
                    first_seen=0.0,
                    last_seen=at,
                    reported_at=at,
                )
            )
            for priority in Priority:
                subject = f"{priority.name}-{number}"
                store.outbox.add(type_="t", subject=subject, body=_BODY, priority=priority, created=at)
                store.ledger.note(RecordKind.COVERAGE, {"work": number, "class": priority.name})
            if number % 3 == 0:
                before = sorted(_waiting(store))
                first = self.chance.randrange(len(before) - 2)
                store.outbox.received(store.epoch, before[first], before[first + 2])
            if number % 8 == 0:
                store._note_erased()  # noqa: SLF001 - as the parts do when names go
            self.marks[number] = _mark(store)
        self.done = number
        self.status = max(self.status, store.next_status_number())


def _waiting(store: Store) -> frozenset[int]:
    return frozenset(seq for (seq,) in store._db.execute("select seq from outbox"))  # noqa: SLF001 - to compare


def _mark(store: Store) -> _Mark:
    return _Mark(_waiting(store), store.ledger.size, store.ledger.root)


@dataclass(frozen=True, slots=True)
class _Cut:
    """An image, and what must be in it."""

    image: dict[str, bytes]
    done: int
    marks: dict[int, _Mark]
    status: int


class Cutter:
    """Works, cuts, looks."""

    def __init__(self, folder: Path, seed: int, *, synchronous: str | None) -> None:
        """`synchronous`: another setting than the store's own, to see that harm would be seen."""
        self._folder = folder
        self._vfs = CutVfs()
        self._chance = random.Random(seed)  # noqa: S311 - repeatable
        self._synchronous = synchronous
        self._found: list[_Cut] = []
        self.tally = Tally()

    def asked(self) -> bool:
        """Whether the standard library's sqlite3 asks this process's imagined disk."""
        folder = self._folder / "work"
        _place(folder, {})
        self._vfs.disk = disk = Disk(folder, self._chance)
        self._open(folder).close()
        self._vfs.disk = None
        return disk.steps > 0

    def run(self, cuts: int, again: int) -> None:
        """So many cuts in work, and in recovery."""
        tally = self.tally
        while tally.cuts < cuts or tally.again < again:
            for number, cut in enumerate(self._work(None)):
                if tally.cuts < cuts:
                    tally.cuts += 1
                    self._look(cut)
                if number % AGAIN_EVERY == 0:
                    for second in self._work(cut):
                        if tally.again < again:
                            tally.again += 1
                            self._look(second)

    def _work(self, before: _Cut | None) -> list[_Cut]:
        """Images of one work: of a new box, or of one that starts after a cut."""
        folder = self._folder / "work"
        _place(folder, {} if before is None else before.image)
        chance = random.Random(self._chance.randrange(2**32))  # noqa: S311 - repeatable
        self._found = []
        base = _Cut({}, 0, {0: _EMPTY}, 0) if before is None else before
        job: Work | None = None
        rate = RATE if before is None else RATE_AGAIN

        def before_step() -> None:
            if chance.random() < rate:
                known = base if job is None else _Cut({}, job.done, base.marks | job.marks, job.status)
                self._found.append(replace(known, image=disk.image()))

        disk = Disk(folder, chance, before_step=before_step)
        self._vfs.disk = disk
        try:
            store = self._open(folder)
            job = Work(store, chance, status=base.status)
            for _ in range(TRANSACTIONS if before is None else TRANSACTIONS_AGAIN):
                job.one()
            store.close()
        except Exception as error:
            if before is None:
                raise
            self.tally.corrupt += 1
            self.tally.note(f"in recovery: {error}")
        finally:
            self._vfs.disk = None
        return self._found

    def _open(self, folder: Path) -> Store:
        store = Store(folder / "keeper.db")
        if self._synchronous is not None:
            store._db.execute(f"pragma synchronous={self._synchronous}")  # noqa: SLF001 - the control
        return store

    def _look(self, cut: _Cut) -> None:
        """Open an image, and see what is in it."""
        folder = self._folder / "look"
        _place(folder, cut.image)
        tally = self.tally
        try:
            store = Store(folder / "keeper.db")
        except Exception as error:  # noqa: BLE001 - whatever a harmed database brings
            tally.corrupt += 1
            tally.note(f"cannot be opened: {error}")
            return
        try:
            self._compare(store, cut)
        except Exception as error:  # noqa: BLE001 - whatever a harmed database brings
            tally.corrupt += 1
            tally.note(f"cannot be read: {error}")
        finally:
            store.close()

    def _compare(self, store: Store, cut: _Cut) -> None:
        tally = self.tally
        whole = store._db.execute("pragma integrity_check").fetchone()[0]  # noqa: SLF001 - to look
        if whole != "ok" or store._db.execute("pragma foreign_key_check").fetchall():  # noqa: SLF001 - to look
            tally.corrupt += 1
            tally.note(f"integrity: {whole}")
            return
        done = int(store.get("work") or "0")
        if done < cut.done or (done and store.next_status_number() <= cut.status):
            tally.lost += 1
            tally.note(f"{cut.done} transactions were committed, {done} are there")
            return
        tally.in_commit += done > cut.done
        mark = cut.marks.get(done)
        devices = store.devices.all()
        revision = devices[0].revision if devices else 0
        if done > cut.done + 1 or revision != done or (mark is not None and _mark(store) != mark):
            tally.torn += 1
            tally.note(f"half of a transaction: {done} where {cut.done} were committed, the device at {revision}")
        elif (wrong := inconsistent(store)) is not None:
            tally.corrupt += 1
            tally.note(wrong)


def inconsistent(store: Store) -> str | None:
    """What the outbox or the ledger says of itself that is not so."""
    rows = store.outbox.waiting(without=(), most=10**6)
    if (len(store.outbox), store.outbox.octets) != (len(rows), sum(len(row.body) + ROW_OCTETS for row in rows)):
        return "the outbox counts what is not there"
    leaves = list(store.ledger.log.rows(0, store.ledger.size))
    hashes = [leaf_hash(leaf_bytes(row.leaf(store.epoch))) for row in leaves]
    if root(hashes) != store.ledger.root or [row.hash for row in leaves] != hashes:
        return "the ledger's root is not that of its leaves"
    if any(store.ledger.body(row) is None for row in leaves):
        return "a record of the ledger cannot be read"
    return None


def _place(folder: Path, image: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in image.items():
        (folder / name).write_bytes(content)


def main() -> int:
    """Exit codes: 0 ran; 69 the imagined disk cannot be put under SQLite here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cuts", type=int, required=True)
    parser.add_argument("--again", type=int, required=True)
    parser.add_argument("--synchronous", choices=("off", "normal"))
    arguments = parser.parse_args()
    cutter = Cutter(arguments.folder, arguments.seed, synchronous=arguments.synchronous)
    if not cutter.asked():
        sys.stderr.write("sqlite3 does not use the SQLite that apsw uses, so its disk cannot be imagined\n")
        return 69
    cutter.run(arguments.cuts, arguments.again)
    sys.stdout.write(json.dumps(asdict(cutter.tally)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
