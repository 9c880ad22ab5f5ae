"""A machine started from the built image, in a household of the lab. `make test-image` runs what is here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lab import enter
from lab.machine import image
from lab.machine.qemu import PROGRAM
from lab.machine.stack import BoxStack

ROOT = Path(__file__).resolve().parents[2]
ASKED = "GATEHOUSE_MACHINES"
"""Set by `make test-image`: a machine takes a minute and more to boot, so that no other run starts one."""


def _why_not() -> str | None:
    if not os.environ.get(ASKED):
        return "machines are started by `make test-image` only"
    if enter.sealed() and enter.mode() != "root":
        return "a machine's network cards (/dev/net/tun) need root"
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not installed: `make test-image` installs it"
    found = image.find(ROOT)
    return found if isinstance(found, str) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    # The household of all enrolled tests stays until the end: its machine is not to run beside the others all the time.
    items.sort(key=lambda item: "enrolled" in getattr(item, "fixturenames", ()))
    why = _why_not()
    for item in here:
        item.add_marker(pytest.mark.lab)
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@contextmanager
def _running() -> Iterator[BoxStack]:
    built = image.find(ROOT)
    assert isinstance(built, image.Image)
    with tempfile.TemporaryDirectory(prefix="gh-", dir=os.environ.get("TMPDIR", "/tmp")) as folder:  # noqa: S108 (short)
        Path(folder).chmod(0o755)
        with BoxStack(Path(folder), built) as stack:
            yield stack


@pytest.fixture(scope="module")
def new_box() -> Callable[[], AbstractContextManager[BoxStack]]:
    """Makes a household with a machine that is switched off."""
    return _running


@pytest.fixture(scope="module")
def box() -> Iterator[BoxStack]:
    """A household whose machine has come up for the first time."""
    with _running() as stack:
        stack.boot()
        yield stack


@pytest.fixture(scope="session")
def enrolled() -> Iterator[BoxStack]:
    """One household for all tests whose machine is enrolled and has an authority: it watches."""
    with _running() as stack:
        stack.boot()
        stack.fit(stack.join("linux-laptop"))
        yield stack
