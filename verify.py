"""Check an evidence bundle with nothing but Python's standard library: python3 verify.py BUNDLE.zip

In: one zip, read as octets and never unpacked onto a disk. Out: what holds, what does not, and what cannot be said;
exit code 0 (all holds), 1 (something does not), 2 (no bundle, or wrong use). docs/evidence.md has the format.
Bounded: at most MAX_OCTETS and MAX_FILES. Files are stored, not compressed, so nothing grows on reading, and every
octet of the zip is accounted for. No network, no other file, no other program.
"""

import argparse
import base64
import binascii
import functools
import hashlib
import json
import re
import sqlite3
import struct
import sys
from datetime import datetime, timezone
from typing import Any

MAX_OCTETS, MAX_FILES, LATE_MS, TOLD = 1 << 30, 4096, 60_000, 8
NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*")
LINE = re.compile(
    r'\{"leaf":(\{.*?\}),"salt":(null|"[0-9a-f]{64}"),"state":"(erased|given|others|withheld)"'
    r'(?:,"view":(\{.*\}))?(?:,"body":(\{.*\}))?\}'
)
COLUMNS = "kind, data_class, wall_ms, mono_ms, boot, clock, error_ms, leaf, salt, state, view, body"
SCHEMA = f"CREATE TABLE record (n INTEGER PRIMARY KEY, {COLUMNS})"
FROM_BOX = ("authority.jsonl", "heads.jsonl", "leaves.txt", "lists.jsonl", "records.jsonl")
FIRST = ["MANIFEST.json", "MANIFEST.sig"]
REST = "README.txt box.json box.sig keys/box.pem keys/server.pem records.db report.html report.pdf verify.py".split()


class NoBundleError(ValueError):
    """It cannot be read as a bundle at all."""


# --- Ed25519 (RFC 8032 section 5.1), verification only; points in extended coordinates -------------------------------
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """Sum of two points."""
    x, y = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    z, w = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = y - x, w - z, w + z, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point(raw: bytes) -> Point | None:
    """The point that 32 octets stand for; None where there is none."""
    y, sign = int.from_bytes(raw, "little") & ((1 << 255) - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


GENERATOR = point(b"\x58" + b"\x66" * 31) or (0, 1, 1, 0)


@functools.lru_cache(maxsize=4096)
def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 octets) over `message` is of the public key `key` (32 octets)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    minus, found = (P - a[0], a[1], 1, P - a[3]), (0, 1, 1, 0)
    table = (found, GENERATOR, minus, add(GENERATOR, minus))
    for bit in range(252, -1, -1):  # [S]B - [k]A, both at once
        found = add(found, found)
        found = add(found, table[(s >> bit & 1) | (k >> bit & 1) << 1])
    return (found[0] - r[0] * found[2]) % P == 0 and (found[1] - r[1] * found[2]) % P == 0


# --- what a bundle is made of ----------------------------------------------------------------------------------------
def unzip(raw: bytes) -> dict[str, bytes]:
    """Files of a zip that is written in the one way a bundle is: in order, stored, dated 1980, and nothing besides."""
    files: dict[str, bytes] = {}
    at, central = 0, b""
    while raw[at : at + 4] == b"PK\x03\x04":
        if len(raw) < at + 30 or len(files) >= MAX_FILES:
            raise NoBundleError("the zip is cut off, or has too many files")
        crc, size, _, length = struct.unpack_from("<LLLH", raw, at + 14)
        start = at + 30 + length
        name, body = raw[at + 30 : start], raw[start : start + size]
        head = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 33, crc, size, size, length, 0)
        text = name.decode("ascii", "replace")
        if raw[at + 4 : at + 30] != head or len(body) != size or not NAME.fullmatch(text) or text in files:
            raise NoBundleError(f"the zip is not written as a bundle's is, at octet {at}")
        if binascii.crc32(body) != crc:
            raise NoBundleError(f"{text} is damaged: its checksum in the zip differs")
        central += b"PK\x01\x02\x14\x03" + head + struct.pack("<HHHLL", 0, 0, 0, 0o100644 << 16, at) + name
        files[text], at = body, start + size
    end = struct.pack("<HHHHLLH", 0, 0, len(files), len(files), len(central), at, 0)
    if not files or raw[at:] != central + b"PK\x05\x06" + end:
        raise NoBundleError("this is not the zip of a bundle, or something was added to it or cut off")
    missing = sorted({*FIRST, *FROM_BOX, *REST} - set(files))
    if missing or list(files) != FIRST + sorted(set(files) - set(FIRST)):
        raise NoBundleError(f"the zip lacks {', '.join(missing)}" if missing else "its files are not in their order")
    return files


