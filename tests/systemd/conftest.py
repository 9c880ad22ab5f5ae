"""Unit files as systemd reads them: sections of keys with every value in order, and a tree that has the programs."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

Unit = Mapping[str, Sequence[str]]
"""Values of each key, in the order of the file and its drop-ins; an empty one takes those before it away."""

UNITS = Path(__file__).resolve().parents[2] / "systemd" / "system"
_HOST = Path("/usr/lib/systemd/system")
_PROGRAMS = ("systemctl", "systemd-analyze")
_LISTS = {"After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Conflicts"}


def _read(files: Sequence[Path]) -> Unit:
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            if line.startswith(("#", ";", "[")) or "=" not in line:
                continue
            key, _, value = line.partition("=")
            key, value = key.strip(), value.strip()
            if not value:
                found[key].clear()
            else:
                found[key].extend(value.split() if key in _LISTS else [value])
    return found


@pytest.fixture(scope="session")
def unit() -> Callable[[str], Unit]:
    """One unit of ours with its drop-ins; of a package's, only what ours add."""

    def read(name: str) -> Unit:
        whole = UNITS / name
        return _read([*([whole] if whole.exists() else []), *sorted((UNITS / f"{name}.d").glob("*.conf"))])

    return read


@pytest.fixture(scope="session")
def packaged() -> Callable[[str], Unit]:
    """A unit as it is on a box: a package's file, or ours instead, and our drop-ins. Skips where the package is not here."""

    def read(name: str) -> Unit:
        file = next((folder / name for folder in (UNITS, _HOST) if (folder / name).exists()), None)
        if file is None:
            pytest.skip(f"{name} is not installed here")
        return _read([file, *sorted((UNITS / f"{name}.d").glob("*.conf"))])

    return read


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A tree with this machine's units, ours beside them, and an empty file for each program that is not here."""
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    top = tmp_path_factory.mktemp("tree")
    shutil.copytree(_HOST, top / "usr/lib/systemd/system", symlinks=True, ignore_dangling_symlinks=True)
    (top / "lib").symlink_to("usr/lib")
    subprocess.run(["sh", root / "systemd" / "install", top], check=True, capture_output=True)
    here = [path for path in UNITS.rglob("*") if path.is_file()]
    there = [_HOST / path.name.removesuffix(".d") for path in UNITS.glob("*.d")]
    for path in (*here, *(path for path in there if path.exists()), *_HOST.glob("systemd-*d.service")):
        for key, values in _read([path]).items():
            if key.startswith("Exec"):
                for value in values:
                    _program(top, value)
    return top


def _program(top: Path, command: str) -> None:
    if command:
        program = Path(command.split(maxsplit=1)[0].lstrip("-+!@:"))
        program = top / (program.relative_to("/") if program.is_absolute() else "usr/bin" / program)
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(mode=0o755)
