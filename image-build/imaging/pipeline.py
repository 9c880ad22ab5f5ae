"""The build from end to end: one `Wish` in, the finished image's path out. Each stage is a module of its own."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imaging import boot, debian, disk, manifest, pi, python, sbom, secrets, tree
from imaging.boards import COMMON, SLOTS, Board, command_line, partuuid
from imaging.run import Progress, Refused, require, tool

PROGRAM = "/usr/lib/gatehouse"
"""As `firmware.layout.PROGRAM`; a test compares them."""
TABLES = Path("appliance/keeper/devices/fingerprint/tables")
"""Packed by tools/tables.py, not part of the sources' history."""
TOOLS = (
    "mmdebstrap", "mksquashfs", "mkfs.vfat", "mcopy", "mmd", "genimage", "tar", "unshare", "chroot", "systemctl",
    "systemd-sysusers", "git", "zstd",
)  # fmt: skip
_DAY = 86400
"""Debian's tree is kept for a day's commits, so its times are the day's: who built first makes no difference."""
_NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be built, from what, where."""

    board: Board
    project: Path
    out: Path
    work: Path
    """Emptied before and after."""
    cache: Path
    python: Path
    commit: str = "HEAD"
    version: str | None = None
    keyring: bytes | None = None
    working_tree: bool = False
    fresh: bool = False
    compress: bool = False


@dataclass(slots=True, kw_only=True)
class _Under:
    """An image under way: what the stages hand on."""

    wish: Wish
    progress: Progress
    source: Path
    root: Path
    parts: Path
    epoch: int
    """No time in the image is later; seconds since 1970."""
    about: dict[str, Any]
    kernel: str = ""
    lock: str = ""
    packages: list[tuple[str, str, str, str]] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    """Kernel's command line of each slot."""
    loader: tuple[str, str] | None = None


def build(wish: Wish, progress: Progress) -> Path:
    """Build an image.

    Raises:
        Refused: it cannot be built; says why and what to do.
    """
    require(TOOLS)
    os.umask(0o022)  # modes of what is made are in the image
    parts = wish.work / "parts"
    parts.mkdir(parents=True)
    source = wish.work / "source"
    commit, epoch = export(wish.project, source, which=wish.commit, working_tree=wish.working_tree)
    version = wish.version or version_of(wish.project, wish.commit, epoch)
    about = tree.describe(wish.board, version=version, commit=commit, epoch=epoch)
    progress.say(f"{wish.board.compatible} {version}, from {commit[:12]}, for {wish.board.hardware}")
    under = _Under(
        wish=wish, progress=progress, source=source, root=wish.work / "root", parts=parts, epoch=epoch, about=about
    )
    _debian(under)
    _python(under)
    common = _furnish(under)
    _partitions(under, common)
    return _finish(under)


