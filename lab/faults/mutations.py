"""Ten thousand alterations of a bundle, each of which the verifier must refuse; the unaltered one it must pass.

Four thieves: one without a key, who has the zip only; one who makes a new zip and list of files, but cannot sign it; one
with the server's key, who can; one with the box's key as well, who rewrites what the box gave, log and heads and all, but
cannot take back what the server counter-signed. An alteration that changes nothing is thrown away and another made.
Bounded: `FULL` or `SHORT` alterations of one small bundle, in this process.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import verify
from dashboard.bundles.assemble import zipped
from lab.faults import bundling
from lab.faults.bundling import Made
from lab.faults.result import Result, Say
from wire.ledger import canonical
from wire.merkle import leaf_hash, root

NAME = "mutations"
PROMISE = "10,000 random mutations of a bundle: 10,000 detected; the unmutated passes"
FULL, SHORT = 10_000, 300

Mutation = Callable[[Made, random.Random], bytes]


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Make a bundle and alter it."""
    seed = 9162
    made = bundling.make(folder, records=24, within=2)
    if refused(made.zip) is not None:
        return Result(kept=False, figures={"unaltered": "refused"})
    chance = random.Random(seed)  # noqa: S311 - it is to be repeated
    wanted = SHORT if short else FULL
    missed: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    began = perf_counter()
    names = list(MUTATIONS)
    for number in range(wanted):
        name = names[number % len(names)]
        altered = made.zip
        while altered == made.zip:
            altered = MUTATIONS[name](made, chance)
        tried[name] += 1
        if refused(altered) is None:
            missed[name] += 1
            say(f"not detected: {name}")
        if number % 1000 == 999:
            say(f"{number + 1} alterations, {sum(missed.values())} not detected")
    seconds = perf_counter() - began
    figures = {
        "mutations": f"{wanted} of {len(names)} kinds",
        "detected": f"{wanted - sum(missed.values())}",
        "not detected": ", ".join(f"{name}: {count}" for name, count in sorted(missed.items())) or "0",
        "unaltered": "passes",
        "time": f"{seconds:.1f} s, {1000 * seconds / wanted:.1f} ms each",
    }
    remark = (
        "Nobody can show an alteration by somebody who holds the keys of the box and of the server from the beginning; "
        "nor one of the report alone by the holder of the server's key, which is why the records count."
    )
    return Result(kept=not missed, figures=figures, remarks=(remark,))


def refused(raw: bytes) -> str | None:
    """Why the verifier refuses it; None where it passes."""
    try:
        check = verify.Check(raw).run()
    except ValueError as error:
        return str(error)
    return check.bad[0] if check.bad else None


# --- without a key: the zip only ----------------------------------------------------------------


def _octet(made: Made, chance: random.Random) -> bytes:
    altered = bytearray(made.zip)
    altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
    return bytes(altered)


def _cut_out(made: Made, chance: random.Random) -> bytes:
    at = chance.randrange(len(made.zip))
    return made.zip[:at] + made.zip[at + chance.randint(1, 400) :]


def _put_in(made: Made, chance: random.Random) -> bytes:
    at = chance.randrange(len(made.zip) + 1)
    return made.zip[:at] + chance.randbytes(chance.randint(1, 40)) + made.zip[at:]


def _truncate(made: Made, chance: random.Random) -> bytes:
    return made.zip[: chance.randrange(len(made.zip))]


def _structure(made: Made, chance: random.Random) -> bytes:
    """Another zip of the same files: in another order, with one left out, twice, renamed, or with one more."""
    files = list(verify.unzip(made.zip).items())
    at = chance.randrange(len(files))
    match chance.randrange(4):
        case 0:
            files.insert(chance.randrange(len(files)), files.pop(at))
        case 1:
            del files[at]
        case 2:
            files[at] = (f"x{files[at][0]}", files[at][1])
        case _:
            files.insert(at, (f"more-{chance.randrange(99)}.txt", b"more\n"))
    return zipped(dict(files))


# --- a new list of files, that cannot be signed; and with the server's key ----------------------


