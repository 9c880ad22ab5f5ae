"""The program and the Python packages that it needs, for the board's processor, without running anything of it.

The lock file says which version with which hash; of it, only what the box's extra asks for is taken. Wheels are fetched
for the board's platform and unpacked; nothing is compiled, nothing is built but the project itself. Byte code is made
here with hashes inside (PEP 552, unchecked), so that it depends on no clock and the box need not make it at each start.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imaging.boards import Board
from imaging.run import Refused, in_tree, tool

EXTRA = "appliance"
ON_THE_BOX = ("appliance", "firmware", "wire")
"""Packages of the project that run on the box; what else there is runs elsewhere and stays out."""
NOT_ON_THE_BOX = frozenset({"pip"})
"""Named as needed by a package (sqlite-utils, for a command of its own) and used by nothing that the box runs."""
TARGET = "3.11"
"""Debian 12's Python."""
DEBIAN = (f"/usr/lib/python{TARGET}", "/usr/lib/python3/dist-packages", "/usr/share/python3")
"""Where Debian's packages lay Python; byte code that they made on the day is made anew."""
_MARKERS = {
    "implementation_name": "cpython", "implementation_version": f"{TARGET}.2", "os_name": "posix",
    "platform_python_implementation": "CPython", "platform_release": "", "platform_system": "Linux",
    "platform_version": "", "python_full_version": f"{TARGET}.2", "python_version": TARGET, "sys_platform": "linux",
}  # fmt: skip
"""Of every board, all that a requirement can ask (PEP 508) but the processor."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_TEMPLATE = """#!/usr/lib/gatehouse/bin/python3
import sys

from appliance.cli import main

sys.exit(main())
"""


def needed(settings: str, extra: str, machine: str) -> frozenset[str]:
    """Names of all packages that the project and its `extra` need on a board.

    Args:
        settings: The project's pyproject.toml. What those need in turn is asked of what is installed beside this build.
        extra: An optional set of it.
        machine: The board's processor, as `Board.machine`.

    Raises:
        Refused: one of them is not installed here.
    """
    project = tomllib.loads(settings)["project"]
    wanted: set[str] = set()
    waiting = [([*project["dependencies"], *project["optional-dependencies"][extra]], frozenset({""}))]
    while waiting:
        lines, extras = waiting.pop()
        for line in lines:
            requirement, _, marker = line.partition(";")
            found = _NAME.match(requirement.strip())
            if found is None or normal(found.group()) in wanted or not applies(marker.strip(), extras, machine):
                continue
            name = normal(found.group())
            wanted.add(name)
            inside = re.search(r"\[([^\]]*)\]", requirement)
            try:
                further = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                raise Refused(f"{name} is not installed beside the build: run `make setup` first.") from None
            waiting.append((further, frozenset({"", *(inside.group(1).split(",") if inside else ())})))
    return frozenset(wanted - NOT_ON_THE_BOX)


def normal(name: str) -> str:
    """A package's name as the index writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def applies(marker: str, extras: frozenset[str], machine: str) -> bool:
    """Whether a requirement counts on the board (PEP 508): nothing is asked of the machine that builds.

    Args:
        marker: What stands behind the semicolon; empty always counts.
        extras: Optional sets that were asked for.
        machine: As `Board.machine`.
    """
    if not marker:
        return True
    from pip._vendor.packaging.markers import Marker  # noqa: PLC0415 (pip is what reads markers here)

    board = {**_MARKERS, "platform_machine": machine}
    return any(Marker(marker).evaluate({**board, "extra": extra}) for extra in extras)


def cut_lock(lock: str, names: frozenset[str]) -> str:
    """The part of a lock file that is about `names`, hashes and all.

    Raises:
        Refused: one is not in it.
    """
    blocks = re.split(r"^(?=[A-Za-z0-9][A-Za-z0-9._-]*==)", lock, flags=re.MULTILINE)[1:]
    kept = {normal(block.split("==")[0].split("[")[0]): block for block in blocks}
    missing = sorted(names - set(kept))
    if missing:
        raise Refused(f"requirements.lock does not pin {', '.join(missing)}.")
    return "".join(kept[name] for name in sorted(names))


