from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli.authority import authority

DOCUMENT = """
version = 1
id = "authority-1"
number = 1
kind = "order"
reference = "EX-0001"
purpose = "detect"
tenant = "force-a"
site = "box-1"
responsible_officer = "duty officer"
issued_at = 2030-01-10T09:00:00Z
not_before = 2030-01-11T00:00:00Z
not_after = 2030-07-11T00:00:00Z
review_date = 2030-04-11T09:00:00Z

[[clauses]]
number = "1"
kind = "collect"
standings = ["registered", "household", "guest", "work", "infrastructure", "unknown", "refused"]
classes = ["presence"]

[[clauses]]
number = "2"
kind = "register"

[[clauses]]
number = "3"
kind = "quarantine"
standings = ["refused"]
"""
WITHIN = "2030-03-01T00:00Z"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(authority, [str(item) for item in arguments])


@pytest.fixture
def issued(tmp_path: Path) -> tuple[Path, str]:
    """A signed file and its issuer's public key."""
    public = run("keygen", "--out", tmp_path / "issuer.pem").stdout.strip()
    (tmp_path / "order.toml").write_text(DOCUMENT)
    out = tmp_path / "authority.json"
    done = run("sign", tmp_path / "order.toml", "--key", tmp_path / "issuer.pem", "--out", out)
    assert done.exit_code == 0, done.output
    assert "Of all devices: when they are connected." in done.output
    return out, public


def test_keygen_never_overwrites(tmp_path: Path) -> None:
    key = tmp_path / "issuer.pem"
    first = run("keygen", "--out", key)
    assert first.exit_code == 0
    assert len(first.stdout.strip()) == 44
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    content = key.read_bytes()
    again = run("keygen", "--out", key)
    assert again.exit_code == 2
    assert "never overwritten" in again.stderr
    assert key.read_bytes() == content
    assert run("keygen", "--out", tmp_path / "no" / "folder.pem").exit_code == 2


@pytest.mark.req("R53", "N1")
def test_in_force(issued: tuple[Path, str]) -> None:
    file, public = issued
    done = run("check", file, "--issuer", public, "--at", WITHIN, "--box", "force-a/box-1")
    assert done.exit_code == 0
    assert done.stdout.strip() == "Authority authority-1, number 1, is in force until 11 July 2030 at 00:00 UTC."
    as_json = run("check", file, "--issuer", public, "--at", WITHIN, "--json")
    assert json.loads(as_json.stdout)["in_force"] is True
    assert run("check", file, "--issuer", public).exit_code in {0, 1}, "judged by the clock"


@pytest.mark.req("R53", "R54")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--at", "2031-01-01"], "expired on 11 July 2030"),
        (["--at", "2029-01-01"], "not yet valid: it starts on 11 January 2030"),
        (["--at", WITHIN, "--box", "force-a/box-2"], "the document is for force-a/box-1"),
    ],
)
def test_not_in_force(issued: tuple[Path, str], options: list[str], words: str) -> None:
    file, public = issued
    done = run("check", file, "--issuer", public, *options)
    assert done.exit_code == 1
    assert words in done.stdout


@pytest.mark.req("R53")
def test_bad_signature(issued: tuple[Path, str], tmp_path: Path) -> None:
    file, public = issued
    other = run("keygen", "--out", tmp_path / "other.pem").stdout.strip()
    done = run("check", file, "--issuer", other, "--at", WITHIN)
    assert done.exit_code == 1
    assert "signature does not hold" in done.stdout
    assert run("check", file, "--issuer", other, "--issuer", public, "--at", WITHIN).exit_code == 0
    file.write_text(file.read_text().replace("EX-0001", "EX-0002"))
    assert run("check", file, "--issuer", public, "--at", WITHIN).exit_code == 1


@pytest.mark.req("R53")
def test_an_unknown_clause_is_named(issued: tuple[Path, str]) -> None:
    file, public = issued
    file.write_text(file.read_text().replace('"quarantine"', '"listen"'))
    for arguments in (["check", file, "--issuer", public], ["show", file]):
        done = run(*arguments)
        assert done.exit_code == 2
        known = "collect, lists, quarantine, block, allow-only, safe-search, answers, nearby, register"
        assert f"clauses.2: unknown kind 'listen'; known are {known}" in done.stderr


