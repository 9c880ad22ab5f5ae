"""A broker in hostile hands: it drops, repeats, reorders, alters, hands one home's words to another, and replays.

Two keepers (without their households) and a real ingest worker with all its handlers speak through a broker that is a
function (`lab.faults.hostile`): findings and stays, questions about the time, heads and their counter-signatures,
commands and their results. What it makes of them must be refused, and what it spoils must come again. At the end it
replays all that it kept: to everybody, and to a box of the same keys whose database and clock are lost.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy import select as sql_select

from appliance import messages as m
from appliance.keeper.core import Core, Parts, Peer, Send
from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.household.record import Ids
from appliance.keeper.law.desk import from_store
from appliance.keeper.lists.match import Lists
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.uplink import Identity
from dashboard.ingest.handlers import Means, assemble
from dashboard.ingest.opening import Arrived
from dashboard.ingest.outgoing import Writer
from dashboard.ingest.session import Session
from dashboard.ingest.worker import Worker
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.faults.carriage import TENANT
from lab.faults.hostile import SITES, Hands, Wire
from lab.faults.result import Result, Say
from lab.faults.sending import alert, stay
from wire.authority import Authority, CollectClause, DataClass, sign
from wire.base import Standing
from wire.batch import Batch
from wire.codec import batch_items, payload_json, read_envelope, unseal
from wire.keys import public_text
from wire.models import TYPES, type_of
from wire.orders import SetAway

NAME = "malice"
PROMISE = (
    "a broker that drops, repeats, reorders, alters, cross-delivers and replays: 0 accepted that is not genuine, "
    "all that is genuine arrives"
)
EVENTS, SHORT = 10_000, 600
START = 1_900_000_000.0
DAY = 86_400.0
_ROUNDS = 4_000
_PORTION = 40
_COMMANDS, _COMMAND_EVERY = 4, 15
_LOOK_EVERY = 10


class _Box:
    """A keeper without a household; `off` is how wrong its wall clock is."""

    def __init__(self, folder: Path, identity: Identity, issuer: Ed25519PrivateKey, *, off: float = 0.0) -> None:
        self.identity, self._off = identity, off
        self.store = Store(folder / "keeper.db")
        self.planted: set[str] = set()
        """Ids of what was put into its outbox here."""
        self.out: list[m.Outbound] = []
        self._numbers = count(1)
        site = identity.site
        desk = from_store(self.store.get, issuers=[issuer.public_key()], tenant=TENANT, site=site)
        parts = Parts(
            store=self.store,
            desk=desk,
            identity=identity,
            lists=Lists(),
            rules=shipped(),
            ids=Ids(**dict.fromkeys(("device", "finding", "proposal", "session", "record", "arrangement"), self._new)),
            heartbeat_seconds=60.0,
            boot=secrets.token_hex(4),
        )
        self.core = Core(parts, monotonic=0.0)

    def _new(self) -> str:
        return f"{self.identity.site}-{next(self._numbers)}"

    def begin(self, document: bytes, at: float) -> None:
        """The courier is there, and the broker."""
        given = {"now": self.wall(at), "monotonic": at - START}
        self.core.document(document, **given)
        self.core.connected(Peer.COURIER, **given)  # its first word is the last will: not for the broker now
        self.hear(at, m.BrokerState(connected=True))

    def wall(self, at: float) -> float:
        """What its wall clock shows."""
        return max(at + self._off, 0.0)

    def hear(self, at: float, *batch: m.Message) -> None:
        """What the courier brings."""
        self._take(self.core.heard(Peer.COURIER, batch, now=self.wall(at), monotonic=at - START))

    def put(self, numbers: range, at: float) -> None:
        """Put events in, every tenth a finding."""
        with self.store.transaction():
            for number in numbers:
                payload = alert(number, at) if number % 10 == 0 else stay(number, number % 20, at)
                seq = self.store.outbox.add(
                    type_=type_of(payload).ce_type,
                    subject=str(number),
                    body=payload_json(payload).decode(),
                    priority=Priority.FINDING if number % 10 == 0 else Priority.RECORD,
                    created=at,
                )
                self.planted.add(f"{self.store.epoch}-{seq}")

    def speaks(self, at: float) -> list[m.Outbound]:
        """A second has passed, and there is room for some messages."""
        self.hear(at, m.Credit(count=20))
        out, self.out = self.out, []
        return out

    def _take(self, sends: Sequence[Send]) -> None:
        self.out += [item for send in sends for item in send.messages if isinstance(item, m.Outbound)]

    @property
    def waiting(self) -> int:
        """How much of what was put in still waits for a receipt."""
        return sum(self.store.outbox.row(int(id_.rpartition("-")[2])) is not None for id_ in self.planted)

    @property
    def followed(self) -> int:
        """Commands that were followed."""
        return len(self.store.away.all())


class _Game:
    """Two boxes, a worker, and the broker between them."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.at = START
        self.server, self.issuer = (Ed25519PrivateKey.generate() for _ in range(2))
        self.sealing = X25519PrivateKey.generate()
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'dashboard.db'}")
        upgrade(self.engine)
        with self.engine.begin() as connection:
            connection.execute(
                schema.account.insert().values(account_id="officer-1", name="Officer", role="officer", failures=0)
            )
        self.wire = Wire()
        self.worker = Worker(
            session=cast("Session", self.wire),
            engine=self.engine,
            tenant=TENANT,
            sealing_key=self.sealing,
            writer=Writer(tenant=TENANT, signing_key=self.server, run="ingest-1"),
            handlers=assemble(Means(tenant=TENANT, signing_key=self.server, sealing_key=self.sealing)),
            now=lambda: self.at,
            monotonic=lambda: self.at - START,
            pause=lambda _seconds: None,
        )
        self.up, self.down = Hands(random.Random(seed)), Hands(random.Random(seed + 1))  # noqa: S311 - a repeatable game
        self.forged_up = self.forged_down = self.taken_down = 0
        self.truth: dict[tuple[str, str], str] = {}
        """(site, event id) to digest, of all that boxes said."""
        self.kinds: set[str] = set()
        """Types of what travelled, in either direction."""
        self.boxes = {site: self._box(folder / site, site) for site in SITES}

    def _box(self, folder: Path, site: str) -> _Box:
        """A box with keys of its own, known to the dashboard."""
        signer, opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        keys = {"verify_key": public_text(signer), "seal_key": public_text(opener)}
        with self.engine.begin() as connection:
            connection.execute(schema.site.insert().values(site=site, tenant=TENANT, title=site, **keys))
        identity = Identity(
            tenant=TENANT,
            site=site,
            signer=signer,
            opener=opener,
            server_verify=(self.server.public_key(),),
            server_seal=self.sealing.public_key(),
        )
        made = _Box(folder, identity, self.issuer)
        made.begin(self.document(site), self.at)
        return made

    def document(self, site: str) -> bytes:
        """An authority for a home, for as long as anything here lasts."""
        issued, begins, review, ends = (datetime.fromtimestamp(START + days * DAY, UTC) for days in (-2, -1, 60, 90))
        authority = Authority(
            id=f"authority-{site}",
            number=1,
            kind="order",
            reference="EX-0001",
            purpose="detect",
            tenant=TENANT,
            site=site,
            responsible_officer="duty officer",
            issued_at=issued,
            not_before=begins,
            not_after=ends,
            review_date=review,
            clauses=(CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,)),),
        )
        return sign(authority, self.issuer).model_dump_json().encode()

    def close(self) -> None:
        """Close the databases."""
        for box in self.boxes.values():
            box.store.close()
        self.engine.dispose()

    def command(self, number: int) -> None:
        """An officer says that a home will be empty."""
        for site in SITES:
            starts, ends = (datetime.fromtimestamp(START + (number + days) * DAY, UTC) for days in (10, 11))
            with self.engine.begin() as connection:
                connection.execute(
                    schema.command.insert().values(
                        command_id=f"cmd-{site}-{number}",
                        site=site,
                        body=SetAway(starts=starts, ends=ends, reason="They said so.").model_dump(mode="json"),
                        reason="They said so.",
                        by="officer-1",
                        created_at=self.at,
                        expires_at=self.at + DAY,
                        state="waiting",
                        detail="",
                    )
                )

    def turn(self) -> None:
        """One second: boxes speak, the broker meddles, the worker stores and answers, the broker meddles again."""
        self.at += 1.0
        spoken: list[m.Outbound] = []
        for box in self.boxes.values():
            said = box.speaks(self.at)
            for item in said:
                self._note(box, item)
            spoken += said
        self.deliver_up(self.up.handle([(item.topic, item.body) for item in spoken]))
        answers, self.wire.published = self.wire.published, []
        self.kinds |= {read_envelope(item.body).type for item in answers}
        for topic, body, genuine in self.down.handle([(item.topic, item.body) for item in answers]):
            self.deliver_down(topic, body, genuine=genuine)

    def _note(self, box: _Box, said: m.Outbound) -> None:
        signer = box.identity.signer.public_key()
        found = unseal(said.body, topic=said.topic, recipient=self.sealing, signers=(signer,))
        for item in batch_items(found) if TYPES[found.envelope.type].model is Batch else [found]:
            self.kinds.add(item.envelope.type)
            self.truth[box.identity.site, item.envelope.id] = item.digest

    def deliver_up(self, batch: list[tuple[str, bytes, bool]]) -> None:
        """To the worker."""
        for number, (topic, body, genuine) in enumerate(batch, start=1):
            self.forged_up += not genuine
            self.wire.arrivals.append(Arrived(topic=topic, body=body, packet=number, connection=1))
        self.worker.turn()
        while self.wire.arrivals:
            self.worker.turn()

    def deliver_down(self, topic: str, body: bytes, *, genuine: bool) -> None:
        """To the box whose topic it is."""
        box = self.boxes[topic.split("/")[3]]
        health = box.core._health  # noqa: SLF001 - where it counts what it refused
        refused = health.refused_inbound
        box.hear(self.at, m.Inbound(token=1, topic=topic, body=body))
        if not genuine:
            self.forged_down += 1
            self.taken_down += health.refused_inbound == refused

    def stored(self) -> dict[tuple[str, str], str]:
        """(site, event id) to digest."""
        table = schema.event.c
        with self.engine.begin() as connection:
            rows = connection.execute(sql_select(table.site, table.id, table.digest)).all()
        return {(row.site, row.id): row.digest for row in rows}

    def states(self) -> Counter[str]:
        """What the dashboard says became of the commands."""
        with self.engine.begin() as connection:
            return Counter(connection.execute(sql_select(schema.command.c.state)).scalars())


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Let the broker meddle until everything genuine is through, then replay all that it kept."""
    seed = int(os.environ.get("GATEHOUSE_SEED") or secrets.randbelow(10**6))
    say(f"seed {seed} (GATEHOUSE_SEED={seed} repeats it)")
    total, orders = (SHORT if short else EVENTS), _COMMANDS * len(SITES)
    logging.disable(logging.ERROR)  # each refusal is a line
    game = _Game(folder, seed)
    try:
        for number in range(_ROUNDS):
            first = number * _PORTION
            for box in game.boxes.values():
                box.put(range(first, min(first + _PORTION, total)), game.at)
            if number % _COMMAND_EVERY == 1 and number // _COMMAND_EVERY < _COMMANDS:
                game.command(number // _COMMAND_EVERY)
            game.turn()
            states = game.states() if number % _LOOK_EVERY == 0 and first >= total else Counter()
            done = states.total() == orders and states.keys() <= _ANSWERED
            if done and not any(box.waiting for box in game.boxes.values()):
                break
        planted = {(site, id_) for site, box in game.boxes.items() for id_ in box.planted}
        followed = sum(box.followed for box in game.boxes.values())
        left = sum(box.waiting for box in game.boxes.values())
        before, refused, forged = game.stored(), game.worker.refused, game.forged_up
        replayed = _replay(game, before)
        anew = _replay_to_a_new_database(game, folder)
        states = game.states()
    finally:
        logging.disable(logging.NOTSET)
        game.close()
    wrong = sum(game.truth.get(key) != digest for key, digest in before.items())
    missing = sum(key not in before for key in planted)
    meddled = game.up.tally + game.down.tally
    travelled = len(game.kinds & _MUST)
    return Result(
        kept=wrong == missing == left == replayed == anew == game.taken_down == 0
        and refused == forged
        and states["applied"] == followed
        and states.total() == states["applied"] + states["out-of-sequence"] == orders
        and travelled == len(_MUST),
        figures={
            "genuine events": f"{len(planted):,}",
            "commands followed, and too late after a later one": f"{followed}, {states['out-of-sequence']}",
            **{kind: f"{number:,}" for kind, number in sorted(meddled.items())},
            "forged upwards, and refused": f"{forged:,}, {refused:,}",
            "forged downwards, and refused": f"{game.forged_down:,}, {game.forged_down - game.taken_down:,}",
            "accepted that should not be": f"{wrong + game.taken_down:,}",
            "genuine and missing": f"{missing + left:,}",
            "replayed from the captures": f"{len(game.up.captured) + len(game.down.captured):,}",
            "kinds of messages among them": f"{travelled}",
            "new because of a replay": f"{replayed + anew:,}",
            "seed": str(seed),
        },
        remarks=("The broker is a function, so that it can do what Mosquitto would not; TLS is not in the way.",),
    )


_ANSWERED = {"applied", "out-of-sequence"}
"""A broker that hands over a later command first has the earlier one refused, and the dashboard says so."""
_MUST = {
    f"gatehouse.{name}.v1"
    for name in (
        "finding",
        "session",
        "status",
        "head",
        "time",
        "result",
        "receipt",
        "told-time",
        "cosigned",
        "command",
    )
}
"""What has to have travelled, or nothing was shown about it."""


def _replay(game: _Game, before: dict[tuple[str, str], str]) -> int:
    """All captures to everybody, an hour later; how much changed but by what was held back and is genuine."""
    game.at += 3600.0
    followed = {site: box.followed for site, box in game.boxes.items()}
    game.deliver_up([(topic, body, True) for topic, body in game.up.captured])
    game.wire.published.clear()
    for topic, body in game.down.captured:
        game.deliver_down(topic, body, genuine=True)
    changed = sum(box.followed - followed[site] for site, box in game.boxes.items())
    misled = sum(box.core.anew for box in game.boxes.values())
    invented = sum(game.truth.get(key) != digest for key, digest in game.stored().items() if key not in before)
    return invented + changed + misled


def _replay_to_a_new_database(game: _Game, folder: Path) -> int:
    """Old words to a box that lost database and clock, but not its keys: rows they took from it, commands it followed."""
    site = SITES[0]
    old = game.boxes[site]
    old.store.close()
    game.boxes[site] = fresh = _Box(folder / "anew", old.identity, game.issuer, off=-START)
    fresh.begin(game.document(site), game.at)
    fresh.put(range(_PORTION), game.at)
    for topic, body in game.down.captured:
        if topic.split("/")[3] == site:
            game.deliver_down(topic, body, genuine=True)
    return _PORTION - fresh.waiting + fresh.followed
