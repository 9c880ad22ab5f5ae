"""The Debian part of an image: lists of packages in, an archive of the installed tree out.

From Debian's own archives only, by mmdebstrap, as apt resolves them on the day; what that was is in the manifest. The
fetched packages are kept, so that a second build asks the network for the lists only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from imaging.boards import Board
from imaging.run import Refused, in_tree, tool

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_LINE = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+) +# \S.*")


def packages(folder: Path, board: Board) -> list[str]:
    """Debian packages of a board: `common.txt` and its own list.

    Raises:
        Refused: a line is no package with its reason.
    """
    return sorted({*_listed(folder / "common.txt"), *_listed(folder / f"{board.name}.txt")})


def _listed(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            found = _LINE.fullmatch(line)
            if found is None:
                raise Refused(f"{path}: {line!r} is not a package, spaces, # and what it is for.")
            yield found["name"]


def sources(board: Board) -> str:
    """`sources.list` of the build; the radios' firmware is in non-free-firmware."""
    parts = "main non-free-firmware" if board.architecture == "arm64" else "main"
    return "".join(
        f"deb {where} {suite} {parts}\n"
        for where, suite in ((MIRROR, SUITE), (MIRROR, f"{SUITE}-updates"), (SECURITY, f"{SUITE}-security"))
    )


def foreign_ready(board: Board, native: str) -> None:
    """See that programs of the board's architecture can be run here; register qemu-user where nothing has.

    Raises:
        Refused: neither works.
    """
    if board.architecture == native:
        return
    if not (_BINFMT / "register").exists():
        tool("mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT, accept=(0, 32))
    if not (_BINFMT / "qemu-aarch64").exists():
        rule = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
        if not rule.exists():
            raise Refused("qemu-user-static is missing: install the packages of tools/apt-image.txt.")
        try:
            (_BINFMT / "register").write_bytes(rule.read_bytes().strip())
        except OSError as error:
            raise Refused(f"programs for {board.architecture} cannot be registered here: {error.strerror}.") from None
    tool("arch-test", board.architecture)


def bootstrap(board: Board, wanted: list[str], *, archive: Path, cache: Path, epoch: int) -> None:
    """Make `archive`, a tar of Debian with the packages `wanted`; `cache` keeps the fetched packages.

    Raises:
        Refused: mmdebstrap failed, with its last words.
    """
    cache.mkdir(parents=True, exist_ok=True)
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".part.tar")
    tool(
        "mmdebstrap", "--variant=minbase", f"--architectures={board.architecture}", "--mode=root", "--format=tar",
        f"--include={','.join(wanted)}",
        # Documents and other languages' words stay at home.
        "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright", "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--skip=download/empty", "--skip=essential/unlink",
        '--setup-hook=mkdir -p "$1/var/cache/apt/archives"',
        f"--setup-hook=sync-in {cache} /var/cache/apt/archives",
        f"--customize-hook=sync-out /var/cache/apt/archives {cache}",
        SUITE, unfinished, "-",
        stdin=sources(board).encode(),
        # INITRD=No: the initramfs is made once, at the end, and small; the kernel's hook would make a large one here.
        extra={"SOURCE_DATE_EPOCH": str(epoch), "INITRD": "No"},
    )  # fmt: skip
    unfinished.replace(archive)


def unpack(archive: Path, root: Path) -> None:
    """Lay the archive out as a tree."""
    root.mkdir(parents=True)
    tool("tar", "--extract", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f", archive, "-C", root)


def installed(root: Path) -> list[tuple[str, str, str, str]]:
    """Each package of the tree: name, version, architecture, source; sorted."""
    lines = in_tree(root, "dpkg-query", "-W", "-f=${Package}\t${Version}\t${Architecture}\t${source:Package}\n")
    found = [line.split("\t") for line in lines.decode().splitlines()]
    return sorted((name, version, architecture, source) for name, version, architecture, source in found)


def kernel_version(root: Path) -> str:
    """The one kernel of the tree.

    Raises:
        Refused: there is none, or more than one.
    """
    found = sorted(path.name.removeprefix("vmlinuz-") for path in (root / "boot").glob("vmlinuz-*"))
    if len(found) != 1:
        raise Refused(f"the tree has {len(found)} kernels, not one: {', '.join(found)}")
    return found[0]
