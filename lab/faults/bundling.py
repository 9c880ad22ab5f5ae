"""A small household's bundle, made by the shipped parts: ledger, heads, counter-signatures, data part, zip.

In: a folder and the numbers of records. Out: a `Made` with the bundle and every key, so that a campaign can play a thief
of one of them. Keys are made anew at each run; names are made up.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verify
from appliance.keeper.ledger.bundle import Builder, Setting, Wanted, choose
from appliance.keeper.store.database import Store
from dashboard.bundles.assemble import Known, complete, zipped
from dashboard.bundles.parts import BundleError, unpack
from dashboard.bundles.records import database, read
from wire.authority import Authority, CollectClause, DataClass, sign
from wire.base import Standing
from wire.bundles import BOX_CONTEXT, MANIFEST_CONTEXT
from wire.keys import public_text
from wire.ledger import ClockState, Head, RecordKind, Stamp, canonical, cosigned_bytes, head_bytes, signed

START = 1_900_000_000
TENANT, SITE = "force-a", "box-1"
MINE, THEIRS = "d-1", "d-2"
MINE_MAC, THEIR_MAC = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
_UNSIGNED = "A" * 86 + "=="


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle and what it was made with."""

    zip: bytes
    given: dict[str, bytes]
    """The box's files."""
    known: Known
    box: Ed25519PrivateKey
    server: Ed25519PrivateKey
    issuer: Ed25519PrivateKey


def make(
    folder: Path, *, records: int = 24, purpose: str = "evidence", heads: int = 3, spare: int = 0, within: int = 0
) -> Made:
    """Make one over `records` records, of which the last `spare` were never counter-signed.

    What is asked for begins so many minutes `within` their time, and ends so many before its end.
    """
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    box, server, issuer = keys
    store = Store(folder / "keeper.db")
    try:
        _fill(store, records, box=box, server=server, heads=heads, spare=spare)
        asked = wanted(records, purpose)
        if within:
            least, most = START + 60 * within, START + 60 * (records - within)
            asked = replace(asked, since_ms=least * 1000, until_ms=most * 1000)
        given = gather(store, asked, setting(box, server, issuer))
        seen = store.ledger.log.latest_head(cosigned=True)
        assert seen is not None  # noqa: S101 - there is one: it was made above
        known = Known(epoch=store.epoch, size=seen.size, root=seen.root.hex())
    finally:
        store.close()
    made = complete(given, known, box_key=public_text(box), signer=server)
    return Made(zip=made, given=given, known=known, box=box, server=server, issuer=issuer)


def wanted(records: int, purpose: str) -> Wanted:
    """What is asked for: all of the time, one device."""
    return Wanted(
        bundle_id="bundle-1",
        purpose=purpose,
        since_ms=START * 1000,
        until_ms=(START + 60 * records + 60) * 1000,
        device_ids=(MINE,),
        subjects=frozenset({MINE, MINE_MAC}),
        others=frozenset({THEIRS, THEIR_MAC, "A tablet"}),
        by="officer-1",
        second="officer-2",
        broken=False,
        at_ms=(START + 60 * records) * 1000,
    )


def setting(box: Ed25519PrivateKey, server: Ed25519PrivateKey, issuer: Ed25519PrivateKey) -> Setting:
    """What the box says of itself."""
    begins = datetime.fromtimestamp(START, UTC)
    document = Authority(
        id="order-1",
        number=1,
        kind="order",
        reference="case-0001",
        purpose="detect",
        tenant=TENANT,
        site=SITE,
        responsible_officer="role-7",
        issued_at=begins,
        not_before=begins,
        not_after=begins + timedelta(days=400),
        review_date=begins + timedelta(days=180),
        clauses=(CollectClause(number="1", standings=(Standing.REGISTERED,), classes=tuple(DataClass)),),
    )
    text = canonical(sign(document, issuer).model_dump(mode="json", exclude_none=True)).decode()
    return Setting(
        tenant=TENANT,
        site=SITE,
        software="0.1.0",
        signer=box,
        server_keys=(public_text(server),),
        issuers=(public_text(issuer),),
        authorities=(text,),
        lists=({"list_id": "made-up", "version": "1", "entries": 3},),
    )


def gather(store: Store, asked: Wanted, told: Setting) -> dict[str, bytes]:
    """The box's files, by the way that a data part takes."""
    log = store.ledger.log
    _first, last = log.span(asked.since_ms, asked.until_ms)
    builder = Builder(store.ledger, asked, told, choose(log.heads(), last))
    return unpack(zlib.compress(b"".join(builder.lines())))


