"""Two boxes from one card: the second is found out, and nothing of it that contradicts the first is confirmed.

A box's state folder is copied as it lies, and both go on, each with a log of its own, over the real store, ledger and
uplink, against the server's own code on a database. Cards are copied young and old, ahead and behind, and answers
of the server are lost on the way.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, func, select

from appliance.keeper.ledger.clerk import Clerk, Facts
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity, Uplink
from appliance.messages import Outbound
from dashboard.ingest.apply import apply
from dashboard.ingest.handlers import Means, assemble
from dashboard.ingest.heads import Verdict
from dashboard.ingest.opening import Arrived, Refusal, open_batch
from dashboard.ingest.outgoing import Writer, receipts
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.faults.result import Result, Say
from wire.base import Payload
from wire.findings import FindingKind
from wire.keys import public_text
from wire.ledger import ClockState, HeadCosigned, RecordKind, Stamp
from wire.models import Receipt

NAME = "clones"
PROMISE = "a copied box is found at its second head at the latest, and 0 heads that contradict are confirmed"

PAIRS, SHORT = 100, 12
HEADS_MOST = 2
TENANT, SITE = "force-a", "box-1"
START = 1_900_000_000.0
_MOST = 12
"""Exchanges after which a copy that was not found counts as missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Everybody's keys, made for this run."""

    box: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    opener: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    server: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    def identity(self) -> Identity:
        """Who the box is."""
        return Identity(
            tenant=TENANT,
            site=SITE,
            signer=self.box,
            opener=self.opener,
            server_verify=(self.server.public_key(),),
            server_seal=self.sealing.public_key(),
        )


class Box:
    """A box's store, ledger and uplink, without the household."""

    def __init__(self, folder: Path, keys: Keys, *, boot: str, now: float = 0.0) -> None:
        """Open the state in `folder`; `now` is seconds since `START`."""
        self.folder = folder
        self.store = Store(folder / "keeper.db")
        self.uplink = Uplink(self.store, keys.identity())
        self._clerk = Clerk(self.store, keys.identity())
        self._boot = boot
        self.now = now
        self.uplink.connected(START + now)
        self.uplink.broker(connected=True)

    def work(self, records: int) -> None:
        """A minute in which so much is recorded."""
        self.now += 61.0
        with self.store.transaction():
            self._clerk.begin(self._stamp())
            for _ in range(records):
                self.store.ledger.note(RecordKind.DECISION, {"drawn": secrets.token_hex(4)})
            self._tick()

    def says(self) -> list[Outbound]:
        """What goes to the broker now."""
        self.now += 1000.0  # what was sent and not received is sent again
        self.uplink.credit(1000)
        with self.store.transaction():
            self._clerk.begin(self._stamp())
            self._tick()
        return self.uplink.pump(self.now, START + self.now)

    def hears(self, topic: str, body: bytes) -> None:
        """What comes down."""
        with self.store.transaction():
            self._clerk.begin(self._stamp())
            payload = self.uplink.open(topic, body).payload
            if isinstance(payload, Receipt):
                self.uplink.received(payload)
            elif isinstance(payload, HeadCosigned):
                self._clerk.cosigned(payload)

    def _tick(self) -> None:
        facts = Facts(
            authority=None,
            processes=frozenset({"sensor", "courier"}),
            server=True,
            reports=(),
            overflow=0,
            devices=(),
            lists=dict,
        )
        self._clerk.tick(facts, self.now)

    def _stamp(self) -> Stamp:
        wall, mono = round((START + self.now) * 1000), round(self.now * 1000)
        return Stamp(wall_ms=wall, mono_ms=mono, boot=self._boot, clock=ClockState.FREE)


