"""Check an evidence bundle with nothing but Python's standard library: `python3 verify.py BUNDLE.zip`.

In: one zip, read as octets and never unpacked onto a disk. Out: what holds, what does not, and what cannot be said;
exit code 0 (all holds), 1 (something does not), 2 (no bundle, or wrong use). docs/evidence.md has the format.
Bounded: MAX_OCTETS, MAX_FILES; nothing is compressed. Every octet of the zip is accounted for. No network, no other file.
"""

import argparse, base64, binascii, functools, hashlib, itertools, json, re, sqlite3, struct, sys  # noqa: E401, I001 - to be read on paper
from datetime import datetime
from typing import Any

MAX_OCTETS, MAX_FILES, LATE_MS = 1 << 30, 4096, 60_000
NAME = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*")
LINE = re.compile(
    r'\{"leaf":(\{.*?\}),"salt":(null|"[0-9a-f]{64}"),"state":"(edge|erased|given|others|withheld)"'
    r'(?:,"view":(\{.*\}))?(?:,"body":(\{.*\}))?\}'
)
TIMES = ("wall_ms", "mono_ms", "boot", "clock", "error_ms")
COLUMNS = f"n INTEGER PRIMARY KEY, kind, data_class, {', '.join(TIMES)}, leaf, salt, state, view, body"
FROM_BOX = ["authority.jsonl", "heads.jsonl", "leaves.txt", "lists.jsonl", "records.jsonl"]
FIRST = ["MANIFEST.json", "MANIFEST.sig"]
PEM = b"-----BEGIN PUBLIC KEY-----\n%b\n-----END PUBLIC KEY-----\n"
REST = "README.txt box.json box.sig keys/box.pem keys/server.pem records.db report.html report.pdf verify.py"


P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)


def add(a: Any, b: Any) -> Any:
    """Sum of two points of Ed25519 (RFC 8032 section 5.1), in extended coordinates."""
    x, y = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    z, w = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = y - x, w - z, w + z, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point(raw: bytes) -> Any:
    """The point that 32 octets stand for; None where there is none."""
    y, sign = int.from_bytes(raw, "little") & ((1 << 255) - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


GENERATOR = point(b"\x58" + b"\x66" * 31)


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
    return not ((found[0] - r[0] * found[2]) % P or (found[1] - r[1] * found[2]) % P)


def unzip(raw: bytes) -> dict[str, bytes]:
    """Files of a zip that is written in the one way a bundle is: in order, stored, dated 1980, and nothing besides."""
    files, at, central = dict[str, bytes](), 0, b""
    while raw[at : at + 4] == b"PK\x03\x04":
        crc, size, _, length = struct.unpack("<LLLH", raw[at + 14 : at + 28].ljust(14, b"\0"))
        start = at + 30 + length
        name, body = raw[at + 30 : start], raw[start : start + size]
        head = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 33, crc, size, size, length, 0)
        text, fine = name.decode("ascii", "replace"), raw[at + 4 : at + 30] == head and binascii.crc32(body) == crc
        if not fine or len(body) != size or not NAME.fullmatch(text) or text in files or len(files) >= MAX_FILES:
            raise ValueError(f"the zip is damaged, or not written as a bundle's is, at octet {at}")
        central += b"PK\x01\x02\x14\x03" + head + struct.pack("<HHHLL", 0, 0, 0, 0o100644 << 16, at) + name
        files[text], at = body, start + size
    end = struct.pack("<HHHHLLH", 0, 0, len(files), len(files), len(central), at, 0)
    whole = {*FROM_BOX, *REST.split()} <= set(files) and list(files) == FIRST + sorted(set(files) - set(FIRST))
    if not whole or raw[at:] != central + b"PK\x05\x06" + end:
        raise ValueError("this is not the zip of a bundle, or something was added to it, left out or cut off")
    return files


