"""Files put in place all at once: who looks, or comes after a kill, finds the old ones or the new ones, never some of each.

Every file of ours in `/etc` is a symbolic link through `/etc/gatehouse/current`, which is itself a link to one folder
with a whole set of files. To go from one set to another is to replace that one link: one rename(2). Enters: texts by
path. Leaves: the file system below `root`. Bounded: `KEPT` sets are kept, the rest is removed.

A plain file that the image brought under one of those paths is copied first, into a set of its own, and stands there
again when a household no longer has a file of that name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = "/etc/gatehouse"
KEPT = 3

Mode = Callable[[str], int]
"""Permission bits of a file, by its path."""


class Placing:
    """The sets below one root; `/` on the box.

    Args:
        root: what absolute paths count from.
        mode: permission bits of each file.
        step: called before each change of the file system; a test kills there.
    """

    def __init__(self, root: Path, mode: Mode, *, step: Callable[[], None] = lambda: None) -> None:
        self._root = root
        self._mode = mode
        self._step = step
        self._folder = root / FOLDER.lstrip("/")
        self._sets = self._folder / "sets"
        self._image = self._folder / "image"

    def current(self) -> str | None:
        """Name of the set that is in place; None before the first."""
        try:
            return (self._folder / "current").readlink().name
        except OSError:
            return None

    def files(self, name: str | None = None) -> dict[str, str]:
        """Texts by path of a set, of the one in place if none is named; empty where there is none."""
        name = name or self.current()
        return {} if name is None else self._read(self._sets / name)

    def put(self, files: Mapping[str, str]) -> str:
        """Put these files in place, and no others of ours; the name of the set.

        Raises:
            OSError: nothing has changed for who reads the files.
        """
        self._adopt(files)
        return self._install(self._read(self._image) | dict(files))

    def back(self, name: str) -> None:
        """Put a set in place again that is still kept.

        Raises:
            OSError: it is not.
        """
        if not (self._sets / name).is_dir():
            raise FileNotFoundError(f"the set {name} is no longer kept")
        self._install(self._read(self._sets / name))

    def _install(self, files: Mapping[str, str]) -> str:
        name = self._stage(files)
        for path in files:
            if not self._target(path).is_symlink():
                self._link(path)
        self._switch(name)
        self._tidy(name)
        return name

    def _adopt(self, files: Mapping[str, str]) -> None:
        """Take over what lies there as a plain file, so that it looks as before and is a link."""
        found: dict[str, str] = {}
        foreign: list[str] = []
        for path in files:
            target = self._target(path)
            if target.is_symlink():
                if str(target.readlink()) == self._points_to(path):
                    continue
                foreign.append(path)  # resolv.conf often leads elsewhere
            elif target.exists():
                foreign.append(path)
            else:
                continue
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found[path] = target.read_bytes().decode()
        if not foreign:
            return
        for path, text in found.items():
            self._write(self._image / path.lstrip("/"), text, self._mode(path))
        self._switch(self._stage(self.files() | found))
        for path in foreign:
            self._link(path)

    def _stage(self, files: Mapping[str, str]) -> str:
        """A whole set on the medium; the one that is there already, where it is the same."""
        name = digest(files)
        whole = self._sets / name
        if whole.is_dir():
            return name
        fresh = self._sets / f".{name}.new"
        self._step()
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for path, text in files.items():
            self._write(fresh / path.lstrip("/"), text, self._mode(path))
        for folder in (*(each for each in fresh.rglob("*") if each.is_dir()), fresh):
            _sync(folder)
        self._step()
        fresh.rename(whole)
        _sync(self._sets)
        return name

    def _switch(self, name: str) -> None:
        self._replace_link(self._folder / "current", f"sets/{name}")

    def _link(self, path: str) -> None:
        self._replace_link(self._target(path), self._points_to(path))

    def _replace_link(self, link: Path, to: str) -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.gatehouse-new")
        self._step()
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(to)
        self._step()
        fresh.replace(link)
        _sync(link.parent)

    def _tidy(self, name: str) -> None:
        """Links that lead nowhere now, and sets of long ago."""
        wanted = set(self._read_paths(self._sets / name))
        sets = sorted(
            (each for each in self._sets.iterdir() if each.is_dir() and not each.name.startswith(".")),
            key=lambda each: each.stat().st_mtime_ns,
            reverse=True,
        )
        for path in {path for each in sets for path in self._read_paths(each)} - wanted:
            target = self._target(path)
            if target.is_symlink() and str(target.readlink()) == self._points_to(path):
                self._step()
                target.unlink(missing_ok=True)
        os.utime(self._sets / name)
        for old in [each for each in sets if each.name != name][KEPT - 1 :]:
            self._step()
            shutil.rmtree(old, ignore_errors=True)

    def _target(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _points_to(self, path: str) -> str:
        """Relative, so that the same tree is right under any root."""
        inside = Path(FOLDER) / "current" / path.lstrip("/")
        return os.path.relpath(inside, Path(path).parent)

    def _read(self, folder: Path) -> dict[str, str]:
        return {path: (folder / path.lstrip("/")).read_bytes().decode() for path in self._read_paths(folder)}

    @staticmethod
    def _read_paths(folder: Path) -> list[str]:
        return [f"/{each.relative_to(folder)}" for each in sorted(folder.rglob("*")) if each.is_file()]

    def _write(self, path: Path, text: str, mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        self._step()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def digest(files: Mapping[str, str]) -> str:
    """Name of a set: the same for the same files."""
    whole = hashlib.sha256()
    for path, text in sorted(files.items()):
        for part in (path, text):
            octets = part.encode()
            whole.update(len(octets).to_bytes(8, "big") + octets)
    return whole.hexdigest()[:16]


def digest_of(path: Path) -> str:
    """Digest of one file; empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
