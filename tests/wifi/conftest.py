"""One guest with radios of memory, in which the scenario of `lab.wifi` is played once; tests judge what came of it."""

from __future__ import annotations

import compileall
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.guest.guest import NETFILTER, WIFI, Guest, Result
from lab.guest.kernel import GuestMissingError

ROOT = Path(__file__).parents[2]
SECONDS = 900.0
"""On a machine that does much else; it needs some 75 s of a processor."""
RADIOS = 23
"""As `lab.wifi.__main__` says, which is not imported: it loads the whole box."""
PACKAGES = ("appliance", "firmware", "lab", "wire")
PROGRAMS = ("hostapd", "wpa_supplicant", "iw")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "guest: starts a guest with a kernel of its own (QEMU), a minute or more")


def _missing() -> str | None:
    if not os.environ.get("GATEHOUSE_GUEST"):
        return "a guest takes minutes; GATEHOUSE_GUEST=1 asks for it"
    if os.geteuid() != 0:
        return "a guest reads this machine's files as root"
    folders = [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin"]
    gone = [name for name in PROGRAMS if not any((Path(folder) / name).exists() for folder in folders)]
    return f"{', '.join(gone)}: not installed" if gone else None


@pytest.fixture(scope="session")
def played() -> Result:
    if why := _missing():
        pytest.skip(why)
    for name in PACKAGES:
        # A guest cannot write beside the sources, and would compile all of them at a twentieth of the speed.
        compileall.compile_dir(ROOT / name, quiet=2)
    guest = Guest(modules=WIFI, optional=NETFILTER, arguments={"mac80211_hwsim": f"radios={RADIOS}"}, memory_mib=1024)
    command = (
        f"cd '{ROOT}' && PYTHONPATH='{ROOT}' PATH=$PATH:/usr/sbin:/sbin exec '{sys.executable}' -m lab.wifi /guest"
    )
    try:
        return guest.run(command, seconds=SECONDS)
    except GuestMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def facts(played: Result) -> dict[str, Any]:
    """What each part of the scenario found."""
    found: dict[str, Any] = json.loads(played.files.get("facts.json", b"{}"))
    if played.status != 0:
        logs = "\n".join(
            f"--- {name}\n{text.decode(errors='replace')[-3000:]}"
            for name, text in played.files.items()
            if name.endswith(".log")
        )
        pytest.fail(
            f"it ended in part {found.get('failed')}:\n{played.output[-3000:]}\n{played.console[-500:]}\n{logs}"
        )
    return found
