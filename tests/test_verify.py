from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verify
from lab.faults import bundling
from lab.faults.bundling import Made
from wire.ledger import canonical
from wire.merkle import leaf_hash, root

ROOT = Path(__file__).resolve().parent.parent
# RFC 8032 section 7.1: public key, message, signature of tests 1, 2, 3 and of SHA-512("abc").
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return bundling.make(tmp_path_factory.mktemp("bundle"))


def findings(raw: bytes) -> list[str]:
    return verify.Check(raw).run().bad


# --- what it is ---------------------------------------------------------------------------------


@pytest.mark.req("N3")
def test_it_is_short_and_takes_nothing_of_ours() -> None:
    text = (ROOT / "verify.py").read_text()
    assert len(text.splitlines()) < 300
    taken = {
        name
        for line in re.findall(r"^(?:import|from) (.+?)(?:  #.*)?$", text, re.MULTILINE)
        for name in re.split(r"[, ]+", line.split(" import ")[0])
    }
    assert taken <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_hold(key: str, message: str, signature: str) -> None:
    raw, text, mark = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify.is_signed(raw, text, mark)
    assert not verify.is_signed(raw, text + b"x", mark)
    assert not verify.is_signed(raw, text, mark[:-1] + bytes([mark[-1] ^ 1]))
    assert not verify.is_signed(raw[:-1], text, mark)
    above = int.from_bytes(mark[32:], "little") + verify.ORDER  # RFC 8032 section 5.1.7: S is below the order
    assert not verify.is_signed(raw, text, mark[:32] + above.to_bytes(32, "little"))


def test_octets_that_are_no_point_are_no_key() -> None:
    assert verify.point((2).to_bytes(32, "little")) is None  # no x belongs to this y
    assert verify.point(b"\x01" + bytes(30) + b"\x80") is None  # x is 0, and cannot be odd
    assert not verify.is_signed((2).to_bytes(32, "little"), b"", bytes(64))