def _listed(made: Made, chance: random.Random, *, signer: bool) -> bytes:
    """One file altered; the list says so."""
    files = dict(verify.unzip(made.zip))
    names = [name for name in files if not name.startswith("MANIFEST.")]
    if signer:  # what only the server wrote, only the server vouches for
        names = [*verify.FROM_BOX, "box.json", "box.sig", "records.db", "keys/box.pem"]
    name = chance.choice(names)
    files[name] = _altered(files[name], chance, rows=name == "records.db")
    return bundling.listed(files, signer=made.server if signer else None)


def _altered(body: bytes, chance: random.Random, *, rows: bool) -> bytes:
    if rows:  # a database has room that no row is in; what is altered is a row
        at = body.index(b'"commitment"', chance.randrange(len(body) // 2, len(body) * 3 // 4)) + chance.randrange(
            14, 70
        )
    else:
        at = chance.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << chance.randrange(7))]) + body[at + 1 :]


def _unsigned_list(made: Made, chance: random.Random) -> bytes:
    return _listed(made, chance, signer=False)


def _server_key(made: Made, chance: random.Random) -> bytes:
    return _listed(made, chance, signer=True)


# --- with the box's key too: everything but the counter-signatures is signed anew ---------------


def _lines(change: Callable[[list[bytes], random.Random], None], name: str = "records.jsonl") -> Mutation:
    def mutate(made: Made, chance: random.Random) -> bytes:
        lines = made.given[name].splitlines(keepends=True)
        change(lines, chance)
        files = {**made.given, name: b"".join(lines)}
        return made.zip if files == made.given else bundling.again(made, files, box=True)

    return mutate


def _edit_body(lines: list[bytes], chance: random.Random) -> None:
    at = chance.choice([number for number, line in enumerate(lines) if b'"body":' in line])
    head, _, body = lines[at].partition(b'"body":')
    plain = json.loads(body[:-2])
    plain[chance.choice(["state", "seconds", "device_id"])] = chance.randrange(1 << 30)
    lines[at] = head + b'"body":' + canonical(plain) + b"}\n"


def _swap_bodies(lines: list[bytes], chance: random.Random) -> None:
    one, two = chance.sample([number for number, line in enumerate(lines) if b'"body":' in line], 2)
    (a, _, b), (c, _, d) = lines[one].partition(b',"salt":'), lines[two].partition(b',"salt":')
    lines[one], lines[two] = a + b',"salt":' + d, c + b',"salt":' + b


def _edit_leaf(lines: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    raw, mark, rest = lines[at].partition(b',"salt":')
    leaf = json.loads(raw[len(b'{"leaf":') :])
    match chance.randrange(4):
        case 0:
            leaf["at"]["wall_ms"] += chance.choice([-1, 1]) * chance.randint(1, 10**9)
        case 1:
            leaf["n"] = max(0, leaf["n"] + chance.choice([-1, 1]))
        case 2:
            leaf["data_class"] = "box" if leaf["data_class"] != "box" else "presence"
        case _:
            leaf["kind"] = "hold"
    lines[at] = b'{"leaf":' + canonical(leaf) + mark + rest


def _reorder(lines: list[bytes], chance: random.Random) -> None:
    one, two = chance.sample(range(len(lines)), 2)
    lines[one], lines[two] = lines[two], lines[one]


def _delete(lines: list[bytes], chance: random.Random) -> None:
    del lines[chance.choice([0, -1, chance.randrange(len(lines))])]


def _shorten(lines: list[bytes], chance: random.Random) -> None:
    """The beginning or the end left out, and what is first or last then passed off as what lies outside."""
    most = chance.randrange(1, len(lines) - 1)
    at = chance.choice([0, -1])
    lines[:] = lines[most:] if at == 0 else lines[:-most]
    raw = lines[at].partition(b',"salt":')[0]
    lines[at] = raw + b',"salt":null,"state":"edge"}\n'


def _insert(lines: list[bytes], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))


def _other_leaf(lines: list[bytes], chance: random.Random) -> None:
    lines[chance.randrange(len(lines))] = chance.randbytes(32).hex().encode() + b"\n"


