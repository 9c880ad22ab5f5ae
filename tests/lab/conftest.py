"""Shared by the lab's tests: a household, devices that go again, ears on the bridge, a way to run commands apart."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab import enter, personas
from lab.client import Client
from lab.household import Household

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scapy's own, at import
    from scapy.layers.l2 import Ether

ROOT = Path(__file__).resolve().parents[2]

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with Household(tmp_path_factory.mktemp("home")) as household:
        yield household


@pytest.fixture
def device(home: Household) -> Iterator[Callable[..., Client]]:
    """Makes devices of a persona, which go when the test ends. Their MAC is a new one unless `mac` says otherwise."""
    with ExitStack() as stack:

        def make(name: str = "registered-laptop", *, mac: str | None = None) -> Client:
            number = next(_numbers)
            persona = personas.load(name)
            client = home.join(
                persona.model_copy(update={"name": f"{name}-{number}", "mac": mac or f"02:00:5e:10:01:{number:02x}"})
            )
            stack.callback(lambda: home.clients.pop(client.persona.name, None))
            stack.callback(client.close)  # without a word: giving the lease back takes dhclient a second
            return client

        yield make


class Ear:
    """What is on a machine's wire, as scapy sees it."""

    def __init__(self, handle: socket.socket) -> None:
        self._handle = handle

    def hear(self, wanted: Callable[[Any], bool], *, seconds: float = 8.0) -> Any:
        """The next frame that is wanted; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._handle.settimeout(left)
            try:
                frame = Ether(self._handle.recv(65535))
            except TimeoutError:
                break
            if wanted(frame):
                return frame
        pytest.fail("nothing of the kind was heard on the wire")


@pytest.fixture
def ear(home: Household) -> Iterator[Ear]:
    """Hears every frame that reaches the gateway's bridge from now on."""
    with home.gateway.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as handle:
        handle.bind((home.config.lan.bridge, 0))
        yield Ear(handle)


@pytest.fixture(scope="session")
def apart() -> dict[str, str]:
    """Environment of a process that does not know the sealed place, and so makes one of its own."""
    if (why := enter.refusal()) is not None:
        pytest.skip(why)
    environment = {name: value for name, value in os.environ.items() if name != enter.MODE_VARIABLE}
    return environment | {"PYTHONPATH": str(ROOT)}


# Runs as root in a sealed place of its own, where mounts are private: shows an ordinary user the interpreter
# and the sources even if they lie in a folder that only root may enter, then becomes that user.
_BECOME_USER = """
import os, pathlib, subprocess, sys
count = int(sys.argv[1])
paths, command = [pathlib.Path(word) for word in sys.argv[2:2 + count]], sys.argv[2 + count:]
def closed(path):
    return next((top for top in reversed(path.parents) if not top.stat().st_mode & 1), None)
hidden = [(path, top) for path in paths if (top := closed(path))]
for number, (path, _) in enumerate(hidden):
    aside = f"/run/aside-{number}"
    os.mkdir(aside)
    subprocess.run(["mount", "--rbind", path, aside], check=True)
for top in {top for _, top in hidden}:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", top], check=True)
for number, (path, _) in enumerate(hidden):
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--rbind", f"/run/aside-{number}", path], check=True)
os.environ.pop("GATEHOUSE_LAB")
os.environ["HOME"] = "/"
drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
os.execvp("setpriv", drop + command)
"""


@pytest.fixture(scope="session")
def as_user(apart: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command as an ordinary user who may make namespaces of his own; skips where he may not."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        if enter.sealed() and enter.mode() == "user":
            # An ordinary user already; limits set in a user namespace of its own bind nobody else.
            command = ("unshare", "--user", "--map-root-user", *command)
        elif os.getuid() == 0:
            places = list(dict.fromkeys(str(Path(text).resolve()) for text in (sys.base_prefix, sys.prefix, ROOT)))
            rig = [sys.executable, "-m", "lab.enter", "--", sys.executable, "-c", _BECOME_USER, str(len(places))]
            command = (*rig, *places, *command)
        return subprocess.run(command, env=apart, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)

    answer = run(sys.executable, "-c", "from lab.enter import refusal; print(refusal() or '')")
    if answer.returncode != 0 or answer.stdout.strip():
        pytest.skip(answer.stdout.strip() or answer.stderr.strip()[-300:])
    return run