def _debian(under: _Under) -> None:
    wish, board = under.wish, under.wish.board
    debian.foreign_ready(board, _NATIVE.get(platform.machine(), platform.machine()))
    wanted = debian.packages(under.source / "image-build" / "packages", board)
    # What was fetched by another recipe is another tree.
    recipe = [*wanted, Path(debian.__file__).read_text()]
    archive = wish.cache / f"debian-{board.name}-{key_of(recipe, under.epoch)}.tar"
    if wish.fresh or not archive.exists():
        under.progress.say(f"Debian {debian.SUITE} with {len(wanted)} packages and what they need")
        for old in wish.cache.glob(f"debian-{board.name}-*.tar"):
            old.unlink()
        cache = wish.cache / f"debs-{board.architecture}"
        debian.bootstrap(board, wanted, archive=archive, cache=cache, epoch=under.epoch // _DAY * _DAY)
    else:
        under.progress.say("Debian as it was fetched before")
    debian.unpack(archive, under.root)
    under.kernel = debian.kernel_version(under.root)


def _python(under: _Under) -> None:
    wish = under.wish
    under.progress.say("Python packages for the board, each checked against its hash")
    names = python.needed((under.source / "pyproject.toml").read_text(), python.EXTRA, wish.board.machine)
    under.lock = python.cut_lock((under.source / "requirements.lock").read_text(), names)
    folder = wish.cache / f"wheels-{wish.board.architecture}-{key_of([under.lock], 0)}"
    wheels = python.fetch(wish.board, under.lock, wheels=folder, python=wish.python)
    own = python.own_wheel(under.source, out=wish.work / "own", python=wish.python, epoch=under.epoch)
    python.install(under.root, [*wheels, own], PROGRAM, python=wish.python)
    python.compile_(under.root, [PROGRAM, *python.DEBIAN], python=wish.python)


def _furnish(under: _Under) -> dict[str, Path]:
    """The files of the common partition; the tree is ready after this."""
    wish, board, root, parts = under.wish, under.wish.board, under.root, under.parts
    under.progress.say("files of the firmware, units, users")
    texts, boot_files = firmware_files(under.source, board, wish.python)
    under.lines = {slot: command_line(slot, files["cmdline.txt"]) for slot, files in boot_files.items()}
    tree.lay(root, board, texts=texts, source=under.source, about=under.about, keyring=wish.keyring)

    under.progress.say(f"initramfs for {under.kernel}")
    (parts / "initrd.img").write_bytes(tree.make_initramfs(root, under.kernel, under.epoch))
    shutil.copyfile(root / "boot" / f"vmlinuz-{under.kernel}", parts / "vmlinuz")
    config = boot_files["A"].get("config.txt", "")
    found, under.loader = loader_files(board, root, parts, kernel=under.kernel, lines=under.lines, config=config)
    common = {}
    for number, (name, path) in enumerate(sorted(found.items())):
        # A copy: what the tree has below /boot goes.
        common[name] = parts / f"common-{number}"
        shutil.copyfile(path, common[name])
    under.packages = debian.installed(root)
    tree.clean(root)

    under.progress.say("nothing secret inside?")
    secret = secrets.look(root) + secrets.look_at_files(common) + secrets.look_in_initramfs(parts / "initrd.img")
    if secret:
        raise Refused("the image would carry what must not be in it:\n  " + "\n  ".join(secret))
    return common


def _partitions(under: _Under, common: dict[str, Path]) -> None:
    board, parts, epoch = under.wish.board, under.parts, under.epoch
    under.progress.say("boot partitions and read-only root")
    slot = {"vmlinuz": parts / "vmlinuz", "initrd.img": parts / "initrd.img"}
    for name, files, mib, label, number in (
        ("common.vfat", common, board.common_mib, "GATEHOUSE", COMMON),
        ("boot.vfat", slot, board.boot_mib, "GH-BOOT", SLOTS["A"][0]),
    ):
        boot.fat(parts / name, files, mib=mib, label=label, serial=boot.serial_of(number), epoch=epoch)
    disk.squash(under.root, parts / "root.squashfs", epoch=epoch)
    if (parts / "root.squashfs").stat().st_size > board.root_mib * 1024 * 1024:
        raise Refused(f"the root does not fit into its {board.root_mib} MiB")


def _finish(under: _Under) -> Path:
    wish, board, parts = under.wish, under.wish.board, under.parts
    under.progress.say("the card")
    image = disk.compose(board, parts=parts, out=wish.work, image=f"gatehouse-{board.name}.img", loader=under.loader)
    ready = wish.work / "ready"
    (ready / board.name).mkdir(parents=True)
    image = image.replace(ready / image.name)
    for made, name in (("boot.vfat", "boot.img"), ("root.squashfs", "rootfs.img"), ("vmlinuz", ""), ("initrd.img", "")):
        (parts / made).replace(ready / board.name / (name or made))

    under.progress.say("bill of materials and manifest")
    bill = sbom.document(under.about, under.packages, sbom.pinned(under.lock), epoch=under.epoch)
    what = manifest.of(
        under.root, about=under.about, packages=under.packages, kernel=under.kernel,
        parts=[*sorted((ready / board.name).iterdir()), image],
    )  # fmt: skip
    (ready / f"{board.name}.spdx.json").write_text(sbom.as_json(bill))
    (ready / f"{board.name}.manifest.json").write_text(manifest.as_json(what))
    start = how_to_start(board, wish.out / image.name, wish.out / board.name, under.about, under.lines)
    (ready / f"{board.name}.json").write_text(json.dumps(start, indent=1) + "\n")
    if wish.compress:
        under.progress.say("block map and compressed file")
        tool("bmaptool", "create", "-o", image.with_suffix(".img.bmap"), image)
        tool("zstd", "-q", "-f", "-9", "-T0", "-o", image.with_suffix(".img.zst"), image)
        # A map for each: the operator's settings may be put on the one and not on the other.
        shutil.copyfile(image.with_suffix(".img.bmap"), image.with_suffix(".img.zst.bmap"))
    publish(ready, wish.out)
    return wish.out / image.name


def publish(ready: Path, out: Path) -> None:
    """Put what is finished in place of what was there, file by file: a machine that runs the old one goes on with it."""
    for path in sorted(ready.rglob("*")):
        target = out / path.relative_to(ready)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            path.replace(target)


def export(project: Path, to: Path, *, which: str, working_tree: bool) -> tuple[str, int]:
    """Lay the project's sources out at `to`: the last commit, or what lies in the folder.

    Returns:
        What it is called, and its time in seconds since 1970: every time in the image is this one or earlier.
    """
    commit = tool("git", "-C", project, "rev-parse", "--verify", f"{which}^{{commit}}").decode().strip()
    epoch = int(tool("git", "-C", project, "log", "-1", "--format=%ct", which).decode())
    to.mkdir(parents=True)
    if working_tree:
        names = tool("git", "-C", project, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        listed = b"\0".join(name for name in names.split(b"\0") if name and (project / name.decode()).is_file())
        packed = tool(
            "tar",
            "--create",
            "--owner=0",
            "--group=0",
            "--null",
            "--mode=u=rwX,go=rX",
            "-C",
            project,
            "-T",
            "-",
            stdin=listed,
        )
        commit += "-and-changes"
    else:
        packed = tool("git", "-C", project, "-c", "tar.umask=0022", "archive", "--format=tar", commit)
    tool("tar", "--extract", "-C", to, stdin=packed)
    if (project / TABLES).is_dir():
        shutil.copytree(project / TABLES, to / TABLES, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".stamp"))
    else:
        raise Refused("the packed tables of makers and services are missing: run `make setup` first.")
    return commit, epoch


def version_of(project: Path, which: str, epoch: int) -> str:
    """A version of the form that updates compare: year, month, number of commits (its last four figures)."""
    count = int(tool("git", "-C", project, "rev-list", "--count", which).decode())
    at = datetime.fromtimestamp(epoch, UTC)
    return f"{at.year}.{at.month}.{count % 10000}"


def key_of(words: list[str], epoch: int) -> str:
    """Under which name a stage's result is kept: of what went into it."""
    return hashlib.sha256("\n".join([*words, str(epoch // _DAY)]).encode()).hexdigest()[:12]


def firmware_files(source: Path, board: Board, python_: Path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What the firmware of these sources says: files that are the same in every home, and each slot's boot files."""
    said = json.loads(
        tool(
            python_, "-c", _ASK, board.name, "u-boot.bin",
            *(word for slot, (_, root) in sorted(SLOTS.items()) for word in (slot, f"PARTUUID={partuuid(root)}")),
            cwd=source, extra={"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    )  # fmt: skip
    return said["files"], said["boot"]


_ASK = """
import json, sys
from firmware import machine
board, kernel, *slots = sys.argv[1:]
boot = {slot: machine.boot(board, root=root, kernel=kernel) for slot, root in zip(slots[::2], slots[1::2])}
boot = {slot: {path.rsplit("/", 1)[1]: text for path, text in files.items()} for slot, files in boot.items()}
print(json.dumps({"files": machine.render(board), "boot": boot}))
"""


def loader_files(
    board: Board, root: Path, parts: Path, *, kernel: str, lines: dict[str, str], config: str
) -> tuple[dict[str, Path], tuple[str, str] | None]:
    """Files of the common partition, and what lies before the first one."""
    if board.architecture == "arm64":
        return pi.common_files(root, parts, kernel=kernel, config=config, lines=lines), None
    (parts / "grub.cfg").write_text(boot.grub_settings(lines))
    (parts / "grubenv").write_bytes(boot.grub_memory())
    first, core = boot.grub(parts)
    (parts / "README").write_text(_README)
    files = {"grub/grub.cfg": "grub.cfg", "grub/grubenv": "grubenv", "gatehouse/README.txt": "README"}
    return {name: parts / here for name, here in files.items()}, (first.name, core.name)


_README = "operator.toml belongs here. It is written at the station (make card); nothing in it is secret.\n"


def how_to_start(
    board: Board, image: Path, bundle: Path, about: dict[str, object], lines: dict[str, str]
) -> dict[str, object]:
    """For the tests that start the image: both ways, by its own loader and by QEMU's."""
    amd64 = board.architecture == "amd64"
    return {
        "image": str(image),
        "about": about,
        "qemu": "qemu-system-x86_64" if amd64 else "qemu-system-aarch64",
        "machine": ["-M", "q35,accel=tcg", "-cpu", "max"] if amd64 else ["-M", "virt", "-cpu", "cortex-a72"],
        "memory_mib": 768,
        "console": "ttyS0" if amd64 else "ttyAMA0",
        "own_loader": amd64,
        "kernel": str(bundle / "vmlinuz"),
        "initrd": str(bundle / "initrd.img"),
        "append": {slot: line + ("" if amd64 else " console=ttyAMA0") for slot, line in sorted(lines.items())},
        "drive": "virtio",
        "partitions": {"common": 1, "boot-a": 2, "boot-b": 3, "root-a": 5, "root-b": 6, "data": 7},
    }