def canonical(plain: Any, *, ascii_only: bool = False) -> bytes:
    """JSON in the one way that is hashed and signed."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only).encode()


def strict(raw: bytes) -> Any:
    """JSON that is written in that one way."""
    plain = json.loads(raw)
    if canonical(plain) != raw:
        raise ValueError("JSON is not written in the one way")
    return plain


def lines(raw: bytes) -> list[bytes]:
    """Lines of a text, each ended."""
    if raw and not raw.endswith(b"\n"):
        raise ValueError("the last line is cut off")
    return raw.split(b"\n")[:-1]


def pem(raw: bytes) -> bytes:
    """The raw key in a PEM file (RFC 8410)."""
    found = re.fullmatch(rb"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]+)\n-----END PUBLIC KEY-----\n", raw)
    der = base64.b64decode(found[1], validate=True) if found else b""
    if len(der) != 44 or der[:12].hex() != "302a300506032b6570032100":
        raise ValueError("not a public key of Ed25519")
    return der[12:]


def key_id(key: bytes) -> str:
    """First 16 hex digits of the SHA-256 of a key."""
    return hashlib.sha256(key).hexdigest()[:16]


def milliseconds(text: str) -> int:
    """Since 1970, of a time with its offset."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def roots(hashes: list[bytes], sizes: set[int]) -> dict[int, str]:
    """Roots over the first `size` hashes, for each size (RFC 9162 section 2.1.1)."""
    peaks: list[bytes] = []
    found = {0: hashlib.sha256(b"").hexdigest()}
    for count, leaf in enumerate(hashes, start=1):
        node, carry = leaf, count - 1
        while carry & 1:
            node, carry = hashlib.sha256(b"\1" + peaks.pop() + node).digest(), carry >> 1
        peaks.append(node)
        if count in sizes:
            over = functools.reduce(lambda low, high: hashlib.sha256(b"\1" + high + low).digest(), peaks[::-1])
            found[count] = over.hex()
    return found


