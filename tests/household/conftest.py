"""One whole stack for a module of tests: household, box, broker, ingest and pages."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lab.officer import Officer, Seen
from lab.service import wait_until
from lab.stack import SITE, Stack


@contextmanager
def _running(*, quarantine: bool = False, lists: Mapping[str, str] | None = None) -> Iterator[Stack]:
    # Not pytest's own folder: the box's processes run under uids of their own and must reach theirs.
    with tempfile.TemporaryDirectory(prefix="test-", dir="/run") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder), poll_seconds=0.5, quarantine=quarantine, lists=lists) as stack:
            stack.wait_ready()
            yield stack


@pytest.fixture(scope="session")
def new_stack() -> Callable[..., AbstractContextManager[Stack]]:
    """Makes a stack of a module's own."""
    return _running


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with _running() as running:
        yield running


@pytest.fixture(scope="module")
def officer(stack: Stack) -> Officer:
    return stack.officer("test-officer")


Find = Callable[[str, str], Seen]


@pytest.fixture(scope="module")
def find(officer: Officer) -> Find:
    """Wait for a finding of a kind about the device with a hardware address."""

    def find_(kind: str, mac: str) -> Seen:
        found: list[Seen] = []

        def look() -> bool:
            found[:] = [seen for seen in officer.findings(SITE) if seen.kind == kind and mac in seen.macs]
            return bool(found)

        wait_until(look, what=f"a finding {kind} about {mac}", seconds=15)
        return found[0]

    return find_