def _fill(
    store: Store, records: int, *, box: Ed25519PrivateKey, server: Ed25519PrivateKey, heads: int, spare: int
) -> None:
    every = max(1, (records - spare) // heads)
    for number in range(records):
        with store.transaction():
            store.ledger.begin(stamp(number))
            record(store, number)
            size = store.ledger.size
            if size % every == 0 or size == records:
                head(store, box=box, server=server if size <= records - spare else None)


def stamp(number: int) -> Stamp:
    """One a minute."""
    return Stamp(
        wall_ms=(START + 60 * number) * 1000,
        mono_ms=60_000 * number,
        boot="b007-1",
        clock=ClockState.AUTHENTICATED,
        error_ms=20,
    )


def record(store: Store, number: int) -> None:
    """Records of several kinds, in turn."""
    ledger = store.ledger
    match number % 6:
        case 0:
            ledger.note(RecordKind.COVERAGE, {"seconds": 60, "saw": 60})
        case 1:
            plain = {"device_id": MINE, "macs": [MINE_MAC], "state": "here", "sure": 0.75, "words": 'a "quoted" nåme'}
            ledger.note(RecordKind.DEVICE, plain, data_class="presence", macs=[MINE_MAC], device_id=MINE)
        case 2:
            plain = {"device_id": THEIRS, "macs": [THEIR_MAC], "state": "here"}
            ledger.note(RecordKind.DEVICE, plain, data_class="presence", macs=[THEIR_MAC], device_id=THEIRS)
        case 3:
            ledger.write(RecordKind.FINDING, _finding(number), data_class="signs", device_id=MINE)
        case 4:
            plain = {"cause": "sensor-away", "seconds": number}
            ledger.note(RecordKind.GAP, plain)
        case _:
            plain = {"device_id": MINE, "other_id": THEIRS, "salt": "no salt", "label": "A tablet", "at": THEIR_MAC}
            ledger.note(RecordKind.PROPOSAL, plain, data_class="fingerprint", device_id=MINE)


def _finding(number: int) -> bytes:
    seen = datetime.fromtimestamp(START + 60 * number, UTC).isoformat()
    return canonical(
        {
            "finding_id": f"f-{number}",
            "kind": "trend",
            "device_id": MINE,
            "first_seen": seen,
            "last_seen": seen,
            "count": 1,
            "confidence": 0.6,
            "reasons": ["It is used more than in the weeks before."],
            "alternatives": ["A holiday."],
            "rule": {"id": "trend", "version": "1", "clause": "1"},
        }
    )


def head(store: Store, *, box: Ed25519PrivateKey, server: Ed25519PrivateKey | None) -> None:
    """Sign a head, and counter-sign it if there is a server."""
    ledger = store.ledger
    made = Head(
        tenant=TENANT,
        site=SITE,
        epoch=ledger.epoch,
        size=ledger.size,
        root=ledger.root.hex(),
        at=ledger.stamp,
        signature=_UNSIGNED,
    )
    made = made.model_copy(update={"signature": signed(box, head_bytes(made))})
    ledger.log.put_head(made)
    if server is not None:
        at = datetime.fromtimestamp(ledger.stamp.wall_ms / 1000 + 1, UTC)
        told = cosigned_bytes(tenant=TENANT, site=SITE, epoch=ledger.epoch, size=made.size, root=made.root, at=at)
        ledger.log.put_cosigned(made.size, at.timestamp(), signed(server, told))


def again(made: Made, files: dict[str, bytes], *, box: bool) -> bytes:
    """The bundle with other files of the box in it, listed and signed anew by the server, and with `box` by the box too."""
    files = dict(files)
    if box:
        told = json.loads(files["box.json"])
        told["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in told["files"]}
        told["records"] = files["records.jsonl"].count(b"\n")
        told["size"] = files["leaves.txt"].count(b"\n")
        files["box.json"] = canonical(told)
        files["box.sig"] = made.box.sign(BOX_CONTEXT + files["box.json"])
    whole = {**verify.unzip(made.zip), **files}
    with contextlib.suppress(BundleError):  # what no database takes stands in the lines only
        whole["records.db"] = database(read(files["records.jsonl"]))
    return listed(whole, signer=made.server)


def listed(files: dict[str, bytes], *, signer: Ed25519PrivateKey | None) -> bytes:
    """A zip with a list of files that fits them; signed anew, if there is a key to do so."""
    files = dict(files)
    told = json.loads(files["MANIFEST.json"])
    names = [name for name in files if not name.startswith("MANIFEST.")]
    told["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in names}
    files["MANIFEST.json"] = canonical(told)
    if signer is not None:
        files["MANIFEST.sig"] = signer.sign(MANIFEST_CONTEXT + files["MANIFEST.json"])
    return zipped(files)


def key_id(key: Ed25519PrivateKey) -> str:
    """As the verifier prints it."""
    return hashlib.sha256(base64.b64decode(public_text(key))).hexdigest()[:16]


def text(signature: bytes) -> str:
    """A signature as it stands in JSON."""
    return base64.b64encode(signature).decode()
