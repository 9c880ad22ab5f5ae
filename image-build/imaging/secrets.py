"""Looks for what must not be in an image: private keys, password hashes, identities, passphrases, tokens.

A tree in, sentences out; empty is good. Bounded: of each file the first `MOST` octets are looked at, and of what is
found at most `FINDINGS` are said. What an image carries is the same on every card, so a secret in it is nobody's secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST = 4 * 1024 * 1024
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
    (re.compile(r"(^|/)\.(netrc|pgpass|git-credentials)$"), "somebody's password file"),
    (re.compile(r"(^|/)(id_(rsa|ecdsa|ed25519)|\.bash_history|\.python_history)$"), "somebody's own file"),
)
_TEXT_KINDS = frozenset({".py", ".pyi", ".pyc", ".so", ".ko", ".mo", ".xz", ".zst", ".gz"})
"""Kinds in which a passphrase or token would be an example in a program; keys are looked for in all."""


def look(root: Path) -> list[str]:
    """What a tree has that no image may have."""
    found: list[str] = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() or not path.is_file():
            continue
        found.extend(_in(name, path))
        if len(found) >= FINDINGS:
            break
    found.extend(_identity(root))
    return found[:FINDINGS]


def look_at_files(files: Mapping[str, Path]) -> list[str]:
    """The same for the files of a boot partition: name inside, and where it lies here."""
    return [line for name, path in sorted(files.items()) for line in _in(name, path)][:FINDINGS]


def _in(name: str, path: Path) -> Iterator[str]:
    for named, what in _NAMED:
        if named.search(name):
            yield f"{name}: {what}"
    if name == "etc/shadow":
        yield from _hashes(path)
    with path.open("rb") as file:
        content = file.read(MOST)
    # A plain look for the word first: it is twenty times as quick, and most files have none.
    if b"PRIVATE KEY" in content and _KEY.search(content):
        yield f"{name}: a private key"
    if path.suffix not in _TEXT_KINDS:
        for words, pattern, what in _PATTERNS:
            if any(word in content for word in words) and pattern.search(content):
                yield f"{name}: {what}"


def _hashes(path: Path) -> Iterator[str]:
    for line in path.read_text(errors="replace").splitlines():
        user, _, rest = line.partition(":")
        word = rest.partition(":")[0]
        if word.strip("!*"):
            yield f"etc/shadow: a password of {user}"
        elif not word:
            yield f"etc/shadow: {user} needs no password"


def _identity(root: Path) -> Iterator[str]:
    path = root / "etc/machine-id"
    if path.is_file() and path.read_text().strip() not in {"", "uninitialized"}:
        yield "etc/machine-id: an identity that every card would have"
