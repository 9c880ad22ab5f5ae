"""A list of ten million names that is renewed while it is asked, and versions of it that must not come into use.

The shipped supply, library and compiler; what the courier would fetch is handed over here. A thread asks all the
time for a name that every version holds and for one that none does. All names are made up, below `.example`.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.keeper.lists import jobs
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.supply import Supply
from appliance.messages import ListFetched, ListWanted
from appliance.settings import ListSource
from lab.faults.result import Result, Say
from wire.keys import public_text
from wire.lists import Manifest, sign

NAME = "lists"
PROMISE = "a list of 10 M names renewed under load, truncated, older, unsigned: no half list is ever asked; all refused"
COUNT = 10_000_000
_ID, _URL, _DATA = "made-up", "https://lists.example/made-up.json", "https://lists.example/made-up.txt"
_IN_ALL, _IN_NONE = "n0.always.example", "n0.never.example"
_START = datetime(2026, 5, 1, tzinfo=UTC)


class _Box:
    """A supply whose courier is this module."""

    def __init__(self, folder: Path) -> None:
        self.publisher = Ed25519PrivateKey.generate()
        source = ListSource(id=_ID, manifest=_URL, publishers=(public_text(self.publisher),))
        self.lists = Lists()
        library = Library(folder / "lists", key_file=folder / "lists.key")
        self.supply = Supply([source], library=library, lists=self.lists, chance=random.Random(1))  # noqa: S311 - jitter
        self.at, self.monotonic = _START.timestamp(), 1000.0
        self.supply.start(at=self.at, monotonic=self.monotonic)

    def publish(
        self, body: Path, *, key: Ed25519PrivateKey | None = None, data: Path | None = None, **said: Any
    ) -> str:
        """Offer a version all the way; what the box says is wrong, empty when it is in use."""
        (manifest,) = self._wanted()
        fields = {
            "list_id": _ID, "title": "Made-up names", "category": "made-up", "severity": "information",
            "owner": "nobody", "format": "domains", "url": _DATA, "sha256": _digest(body),
            "octets": body.stat().st_size, "published": _START, "renew_by": _START + timedelta(days=365),
        }  # fmt: skip
        signed = sign(Manifest.model_validate(fields | said), key or self.publisher).model_dump_json().encode()
        with tempfile.TemporaryFile() as file:
            file.write(signed)
            file.flush()
            wanted = self._bring(manifest, file.fileno())
        if wanted:
            with (data or body).open("rb") as file:
                self._bring(wanted[0], file.fileno())
            while (work := self.supply.work()) is not None:
                made = jobs.run(work.job, work.descriptor)
                os.close(work.descriptor)
                self.supply.made(work.job, made, at=self.at, monotonic=self.monotonic)
        kept = self.supply.in_use(_ID)
        return "" if kept is not None and kept.about.version == said["version"] else "refused"

    def holds(self, name: str) -> bool:
        return any(self.lists.match(name, (_ID,)))

    def _wanted(self) -> list[ListWanted]:
        for _ in range(400):
            self.at, self.monotonic = self.at + 1000, self.monotonic + 1000
            if wanted := self.supply.tick(at=self.at, monotonic=self.monotonic, courier=True):
                return wanted
        raise RuntimeError("the supply asks for no manifest")

    def _bring(self, wanted: ListWanted, descriptor: int) -> list[ListWanted]:
        os.lseek(descriptor, 0, os.SEEK_SET)
        message = ListFetched(list_id=wanted.list_id, url=wanted.url, outcome="new")
        return self.supply.fetched(message, os.dup(descriptor), monotonic=self.monotonic)


class _Asker(threading.Thread):
    """Asks all the time, and counts the answers that are wrong."""

    def __init__(self, box: _Box) -> None:
        super().__init__(daemon=True)
        self.box, self.asked, self.wrong, self.longest = box, 0, 0, 0.0
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            began = time.perf_counter()
            right = self.box.holds(_IN_ALL) and not self.box.holds(_IN_NONE)
            self.longest = max(self.longest, time.perf_counter() - began)
            self.asked += 2
            self.wrong += not right
            time.sleep(0.0005)  # the compiler beside it is to get on


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    count = 20_000 if short else COUNT
    box = _Box(folder)
    first, second, half, lost = (folder / f"{name}.txt" for name in ("first", "second", "half", "lost"))
    _write(first, 0, count)
    _write(second, count // 10, count)
    half.write_bytes(second.read_bytes()[: second.stat().st_size // 2])
    _write(lost, 0, count // 2)
    problem = box.publish(first, number=1, version="v1", entries=count + 1)
    say(f"{count} names are in use")
    asker = _Asker(box)
    asker.start()
    began = time.monotonic()
    problem = problem or box.publish(second, number=2, version="v2", entries=count + 1)
    took = time.monotonic() - began
    say("renewed under load")
    good: dict[str, Any] = {"number": 3, "version": "v3", "entries": count + 1}
    refused = {
        "cut off on its way": box.publish(second, data=half, **good),
        "half as long, and signed": box.publish(lost, **good | {"entries": count // 2 + 1}),
        "older": box.publish(first, **good | {"number": 1}),
        "signed by nobody known": box.publish(first, key=Ed25519PrivateKey.generate(), **good),
    }
    asker.stop.set()
    asker.join()
    kept = box.supply.in_use(_ID)
    version = "none" if kept is None else kept.about.version
    still = box.holds(_name(count + count // 10 - 1)) and not box.holds(_name(0))
    return Result(
        kept=not problem and version == "v2" and still and not asker.wrong and all(refused.values()),
        figures={
            "names": str(count + 1),
            "renewed under load": f"{took:.1f} s with compiling, {asker.asked} look-ups meanwhile, {asker.wrong} wrong",
            "longest look-up": f"{asker.longest * 1000:.1f} ms (two names, beside the compiler in one process)",
            **{f"version {what}": problem or "IN USE" for what, problem in refused.items()},
            "in use afterwards": version,
        },
    )


def _name(number: int) -> str:
    return f"n{hashlib.blake2b(b'%d' % number, digest_size=8).hexdigest()}.example"


def _names(first: int, count: int) -> Iterator[str]:
    yield f"{_IN_ALL}\n"
    for number in range(first, first + count):
        yield f"{_name(number)}\n"


def _write(path: Path, first: int, count: int) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(_names(first, count))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