@given(st.lists(st.binary(max_size=4), max_size=40), st.data())
def test_roots_are_those_of_the_log(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    size = data.draw(st.integers(0, len(leaves)))
    assert verify.roots(hashes, {size})[size] == root(hashes[:size]).hex()


# --- what it says -------------------------------------------------------------------------------


@pytest.mark.req("R68", "N3")
def test_a_bundle_holds_without_network_and_without_our_packages(made: Made, tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(made.zip)
    (tmp_path / "verify.py").write_bytes((ROOT / "verify.py").read_bytes())
    words = [sys.executable, "-I", "-S", "verify.py", "bundle.zip", "--box", bundling.key_id(made.box)]
    for sealed in ([], ["unshare", "-rn"]):
        done = subprocess.run([*sealed, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        if sealed and "unshare" in done.stderr:
            pytest.skip("this machine lets nobody make a network of their own")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "DOES NOT HOLD\n  nothing\n" in done.stdout
        assert "INTELLIGENCE, not certified as evidence" in done.stdout
        assert f"server's key {bundling.key_id(made.server)} is: compare it" in done.stdout


@pytest.mark.req("N3", "N4")
def test_it_says_what_cannot_be_said(tmp_path: Path) -> None:
    made = bundling.make(tmp_path, purpose="access", spare=3)
    said = "\n".join(verify.Check(made.zip).run().open)
    assert "no counter-signature covers the last" in said
    assert "records hold, which were erased or left out" in said
    assert "gaps that the box recorded" in said


def test_keys_that_are_not_the_expected_ones_do_not_hold(made: Made) -> None:
    bad = verify.Check(made.zip, box={bundling.key_id(made.server)}).run().bad
    assert len(bad) == 1
    assert bad[0].startswith("The box's key is the one expected (not so:")
    mine = {"box": {bundling.key_id(made.box)}, "server": {bundling.key_id(made.server)}}
    check = verify.Check(made.zip, **mine, issuer={bundling.key_id(made.issuer)}).run()
    assert not check.bad
    assert "The issuer's key is the one expected" in check.good
    assert not [said for said in check.open if "compare it" in said]


@pytest.mark.req("R68")
def test_a_record_that_was_altered_is_named(made: Made) -> None:
    lines = made.given["records.jsonl"].splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"seconds":', b'"secondz":')
    bad = findings(bundling.again(made, {**made.given, "records.jsonl": b"".join(lines)}, box=True))
    assert bad == ["Each record fits its place in the log and the commitment to its body (not so: [4])"]


@pytest.mark.req("R68")
def test_a_hole_is_found_though_both_keys_were_stolen(made: Made) -> None:
    lines = made.given["records.jsonl"].splitlines(keepends=True)
    bad = findings(bundling.again(made, {**made.given, "records.jsonl": b"".join(lines[:7] + lines[8:])}, box=True))
    assert bad == ["Records are in order, by number and monotonic clock, and none is missing between (not so: [8])"]


@pytest.mark.req("R52", "R54")
def test_a_record_from_outside_of_the_authority_is_named(made: Made) -> None:
    item = json.loads(made.given["authority.jsonl"])
    item["document"]["not_after"] = item["document"]["not_before"].replace("2030", "2031")
    item["document"]["not_before"] = item["document"]["not_after"].replace("-17T", "-16T")
    text = b"gatehouse/authority/v1\n" + json.dumps(item["document"], sort_keys=True, separators=(",", ":")).encode()
    item["signatures"][0]["signature"] = bundling.text(made.issuer.sign(text))
    bad = findings(bundling.again(made, {**made.given, "authority.jsonl": canonical(item) + b"\n"}, box=True))
    assert len(bad) == 1
    assert bad[0].startswith(
        "Every record about devices was made while one of these documents was in force (not so: [1,"
    )


@pytest.mark.req("R68", "N3")
@pytest.mark.parametrize("at", [0, -1])
def test_the_first_and_the_last_of_the_time_cannot_be_left_out(tmp_path: Path, at: int) -> None:
    made = bundling.make(tmp_path, within=3)
    lines = made.given["records.jsonl"].splitlines(keepends=True)
    assert [b'"state":"edge"' in line for line in (lines[0], lines[1], lines[-2], lines[-1])] == [1, 0, 0, 1]
    assert findings(made.zip) == []
    claim = "They begin and end where the time that was asked for does"
    del lines[at]
    for edge in (False, True):
        if edge:
            lines[at] = lines[at].partition(b',"salt":')[0] + b',"salt":null,"state":"edge"}\n'
        bad = findings(bundling.again(made, {**made.given, "records.jsonl": b"".join(lines)}, box=True))
        assert [said.split(" (")[0] for said in bad] == [claim]


@pytest.mark.req("N3")
def test_a_log_without_heads_is_not_called_signed(made: Made) -> None:
    bad = findings(bundling.again(made, {**made.given, "heads.jsonl": b""}, box=True))
    assert [said.split(" (")[0] for said in bad] == ["Every head is signed, and contains the whole of those before it"]


def documents(made: Made, *changes: dict[str, object]) -> bytes:
    """The bundle with versions 1, 2, ... of its authority, each with these members changed, signed by the issuer."""
    found = []
    for number, change in enumerate(changes, 1):
        item = json.loads(made.given["authority.jsonl"])
        item["document"] |= {"number": number, **change}
        text = json.dumps(item["document"], sort_keys=True, separators=(",", ":")).encode()
        item["signatures"][0]["signature"] = bundling.text(made.issuer.sign(b"gatehouse/authority/v1\n" + text))
        found.append(canonical(item) + b"\n")
    return bundling.again(made, {**made.given, "authority.jsonl": b"".join(found)}, box=True)


def minute(number: float) -> str:
    return datetime.fromtimestamp(bundling.START + 60 * number, UTC).isoformat().replace("+00:00", "Z")


@pytest.mark.req("R52", "R54")
@pytest.mark.parametrize(
    "change",
    [
        {"withdrawn_at": minute(10.5)},
        {"pauses": [{"starts": minute(11.2), "ends": minute(99)}]},
        {
            "consents": [
                {"id": "c", "role": "adult", "kind": "consent", "given_at": minute(0), "confirm_by": minute(10.5)}
            ]
        },
    ],
)
def test_a_record_from_after_a_withdrawal_a_lapse_or_in_a_pause_is_named(made: Made, change: dict[str, object]) -> None:
    bad = findings(documents(made, change))
    assert len(bad) == 1
    # A minute is what may pass until recording ends; records 12, 16 and 18 are about the box alone.
    assert "in force (not so: [13, 14, 15, 17, 19, 20, 21, 23])" in bad[0]
    change = {"consents": [{"id": "c", "role": "adult", "kind": "notice", "given_at": minute(0)}]}
    assert findings(documents(made, change)) == []


@pytest.mark.req("R52")
def test_what_the_newest_document_does_not_allow_is_said(made: Made) -> None:
    said = "records were allowed"
    assert said not in "".join(verify.Check(documents(made, {})).run().open)  # findings rest on rules, not on classes
    later = {"issued_at": minute(6), "withdrawn_at": minute(6)}
    narrower = {"clauses": [{"number": "1", "kind": "collect", "standings": ["registered"], "classes": ["signs"]}]}
    cases: Any = (({}, later), (narrower,))
    for changes in cases:
        check = verify.Check(documents(made, *changes)).run()
        assert check.bad == []
        assert said in "".join(check.open)


@pytest.mark.req("N3")
def test_what_the_server_had_seen_cannot_be_cut_off(made: Made) -> None:
    heads = made.given["heads.jsonl"].splitlines(keepends=True)[:1]
    size = json.loads(heads[0])["head"]["size"]
    files = {
        "heads.jsonl": heads[0],
        "records.jsonl": b"".join(made.given["records.jsonl"].splitlines(keepends=True)[:size]),
        "leaves.txt": b"".join(made.given["leaves.txt"].splitlines(keepends=True)[:size]),
    }
    bad = findings(bundling.again(made, {**made.given, **files}, box=True))
    assert bad == ["This is the log that the server had seen, and all of it (not so: True)"]


def test_a_database_that_says_otherwise_is_found(made: Made) -> None:
    files = verify.unzip(made.zip)
    files["records.db"] = files["records.db"].replace(b"authenticated", b"authenticateD", 1)
    bad = findings(bundling.listed(files, signer=made.server))
    assert [said.split(" (")[0] for said in bad] == ["The database holds the same records"]


# --- what is no bundle --------------------------------------------------------------------------


def test_wrong_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no zip")
    assert verify.main([str(tmp_path / "text")]) == 2
    assert verify.main([str(tmp_path / "nothing")]) == 2
    assert verify.main([str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "this is not the zip of a bundle" in said[0]


def test_an_altered_bundle_ends_with_1(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = verify.unzip(made.zip)
    files["report.html"] += b" "
    (tmp_path / "b.zip").write_bytes(bundling.listed(files, signer=None))
    assert verify.main([str(tmp_path / "b.zip")]) == 1
    assert "This bundle does NOT hold." in capsys.readouterr().out


def test_a_zip_that_grows_or_leads_elsewhere_is_not_opened(tmp_path: Path) -> None:
    for name, how in (("a.txt", zipfile.ZIP_DEFLATED), ("../../etc/passwd", zipfile.ZIP_STORED)):
        path = tmp_path / "b.zip"
        with zipfile.ZipFile(path, "w", how) as archive:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), bytes(100_000), compress_type=how)
        with pytest.raises(ValueError, match="not written as a bundle's is"):
            verify.Check(path.read_bytes())


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_octets_are_refused_in_words(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"zip|files"):
        verify.Check(b"PK\x03\x04" + raw)


def test_json_without_end_is_said_and_not_raised(made: Made) -> None:
    deep = b"[" * 100_000
    files = {**verify.unzip(made.zip), "MANIFEST.json": deep}
    files["MANIFEST.sig"] = made.server.sign(b"gatehouse/bundle-manifest/v1\n" + deep)
    from dashboard.bundles.assemble import zipped

    check = verify.Check(zipped(files)).run()
    assert any("RecursionError" in said for said in check.bad)


# --- the second check, as the document has it ---------------------------------------------------


def second_check(folder: Path, raw: bytes) -> subprocess.CompletedProcess[str]:
    for name, body in verify.unzip(raw).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(body)
    found = re.search(r"```bash\n(.*?)```", (ROOT / "docs" / "evidence.md").read_text(), re.DOTALL)
    assert found is not None
    return subprocess.run(["bash", "-c", found[1]], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.req("R68", "N3")
def test_openssl_and_a_shell_come_to_the_same(made: Made, tmp_path: Path) -> None:
    done = second_check(tmp_path, made.zip)
    assert done.returncode == 0, done.stderr
    assert f"box {bundling.key_id(made.box)}\nserver {bundling.key_id(made.server)}\n" in done.stdout


def test_openssl_and_a_shell_refuse_an_altered_record(made: Made, tmp_path: Path) -> None:
    records = made.given["records.jsonl"].replace(b'"cause":"sensor-away"', b'"cause":"sensor-bored"', 1)
    done = second_check(tmp_path, bundling.again(made, {**made.given, "records.jsonl": records}, box=True))
    assert done.returncode != 0
    assert "It holds" not in done.stdout