def fetch(board: Board, lock: str, *, wheels: Path, python: Path) -> list[Path]:
    """Fetch the wheels of a lock file for the board; what is there already is not fetched again.

    Raises:
        Refused: one cannot be had, or has another hash.
    """
    wheels.mkdir(parents=True, exist_ok=True)
    list_, complete = wheels / "requirements.txt", wheels / "complete"
    if complete.exists():
        return sorted(wheels.glob("*.whl"))
    list_.write_text(lock)
    platforms = [word for platform in board.platforms for word in ("--platform", platform)]
    tool(
        python, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps",
        "--require-hashes", "--only-binary=:all:", "--implementation", "cp", "--python-version", TARGET,
        "--abi", "cp311", "--abi", "abi3", "--abi", "none", *platforms, "--dest", wheels, "-r", list_,
    )  # fmt: skip
    complete.touch()
    return sorted(wheels.glob("*.whl"))


def own_wheel(source: Path, *, out: Path, python: Path, epoch: int) -> Path:
    """Build the project's wheel from a tree of its sources, with what runs on the box only."""
    settings = source / "pyproject.toml"
    settings.write_text(for_the_box(settings.read_text(), packages_of(source)))
    tool(
        python, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps",
        "--no-build-isolation", "--no-index", "--wheel-dir", out, source,
        extra={"SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip
    (wheel,) = out.glob("gatehouse-*.whl")
    return wheel


def packages_of(source: Path) -> list[str]:
    """The project's packages that run on the box, sorted."""
    return sorted(
        path.parent.relative_to(source).as_posix().replace("/", ".")
        for name in ON_THE_BOX
        for path in (source / name).rglob("__init__.py")
    )


def for_the_box(settings: str, packages: list[str]) -> str:
    """The project's settings (pyproject.toml) with these packages only.

    Raises:
        Refused: the list of packages is not where it was.
    """
    listed = "packages = [\n" + "".join(f'    "{name}",\n' for name in packages) + "]\n"
    found, count = re.subn(r"^packages = \[\n(?: .*\n)*\]\n", listed, settings, flags=re.MULTILINE)
    found = re.sub(r"^py-modules = .*\n", "", found, flags=re.MULTILINE)
    if count != 1:
        raise Refused("pyproject.toml: the list of packages ([tool.setuptools]) is not as the image build knows it.")
    return found


def install(root: Path, wheels: list[Path], program: str, *, python: Path) -> None:
    """Lay a virtual environment with the wheels into the tree `root` at `program`."""
    folder = root / program.lstrip("/")
    packages = folder / "lib" / f"python{TARGET}" / "site-packages"
    packages.mkdir(parents=True)
    tool(
        python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps",
        "--no-index", "--no-compile", "--ignore-requires-python", "--platform", "any", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", TARGET, "--abi", "cp311", "--abi", "abi3", "--abi", "none",
        *(word for platform in _platforms(wheels) for word in ("--platform", platform)),
        "--target", packages, *wheels,
    )  # fmt: skip
    for path in [*packages.rglob("*.pyi"), *packages.rglob("direct_url.json"), *packages.glob("*.dist-info/REQUESTED")]:
        path.unlink()
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for path in packages.glob("*.dist-info/RECORD"):
        path.write_text(as_kept(path.read_text()))
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {TARGET}\n")
    for name in ("python3", "python"):
        (commands / name).symlink_to("/usr/bin/python3")
    (commands / "gatehouse").write_text(_TEMPLATE)
    (commands / "gatehouse").chmod(0o755)


def as_kept(record: str) -> str:
    """A package's RECORD without what is not kept; one of those files names the folder of this build."""
    gone = ("direct_url.json,", "REQUESTED,", "../../bin/", ".pyi,")
    lines = [line for line in record.splitlines() if not any(word in line for word in gone)]
    return "".join(f"{line}\n" for line in sorted(lines))


def _platforms(wheels: list[Path]) -> list[str]:
    return sorted({platform for wheel in wheels for platform in wheel.stem.split("-")[-1].split(".")} - {"any"})


def compile_(root: Path, folders: list[str], *, python: Path) -> None:
    """Make the byte code of `folders` (paths in the tree), by the Python of this build if it is of the tree's version.

    A process for each folder, alone in it and without this machine's settings: what a process has compiled before, and
    in which order, shows in the octets of what it compiles next.

    Raises:
        Refused: a module does not compile.
    """
    words = ("-m", "compileall", "-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash")
    if f"{sys.version_info.major}.{sys.version_info.minor}" != TARGET:
        # Another Python writes other byte code: the tree's own has to do it, slowly where it is a foreign processor.
        in_tree(root, "python3", "-I", "-S", *words, *folders)
        return

    def one(folder: str) -> bytes:
        return tool(python, "-I", "-S", *words, "-s", root, "-p", "/", root / folder.lstrip("/"))

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, folders))
