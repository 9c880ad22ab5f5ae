"""Programs of others that read what anybody may send, and the version below which a box says so.

In: what the package database says. Out: one sentence for each that is older. A box that is out of date goes on: the
family's internet hangs on these programs; but who looks after the boxes is told.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

_PATIENCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """The lowest version of a Debian package, and what was mended in it."""

    package: str
    version: str
    why: str


MINIMUMS = (
    Minimum(
        package="dnsmasq-base",
        version="2.90-4~deb12u2",
        why="six faults that a device or a name server can use, among them CVE-2026-4892",
    ),
    Minimum(
        package="hostapd",
        version="2:2.10-12+deb12u2",
        why="CVE-2022-37660, CVE-2023-52160 and CVE-2024-5290",
    ),
)
"""Of Debian 12. Where a newer Debian is below, its own number counts as newer: see docs/updates.md."""


def outdated(
    installed: Callable[[str], str | None], older: Callable[[str, str], bool], minimums: tuple[Minimum, ...] = MINIMUMS
) -> tuple[str, ...]:
    """One sentence for each package that is installed and older than it may be."""
    found = []
    for each in minimums:
        version = installed(each.package)
        if version is not None and older(version, each.version):
            found.append(f"{each.package} is {version}, below {each.version}"[:120])
    return tuple(found)


def installed(package: str) -> str | None:
    """The installed version of a Debian package; None where it is not there or nobody knows."""
    try:
        asked = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", package],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    status, _, version = asked.stdout.strip().partition(" ")
    return version if asked.returncode == 0 and status == "installed" and version else None


def older(version: str, minimum: str) -> bool:
    """Whether a version is lower than another, as Debian compares them."""
    try:
        asked = subprocess.run(
            ["dpkg", "--compare-versions", version, "lt", minimum], capture_output=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
