"""Debian's kernel for the guest: out of its package, with the few modules that are asked for.

In: names of modules. Out: the kernel's image and the modules' octets in the order they are loaded. The package comes by
`apt-get download`, which checks its hash against the signed index; it is unpacked once, into `build/guest/`.
Bounded: `FETCH_SECONDS` for the download, `UNPACK_SECONDS` for the rest; what was left half done is not used.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FETCH_SECONDS = 240.0
UNPACK_SECONDS = 120.0
FOLDER = Path(__file__).resolve().parents[2] / "build" / "guest"
META = "linux-image-amd64"
"""Depends on the kernel of the day."""

_PACKAGE = re.compile(r"linux-image-[0-9][0-9a-z.+~-]*-amd64")


class GuestMissingError(RuntimeError):
    """A guest cannot be had here; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel that was unpacked."""

    image: Path
    tree: Path
    """Holds `lib/modules/VERSION`."""
    version: str

    def modules(self, names: Sequence[str]) -> list[tuple[str, bytes]]:
        """These modules and what they need, in the order they are loaded: file name and content, not compressed.

        Raises:
            GuestMissingError: this kernel has no such module.
        """
        found: dict[str, bytes] = {}
        for name in names:
            words = ["modprobe", "-d", str(self.tree), "-S", self.version, "--show-depends", name]
            done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=UNPACK_SECONDS)
            if done.returncode:
                raise GuestMissingError(f"the guest's kernel has no module {name}: {done.stderr.strip()}")
            for line in done.stdout.splitlines():
                kind, _, path = line.strip().partition(" ")
                if kind != "insmod":
                    continue  # `builtin NAME`
                file = Path(path.split(" ")[0])
                raw = file.read_bytes()
                found.setdefault(file.name.removesuffix(".xz"), lzma.decompress(raw) if file.suffix == ".xz" else raw)
        return list(found.items())


def kernel(folder: Path = FOLDER) -> Kernel:
    """The kernel in `folder`, fetched first where it is not there.

    Raises:
        GuestMissingError: no apt, no network, or a program is missing.
    """
    for program in ("apt-get", "apt-cache", "dpkg-deb", "depmod", "modprobe"):
        if shutil.which(program) is None:
            raise GuestMissingError(f"{program} is not installed: the guest's kernel cannot be had")
    ready = sorted(folder.glob("linux-image-*/boot/vmlinuz-*"))
    if not ready:
        _fetch(folder)
        ready = sorted(folder.glob("linux-image-*/boot/vmlinuz-*"))
    if not ready:
        raise GuestMissingError(f"{META} brought no kernel")
    image = ready[-1]
    return Kernel(image=image, tree=image.parents[1], version=image.name.removeprefix("vmlinuz-"))


def _fetch(folder: Path) -> None:
    package = _package()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        fresh = Path(made)
        fresh.chmod(0o777)  # apt fetches as a user of its own
        _run(["apt-get", "download", package], cwd=fresh, seconds=FETCH_SECONDS)
        (archive,) = fresh.glob("*.deb")
        tree = fresh / "tree"
        _run(["dpkg-deb", "-x", str(archive), str(tree)], cwd=fresh, seconds=UNPACK_SECONDS)
        if (tree / "usr" / "lib" / "modules").is_dir() and not (tree / "lib").exists():
            (tree / "lib").symlink_to("usr/lib")  # Debian 13
        version = package.removeprefix("linux-image-")
        _run(["depmod", "-b", str(tree), version], cwd=fresh, seconds=UNPACK_SECONDS)
        for needless in ("gpu", "media", "infiniband", "staging", "scsi", "iio", "input"):
            shutil.rmtree(tree / "lib" / "modules" / version / "kernel" / "drivers" / needless, ignore_errors=True)
        try:
            tree.rename(folder / package)
        except OSError:
            if not (folder / package).exists():
                raise  # else another run was faster


def _package() -> str:
    text = _run(["apt-cache", "depends", META], cwd=Path("/"), seconds=UNPACK_SECONDS)
    found = _PACKAGE.findall(text.replace(META, ""))
    if not found:
        raise GuestMissingError(f"apt knows no {META}: `apt-get update` may be needed")
    return str(found[0])


def _run(words: list[str], *, cwd: Path, seconds: float) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            words, cwd=cwd, env=environment, check=False, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise GuestMissingError(f"`{' '.join(words)}` took more than {seconds:.0f} s") from None
    if done.returncode:
        raise GuestMissingError(f"`{' '.join(words)}` failed: {done.stderr.strip()[-500:]}")
    return done.stdout
