"""The image, built a second time in other surroundings: the same octets. With Debian's packages of the first build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.machine import image

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "image-build") not in sys.path:
    sys.path.insert(0, str(ROOT / "image-build"))

pytestmark = [pytest.mark.machine, pytest.mark.timeout(1800)]
CACHE = "GATEHOUSE_IMAGE_CACHE"
"""Names the folder that the first build kept Debian's tree and the wheels in; by default that of `make image`."""
SURROUNDINGS = {
    "TZ": "Asia/Kolkata", "LANG": "de_DE.UTF-8", "LC_TIME": "de_DE.UTF-8", "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2",
    "SOURCE_DATE_EPOCH": "1", "TAR_OPTIONS": "--mode=a+w",
}  # fmt: skip


@pytest.mark.req("S5")
def test_the_same_commit_gives_the_same_octets_elsewhere(tmp_path: Path) -> None:
    from imaging import compare

    built = image.find(ROOT)
    assert isinstance(built, image.Image)
    first = built.path.parent
    about = json.loads((first / "qemu.manifest.json").read_text())["image"]
    cache = Path(os.environ.get(CACHE) or ROOT / "build/image-cache")
    if not list(cache.glob("debian-qemu-*.tar")):
        pytest.skip(f"there is no kept tree of Debian in {cache}, and no network here to fetch it")
    if about["commit"].endswith("-and-changes"):
        pytest.skip("this image was built from a working tree: nobody can build it again")
    folder = tmp_path / "another folder's name"
    words = [
        sys.executable, str(ROOT / "image-build/build.py"), "qemu", "--out", str(folder), "--cache", str(cache),
        "--commit", about["commit"], "--version", about["version"],
        *(("--keyring", str(built.signer)) if built.signer else ()),
    ]  # fmt: skip
    script = 'hostname elsewhere && umask 077 && exec "$@"'
    done = subprocess.run(
        ["unshare", "--uts", "sh", "-c", script, "sh", *words],
        env={**os.environ, **SURROUNDINGS}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert compare.builds(first, folder, "qemu") == []