class Check:
    """One bundle under examination: claims that hold (`good`) and do not (`bad`), and what cannot be said (`open`)."""

    def __init__(self, raw: bytes, *, box: str | None = None, server: str | None = None, issuers: list[str]) -> None:
        self.good, self.bad, self.open, self.files = list[str](), list[str](), list[str](), unzip(raw)
        self.expected, self.label = {"box": {box} - {None}, "server": {server} - {None}, "issuer": set(issuers)}, ""

    def run(self) -> "Check":
        """Every check in order; where a signature does not hold, what it covers is not looked at."""
        for step in (self.manifest, self.box, self.records, self.log, self.authority, self.table, self.limits):
            try:
                step()
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, sqlite3.Error) as error:
                self.bad.append(f"The bundle can be read ({step.__name__}: {type(error).__name__} {error})"[:200])
            if self.bad and step in (self.manifest, self.box):
                self.open.append("Nothing else was looked at: what the signatures cover was altered.")
                break
        return self

    def hold(self, claim: str, wrong: Any = ()) -> None:
        """Note a claim, and what speaks against it, if anything does."""
        told = ", ".join(str(item) for item in list(wrong)[:TOLD])
        self.bad.append(f"{claim} (but: {told})") if wrong else self.good.append(claim)

    def key(self, who: str, key: bytes) -> None:
        """Whether a key is one expected."""
        if self.expected[who]:
            self.hold(f"The {who}'s key is the one expected", {key_id(key)} - self.expected[who])
        else:
            self.open.append(f"Whose the {who}'s key {key_id(key)} is: compare it with the register, or give --{who}")

    def manifest(self) -> None:
        """The server's list of files."""
        raw, files, self.server = self.files["MANIFEST.json"], self.files, pem(self.files["keys/server.pem"])
        fine = is_signed(self.server, b"gatehouse/bundle-manifest/v1\n" + raw, files["MANIFEST.sig"])
        self.hold("The server signed the list of files", () if fine else ["MANIFEST.sig"])
        self.about = strict(raw)
        told = {name: hashlib.sha256(body).hexdigest() for name, body in files.items() if name not in FIRST}
        self.hold("All files are as listed", dict(sorted(told.items() ^ self.about["files"].items())))
        self.label = self.about["label"]
        self.key("server", self.server)

    def box(self) -> None:
        """What the box says that it gave."""
        raw, self.signer = self.files["box.json"], pem(self.files["keys/box.pem"])
        fine = is_signed(self.signer, b"gatehouse/bundle/v1\n" + raw, self.files["box.sig"])
        self.hold("The box signed what it gave", () if fine else ["box.sig"])
        self.given = strict(raw)
        told = {name: hashlib.sha256(self.files[name]).hexdigest() for name in FROM_BOX}
        self.hold("The box's files are as it gave them", dict(sorted(told.items() ^ self.given["files"].items())))
        wrong = [name for name in ("bundle_id", "site", "tenant") if self.given[name] != self.about[name]]
        known = {base64.b64decode(text) for text in (self.given["keys"]["box"], *self.given["keys"]["server"])}
        self.hold(
            "Box and server speak of the same", [*wrong, *(["keys"] if {self.signer, self.server} - known else [])]
        )
        self.key("box", self.signer)

    def records(self) -> None:
        """Each record: its leaf, its place, its time, and the commitment to its body."""
        self.leaves = [bytes.fromhex(line.decode()) for line in lines(self.files["leaves.txt"])]
        self.rows: list[tuple[Any, ...]] = []
        wrong, order, back = list[int](), list[int](), 0
        for number, line in enumerate(lines(self.files["records.jsonl"]), start=1):
            found = LINE.fullmatch(line.decode())
            if found is None:
                raise ValueError(f"line {number} of records.jsonl")
            raw, salt, state, view, body = found.groups()
            leaf, salt = strict(raw.encode()), None if salt == "null" else salt[1:-1]
            n, at = leaf["n"], leaf["at"]
            fine = (
                self.leaves[n] == hashlib.sha256(b"\0" + raw.encode()).digest() and leaf["epoch"] == self.given["epoch"]
            )
            if salt is not None and body is not None and state == "given":
                fine = fine and hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest() == leaf["commitment"]
            elif (salt, body) != (None, None) or state == "given":
                fine = False
            if n < 0 or not fine:
                wrong.append(n)
            if self.rows:
                last = self.rows[-1][1]
                gone = n != last["n"] + 1 if self.given["purpose"] == "evidence" else n <= last["n"]
                if gone or (at["boot"] == last["at"]["boot"] and at["mono_ms"] < last["at"]["mono_ms"]):
                    order.append(n)
                back += at["wall_ms"] < last["at"]["wall_ms"]
            self.rows.append((n, leaf, raw, salt, state, view, body))
        self.hold("Each record fits its place in the log and the commitment to its body", wrong)
        self.hold("Records are in order, by number and monotonic clock, and none is missing between", order)
        wrong = [len(self.rows), len(self.leaves)]
        self.hold(
            "There are as many as the box says", () if wrong == [self.given["records"], self.given["size"]] else wrong
        )
        free = sum(row[1]["at"]["clock"] != "authenticated" for row in self.rows)
        without = sum(row[6] is None for row in self.rows)
        for count, text in (
            (free, "How right the time of {} records is: nobody had vouched for the clock"),
            (back, "Why the wall clock went back between records, {} times; their order rests on their numbers"),
            (without, "What {} records hold: erased or left out. That they were made, and when, is proved"),
        ):
            self.open += [text.format(count)] if count else []

    def log(self) -> None:
        """Heads: each signed by the box over the root of these leaves, and counter-signed by the server."""
        heads = [strict(line) for line in lines(self.files["heads.jsonl"])]
        sizes, wrong, seen = [item["head"]["size"] for item in heads], list[Any](), self.about["witnessed"]
        found, covered = roots(self.leaves, {*sizes, seen["size"]}), 0
        for item in heads:
            head, second = item["head"], item["cosigned"]
            plain = {name: head[name] for name in head if name not in ("signature", "consistency", "since")}
            names = ("tenant", "site", "epoch", "size", "root")
            fine = all(head[name] == self.given[name] for name in names[:3]) and found.get(head["size"]) == head["root"]
            signature = base64.b64decode(head["signature"], validate=True)
            fine = fine and is_signed(self.signer, b"gatehouse/ledger-head/v1\n" + canonical(plain), signature)
            if second is not None:
                told = canonical({**{name: head[name] for name in names}, "at_ms": second["at_ms"]})
                signature = base64.b64decode(second["signature"], validate=True)
                fine = fine and all(second[name] == head[name] for name in names[2:])
                fine = fine and is_signed(self.server, b"gatehouse/ledger-cosigned/v1\n" + told, signature)
                covered = head["size"]
            wrong += [] if fine else [head["size"]]
        ordered = sizes == sorted(set(sizes)) and sizes[-1:] == [len(self.leaves)]
        self.hold("Every head is signed, and contains the whole of those before it", wrong if ordered else sizes)
        same = (seen["epoch"], seen["root"]) == (self.given["epoch"], found.get(seen["size"]))
        self.hold("This is the log that the server had seen, and all of it", () if same else [seen["size"]])
        tail = sum(row[0] >= max(covered, seen["size"]) for row in self.rows)
        if tail:
            self.open.append(
                f"Whether anything was cut off at the end: no counter-signature covers the last {tail} records"
            )

    def authority(self) -> None:
        """Documents in force, and whether records of devices were made while one was."""
        keys = {key_id(key): key for key in (base64.b64decode(text) for text in self.given["keys"]["issuers"])}
        spans, wrong = list[tuple[int, int]](), []
        for line in lines(self.files["authority.jsonl"]):
            item = strict(line)
            plain = item["document"]
            raw, marks = b"gatehouse/authority/v1\n" + canonical(plain, ascii_only=True), item["signatures"]
            known = [
                (keys.get(mark["issuer"], b""), base64.b64decode(mark["signature"], validate=True)) for mark in marks
            ]
            if any(plain[name] != self.given[name] for name in ("tenant", "site")):
                wrong.append(plain["number"])
            elif not known or not all(is_signed(key, raw, signature) for key, signature in known):
                wrong.append(plain["number"])
            spans.append((milliseconds(plain["not_before"]), milliseconds(plain["not_after"])))
        self.hold("Every authority document is signed by an issuer that the box knows", wrong)
        outside = []
        for n, leaf, *_ in self.rows:
            at, slack = leaf["at"]["wall_ms"], leaf["at"].get("error_ms") or 0
            if leaf["data_class"] != "box" and not any(a - slack <= at <= b + LATE_MS + slack for a, b in spans):
                outside.append(n)
        self.hold("Every record about devices was made while one of these documents was in force", outside)
        for key in keys.values():
            self.key("issuer", key)

    def table(self) -> None:
        """The database holds the same records as the lines."""
        database = sqlite3.connect(":memory:")
        database.deserialize(self.files["records.db"])
        found = database.execute("select type, name, sql from sqlite_master").fetchall()
        wrong = [] if found == [("table", "record", SCHEMA)] else ["its tables"]
        times = ("wall_ms", "mono_ms", "boot", "clock", "error_ms")
        if not wrong:
            stored = database.execute("select * from record order by n").fetchall()
            told = [
                (n, leaf["kind"], leaf["data_class"], *(leaf["at"].get(name) for name in times), raw, *rest)
                for n, leaf, raw, *rest in self.rows
            ]
            wrong = [] if stored == told else ["its rows"]
        database.close()
        self.hold("The database holds the same records as the lines", wrong)

    def limits(self) -> None:
        """What the box could not see, and what nobody can check here."""
        gaps = [row[1]["at"]["wall_ms"] / 1000 for row in self.rows if row[1]["kind"] == "gap"]
        if gaps:
            first = datetime.fromtimestamp(gaps[0], timezone.utc).isoformat(timespec="seconds")
            self.open.append(f"What happened in {len(gaps)} gaps that the box recorded, the first told at {first}")
        if any(name.startswith("stamps/") for name in self.files):
            self.open.append("Whether the time stamps of a third party hold: check them with openssl, see README.txt")
        self.open.append("Whether the report says what the records say: where they differ, the records count")


