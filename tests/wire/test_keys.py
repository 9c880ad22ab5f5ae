from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from wire.keys import (
    KeyFileError,
    key_id,
    public_text,
    read_sealing,
    read_signing,
    seal_key,
    verify_key,
    write_private,
)


def test_keys_read_as_they_were_written(tmp_path: Path) -> None:
    signing, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    write_private(tmp_path / "signing.pem", signing)
    write_private(tmp_path / "sealing.pem", sealing)
    assert public_text(read_signing(tmp_path / "signing.pem")) == public_text(signing.public_key())
    assert public_text(read_sealing(tmp_path / "sealing.pem")) == public_text(sealing)
    assert (tmp_path / "signing.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "signing.pem", signing)


def test_public_keys_read_as_text() -> None:
    signing, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    assert public_text(verify_key(public_text(signing))) == public_text(signing)
    assert public_text(seal_key(public_text(sealing))) == public_text(sealing)
    assert len(key_id(public_text(signing))) == 16


@pytest.mark.parametrize("text", ["", "AAAA", "not base64", "é"])
def test_what_is_no_public_key_is_said(text: str) -> None:
    for read in (verify_key, seal_key):
        with pytest.raises(KeyFileError, match=r"base64|32"):
            read(text)


def test_unusable_files_are_named(tmp_path: Path) -> None:
    write_private(tmp_path / "signing.pem", Ed25519PrivateKey.generate())
    write_private(tmp_path / "sealing.pem", X25519PrivateKey.generate())
    (tmp_path / "text.pem").write_text("no key")
    (tmp_path / "locked.pem").write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    )
    for read, name in (
        (read_signing, "sealing.pem"),
        (read_sealing, "signing.pem"),
        (read_signing, "absent.pem"),
        (read_signing, "text.pem"),
        (read_signing, "locked.pem"),
    ):
        with pytest.raises(KeyFileError, match=name):
            read(tmp_path / name)
