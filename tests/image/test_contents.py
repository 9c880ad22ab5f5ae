"""A finished image, opened again: it has what its manifest says, nothing of a secret, and nothing where nothing belongs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.machine import disk, image

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "image-build") not in sys.path:
    sys.path.insert(0, str(ROOT / "image-build"))

pytestmark = [pytest.mark.machine, pytest.mark.timeout(900)]
COMMON, BOOT_A, BOOT_B, ROOT_A, ROOT_B, DATA = 1, 2, 3, 5, 6, 7


@pytest.fixture(scope="module", params=["qemu", "pi4"])
def built(request: pytest.FixtureRequest) -> image.Image:
    found = image.find(ROOT, request.param)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="module")
def parts(built: image.Image) -> dict[int, disk.Partition]:
    return {part.number: part for part in disk.partitions(built.path)}


@pytest.fixture(scope="module")
def root(built: image.Image, parts: dict[int, disk.Partition], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opened")
    tree = folder / "root"
    squashed = ["unsquashfs", "-q", "-n", "-o", str(parts[ROOT_A].start), "-d", str(tree), str(built.path)]
    subprocess.run(squashed, check=True, capture_output=True)
    return tree


@pytest.fixture
def boot_files(built: image.Image, parts: dict[int, disk.Partition], tmp_path: Path) -> dict[str, Path]:
    found = {}
    for number in (COMMON, BOOT_A):
        folder = tmp_path / str(number)
        folder.mkdir()
        there = f"{built.path}@@{parts[number].start}"
        subprocess.run(["mcopy", "-s", "-n", "-i", there, "::", folder], check=True, capture_output=True)
        found |= {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return found


@pytest.mark.req("R69")
def test_nothing_secret_is_in_it(root: Path, boot_files: dict[str, Path]) -> None:
    from imaging import secrets

    assert {"vmlinuz", "initrd.img"} <= set(boot_files)
    assert secrets.look(root) == []
    assert secrets.look_at_files(boot_files) == []
    assert secrets.look_in_initramfs(boot_files["initrd.img"]) == []


@pytest.mark.req("R69")
def test_no_identity_is_in_it(root: Path, boot_files: dict[str, Path]) -> None:
    """Named here one by one, beside what the build itself looks for."""
    assert (root / "etc/machine-id").read_bytes() == b""
    for none in (
        "etc/ssh/ssh_host_*",
        "var/lib/systemd/*",
        "var/lib/gatehouse/*",
        "var/lib/dbus/*",
        "root/*",
        "root/.*",
    ):
        assert list(root.glob(none)) == []
    words = [line.split(":")[1] for line in (root / "etc/shadow").read_text().splitlines()]
    assert words
    assert all(word.strip("!*") == "" and word for word in words)
    assert not [name for name in boot_files if name.startswith("gatehouse/data") or name.endswith("operator.toml")]


def blocks(path: Path, start: int, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while size > 0 and (block := file.read(min(size, 4 * 1024 * 1024))):
            size -= len(block)
            yield block


@pytest.mark.req("R69")
def test_what_is_empty_is_empty(built: image.Image, parts: dict[int, disk.Partition]) -> None:
    """The second slot and the data partition: no rest of the machine that built it."""
    for number in (BOOT_B, ROOT_B, DATA):
        part = parts[number]
        assert not any(any(block) for block in blocks(built.path, part.start, part.size)), f"partition {number}"
    used = (built.bundle / "rootfs.img").stat().st_size
    rest = parts[ROOT_A]
    assert not any(any(block) for block in blocks(built.path, rest.start + used, rest.size - used))


@pytest.mark.req("S5")
def test_every_file_is_the_manifest_s(built: image.Image, root: Path, boot_files: dict[str, Path]) -> None:
    from imaging import manifest

    said = json.loads(built.path.with_name(f"{built.bundle.name}.manifest.json").read_text())
    assert {path.relative_to(root).as_posix(): manifest.entry(path) for path in root.rglob("*")} == said["files"]
    for name in ("vmlinuz", "initrd.img"):
        assert manifest.digest(boot_files[name]) == said["parts"][name]["sha256"]
    assert manifest.digest(built.path) == said["parts"][built.path.name]["sha256"]


def test_the_compressed_file_and_its_map_give_the_same_card(built: image.Image, tmp_path: Path) -> None:
    from imaging import manifest

    packed = built.path.with_name(f"{built.path.name}.zst")
    if not packed.exists():
        pytest.skip("this image was built without --compress")
    card = tmp_path / "card.img"
    subprocess.run(["bmaptool", "-q", "copy", packed, card], check=True, capture_output=True)
    assert manifest.digest(card) == manifest.digest(built.path)
