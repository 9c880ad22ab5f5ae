"""With RAUC itself: bundles are made, and what is not the one of its statement is refused before anything is written."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli.release import release as command
from appliance.upkeep.bundle import BUNDLE, fetched_path, inspect, take_over
from wire.release import Release, SignedRelease, parse_signed

pytestmark = pytest.mark.skipif(shutil.which("rauc") is None, reason="rauc is not installed (Debian package rauc)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, its signer's certificate, another's, a configuration, and a release key."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("signer", "other"):
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}"]
        words += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
        subprocess.run(words, check=True, capture_output=True)
        slots = "".join(
            f"\n[slot.rootfs.{number}]\ndevice={folder}/{slot}\ntype=raw\nbootname={slot}\n"
            for number, slot in enumerate("AB")
        )
        (folder / f"{name}.conf").write_text(
            f"[system]\ncompatible=qemu\nbootloader=noop\n\n[keyring]\npath={folder}/{name}.pem\n{slots}"
        )
    (folder / "root.ext4").write_bytes(os.urandom(200_000))
    _run("bundle", "--root", folder / "root.ext4", "--board", "qemu", "--version", "2026.11.1", "--cert",
         folder / "signer.pem", "--key", folder / "signer.key", "--out", folder / "b.raucb")  # fmt: skip
    _run("keygen", "--out", folder / "release.pem")
    return folder


def _run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(command, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def _sign(made: Path, out: Path, *more: str) -> SignedRelease:
    _run("sign", made / "b.raucb", "--key", made / "release.pem", "--board", "qemu", "--version", "2026.11.1", "--url",
         "https://updates.example/b.raucb", "--out", out, *more)  # fmt: skip
    return parse_signed(out.read_bytes())


def _put(made: Path, folder: Path, sha256: str) -> Path:
    path = fetched_path(folder, sha256)
    path.parent.mkdir(parents=True)
    shutil.copyfile(made / "b.raucb", path)
    return path


@pytest.mark.req("R4")
def test_a_bundle_is_taken_over_and_accepted(made: Path, tmp_path: Path) -> None:
    plain = _sign(made, tmp_path / "s.json").release
    path = _put(made, tmp_path, plain.sha256)
    assert take_over(plain, path, tmp_path) == ""
    assert not path.exists(), "the courier's copy is gone"
    assert (tmp_path / BUNDLE).stat().st_mode & 0o777 == 0o600
    assert inspect(plain, tmp_path, config=made / "signer.conf") == ""
    assert take_over(plain, path, tmp_path) == "", "after a power cut what is there is enough"


@pytest.mark.req("R4")
@pytest.mark.parametrize("fault", ["not there", "short", "long", "changed", "link", "folder"])
def test_what_is_not_the_file_of_the_statement_is_not_kept(made: Path, tmp_path: Path, fault: str) -> None:
    plain = _sign(made, tmp_path / "s.json").release
    path = _put(made, tmp_path, plain.sha256)
    raw = path.read_bytes()
    match fault:
        case "short":
            path.write_bytes(raw[:-1])
        case "long":
            path.write_bytes(raw + b"x")
        case "changed":
            path.write_bytes(bytes([raw[0] ^ 1]) + raw[1:])
        case "link":
            path.rename(tmp_path / "elsewhere")
            path.symlink_to(tmp_path / "elsewhere")
        case _:
            path.unlink()
    if fault == "folder":
        os.mkfifo(path)
    assert take_over(plain, path, tmp_path).startswith("The release's file")
    assert not (tmp_path / BUNDLE).exists()


@pytest.mark.req("R4")
def test_the_installer_refuses_anothers_signature_and_what_was_changed(made: Path, tmp_path: Path) -> None:
    plain = _sign(made, tmp_path / "s.json").release
    shutil.copyfile(made / "b.raucb", tmp_path / BUNDLE)
    assert inspect(plain, tmp_path, config=made / "other.conf").startswith("The installer refuses the release")
    raw = bytearray((made / "b.raucb").read_bytes())
    raw[-600] ^= 1  # in the signature
    (tmp_path / BUNDLE).write_bytes(raw)
    assert inspect(plain, tmp_path, config=made / "signer.conf").startswith("The installer refuses the release")


@pytest.mark.req("R4")
@pytest.mark.parametrize(("field", "value"), [("version", "2026.12.1"), ("board", "pi4")])
def test_a_bundle_that_says_another_version_or_board_is_refused(
    made: Path, tmp_path: Path, field: str, value: str
) -> None:
    plain: Release = _sign(made, tmp_path / "s.json").release.model_copy(update={field: value})
    shutil.copyfile(made / "b.raucb", tmp_path / BUNDLE)
    assert "its statement says" in inspect(plain, tmp_path, config=made / "signer.conf")


def test_statements_are_shown_and_checked(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.json"
    signed = _sign(made, out, "--security", "--notes", "Names are answered again", "--floor", "2026.10.1")
    assert signed.release.sha256 == hashlib.sha256((made / "b.raucb").read_bytes()).hexdigest()
    assert "It mends a fault" in _run("show", out)
    assert '"floor": "2026.10.1"' in _run("show", out, "--json")
    keys = [_run("keygen", "--out", tmp_path / name).splitlines()[0] for name in ("k1.pem", "k2.pem")]
    assert "does not hold" in _run("verify", out, "--key", keys[0], code=1)
    again = _sign_with(made, tmp_path / "k1.pem", tmp_path / "s2.json")
    assert "The statement holds" in _run("verify", again, "--key", keys[0], "--bundle", made / "b.raucb")
    assert "is not the bundle" in _run("verify", again, "--key", keys[0], "--bundle", made / "root.ext4", code=1)


def _sign_with(made: Path, key: Path, out: Path) -> Path:
    _run("sign", made / "b.raucb", "--key", key, "--board", "qemu", "--version", "2026.11.1", "--url",
         "https://updates.example/b.raucb", "--out", out)  # fmt: skip
    return out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--version", "next"), "version"),
        (("--floor", "2027.1.1"), "above the release's own"),
        (("--url", "ftp://x"), "url"),
    ],
)
def test_what_cannot_be_signed_is_one_plain_line(made: Path, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    said = _run("sign", made / "b.raucb", "--key", made / "release.pem", "--board", "qemu", "--version", "2026.11.1",
                "--url", "https://updates.example/b", "--out", tmp_path / "s.json", *words, code=2)  # fmt: skip
    assert says in said
    assert not (tmp_path / "s.json").exists()


def test_a_signer_may_have_an_authority_and_nothing_is_left_of_a_bundle_that_does_not_hold(
    made: Path, tmp_path: Path
) -> None:
    csr, leaf = tmp_path / "leaf.csr", tmp_path / "leaf.pem"
    new = [
        "openssl",
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=leaf",
        "-keyout",
        str(tmp_path / "leaf.key"),
    ]
    subprocess.run([*new, "-out", str(csr)], check=True, capture_output=True)
    signing = ["openssl", "x509", "-req", "-in", str(csr), "-CA", str(made / "signer.pem"), "-CAcreateserial"]
    signing += ["-CAserial", str(tmp_path / "serial"), "-CAkey", str(made / "signer.key"), "-out", str(leaf)]
    subprocess.run(signing, check=True, capture_output=True)
    out = tmp_path / "out" / "b.raucb"
    out.parent.mkdir()
    words: list[Any] = ["bundle", "--root", made / "root.ext4", "--board", "qemu", "--version", "2026.11.1"]
    words += ["--cert", leaf, "--key", tmp_path / "leaf.key", "--out", out]
    assert "rauc: " in _run(*words, "--keyring", made / "other.pem", code=2)
    assert list(out.parent.iterdir()) == []
    _run(*words, "--keyring", made / "signer.pem")
    assert list(out.parent.iterdir()) == [out]


def test_a_bundle_that_cannot_be_made_is_one_plain_line(made: Path, tmp_path: Path) -> None:
    common: list[Any] = ["bundle", "--root", made / "root.ext4", "--cert", made / "signer.pem"]
    said = _run(*common, "--key", made / "other.key", "--board", "qemu", "--version", "2026.11.1", "--out",
                tmp_path / "x.raucb", code=2)  # fmt: skip
    assert said.startswith("gatehouse release: rauc:")
    said = _run(*common, "--key", made / "signer.key", "--board", "a=b", "--version", "2026.11.1", "--out",
                tmp_path / "y.raucb", code=2)  # fmt: skip
    assert "cannot be written into a bundle's manifest" in said
    said = _run(
        *common, "--key", made / "signer.key", "--board", "b", "--version", "1", "--out", made / "b.raucb", code=2
    )
    assert "is there already" in said
