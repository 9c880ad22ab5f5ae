"""The station's step: the operator's settings on the card, checked, written without a mount, read back."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

MIB = 1024 * 1024
needs_mtools = pytest.mark.skipif(
    shutil.which("mcopy") is None or shutil.which("mkfs.vfat") is None,
    reason="mtools, dosfstools (tools/apt-image.txt)",
)


def public() -> str:
    return base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()


@pytest.fixture
def settings() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return (
        'tenant = "pilot"\noperator = "Example Service"\ncontact = "the office"\n'
        'enrol_url = "https://desk.example:8443"\ndashboard_url = "https://dashboard.example"\n'
        f'ca = """{certificate.public_bytes(Encoding.PEM).decode()}"""\n'
        f'server_verify = ["{public()}"]\nissuers = ["{public()}"]\nrelease_keys = ["{public()}"]\ncountry = "GB"\n'
    )


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A small card: a partition table with one FAT partition, one MiB in."""
    path = tmp_path / "card.img"
    fat = tmp_path / "fat"
    subprocess.run(["mkfs.vfat", "-C", "-F", "32", "-s", "1", fat, str(36 * 1024)], capture_output=True, check=True)
    first = bytearray(512)
    first[450] = 0x0C
    struct.pack_into("<II", first, 454, 2048, 36 * 2048)
    first[510:] = b"\x55\xaa"
    path.write_bytes(bytes(first).ljust(MIB, b"\0") + fat.read_bytes())
    return path


@needs_mtools
@pytest.mark.req("R1", "R2")
def test_settings_are_on_the_card_and_read_back(medium: Path, settings: str, tmp_path: Path) -> None:
    from imaging import card

    file = tmp_path / "operator.toml"
    for words in (settings, settings.replace("the office", "another office")):  # a second time it is replaced
        file.write_text(words)
        assert card.write(medium, file).tenant == "pilot"
        back = subprocess.run(
            ["mtype", "-i", f"{medium}@@{MIB}", "::gatehouse/operator.toml"], capture_output=True, text=True, check=True
        ).stdout
        assert back == words


@needs_mtools
@pytest.mark.req("R2")
@pytest.mark.skipif(shutil.which("bmaptool") is None, reason="bmap-tools (tools/apt-image.txt)")
def test_an_image_with_a_block_map_is_still_written_to_cards(medium: Path, settings: str, tmp_path: Path) -> None:
    from imaging import card

    file, blocks, copy = tmp_path / "operator.toml", tmp_path / "card.img.bmap", tmp_path / "copy"
    subprocess.run(["bmaptool", "-q", "create", "-o", blocks, medium], check=True)
    file.write_text(settings)
    stale = blocks.read_bytes()
    card.write(medium, file)
    assert blocks.read_bytes() != stale
    subprocess.run(["bmaptool", "-q", "copy", medium, copy], check=True, capture_output=True)
    assert copy.read_bytes() == medium.read_bytes()
    blocks.write_bytes(stale)  # what it is made anew for
    assert subprocess.run(["bmaptool", "-q", "copy", medium, copy], capture_output=True, check=False).returncode


@pytest.mark.req("R69")
@pytest.mark.parametrize("where", ["ca", "end"])
def test_a_card_with_a_private_key_is_refused(settings: str, where: str) -> None:
    from imaging import card
    from imaging.run import Refused

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    wrong = settings.replace('ca = """', f'ca = """{pem}') if where == "ca" else f"{settings}# {pem}"
    with pytest.raises(Refused, match="private key") as refused:
        card.check(wrong.encode())
    assert pem.splitlines()[1] not in str(refused.value)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('country = "GB"\n', "", "country"),
        ("https://desk.example", "http://desk.example", "enrol_url"),
        ('tenant = "pilot"', 'tenant = "pilot', "not TOML"),
        ('tenant = "pilot"', 'tenant = "pilot"\nsecret = "x"', "secret"),
        ("Example Service", "x" * 70_000, "the most is"),
    ],
)
def test_settings_that_a_box_would_not_take_are_refused(settings: str, before: str, after: str, why: str) -> None:
    from imaging import card
    from imaging.run import Refused

    with pytest.raises(Refused, match=why):
        card.check(settings.replace(before, after).encode())
    with pytest.raises(Refused, match="UTF-8"):
        card.check(b"\xff\xfe")


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"\0" * 510 + b"\x55\xaa"])
def test_what_is_no_card_of_ours_is_left_alone(tmp_path: Path, settings: str, content: bytes) -> None:
    from imaging import card
    from imaging.run import Refused

    medium, file = tmp_path / "medium", tmp_path / "operator.toml"
    medium.write_bytes(content)
    file.write_text(settings)
    with pytest.raises(Refused, match="not a card of this image"):
        card.write(medium, file)
    assert medium.read_bytes() == content
