"""The end of a household: its keys and records are destroyed, and the box is one that was never claimed (R6).

In: a box. Out: nothing of the home on the data partition. What runs the family's internet goes on from memory until the
box is unplugged: its configuration is not here, and `household.toml` and the Wi-Fi's passphrases are the last to go, at
the next start. A mark goes before everything, so that a cut is carried through at the next start. Where the partition is
encrypted, its own key goes first, which is what counts on a flash card: what is written over there may still be
somewhere. Then the box's keys, so that a cut leaves nothing that can be read. Bounded: files of more than `MOST_OVER`
octets are only removed, for their keys are gone.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from appliance.fitting import taking
from appliance.fitting.machine import KEY_NAMES
from appliance.fitting.places import Places, keep, sync
from appliance.requests import WipeRequest
from appliance.settings import BoxSettings
from firmware import layout

MARK = f"{layout.CONFIG}/.wiping"
KEPT = frozenset({layout.HOUSEHOLD_FILE, layout.PASSPHRASE_FILE})
"""Until the next start."""
MOST_OVER = 64 * 1024 * 1024
DATA_PROGRAM = "/usr/libexec/gatehouse/data"
SECONDS = 120.0
_STOP: tuple[tuple[str, ...], ...] = (
    (
        "systemctl",
        "stop",
        "gatehouse.target",
        "gatehouse-porch.socket",
        "gatehouse-upkeep.timer",
        "gatehouse-look.timer",
    ),
)
_ERASE: tuple[tuple[str, ...], ...] = ((DATA_PROGRAM, "erase"),)
_AFTER: tuple[tuple[str, ...], ...] = (("journalctl", "--rotate", "--vacuum-time=1s", "--quiet"),)

_log = logging.getLogger(__name__)


def wipe(places: Places, *, at_step: Callable[[str], None] = lambda _step: None) -> int:
    """Destroy it all; how many files there were. Of this machine itself, also what is no file, and ends what runs.

    Raises:
        OSError: a file cannot be removed; the next start goes on.
    """
    itself = places == Places()
    at_step("mark")
    keep(places.at(MARK), b"")  # where that cannot be, what could say so still runs
    if itself:
        run(_STOP)  # the family's internet needs none of what keeps records
        run(_ERASE)
    gone = _destroy(places, at_step)
    if itself:
        run(_AFTER)
    return gone


def resume(places: Places) -> bool:
    """Carry a wipe through that was cut off; whether there was one."""
    if not places.at(MARK).exists():
        return False
    _destroy(places, lambda _step: None)
    return True


def serve(_request: WipeRequest, _settings: BoxSettings, _now: float) -> None:
    """As root, for the keeper, which has said its last words.

    Raises:
        OSError: something could not be destroyed.
    """
    wipe(Places())


def run(commands: Sequence[Sequence[str]]) -> None:
    """Run programs; one that fails is said, and the others are run all the same."""
    for command in commands:
        if command[0].startswith("/") and not Path(command[0]).exists():
            continue  # a box without a partition of its own
        try:
            done = subprocess.run(command, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.warning("%s: %s", command[0], error)
        else:
            if done.returncode:
                _log.warning("%s ended with %d", " ".join(command), done.returncode)


def _destroy(places: Places, at_step: Callable[[str], None]) -> int:
    gone = 0
    for path in _in_order(places):
        at_step(f"destroy {path}")
        if not _written_over(places.at(path)) or not taking.erase(places, path):
            places.at(path).unlink(missing_ok=True)
        gone += 1
    data = places.at(layout.DATA)
    for folder in [path for path in data.rglob("*") if path.is_dir() and not path.is_symlink()]:
        if folder.exists() and not any(path for path in folder.rglob("*") if not path.is_dir()):
            shutil.rmtree(folder)
    run_dir = places.at(layout.RUN)
    for left in [each for each in run_dir.rglob("*") if each.is_file()]:
        left.unlink(missing_ok=True)
    at_step("take the mark away")
    places.at(MARK).unlink(missing_ok=True)
    if data.exists():
        sync(data)
    return gone


def _in_order(places: Places) -> Iterator[str]:
    """Files as on the box: keys, then what makes it an enrolled box, then all else."""
    data = places.at(layout.DATA)
    found = [
        f"{layout.DATA}/{Path(folder, name).relative_to(data).as_posix()}"
        for folder, _folders, names in os.walk(data)
        for name in names
    ]
    found = [path for path in found if path not in KEPT | {MARK}]
    keys = [path for path in found if KEY_NAMES.fullmatch(path.rpartition("/")[2])]
    yield from sorted(keys)
    yield from sorted(set(found) - set(keys), key=lambda path: (path != layout.BOX_FILE, path))


def _written_over(path: Path) -> bool:
    """Whether what is there can be written over: opening a pipe that a process of the box left would wait for ever."""
    try:
        about = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(about.st_mode) and about.st_size <= MOST_OVER