def test_unusable_files_and_options(issued: tuple[Path, str], tmp_path: Path) -> None:
    file, public = issued
    missing = run("check", tmp_path / "missing.json", "--issuer", public)
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)
    broken = tmp_path / "broken.toml"
    broken.write_text("id = \n")
    done = run("sign", broken, "--key", tmp_path / "issuer.pem", "--out", tmp_path / "out.json")
    assert (done.exit_code, "not valid TOML" in done.stderr) == (2, True)
    assert not (tmp_path / "out.json").exists()
    assert run("sign", tmp_path / "order.toml", "--key", file, "--out", tmp_path / "out.json").exit_code == 2
    away = tmp_path / "no" / "out.json"
    assert run("sign", tmp_path / "order.toml", "--key", tmp_path / "issuer.pem", "--out", away).exit_code == 2
    assert run("check", file, "--issuer", "short").exit_code == 2
    assert run("check", file, "--issuer", public, "--at", "soon").exit_code == 2
    assert run("check", file).exit_code == 2


@pytest.mark.req("R10")
def test_show_speaks_plainly(issued: tuple[Path, str], tmp_path: Path) -> None:
    file, _public = issued
    signed, plain = run("show", file), run("show", tmp_path / "order.toml")
    assert signed.exit_code == plain.exit_code == 0
    assert "Clause 3: devices that were refused may be kept from the internet" in signed.stdout
    assert "Signed; use `check`" in signed.stdout
    assert "Not signed." in plain.stdout
    assert json.loads(run("show", file, "--json").stdout)["id"] == "authority-1"
    assert run("show", tmp_path / "nothing.json").exit_code == 2


def test_json_documents_are_taken_too(issued: tuple[Path, str], tmp_path: Path) -> None:
    file, _public = issued
    document = tmp_path / "order.json"
    document.write_text(run("show", file, "--json").stdout)
    again = tmp_path / "again.json"
    assert run("sign", document, "--key", tmp_path / "issuer.pem", "--out", again).exit_code == 0
    assert again.read_text() == file.read_text(), "Ed25519 is deterministic (RFC 8032 section 5.1.6)"


@pytest.mark.parametrize("command", [[], ["sign"], ["show"], ["check"], ["keygen"]])
def test_help(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_the_example_in_the_manual_is_valid(root: Path, tmp_path: Path) -> None:
    manual = (root / "docs" / "authority.md").read_text()
    block = manual[manual.index("    version = 1") : manual.index("Then sign it")]
    example = tmp_path / "example.toml"
    example.write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    assert run("show", example).exit_code == 0


@pytest.mark.parametrize("out", ["issuer.pem", "order.toml"])
def test_signing_never_overwrites_the_key_or_the_document(issued: tuple[Path, str], out: str) -> None:
    folder = issued[0].parent
    before = (folder / out).read_bytes()
    done = run("sign", folder / "order.toml", "--key", folder / "issuer.pem", "--out", folder / "." / out)
    assert done.exit_code == 2
    assert "would be lost" in done.output
    assert (folder / out).read_bytes() == before


CONSENT = """
legal_basis = "Example Act 2030, section 1"

[[consents]]
id = "adult-1"
role = "subject"
kind = "consent"
given_at = 2030-01-09T09:00:00Z
confirm_by = 2030-04-09T09:00:00Z

[[retention]]
data_class = "presence"
days = 90
"""
UNMASK = """
[[clauses]]
number = "4"
kind = "unmask"
standings = ["guest"]
classes = ["fingerprint"]
most_hours = 2
"""


@pytest.mark.req("R53", "R60")
def test_an_authority_by_consent_is_not_signed_without_one(tmp_path: Path) -> None:
    assert run("keygen", "--out", tmp_path / "issuer.pem").exit_code == 0
    by_consent = DOCUMENT.replace('kind = "order"', 'kind = "consent"', 1)
    source, out = tmp_path / "consent.toml", tmp_path / "signed.json"
    source.write_text(by_consent)
    refused = run("sign", source, "--key", tmp_path / "issuer.pem", "--out", out)
    assert refused.exit_code == 2
    assert "consent of every adult" in refused.output
    assert not out.exists()
    head, _, rest = by_consent.partition("\n[[clauses]]")
    source.write_text(head + CONSENT + "\n[[clauses]]" + rest)
    done = run("sign", source, "--key", tmp_path / "issuer.pem", "--out", out)
    assert done.exit_code == 0, done.output
    assert "It rests on: Example Act 2030, section 1." in done.output
    assert "Consent adult-1, subject, given on 9 January 2030" in done.output
    assert "when they are connected: kept for 90 days" in done.output


@pytest.mark.req("N2")
def test_compare_says_what_is_more(tmp_path: Path) -> None:
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(DOCUMENT)
    after.write_text(DOCUMENT + UNMASK)
    more = run("compare", before, after)
    assert more.exit_code == 1
    assert "The mask may be taken off one of visitors' devices" in more.output
    less = run("compare", after, before)
    assert (less.exit_code, less.output) == (0, "It allows no more than the one before.\n")
    assert "two officers may agree to keep of one of visitors' devices" in run("show", after).output