def main(arguments: list[str] | None = None) -> int:
    """Check one bundle and say so."""
    parser = argparse.ArgumentParser(prog="verify", description="Check an evidence bundle.")
    parser.add_argument("bundle")
    parser.add_argument("--box", metavar="KEYID", help="the box's key as it was enrolled, 16 hex digits")
    parser.add_argument("--server", metavar="KEYID", help="the server's key")
    parser.add_argument("--issuer", metavar="KEYID", action="append", default=[], help="an issuer of authorities")
    given = parser.parse_args(arguments)
    try:
        with open(given.bundle, "rb") as file:  # noqa: PTH123 - as few modules as can be
            raw = file.read(MAX_OCTETS + 1)
        if len(raw) > MAX_OCTETS:
            raise NoBundleError(f"it is larger than {MAX_OCTETS} octets")
        check = Check(raw, box=given.box, server=given.server, issuers=given.issuer).run()
    except (OSError, NoBundleError) as error:
        sys.stderr.write(f"verify: {given.bundle}: {error}\n")
        return 2
    for title, said in (("HOLDS", check.good), ("DOES NOT HOLD", check.bad), ("CANNOT BE SAID", check.open)):
        sys.stdout.write("".join(f"{text}\n" for text in (title, *(f"  {text}" for text in said or ["nothing"]))))
    sys.stdout.write(f"This bundle {'does NOT hold' if check.bad else 'holds'}. Label: {check.label or 'none'}\n")
    return 1 if check.bad else 0


if __name__ == "__main__":
    sys.exit(main())
