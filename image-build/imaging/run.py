"""Running the tools of a build: a command in; its output, or one sentence that says what to do.

Nothing here goes through a shell. Bounded: of a tool's last words `_LAST_WORDS` lines are kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAST_WORDS = 15
_DROPPED = re.compile(r"LC_|LANG|PYTHON|MTOOLS|ZSTD_|TAR_OPTIONS|GZIP|SOURCE_DATE_EPOCH|DEB_|APT_CONFIG")
"""Beginnings of what the caller's environment may not say: it would show in an image."""


class Refused(Exception):  # noqa: N818 (it is a refusal, said to the person who asked)
    """The build cannot go on; the text says why and what to do."""


class Progress:
    """Lines that tell how far the build is, with the seconds since it began."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.steps: list[tuple[str, float]] = []
        """Name of each step and when it began, in seconds."""

    def say(self, text: str) -> None:
        """Tell that a step begins."""
        self.steps.append((text, self.elapsed))
        sys.stdout.write(f"image: {self.elapsed:5.0f} s  {text}\n")
        sys.stdout.flush()

    @property
    def elapsed(self) -> float:
        """Seconds since the build began."""
        return time.monotonic() - self._began


def tool(
    *command: str | Path,
    extra: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    accept: Sequence[int] = (0,),
    cwd: Path | None = None,
) -> bytes:
    """Run a tool to its end and hand back what it wrote to its standard output.

    Args:
        command: Program and arguments.
        extra: Environment variables beside the caller's, of which none that would change what is made is handed on.
        stdin: What it is given to read; nothing where it is None.
        accept: Exit codes that are no failure.
        cwd: Folder to run it in.

    Raises:
        Refused: it is not installed, or failed; with its last words.
    """
    words = [str(word) for word in command]
    if shutil.which(words[0]) is None:
        raise Refused(f"{words[0]} is missing. Install the packages of tools/apt-image.txt; `make image` does it.")
    done = subprocess.run(
        words,
        input=stdin if stdin is not None else b"",
        capture_output=True,
        env={**_surroundings(), "LC_ALL": "C.UTF-8", "TZ": "UTC", **(extra or {})},
        cwd=cwd,
        check=False,
    )
    if done.returncode not in accept:
        said = (done.stderr or done.stdout).decode(errors="replace").splitlines()[-_LAST_WORDS:]
        raise Refused(f"{words[0]} ended with {done.returncode}:\n  " + "\n  ".join(said))
    return done.stdout


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not _DROPPED.match(name)}


def require(names: Sequence[str]) -> None:
    """Refuse to begin where a tool is missing.

    Raises:
        Refused: names all that are missing at once.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise Refused(
            f"these tools are missing: {', '.join(missing)}. Install the packages of tools/apt-image.txt;"
            " `make image` does it."
        )


def in_tree(root: Path, *command: str, extra: Mapping[str, str] | None = None) -> bytes:
    """Run a program of the tree `root` inside it, with /proc, in a mount namespace that ends with it.

    Raises:
        Refused: it failed.
    """
    script = (
        'mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/tmp" && root=$1 && shift && exec chroot "$root" "$@"'
    )
    return tool(
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "--",
        "sh", "-c", script, "sh", root, *command,
        extra={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(extra or {})},
    )  # fmt: skip