class Server:
    """What ingest does with a batch, on a database of its own."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._keys = keys
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'dashboard.db'}")
        upgrade(self.engine)
        self._handlers = assemble(Means(tenant=TENANT, signing_key=keys.server, sealing_key=keys.sealing))
        self._writer = Writer(tenant=TENANT, signing_key=keys.server, run=secrets.token_hex(4))
        self._seal = public_text(keys.opener)
        with self.engine.begin() as connection:
            row = {
                "site": SITE,
                "tenant": TENANT,
                "title": "Home 1",
                "verify_key": public_text(keys.box),
                "seal_key": self._seal,
            }
            connection.execute(schema.site.insert().values(row))

    def takes(self, messages: Iterable[Outbound], now: float) -> list[tuple[str, bytes]]:
        """What the server answers, as it goes to the broker."""
        batch = [Arrived(topic=item.topic, body=item.body, packet=n, connection=1) for n, item in enumerate(messages)]
        with self.engine.begin() as connection:
            opened = open_batch(connection, batch, tenant=TENANT, sealing_key=self._keys.sealing)
            accepted = [item for item in opened if not isinstance(item, Refusal)]
            done = apply(connection, accepted, now, handlers=self._handlers)
        said: list[Payload] = []
        for (_site, epoch), numbers in done.numbers.items():
            said += receipts(numbers, epoch=epoch, now=now)
        said += [payload for _site, payload in done.answers]
        written = [self._writer.write(payload, site=SITE, box_key=self._seal, now=now) for payload in said]
        return [(item.topic, item.body) for item in written]

    def found(self) -> bool:
        """Whether the officers are told of two accounts."""
        table = schema.finding.c
        wanted = select(func.count()).where(table.kind == FindingKind.LEDGER_CONFLICT.value, table.state == "open")
        with self.engine.connect() as connection:
            return bool(connection.execute(wanted).scalar())

    def cosigned(self) -> list[tuple[int, str]]:
        """Size and root of every head that was counter-signed."""
        table = schema.ledger_head.c
        wanted = select(table.size, table.root).where(table.verdict == Verdict.COSIGNED.value).order_by(table.size)
        with self.engine.connect() as connection:
            return [(row.size, row.root) for row in connection.execute(wanted)]


def exchange(box: Box, server: Server, chance: random.Random | None = None, *, lossy: float = 0.0) -> int:
    """The box says what it has, and hears what is answered, but for what is lost; how many heads it said."""
    before = _heads(box)
    said = box.says()
    for topic, body in server.takes(said, START + box.now):
        if chance is None or chance.random() >= lossy:
            box.hears(topic, body)
    return max(_heads(box) - before, 1 if said else 0)


def _heads(box: Box) -> int:
    return len(box.store.ledger.log.heads())


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Copy boxes."""
    seed = int(os.environ.get("GATEHOUSE_SEED") or secrets.randbelow(10**6))
    say(f"seed {seed} (GATEHOUSE_SEED={seed} repeats it)")
    pairs = SHORT if short else PAIRS
    missed = accepted = alone = careful = 0
    heads: list[int] = []
    for pair in range(pairs):
        place = folder / f"pair-{pair}"
        place.mkdir(parents=True)
        outcome = _pair(place, random.Random(seed + pair))  # noqa: S311 - a seeded choice of scenes is no secret
        missed += outcome.needed is None
        alone += outcome.alone
        careful += outcome.careful
        accepted += outcome.contradicting
        if outcome.needed is not None:
            heads.append(outcome.needed)
        shutil.rmtree(place)
        if pair % 20 == 19:
            say(f"{pair + 1} of {pairs} pairs")
    return Result(
        kept=missed == accepted == alone == 0 and max(heads, default=0) <= HEADS_MOST,
        figures={
            "boxes copied": f"{pairs:,}",
            "of these with message numbers of their own": f"{careful:,}",
            "copies not found": f"{missed:,}",
            "heads of the copy until it was found, at most": f"{max(heads, default=0)}",
            "found at its first head": f"{sum(count <= 1 for count in heads):,}",
            "contradicting heads confirmed": f"{accepted:,}",
            "boxes accused before there was a copy": f"{alone:,}",
            "seed": str(seed),
        },
        remarks=(
            "A copy that never speaks to the server is not found by it; while it is silent it is told of as silent.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    needed: int | None
    """Heads that the copy said until it was found."""
    contradicting: int
    alone: bool
    """A conflict was found while there was one box only."""
    careful: bool


def _pair(folder: Path, chance: random.Random) -> _Outcome:
    keys = Keys()
    server = Server(folder, keys)
    first = Box(folder / "first", keys, boot="a")
    for _ in range(chance.randint(1, 4)):
        first.work(chance.randint(1, 60))
        exchange(first, server, chance, lossy=0.2)
    alone = server.found()
    first.store.close()
    shutil.copytree(first.folder, folder / "second")
    careful = chance.random() < 0.5
    if careful:
        _renumber(folder / "second")
    now = first.now
    first = Box(first.folder, keys, boot="b", now=now)
    second = Box(folder / "second", keys, boot="c", now=now)
    # The first goes on until a head of its own way is confirmed; until then, either could be the one that is.
    shared, rounds = first.store.ledger.size, chance.randint(1, 3)
    while rounds > 0 or max((size for size, _ in server.cosigned()), default=0) <= shared:
        rounds -= 1
        first.work(chance.randint(1, 40))
        exchange(first, server)
    alone = alone or server.found()
    needed, said = None, 0
    for _ in range(_MOST):
        second.work(chance.randint(1, 60))
        said += exchange(second, server)
        if server.found():
            needed = said
            break
        if chance.random() < 0.5:
            first.work(chance.randint(1, 10))
            exchange(first, server)
    contradicting = _contradicting(server, first, second)
    for box in (first, second):
        box.store.close()
    server.engine.dispose()
    return _Outcome(needed=needed, contradicting=contradicting, alone=alone, careful=careful)


def _renumber(folder: Path) -> None:
    """A careful copier: the copy's messages take numbers that the box will not take, so that only its heads tell."""
    with closing(sqlite3.connect(folder / "keeper.db")) as connection:
        connection.execute("update sqlite_sequence set seq = seq + 1000000 where name = 'outbox'")
        connection.commit()


def _contradicting(server: Server, *boxes: Box) -> int:
    """Heads confirmed that do not lie in one log: of the box whose log holds most of them, those that it lacks."""
    confirmed = server.cosigned()
    return min(
        sum(
            size > box.store.ledger.size or box.store.ledger.log.root_at(size).hex() != root for size, root in confirmed
        )
        for box in boxes
    )
