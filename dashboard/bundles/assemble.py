"""One zip of a data part and what the server adds: database, report, keys, the verifier, and a signed list of files.

In: files as a box gave them, what the server has seen of its log (`Known`), the server's signing key. Out: the octets of
the bundle, the same each time. The web process has no key: this runs where ingest's keys are.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verify
from dashboard.bundles import report
from dashboard.bundles.parts import BundleError
from dashboard.bundles.records import database, read
from wire.bundles import MANIFEST_CONTEXT, UNCERTIFIED
from wire.keys import public_text
from wire.ledger import canonical

_DATED = (1980, 1, 1, 0, 0, 0)
_DER = bytes.fromhex("302a300506032b6570032100")
"""Before the 32 octets of an Ed25519 public key in SubjectPublicKeyInfo (RFC 8410 section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certifying officer's statement."""

    by: str
    """Account; opaque."""
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the server knows of the log beside what the box gave."""

    epoch: str
    size: int
    """Of the longest head that it counter-signed, up to what the bundle holds; 0 with the empty log's root for none."""
    root: str
    certified: Certified | None = None
    more: Mapping[str, bytes] = field(default_factory=dict)
    """Further files, such as `stamps/2026-01-31.tsr`."""


def complete(given: Mapping[str, bytes], known: Known, *, box_key: str, signer: Ed25519PrivateKey) -> bytes:
    """Make the bundle. `box_key` is the key that the box was enrolled with (base64).

    Raises:
        BundleError: what the box gave cannot be read.
    """
    try:
        told = json.loads(given["box.json"])
        authorities = [json.loads(line) for line in given["authority.jsonl"].splitlines()]
        records = list(read(given["records.jsonl"]))
        label = UNCERTIFIED
        statement = ""
        if known.certified is not None:
            label = "Certified by an officer, whose statement is in the report"
            statement = f"Statement of account {known.certified.by}: {known.certified.text}"
        made = report.make(records, told, label=label, statement=statement, authorities=authorities)
        about = {name: told[name] for name in ("bundle_id", "tenant", "site")}
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"what the box gave cannot be read ({type(error).__name__})") from error
    files = {
        **given,
        **known.more,
        "records.db": database(records),
        "report.html": report.as_html(made),
        "report.pdf": report.as_pdf(made),
        "keys/box.pem": pem(box_key),
        "keys/server.pem": pem(public_text(signer)),
        "verify.py": Path(verify.__file__).read_bytes(),
        "README.txt": _README.encode(),
    }
    certified = None
    if known.certified is not None:
        certified = {"by": known.certified.by, "at_ms": known.certified.at_ms, "text": known.certified.text}
    manifest = canonical(
        {
            "v": 1,
            **about,
            "label": label,
            "certified": certified,
            "witnessed": {"epoch": known.epoch, "size": known.size, "root": known.root},
            "files": {name: hashlib.sha256(body).hexdigest() for name, body in files.items()},
        }
    )
    signature = signer.sign(MANIFEST_CONTEXT + manifest)
    return zipped({"MANIFEST.json": manifest, "MANIFEST.sig": signature, **dict(sorted(files.items()))})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files in this order, stored and dated 1980: the one way in which a bundle is written."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, body in files.items():
            about = zipfile.ZipInfo(name, _DATED)
            about.create_system = 3
            about.external_attr = 0o100644 << 16
            archive.writestr(about, body)
    return made.getvalue()


def pem(public: str) -> bytes:
    """A public key (raw, base64) as PEM."""
    der = base64.b64encode(_DER + base64.b64decode(public)).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n".encode()


_README = """\
This is an evidence bundle of a household's box.

report.html and report.pdf say in words what it holds. The records themselves are in records.jsonl (one a line)
and, the same, in records.db (SQLite, table "record"). Where the report and the records differ, the records count.

To check that nothing was altered, on any computer with Python 3.11 or newer, without network:

    python3 verify.py THIS-FILE.zip

Take verify.py from a source of your own if you can: the one in here came with what it is to check. It prints the ids
of the keys; compare them with the record of the enrolment. Exit code 0: all holds. 1: something does not. 2: no bundle.

To check the signatures with openssl instead:

    unzip THIS-FILE.zip
    (echo gatehouse/bundle-manifest/v1; cat MANIFEST.json) > signed
    openssl pkeyutl -verify -pubin -inkey keys/server.pem -rawin -in signed -sigfile MANIFEST.sig
    (echo gatehouse/bundle/v1; cat box.json) > signed
    openssl pkeyutl -verify -pubin -inkey keys/box.pem -rawin -in signed -sigfile box.sig

Files below stamps/, if there are any, are time stamps of a third party (RFC 3161); check one with

    openssl ts -verify -in stamps/NAME.tsr -data stamps/NAME.txt -CAfile CERTIFICATES-OF-THAT-PARTY.pem

The records speak of devices, never of persons. They are intelligence unless an officer has certified them.
"""
