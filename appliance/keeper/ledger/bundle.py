"""What goes into an evidence bundle's data part: records, leaves' hashes, heads, documents, lists, and the box's word.

In: the ledger as it stands, what was asked for (`Wanted`), and what the box says of itself (`Setting`). Out: lines
(`wire.bundles.FILES`), one after another, so that whoever writes them stops after any and goes on in a later turn. The
last two lines are the box's own statement over the files before and its signature. Nothing is altered on the way: a body
is given as it was recorded, or left out.

Bounded: `MAX_HEADS` heads, `MAX_DEVICES` devices; a line by `book.MAX_BODY`; the whole by whoever writes it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.keeper.ledger.book import BOX, Ledger
from appliance.keeper.store.ledger import KeptHead, Row
from wire.bundles import BOX_CONTEXT, FILES, LINES
from wire.keys import public_text
from wire.ledger import RecordKind, canonical, leaf_bytes

MAX_HEADS = 64
MAX_DEVICES = 64
PORTION = 512
"""Hashes of leaves in one turn's line."""
ANOTHER = "[another device]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a bundle shall hold."""

    bundle_id: str
    purpose: str
    """`evidence` or `access` (a person's own records)."""
    since_ms: int
    until_ms: int
    device_ids: tuple[str, ...]
    subjects: frozenset[str]
    """Ids and addresses of these devices."""
    others: frozenset[str]
    """Ids, addresses and labels of all others, that an `access` bundle does not name."""
    by: str
    second: str | None
    broken: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the box says of itself."""

    tenant: str
    site: str
    software: str
    signer: Ed25519PrivateKey
    server_keys: tuple[str, ...]
    """Public keys in base64, as pinned."""
    issuers: tuple[str, ...]
    authorities: tuple[str, ...]
    """Signed documents that were in force, as canonical JSON, oldest first."""
    lists: tuple[Mapping[str, Any], ...]


def choose(heads: Sequence[KeptHead], last: int) -> list[KeptHead]:
    """Heads to give: the smallest counter-signed one that covers position `last` is the end, else the largest there is.

    Of the counter-signed ones before it at most `MAX_HEADS`, evenly spread.
    """
    signed = [head for head in heads if head.cosignature is not None]
    end = next((head for head in signed if head.size > last), None) or max(heads, key=lambda head: head.size)
    before = [head for head in signed if head.size < end.size]
    step = max(1, -(-len(before) // (MAX_HEADS - 1)))
    return [*before[::-1][::step][::-1], end]


class Builder:
    """The lines of one bundle, as an iterator; `records` counts as it goes."""

    def __init__(self, ledger: Ledger, wanted: Wanted, setting: Setting, heads: Sequence[KeptHead]) -> None:
        """`heads` as chosen; the log is given up to the last of them."""
        self._ledger = ledger
        self._wanted = wanted
        self._setting = setting
        self._heads = heads
        self._size = heads[-1].size
        self._hashes = {letter: hashlib.sha256() for letter in LINES}
        names = sorted(wanted.others - wanted.subjects, key=lambda name: (-len(name), name))
        self._others = re.compile("|".join(re.escape(name) for name in names if name)) if names else None
        self.records = 0

    def lines(self) -> Iterator[bytes]:
        """All lines in order, each with its letter and its end."""
        for text in self._setting.authorities:
            yield self._line("A", text.encode())
        for told in self._setting.lists:
            yield self._line("V", canonical(dict(told)))
        for head in self._heads:
            yield self._line("H", canonical(self._head(head)))
        yield from self._records()
        yield from self._leaves()
        statement = canonical(self._statement())
        yield b"B" + statement + b"\n"
        yield b"S" + base64.b64encode(self._setting.signer.sign(BOX_CONTEXT + statement)) + b"\n"

    def _line(self, letter: str, text: bytes) -> bytes:
        self._hashes[letter].update(text + b"\n")
        return letter.encode() + text + b"\n"

    def _records(self) -> Iterator[bytes]:
        first, last = self._ledger.log.span(self._wanted.since_ms, self._wanted.until_ms)
        if last < first:
            return
        # For a court the leaves on either side are given too: they show that nothing of the time was left out.
        near = int(self._wanted.purpose == "evidence")
        for row in self._ledger.log.rows(max(first - near, 0), min(last + near, self._size - 1)):
            text = self._record(row) if first <= row.n <= last else _without(_leaf(row, self._ledger), "edge")
            if text is not None:
                self.records += 1
                yield self._line("R", text)
            else:
                yield b""  # another's: whoever drives this counts it as work done

    def _leaves(self) -> Iterator[bytes]:
        for start in range(0, self._size, PORTION):
            end = min(start + PORTION, self._size)
            hashes = self._ledger.log.hashes(start, end)
            yield b"".join(self._line("L", item.hex().encode()) for item in hashes)

    def _record(self, row: Row) -> bytes | None:
        """One line; None where it is another person's and so has none."""
        leaf = _leaf(row, self._ledger)
        about = self._ledger.log.about_whom(row.n)
        own = bool(about & self._wanted.subjects) or row.data_class == BOX
        if self._wanted.purpose == "access" and not own:
            return None
        found = self._ledger.body(row) if own else None
        if found is None:
            return _without(leaf, "erased" if row.sealed is None or own else "withheld")
        salt, body = found
        if row.kind is RecordKind.HOUSEHOLD and not about and b'"request_id":' in body:
            return _without(leaf, "withheld")  # somebody's own words, of whom nobody knows which device they have
        if self._wanted.purpose == "access" and self._others is not None and self._others.search(body.decode()):
            return _without(leaf, "others", canonical(self._cut(json.loads(body))))
        return b'{"leaf":%b,"salt":"%b","state":"given","body":%b}' % (leaf, salt.hex().encode(), body)

    def _cut(self, plain: Any, depth: int = 0) -> Any:
        """A body without what names others. Bodies are ours and shallow; what is deeper than that is left out."""
        assert self._others is not None  # noqa: S101 - the caller has looked
        if isinstance(plain, str):
            return self._others.sub(ANOTHER, plain)
        if depth >= 8:
            return None
        if isinstance(plain, list):
            return [self._cut(item, depth + 1) for item in plain]
        if isinstance(plain, dict):
            return {self._others.sub(ANOTHER, name): self._cut(item, depth + 1) for name, item in plain.items()}
        return plain

    def _head(self, head: KeptHead) -> dict[str, Any]:
        where = {"tenant": self._setting.tenant, "site": self._setting.site, "epoch": self._ledger.epoch}
        what = {"size": head.size, "root": head.root.hex(), "signature": head.signature}
        cosigned = None
        if head.cosignature is not None:
            seen = {"epoch": self._ledger.epoch, "size": head.size, "root": head.root.hex()}
            cosigned = {**seen, "at_ms": round((head.cosigned_at or 0) * 1000), "signature": head.cosignature}
        at = head.at.model_dump(mode="json", exclude_none=True)
        return {"head": {**where, **what, "at": at}, "cosigned": cosigned}

    def _statement(self) -> dict[str, Any]:
        wanted, setting = self._wanted, self._setting
        return {
            "v": 1,
            "bundle_id": wanted.bundle_id,
            "tenant": setting.tenant,
            "site": setting.site,
            "epoch": self._ledger.epoch,
            "purpose": wanted.purpose,
            "since_ms": wanted.since_ms,
            "until_ms": wanted.until_ms,
            "devices": sorted(wanted.device_ids),
            "by": wanted.by,
            "second": wanted.second,
            "break_glass": wanted.broken,
            "at_ms": wanted.at_ms,
            "size": self._size,
            "records": self.records,
            "software": setting.software,
            "keys": {
                "box": public_text(setting.signer),
                "server": list(setting.server_keys),
                "issuers": list(setting.issuers),
            },
            "files": {FILES[letter]: self._hashes[letter].hexdigest() for letter in LINES},
        }


def _leaf(row: Row, ledger: Ledger) -> bytes:
    return leaf_bytes(row.leaf(ledger.epoch))


def _without(leaf: bytes, state: str, view: bytes | None = None) -> bytes:
    """A line whose body is left out."""
    shown = b"" if view is None else b',"view":' + view
    return b'{"leaf":%b,"salt":null,"state":"%b"%b}' % (leaf, state.encode(), shown)


def names_of(devices: Collection[tuple[str, Collection[str], str | None]]) -> frozenset[str]:
    """What names these devices: ids, addresses and labels."""
    return frozenset(name for device_id, macs, label in devices for name in (device_id, *macs, label or device_id))
