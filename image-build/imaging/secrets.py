"""Looks for what must not be in an image: private keys, password hashes, identities, passphrases, tokens, ways in.

A tree, the files of a boot partition or an initramfs in, sentences out; empty is good. Bounded: of each file the first
`MOST` octets are looked at, of an initramfs `INITRAMFS` octets, and of what is found at most `FINDINGS` are said. What
an image carries is the same on every card, so a secret in it is nobody's secret.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from imaging.run import Refused, tool

MOST = 64 * 1024 * 1024
INITRAMFS = 256 * 1024 * 1024
FINDINGS = 50
_KEY = re.compile(
    rb"^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*\n(?:[A-Za-z-]+: [^\n]*\n|\s*\n)*[A-Za-z0-9+/=]{16,}",
    re.MULTILINE,
)
_PATTERNS = (
    (
        (b"psk", b"wpa_passphrase", b"sae_password"),
        re.compile(rb"^\s*(?:psk|wpa_passphrase|sae_password|wpa_psk)\s*=\s*\"?[^\s\"#$<{%][^\"\n]{7,}", re.MULTILINE),
        "a passphrase of a Wi-Fi",
    ),
    (
        (b"ghp_", b"github_pat_", b"AKIA", b"xox"),
        re.compile(rb"\b(?:ghp_[A-Za-z0-9]{36}|github_pat_\w{60,}|AKIA[0-9A-Z]{16}|xox[bp]-[0-9A-Za-z-]{20,})\b"),
        "a token",
    ),
)
_NAMED = (
    (re.compile(r"^etc/ssh/ssh_host_.*_key$"), "a host key"),
    (re.compile(r"^var/lib/systemd/random-seed$"), "a random seed"),
    (re.compile(r"^(var/lib/urandom/random-seed|etc/urandom.seed)$"), "a random seed"),
    (re.compile(r"^var/lib/gatehouse/."), "a box's own data"),
    (re.compile(r"^gatehouse/data\.(key|salt)$"), "what opens a data partition"),
    (re.compile(r"(^|/)authorized_keys2?$"), "somebody's way in"),
    (re.compile(r"(^|/)\.(netrc|pgpass|git-credentials)$"), "somebody's password file"),
    (re.compile(r"(^|/)(id_(rsa|ecdsa|ed25519)|\.bash_history|\.python_history)$"), "somebody's own file"),
)
_IDENTITIES = frozenset({"etc/machine-id", "var/lib/dbus/machine-id"})
_TEXT_KINDS = frozenset({".py", ".pyi", ".pyc", ".so", ".ko", ".mo", ".xz", ".zst", ".gz"})
"""Kinds in which a passphrase or token would be an example in a program; keys are looked for in all."""


def look(root: Path) -> list[str]:
    """What a tree has that no image may have."""
    found: list[str] = []
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        found.extend(_in(path.relative_to(root).as_posix(), _content(path)))
        if len(found) >= FINDINGS:
            break
    return found[:FINDINGS]


def look_at_files(files: Mapping[str, Path]) -> list[str]:
    """The same for the files of a boot partition: name inside, and where it lies here."""
    return [line for name, path in sorted(files.items()) for line in _in(name, _content(path))][:FINDINGS]


def look_in_initramfs(path: Path) -> list[str]:
    """The same for the files of an initramfs, compressed by zstd.

    Raises:
        Refused: it cannot be read to its end, so that nobody knows what is in it.
    """
    raw = tool("zstd", "-q", "-d", "-c", path)
    if len(raw) > INITRAMFS:
        raise Refused(f"{path.name}: larger than {INITRAMFS} octets when unpacked")
    return [line for name, content in archived(raw) for line in _in(name, content)][:FINDINGS]


def archived(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files of a cpio archive (the "newc" form, Documentation/driver-api/early-userspace).

    Raises:
        Refused: it is not of that form, or ends too early.
    """
    at = 0
    while True:
        head = raw[at : at + 110]
        if len(head) < 110 or head[:6] != b"070701" or not re.fullmatch(rb"[0-9A-Fa-f]{104}", head[6:]):
            raise Refused(f"the initramfs is no archive that can be looked into, at octet {at}")
        mode, octets, letters = (int(head[6 + 8 * place : 14 + 8 * place], 16) for place in (1, 6, 11))
        name = raw[at + 110 : at + 110 + letters].rstrip(b"\0").decode(errors="replace")
        start = at + (110 + letters + 3) // 4 * 4
        if name == "TRAILER!!!":
            return
        if start + octets > len(raw):
            raise Refused(f"the initramfs ends within {name}")
        if stat.S_ISREG(mode):
            yield name.removeprefix("./"), raw[start : start + octets]
        at = start + (octets + 3) // 4 * 4


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST)


def _in(name: str, content: bytes) -> Iterator[str]:
    for named, what in _NAMED:
        if named.search(name):
            yield f"{name}: {what}"
    if name in {"etc/shadow", "etc/gshadow"}:
        yield from _hashes(name, content.decode(errors="replace"))
    if name in _IDENTITIES and content.strip() not in {b"", b"uninitialized"}:
        yield f"{name}: an identity that every card would have"
    # A plain look for the word first: it is twenty times as quick, and most files have none.
    if b"PRIVATE KEY" in content and _KEY.search(content):
        yield f"{name}: a private key"
    if Path(name).suffix not in _TEXT_KINDS:
        for words, pattern, what in _PATTERNS:
            if any(word in content for word in words) and pattern.search(content):
                yield f"{name}: {what}"


def _hashes(name: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        who, _, rest = line.partition(":")
        word = rest.partition(":")[0]
        if word.strip("!*"):
            yield f"{name}: a password of {who}"
        elif not word and name == "etc/shadow":
            yield f"{name}: {who} needs no password"
