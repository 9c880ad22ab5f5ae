from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

import verify
from dashboard.bundles.assemble import Certified, complete, pem
from dashboard.bundles.parts import BundleError
from lab.faults import bundling
from lab.faults.bundling import Made
from wire.keys import public_text, write_private

AGAIN = """
import hashlib, json, sys
from pathlib import Path
from dashboard.bundles.assemble import Known, complete
from wire.keys import read_signing
folder = Path(sys.argv[1])
given = {path.name: path.read_bytes() for path in (folder / "given").iterdir()}
known = Known(**json.loads((folder / "known.json").read_text()))
made = complete(given, known, box_key=sys.argv[2], signer=read_signing(folder / "server.pem"))
print(hashlib.sha256(made).hexdigest())
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return bundling.make(tmp_path_factory.mktemp("bundle"))


@pytest.mark.req("R68", "N3")
def test_built_twice_it_is_the_same_to_the_octet(made: Made, tmp_path: Path, root: Path) -> None:
    assert complete(made.given, made.known, box_key=public_text(made.box), signer=made.server) == made.zip
    (tmp_path / "given").mkdir()
    for name, body in made.given.items():
        (tmp_path / "given" / name).write_bytes(body)
    known = {"epoch": made.known.epoch, "size": made.known.size, "root": made.known.root}
    (tmp_path / "known.json").write_text(json.dumps(known))
    write_private(tmp_path / "server.pem", made.server)
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", AGAIN, str(tmp_path), public_text(made.box)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "TZ": f"UTC-{seed}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == hashlib.sha256(made.zip).hexdigest()


def test_any_program_opens_the_zip(made: Made) -> None:
    with zipfile.ZipFile(BytesIO(made.zip)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(verify.unzip(made.zip))
        assert {about.date_time for about in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.req("R68")
def test_it_is_labelled_intelligence_unless_an_officer_certifies_it(made: Made) -> None:
    files = verify.unzip(made.zip)
    assert json.loads(files["MANIFEST.json"])["label"] == "INTELLIGENCE, not certified as evidence"
    assert b"INTELLIGENCE, not certified as evidence" in files["report.html"]
    stated = Certified(by="officer-9", at_ms=1_900_000_000_000, text="I have examined <these> records.")
    raw = complete(made.given, replace(made.known, certified=stated), box_key=public_text(made.box), signer=made.server)
    assert verify.Check(raw).run().bad == []
    files = verify.unzip(raw)
    assert json.loads(files["MANIFEST.json"])["certified"]["by"] == "officer-9"
    assert b"I have examined &lt;these&gt; records." in files["report.html"]
    assert b"INTELLIGENCE" not in files["report.html"]


def test_the_verifier_in_it_is_the_one_that_stands_by_itself(made: Made, root: Path) -> None:
    assert verify.unzip(made.zip)["verify.py"] == (root / "verify.py").read_bytes()


def test_further_files_are_listed_and_signed(made: Made) -> None:
    known = replace(made.known, more={"stamps/2030-03-17.tsr": b"token"})
    raw = complete(made.given, known, box_key=public_text(made.box), signer=made.server)
    check = verify.Check(raw).run()
    assert check.bad == []
    assert "Whether 1 time stamps hold: see README.txt" in check.open


@pytest.mark.parametrize("name", ["box.json", "authority.jsonl", "records.jsonl"])
def test_what_cannot_be_read_is_refused_in_words(made: Made, name: str) -> None:
    with pytest.raises(BundleError):
        complete({**made.given, name: b"{\n"}, made.known, box_key=public_text(made.box), signer=made.server)


def test_keys_are_as_openssl_writes_them(made: Made) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = made.box.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert pem(public_text(made.box)) == raw
