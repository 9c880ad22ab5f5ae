"""A Pi's image, as far as it can be started without a Pi: by its own U-Boot, and to the end by U-Boot of QEMU's machine.

The board's own first loader (start4.elf) is emulated by nothing, nor is its radio. `make test-image` builds no image of
a Pi: `make image BOARD=pi4` does, or GATEHOUSE_IMAGE_PI4 names one.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lab.machine import disk, image, uboot

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.machine,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(uboot.why_not() is not None, reason=uboot.why_not() or ""),
]
CARD_OCTETS = 4 * 1024**3
"""A card of QEMU's has a power of two."""


@pytest.fixture
def operator_card() -> str:
    """Of an operator that is reached nowhere, with keys made for this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])
    made = datetime(2026, 1, 1, tzinfo=UTC)
    authority = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(made).not_valid_after(made + timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    keys = {
        words: [base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()]
        for words in ("server_verify", "issuers", "release_keys")
    }
    text = {
        "tenant": "pilot", "operator": "Example Service", "contact": "the office", "country": "GB",
        "enrol_url": "https://desk.example:8443", "dashboard_url": "https://dashboard.example",
        "ca": authority.public_bytes(Encoding.PEM).decode(),
    }  # fmt: skip
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in (text | keys).items())


@pytest.fixture
def card(tmp_path: Path) -> Path:
    built = image.find(ROOT, "pi4")
    if isinstance(built, str):
        pytest.skip(built)
    path = disk.copy(built.path, tmp_path / "card.img")
    with path.open("r+b") as file:
        file.truncate(CARD_OCTETS)
    return path


@pytest.mark.parametrize(("board", "tree"), [("raspi3b", "bcm2837-rpi-3-b.dtb"), ("raspi4b", "bcm2711-rpi-4-b.dtb")])
def test_its_own_u_boot_takes_slot_a_from_the_card_and_reads_its_kernel(
    card: Path, tmp_path: Path, board: str, tree: str
) -> None:
    """U-Boot as it lies on the card, built for a Pi, with a Pi's addresses; nothing of the card was changed."""
    known = subprocess.run([uboot.PROGRAM, "-M", "help"], capture_output=True, text=True, check=True).stdout
    if not re.search(rf"^{board} ", known, re.MULTILINE):
        pytest.skip(f"this QEMU has no {board} (from version 9 on)")
    start = disk.partitions(card)[0].start
    files = {}
    for name in ("u-boot.bin", tree):
        files[name] = tmp_path / name
        files[name].write_bytes(disk.read_file(card, start, f"/{name}"))
    words = [
        uboot.PROGRAM, "-M", board, "-accel", "tcg", "-no-user-config", "-nodefaults", "-display", "none",
        "-kernel", str(files["u-boot.bin"]), "-dtb", str(files[tree]),
        "-drive", f"if=sd,file={card},format=raw", "-serial", "null", "-serial", "stdio",
    ]  # fmt: skip
    said = uboot.run(words, seconds=1200, until=r"slot A\r?\n[\s\S]*Starting kernel")
    assert "Found U-Boot script /boot.scr" in said
    assert b"BOOT_A_LEFT=2\0" in disk.read_file(card, start, "/slots.env")


@pytest.mark.req("R2", "R69")
def test_it_starts_to_where_a_new_box_waits_for_its_installer(card: Path, operator_card: str) -> None:
    uboot.told(card, "console=ttyAMA0 systemd.show_status=true systemd.log_color=no")
    start = disk.partitions(card)[0].start
    disk.write_file(card, start, "/gatehouse/operator.toml", operator_card.encode())
    network = [
        word
        for name in ("wan", "lan")
        for word in ("-netdev", f"user,id={name},restrict=on", "-device", f"virtio-net-pci,netdev={name}")
    ]
    words = uboot.argv(card, memory_mib=1024, extra=["-device", "virtio-rng-pci", *network])
    said = uboot.run(words, seconds=1800, until=r"Reached target.*multi-user")
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said)
    assert re.search(r"Started .*gatehouse-fitting\.service", plain)
    assert re.search(r"Finished .*gatehouse-data\.se", plain), "the data partition was made"
    assert not re.findall(r"FAILED.*|Dependency failed.*", plain)