def _heads(lines: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    item = json.loads(lines[at])
    match chance.randrange(6):
        case 4:
            lines.clear()
            return
        case 5:
            del lines[-1]
            return
        case 0:
            item["head"]["root"] = chance.randbytes(32).hex()
        case 1:
            item["head"]["size"] += chance.choice([-1, 1])
        case 2:
            item["head"]["at"]["wall_ms"] += chance.randint(1, 10**9)
        case _:
            item["cosigned"]["at_ms"] += chance.randint(1, 10**9)
    lines[at] = canonical(item) + b"\n"


def _authority(lines: list[bytes], chance: random.Random) -> None:
    item = json.loads(lines[0])
    match chance.randrange(4):
        case 0:
            item["document"]["not_after"] = f"20{chance.randint(40, 99)}-01-01T00:00:00Z"
        case 1:
            item["document"]["clauses"][0]["classes"] = ["full_names"] * chance.randint(1, 9)
        case 2:
            item["signatures"][0]["issuer"] = chance.randbytes(8).hex()
        case _:
            lines.clear()
            return
    lines[0] = canonical(item) + b"\n"


def _cut_off(made: Made, chance: random.Random) -> bytes:
    """The log as it was at an earlier head, before the last one that the server counter-signed."""
    heads = made.given["heads.jsonl"].splitlines(keepends=True)
    kept = chance.randrange(1, len(heads))
    size = json.loads(heads[kept - 1])["head"]["size"]
    records = made.given["records.jsonl"].splitlines(keepends=True)[: chance.randint(1, size)]
    leaves = made.given["leaves.txt"].splitlines(keepends=True)[:size]
    files = {"heads.jsonl": b"".join(heads[:kept]), "records.jsonl": b"".join(records), "leaves.txt": b"".join(leaves)}
    return bundling.again(made, {**made.given, **files}, box=True)


def _rewritten(made: Made, chance: random.Random) -> bytes:
    """One record told otherwise, with a log and heads that fit it, signed by the box; without counter-signatures."""
    records = made.given["records.jsonl"].splitlines(keepends=True)
    at = chance.randrange(len(records))
    raw, mark, rest = records[at].partition(b',"salt":')
    leaf = json.loads(raw[len(b'{"leaf":') :])
    leaf["at"]["error_ms"] = chance.randint(21, 10**6)
    text = canonical(leaf)
    records[at] = b'{"leaf":' + text + mark + rest
    leaves = made.given["leaves.txt"].splitlines(keepends=True)
    leaves[leaf["n"]] = leaf_hash(text).hex().encode() + b"\n"
    hashes = [bytes.fromhex(line.decode()) for line in leaves]
    heads = []
    for line in made.given["heads.jsonl"].splitlines():
        item = json.loads(line)
        if item["head"]["size"] > leaf["n"]:
            plain = {name: value for name, value in item["head"].items() if name != "signature"}
            plain["root"] = root(hashes[: plain["size"]]).hex()
            mark_ = made.box.sign(b"gatehouse/ledger-head/v1\n" + canonical(plain))
            item = {"head": {**plain, "signature": bundling.text(mark_)}, "cosigned": None}
        heads.append(canonical(item) + b"\n")
    files = {"records.jsonl": b"".join(records), "leaves.txt": b"".join(leaves), "heads.jsonl": b"".join(heads)}
    return bundling.again(made, {**made.given, **files}, box=True)


MUTATIONS: dict[str, Mutation] = {
    "an octet of the zip": _octet,
    "octets cut out": _cut_out,
    "octets put in": _put_in,
    "the zip cut off": _truncate,
    "files in another order, left out, renamed, added": _structure,
    "a file and its line in the list": _unsigned_list,
    "a file of the box or the database, with the server's key": _server_key,
    "a body, with both keys": _lines(_edit_body),
    "two bodies swapped, with both keys": _lines(_swap_bodies),
    "a record's time, number, class or kind, with both keys": _lines(_edit_leaf),
    "records reordered, with both keys": _lines(_reorder),
    "a record left out, with both keys": _lines(_delete),
    "the beginning or the end of the time left out, with both keys": _lines(_shorten),
    "a record twice, with both keys": _lines(_insert),
    "a leaf of the log, with both keys": _lines(_other_leaf, "leaves.txt"),
    "a head, with both keys": _lines(_heads, "heads.jsonl"),
    "the authority, with both keys": _lines(_authority, "authority.jsonl"),
    "the end cut off, with both keys": _cut_off,
    "history written anew, with both keys": _rewritten,
}
