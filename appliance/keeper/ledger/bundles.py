"""Evidence bundles of this box: asked for by two people, built a little each turn, sealed, fetched, deleted.

In: `BuildBundle` and `FetchBundle` (through `law.acts`), turns. Out: sealed parts in a file, `BundleBuilt` through the
outbox, parts through the uplink when nothing else waits there. The family and findings do not wait: a turn builds
`LINES_A_TURN` lines at most.

A restart while a bundle is built begins it anew; what is left of a file is deleted. A built one is deleted when the
server has all of it, or when it expires (`KEEP_SECONDS`, or with the emergency it was asked for in). Bounded: `store.bundles.MAX_BUNDLES` at a time, one
of them being built; `MAX_DATA` octets before compression and `MAX_PARTS` parts, beyond which it is refused in words.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from appliance.keeper.devices.registry import Registry
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.ledger import bundle
from appliance.keeper.ledger.bundle import Builder, Setting, Wanted
from appliance.keeper.store.bundles import MAX_BUNDLES, StoredBundle
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from wire.acts import BuildBundle, FetchBundle
from wire.base import Standing
from wire.bundles import MAX_DATA, MAX_PARTS, PART_OCTETS, BundleBuilt, BundlePart, seal_part
from wire.codec import payload_json
from wire.ledger import RecordKind, canonical
from wire.models import type_of

KEEP_SECONDS = 7 * 86_400.0
LINES_A_TURN = 256
MAX_ASKED = 1024
"""Parts that one order may ask for."""
THIRD = frozenset({Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK})
"""Whose records a bundle holds only where their devices are named in the order."""


@dataclass(slots=True, kw_only=True)
class _Work:
    """A bundle that is being built."""

    bundle_id: str
    expires: float
    builder: Builder
    lines: Iterator[bytes]
    packer: zlib._Compress
    pending: bytearray
    plain: int = 0
    octets: int = 0
    parts: int = 0


class Bundles:
    """Bundles of one box; all calls within the store's transaction, except `part`."""

    def __init__(
        self,
        store: Store,
        *,
        registry: Registry,
        recipient: X25519PublicKey,
        setting: Callable[[float], Setting],
    ) -> None:
        """`setting` says what the box says of itself at a moment (Unix seconds)."""
        self._store = store
        self._registry = registry
        self._recipient = recipient
        self._setting = setting
        self._work: _Work | None = None
        self._asked: dict[tuple[str, int], None] = {}
        store.bundles.sweep()

    def register(self, acts: Acts) -> None:
        """Follow the orders about bundles."""
        acts.on(BuildBundle, self._build)
        acts.on(FetchBundle, self._fetch)

    @property
    def busy(self) -> bool:
        """Whether a turn should come soon."""
        return self._work is not None or bool(self._asked)

    # --- orders -----------------------------------------------------------------------------

    def _build(self, order: BuildBundle, given: Given) -> str | None:
        held = self._store.bundles.all()
        if any(known.bundle_id == order.bundle_id for known in held):
            return "A bundle with this name was already asked for."
        until = min(order.until.timestamp(), given.at)  # what is yet to come cannot be in it
        if order.since.timestamp() >= until:
            return "The time that the bundle is to cover has no length."
        if len(held) >= MAX_BUNDLES:
            return f"The box holds {MAX_BUNDLES} bundles already. Wait until one has come, or has run out."
        if any(self._registry.by_id(device_id) is None for device_id in order.device_ids):
            return "The box does not know one of these devices."
        if order.purpose == "access" and not order.device_ids:
            return "A person's own records need the devices that are that person's."
        wanted = {
            "purpose": order.purpose,
            "since_ms": round(order.since.timestamp() * 1000),
            "until_ms": round(until * 1000),
            "device_ids": sorted(order.device_ids),
            "by": given.by,
            "second": given.second,
            "broken": given.broken,
        }
        expires = min(given.at + KEEP_SECONDS, given.ends)
        self._store.bundles.want(order.bundle_id, wanted=json.dumps(wanted), at=given.at, expires=expires)
        return None

    def _fetch(self, order: FetchBundle, given: Given) -> str | None:
        found = next((item for item in self._store.bundles.all() if item.bundle_id == order.bundle_id), None)
        if found is None or found.expires <= given.at:
            return "The box does not hold this bundle any more. It must be built anew."
        if found.state != "built" or found.told is None:
            return "The bundle is not built yet."
        parts = BundleBuilt.model_validate_json(found.told).parts
        if order.first >= parts:
            self._drop(found)  # whoever asks from behind the end has all of it
            return None
        for number in range(order.first, min(order.first + min(order.count, MAX_ASKED), parts)):
            self._asked[order.bundle_id, number] = None
        return None

    # --- turns ------------------------------------------------------------------------------

    def tick(self, at: float) -> None:
        """Build a little, and delete what has run out. `at` is Unix seconds."""
        for held in self._store.bundles.all():
            if held.expires <= at:
                self._drop(held)
            elif held.state == "wanted" and self._work is None:
                self._begin(held, at)
        if self._work is not None:
            try:
                self._step(self._work, at)
            except OSError as error:
                self._failed(self._work, f"The box could not store it ({error.strerror}).", at)

    def part(self, _at: float) -> BundlePart | None:
        """The next part that was asked for: a source for `Uplink.bulk`."""
        while self._asked:
            bundle_id, number = next(iter(self._asked))
            del self._asked[bundle_id, number]
            sealed = self._store.bundles.part(bundle_id, number)
            if sealed is not None:
                return BundlePart(bundle_id=bundle_id, number=number, data=base64.b64encode(sealed).decode())
        return None

    def _begin(self, held: StoredBundle, at: float) -> None:
        wanted = self._wanted(held)
        log = self._store.ledger.log
        _first, last = log.span(wanted.since_ms, wanted.until_ms)
        heads = log.heads()
        if not heads:
            self._say(
                held.bundle_id, "The box has not signed its log yet. Ask again in some minutes.", at, held.expires
            )
            return
        builder = Builder(self._store.ledger, wanted, self._setting(at), bundle.choose(heads, last))
        try:
            self._store.bundles.begin(held.bundle_id)
        except OSError as error:
            self._say(held.bundle_id, f"The box could not store it ({error.strerror}).", at, held.expires)
            return
        self._digest = hashlib.sha256()
        self._work = _Work(
            bundle_id=held.bundle_id,
            expires=held.expires,
            builder=builder,
            lines=builder.lines(),
            packer=zlib.compressobj(6),
            pending=bytearray(),
        )

    def _wanted(self, held: StoredBundle) -> Wanted:
        asked = json.loads(held.wanted)
        ids = asked["device_ids"]
        own: list[tuple[str, tuple[str, ...], str | None]] = []
        others: list[tuple[str, tuple[str, ...], str | None]] = []
        for device in self._registry:
            names = (device.device_id, device.macs, device.label)
            mine = device.device_id in ids if ids else device.standing not in THIRD
            (own if mine else others).append(names)
        return Wanted(
            bundle_id=held.bundle_id,
            purpose=asked["purpose"],
            since_ms=asked["since_ms"],
            until_ms=asked["until_ms"],
            device_ids=tuple(ids),
            subjects=bundle.names_of([(name, macs, None) for name, macs, _label in own]) | frozenset(ids),
            others=bundle.names_of(others),
            by=asked["by"],
            second=asked["second"],
            broken=asked["broken"],
            at_ms=round(held.at * 1000),
        )

    def _step(self, work: _Work, at: float) -> None:
        written = 0
        while written < LINES_A_TURN:
            line = next(work.lines, None)
            if line is None:
                self._write(work, work.packer.flush(), last=True)
                self._finish(work, at)
                return
            written += max(1, line.count(b"\n"))  # hashes of leaves come by the hundred
            work.plain += len(line)
            self._write(work, work.packer.compress(line))
            if work.plain > MAX_DATA or work.parts >= MAX_PARTS:
                self._failed(work, "It would be too large to carry. Ask for a shorter time or fewer devices.", at)
                return

    def _write(self, work: _Work, packed: bytes, *, last: bool = False) -> None:
        work.pending += packed
        while len(work.pending) >= PART_OCTETS or (last and work.pending):
            plain = bytes(work.pending[:PART_OCTETS])
            del work.pending[:PART_OCTETS]
            self._digest.update(plain)
            work.octets += len(plain)
            sealed = seal_part(plain, bundle_id=work.bundle_id, number=work.parts, recipient=self._recipient)
            self._store.bundles.append(work.bundle_id, sealed)
            work.parts += 1

    def _finish(self, work: _Work, at: float) -> None:
        self._store.bundles.finish(work.bundle_id)
        self._work = None
        built = BundleBuilt(
            bundle_id=work.bundle_id,
            parts=work.parts,
            octets=work.octets,
            sha256=self._digest.hexdigest(),
            records=work.builder.records,
            at=_time(at),
            expires=_time(work.expires),
        )
        self._told(built, "built", at)

    def _failed(self, work: _Work, problem: str, at: float) -> None:
        self._store.bundles.abandon(work.bundle_id)
        self._work = None
        self._say(work.bundle_id, problem, at, work.expires)

    def _say(self, bundle_id: str, problem: str, at: float, expires: float) -> None:
        nothing = hashlib.sha256(b"").hexdigest()
        self._told(
            BundleBuilt(
                bundle_id=bundle_id,
                parts=0,
                octets=0,
                sha256=nothing,
                records=0,
                at=_time(at),
                expires=_time(expires),
                problem=problem[:300],
            ),
            "failed",
            at,
        )

    def _told(self, built: BundleBuilt, state: str, at: float) -> None:
        self._store.bundles.done(built.bundle_id, state=state, told=built.model_dump_json())
        self._note({"bundle": built.bundle_id, "became": state, "records": built.records, "sha256": built.sha256})
        self._store.outbox.add(
            type_=type_of(built).ce_type,
            subject=built.bundle_id,
            body=payload_json(built).decode(),
            priority=Priority.RESULT,
            created=at,
        )
        if state == "failed":
            self._store.bundles.drop(built.bundle_id)

    def _drop(self, held: StoredBundle) -> None:
        if self._work is not None and self._work.bundle_id == held.bundle_id:
            self._store.bundles.abandon(held.bundle_id)
            self._work = None
        self._asked = {which: None for which in self._asked if which[0] != held.bundle_id}
        self._store.bundles.drop(held.bundle_id)
        self._note({"bundle": held.bundle_id, "became": "deleted"})

    def _note(self, plain: dict[str, object]) -> None:
        self._store.ledger.write(RecordKind.DECISION, canonical(plain))


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(min(at, 4_102_444_800.0), UTC)
