"""Update bundles for machines, made with the product's own command: one that is well, one whose system does not start.

Signed with the key that was made for the image under test. Bounded: the size of the image's partitions.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from lab.host import LabError
from lab.machine.image import Image

_SECONDS = 600.0
_GATEHOUSE = Path(sys.executable).with_name("gatehouse")
_DAMAGE = 4 * 1024 * 1024


def make(image: Image, target: Path, *, version: str, signer: Path | None = None, root: Path | None = None) -> Path:
    """A bundle of the image's own partitions, or with another `root`; by another `signer` where one is given.

    Raises:
        LabError: the image takes nobody's bundles, or the command refused.
    """
    certificate = signer or image.signer
    if certificate is None:
        raise LabError("this image takes nobody's bundles: it was built without a keyring")
    words: list[str | Path] = [
        _GATEHOUSE, "release", "bundle", "--root", root or image.bundle / "rootfs.img",
        "--boot", image.bundle / "boot.img", "--board", image.board, "--version", version,
        "--cert", certificate, "--key", certificate.with_suffix(".key"), "--out", target,
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise LabError(f"no bundle: {done.stderr.strip()[-500:]}")
    return target


def broken_root(image: Image, target: Path) -> Path:
    """A system partition that is signed like any other and cannot be mounted: its beginning is noise."""
    size = (image.bundle / "rootfs.img").stat().st_size
    noise = random.Random(1).randbytes(_DAMAGE)  # noqa: S311 (noise, no secret)
    with target.open("wb") as file:
        file.write(noise)
        file.truncate(size)
    return target


def self_signed(target: Path) -> Path:
    """A certificate of nobody's, with its key beside it.

    Raises:
        LabError: openssl refused.
    """
    words: list[str | Path] = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
        "-subj", "/CN=made for a test", "-keyout", target.with_suffix(".key"), "-out", target,
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise LabError(f"no certificate: {done.stderr.strip()[-300:]}")
    return target