def canonical(plain: Any, *, ascii_only: bool = False) -> bytes:
    """JSON in the one way that is hashed and signed."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only).encode()


def strict(raw: bytes) -> Any:
    """JSON that is written in that one way."""
    if canonical(plain := json.loads(raw)) != raw:
        raise ValueError("JSON is not written in the one way")
    return plain


def lines(raw: bytes) -> list[bytes]:
    """Lines of a text, each ended."""
    if raw and not raw.endswith(b"\n"):
        raise ValueError("the last line is cut off")
    return raw.split(b"\n")[:-1]


def pem(raw: bytes) -> bytes:
    """The raw key in a PEM file (RFC 8410)."""
    der = base64.b64decode(raw.split(b"\n")[1])
    if raw != PEM % base64.b64encode(der) or len(der) != 44 or der[:12].hex() != "302a300506032b6570032100":
        raise ValueError("not a public key of Ed25519")
    return der[12:]


def roots(hashes: list[bytes], sizes: set[int]) -> dict[int, str]:
    """Roots over the first `size` hashes, for each size (RFC 9162 section 2.1.1)."""
    peaks, found = list[bytes](), {0: hashlib.sha256(b"").hexdigest()}
    for count, leaf in enumerate(hashes, start=1):
        node, carry = leaf, count - 1
        while carry & 1:
            node, carry = hashlib.sha256(b"\1" + peaks.pop() + node).digest(), carry >> 1
        peaks.append(node)
        if count in sizes:
            found[count] = functools.reduce(lambda b, a: hashlib.sha256(b"\1" + a + b).digest(), peaks[::-1]).hex()
    return found


class Check:
    """One bundle under examination: claims that hold (`good`) and do not (`bad`), and what cannot be said (`open`)."""

    def __init__(self, raw: bytes, **expected: set[str]) -> None:
        self.good, self.bad, self.open = list[str](), list[str](), list[str]()
        self.files, self.expected, self.about = unzip(raw), expected, dict[str, Any](label="none")

    def run(self) -> "Check":
        """Every check in order; where a signature does not hold, what it covers is not looked at."""
        for step in (self.signatures, self.records, self.log, self.authority):
            try:
                step()
            except Exception as error:  # noqa: BLE001 - whatever was put in, it is said and not raised
                self.bad.append(f"The bundle can be read ({step.__name__}: {type(error).__name__} {error})"[:200])
            if self.bad and step == self.signatures:
                self.say(1, "Nothing else was looked at: what the signatures cover was altered")
                break
        return self

    def hold(self, claim: str, wrong: Any) -> None:
        """Note a claim, and what speaks against it, if anything does."""
        self.bad.append(f"{claim} (not so: {wrong})"[:300]) if wrong else self.good.append(claim)

    def say(self, count: Any, text: str) -> None:
        """Note what cannot be said, if there is any of it."""
        self.open += [text.format(count)] if count else []

    def signature(self, name: str, context: bytes, who: str) -> Any:
        """JSON that `who` signed; the key is noted."""
        raw, key = self.files[f"{name}.json"], pem(self.files[f"keys/{who}.pem"])
        self.hold(f"The {who} signed {name}.json", not is_signed(key, context + raw, self.files[f"{name}.sig"]))
        self.key(who, key)
        return strict(raw), key

    def key(self, who: str, key: bytes) -> str:
        """Whether a key is one expected; it is named by the first 16 hex digits of its SHA-256."""
        name, wanted = hashlib.sha256(key).hexdigest()[:16], self.expected.get(who)
        if wanted:
            self.hold(f"The {who}'s key is the one expected", {name} - wanted)
        self.say(not wanted, f"Whose the {who}'s key {name} is: compare it with the register, or give --{who}")
        return name

    def signatures(self) -> None:
        """The server's list of files, and what the box says that it gave."""
        self.about, self.server = self.signature("MANIFEST", b"gatehouse/bundle-manifest/v1\n", "server")
        told = {name: hashlib.sha256(body).hexdigest() for name, body in self.files.items() if name not in FIRST}
        self.hold("All files are as listed", dict(told.items() ^ self.about["files"].items()))
        self.given, self.signer = self.signature("box", b"gatehouse/bundle/v1\n", "box")
        self.hold("The box's files are as it gave them", self.given["files"] != {name: told[name] for name in FROM_BOX})
        known = {base64.b64decode(text) for text in (self.given["keys"]["box"], *self.given["keys"]["server"])}
        wrong = [name for name in ("bundle_id", "site", "tenant") if self.given[name] != self.about[name]]
        self.hold("Box and server speak of the same", wrong or {self.signer, self.server} - known)
        self.say(1, "Whether the report says what the records say: where they differ, the records count")
        self.say(sum(name.startswith("stamps/") for name in self.files), "Whether {} time stamps hold: see README.txt")

    def records(self) -> None:
        """Each record: its leaf, its place, its time, and the commitment to its body."""
        back, self.leaves = 0, [bytes.fromhex(line.decode()) for line in lines(self.files["leaves.txt"])]
        self.rows, wrong, order = list[Any](), [], []
        for line in lines(self.files["records.jsonl"]):
            if (found := LINE.fullmatch(line.decode())) is None:
                raise ValueError(f"record {len(self.rows)}")
            raw, salt, state, view, body = found.groups()
            leaf, salt = strict(raw.encode()), None if salt == "null" else salt[1:-1]
            n, at = leaf["n"], leaf["at"]
            fine = n >= 0 and self.leaves[n] == hashlib.sha256(b"\0" + raw.encode()).digest()
            fine = fine and (salt is None, body is None) == (state != "given", state != "given")
            if fine and state == "given":
                fine = hashlib.sha256(bytes.fromhex(salt or "") + body.encode()).hexdigest() == leaf["commitment"]
            wrong += [] if fine and leaf["epoch"] == self.given["epoch"] else [n]
            self.rows.append((n, leaf["kind"], leaf["data_class"], *map(at.get, TIMES), raw, salt, state, view, body))
        for a, b in itertools.pairwise(self.rows):
            gone = b[0] != a[0] + 1 if self.given["purpose"] == "evidence" else b[0] <= a[0]
            order += [b[0]] if gone or (a[5] == b[5] and b[4] < a[4]) else []
            back += b[3] < a[3]
        self.hold("Each record fits its place in the log and the commitment to its body", wrong)
        self.hold("Records are in order, by number and monotonic clock, and none is missing between", order)
        if self.given["purpose"] == "evidence" and self.rows:
            ends = [row for row, n in ((self.rows[0], 0), (self.rows[-1], len(self.leaves) - 1)) if row[0] != n]
            wrong = [r[0] for r in ends if r[10] != "edge" or self.given["since_ms"] <= r[3] < self.given["until_ms"]]
            self.hold("They begin and end where the time that was asked for does", wrong)
        count = [len(self.rows), len(self.leaves)]
        self.hold("There are as many as the box says", count != [self.given["records"], self.given["size"]] and count)
        db = sqlite3.connect(":memory:")
        db.deserialize(self.files["records.db"])
        fine = [*db.execute("select type, sql from sqlite_master")] == [("table", f"CREATE TABLE record ({COLUMNS})")]
        fine = fine and db.execute("select * from record order by n").fetchall() == self.rows
        db.close()
        self.hold("The database holds the same records", not fine)
        self.say(sum(r[6] != "authenticated" for r in self.rows), "How right the time of {} records is (clock: free)")
        self.say(back, "Why the wall clock went back between records, {} times; their order rests on their numbers")
        self.say(sum(row[1] == "gap" for row in self.rows), "What happened in {} gaps that the box recorded")
        self.say(sum(row[-1] is None for row in self.rows), "What {} records hold, which were erased or left out")

    def log(self) -> None:
        """Heads: each signed by the box over the root of these leaves, and counter-signed by the server."""
        heads, wrong, covered = [strict(line) for line in lines(self.files["heads.jsonl"])], [], 0
        sizes, seen = [item["head"]["size"] for item in heads], self.about["witnessed"]
        found, names = roots(self.leaves, {*sizes, seen["size"]}), ("tenant", "site", "epoch", "size", "root")
        for item in heads:
            head, second = item["head"], item["cosigned"]
            signature = base64.b64decode(head["signature"], validate=True)
            plain = {name: value for name, value in head.items() if name != "signature"}
            fine = all(head[name] == self.given[name] for name in names[:3]) and found.get(head["size"]) == head["root"]
            fine = fine and is_signed(self.signer, b"gatehouse/ledger-head/v1\n" + canonical(plain), signature)
            if second is not None:
                told = canonical({**{name: head[name] for name in names}, "at_ms": second["at_ms"]})
                signature, covered = base64.b64decode(second["signature"], validate=True), head["size"]
                fine = fine and all(second[name] == head[name] for name in names[2:])
                fine = fine and is_signed(self.server, b"gatehouse/ledger-cosigned/v1\n" + told, signature)
            wrong += [] if fine else [head["size"]]
        wrong += [] if sizes == sorted(set(sizes)) and sizes[-1:] == [len(self.leaves)] else [sizes]
        self.hold("Every head is signed, and contains the whole of those before it", wrong)
        same = (seen["epoch"], seen["root"]) == (self.given["epoch"], found.get(seen["size"]))
        self.hold("This is the log that the server had seen, and all of it", not same)
        tail = sum(row[0] >= max(covered, seen["size"]) for row in self.rows)
        self.say(tail, "Whether anything was cut off at the end: no counter-signature covers the last {} records")

    def authority(self) -> None:
        """Documents in force, and whether records of devices were made while one was."""
        when: Any = lambda text: datetime.fromisoformat(text).timestamp() * 1000  # noqa: E731 - to be read on paper
        keys, spans, wrong, outside, doubt = dict[str, bytes](), list[Any](), [], [], 0
        for key in (base64.b64decode(text) for text in self.given["keys"]["issuers"]):
            keys[self.key("issuer", key)] = key
        for line in lines(self.files["authority.jsonl"]):
            plain, marks = (item := strict(line))["document"], item["signatures"]
            raw = b"gatehouse/authority/v1\n" + canonical(plain, ascii_only=True)
            fine = all(plain[name] == self.given[name] for name in ("tenant", "site"))
            known = {keys[mark["issuer"]]: mark["signature"] for mark in marks if mark["issuer"] in keys}
            fine = fine and any(is_signed(key, raw, base64.b64decode(known[key])) for key in known)
            wrong += [] if fine else [plain["number"]]
            rests = (plain, *(each for each in plain.get("consents", ()) if each["kind"] == "consent"))
            end = min(when(x[k]) for x in rests for k in ("not_after", "withdrawn_at", "confirm_by") if x.get(k))
            pauses = [(when(each["starts"]), when(each["ends"])) for each in plain.get("pauses", ())]
            classes = {name for clause in plain["clauses"] for name in clause.get("classes", ())}
            spans.append((plain["id"], when(plain["not_before"]), when(plain["issued_at"]), end, pauses, classes))
        self.hold("Every authority document is signed by an issuer that the box knows", wrong)
        for n, kind, data_class, at, _, _, _, error, *_ in (row for row in self.rows if row[2] != "box"):
            late, early = at + (error or 0) + 1, at - (error or 0) - 1 - LATE_MS
            fit = [x for x in spans if x[1] <= late and early <= x[3] and all(early < a or b < late for a, b in x[4])]
            outside += [] if fit else [n]
            newest = {x[0]: x for x in spans if x[1] <= late and x[2] <= late}.values()
            named = [x for x in fit if x in newest and (data_class in x[5] or kind in ("finding", "household"))]
            doubt += len(fit) > 0 and not named
        self.hold("Every record about devices was made while one of these documents was in force", outside)
        self.say(doubt, "Whether {} records were allowed: the newest document then ended that, or names no such class")


def main(arguments: list[str] | None = None) -> int:
    """Check one bundle and say so."""
    parser = argparse.ArgumentParser(prog="verify", description="Check an evidence bundle.")
    parser.add_argument("bundle")
    for who in ("box", "server", "issuer"):
        parser.add_argument(f"--{who}", metavar="KEYID", action="append", default=[], help=f"id of the {who}'s key")
    given = vars(parser.parse_args(arguments))
    name = given.pop("bundle")
    try:
        with open(name, "rb") as file:  # noqa: PTH123 - as few modules as can be
            check = Check(file.read(MAX_OCTETS), **{who: set(ids) for who, ids in given.items()}).run()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"verify: {name}: {error}\n")
        return 2
    for title, said in (("HOLDS", check.good), ("DOES NOT HOLD", check.bad), ("CANNOT BE SAID", check.open)):
        sys.stdout.write("\n  ".join((title, *(said or ["nothing"]))) + "\n")
    sys.stdout.write(f"This bundle {'does NOT hold' if check.bad else 'holds'}. Label: {check.about['label']}\n")
    return 1 if check.bad else 0


if __name__ == "__main__":
    sys.exit(main())
