"""Nothing private is in an image: planted, each kind of secret is found; what programs ship of examples is not one."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st


def pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "etc/ssh").mkdir(parents=True)
    (tmp_path / "etc/shadow").write_text("root:*:1:0:99999:7:::\ndaemon:*:1::::::\ngatehouse-keeper:!*:1::::::\n")
    (tmp_path / "etc/machine-id").touch()
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/words.py").write_text(
        'BEGIN = "-----BEGIN " "PRIVATE KEY-----"\nwpa_passphrase = "example-words"\n'
    )
    (tmp_path / "usr/lib/hostapd.conf").write_text("#wpa_passphrase=secret passphrase\n")
    return tmp_path


@pytest.mark.req("R69")
def test_a_clean_tree_has_nothing(tree: Path) -> None:
    from imaging import secrets

    assert secrets.look(tree) == []


@pytest.mark.req("R69")
@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("usr/share/example.pem", "PEM", "a private key"),
        ("usr/lib/python3/key.py", "PEM", "a private key"),
        ("etc/ssh/ssh_host_ed25519_key", "x", "a host key"),
        ("etc/shadow", "root:$y$j9T$abc$def:1::::::\n", "a password of root"),
        ("etc/shadow", "root::1::::::\n", "root needs no password"),
        ("etc/machine-id", "0123456789abcdef0123456789abcdef\n", "an identity"),
        ("var/lib/systemd/random-seed", "x", "a random seed"),
        ("var/lib/gatehouse/keys/tls.key", "x", "a box's own data"),
        ("etc/hostapd/wlan0.conf", "ssid=home\nwpa_passphrase=correct-horse\n", "a passphrase"),
        ("etc/thing.conf", "token AKIA" + "A" * 16 + "\n", "a token"),
        ("root/.bash_history", "ls\n", "somebody's own file"),
        ("root/.netrc", "machine x\n", "password file"),
        ("root/.ssh/authorized_keys", "ssh-ed25519 AAAA\n", "somebody's way in"),
        ("etc/gshadow", "root:$y$j9T$abc$def::\nstaff:::\n", "a password of root"),
        ("var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n", "an identity"),
    ],
)
def test_what_is_planted_is_found(tree: Path, name: str, content: str, what: str) -> None:
    from imaging import secrets

    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pem() if content == "PEM" else content.encode())
    found = secrets.look(tree)
    assert len(found) == 1
    assert found[0].startswith(name)
    assert what in found[0]


def test_findings_are_bounded(tree: Path) -> None:
    from imaging import secrets

    for number in range(secrets.FINDINGS + 20):
        (tree / f"usr/lib/{number}.pem").write_bytes(pem())
    assert len(secrets.look(tree)) == secrets.FINDINGS


def test_a_boot_partition_s_files_are_looked_at(tmp_path: Path) -> None:
    from imaging import secrets

    (tmp_path / "x").write_bytes(pem())
    assert secrets.look_at_files({"gatehouse/data.pem": tmp_path / "x"}) == ["gatehouse/data.pem: a private key"]


def archive(folder: Path) -> bytes:
    if shutil.which("cpio") is None:
        pytest.skip("cpio is not installed")
    names = "\n".join(path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")))
    made = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), cwd=folder, capture_output=True, check=True)  # fmt: skip
    return made.stdout


@pytest.mark.req("R69")
def test_an_initramfs_is_looked_into(tree: Path, tmp_path: Path) -> None:
    from imaging import secrets

    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    packed = tmp_path.with_name(f"{tmp_path.name}.img")
    for wanted in ([], ["usr/lib/conf.pem: a private key"]):
        if wanted:
            (tree / "usr/lib/conf.pem").write_bytes(pem())
        subprocess.run(["zstd", "-q", "-f", "-o", packed], input=archive(tree), check=True)
        assert secrets.look_in_initramfs(packed) == wanted


def test_an_initramfs_that_cannot_be_read_is_not_taken_for_clean(tree: Path) -> None:
    from imaging import secrets
    from imaging.run import Refused

    whole = archive(tree)
    assert {name for name, _ in secrets.archived(whole)} >= {"etc/shadow", "usr/lib/words.py"}
    for wrong in (b"", b"x" * 200, whole[:300], whole[: len(whole) // 2], whole.replace(b"070701", b"070702", 1)):
        with pytest.raises(Refused, match="initramfs"):
            list(secrets.archived(wrong))


@given(st.binary(max_size=400), st.integers(0, 300))
def test_whatever_an_initramfs_is_it_is_read_or_refused(raw: bytes, at: int) -> None:
    from imaging import secrets
    from imaging.run import Refused

    head = b"070701" + b"00000000" * 6 + b"00000010" + b"00000000" * 4 + b"00000004" + b"00000000"
    with suppress(Refused):
        list(secrets.archived(head[:at] + raw))
