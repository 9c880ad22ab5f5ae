"""A household that a program asks for, tried by `gatehouse apply --new`: the one way by which a running box gets another.

As root. In: a household. Out: whether it is in force now. It lies beside the household file as long as it is tried, and
`gatehouse apply` alone gives it that file's place, once the mark of a trial is on the disk: a power cut at any moment
leaves the one of before or, once it was proved, the new one. Bounded: `SECONDS`.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from firmware.household import Household, as_toml
from wire.files import replace

SECONDS = 180.0
"""More than `gatehouse apply` waits for proof before it takes a change back."""
WANTED = "household.wanted.toml"
"""Beside the household file, as long as it is tried."""

Run = Callable[[Sequence[str]], int]
"""Runs a command and gives its exit code."""

log = logging.getLogger(__name__)


def run(words: Sequence[str]) -> int:
    """Run a real program to its end; one that cannot be run, or takes too long, did not work."""
    try:
        code = subprocess.run(list(words), check=False, timeout=SECONDS, stdin=subprocess.DEVNULL).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("%s: %s", words[0], error)
        return 1
    if code:
        log.warning("%s ended with %d", " ".join(words), code)
    return code


def attempt(wanted: Household, path: Path, *, run: Run = run) -> bool:
    """Try a household in the place of the one in `path`; whether it is in force.

    Raises:
        OSError: the disk does not take it; nothing was tried.
    """
    new = path.with_name(WANTED)
    replace(new, as_toml(wanted).encode(), mode=0o644)
    try:
        gatehouse = str(Path(sys.executable).with_name("gatehouse"))
        return run([gatehouse, "apply", "--household", str(path), "--new", str(new)]) == 0
    finally:
        new.unlink(missing_ok=True)
