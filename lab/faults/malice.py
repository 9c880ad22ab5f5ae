"""A broker in hostile hands: it drops, repeats, reorders, alters, hands one home's words to another, and replays.

Two boxes (stores and uplinks) and a real ingest worker speak through a broker that is a function of this module. It
has every envelope and no key. What it makes of them must be refused, and what it spoils must come again.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy import select as sql_select

from appliance import clock
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Priority
from appliance.keeper.uplink import Identity, Uplink
from appliance.messages import Outbound
from dashboard.ingest.opening import Arrived
from dashboard.ingest.outgoing import Outgoing, Writer
from dashboard.ingest.session import Session
from dashboard.ingest.worker import Worker
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.faults.carriage import TENANT
from lab.faults.result import Result, Say
from lab.faults.sending import alert, stay
from wire.codec import payload_json
from wire.keys import public_text
from wire.models import Receipt, type_of

NAME = "malice"
PROMISE = (
    "a broker that drops, repeats, reorders, alters, cross-delivers and replays: 0 accepted that is not genuine, "
    "all that is genuine arrives"
)
EVENTS, SHORT = 10_000, 600
SITES = ("site-1", "site-2")
_ROUNDS = 4_000
_PORTION = 40
_CAPTURED = 4_000
_CLEAR = ("id", "sequence", "time", "type", "source")


class _Wire:
    """What a worker uses of a session."""

    def __init__(self) -> None:
        self.arrivals: deque[Arrived] = deque()
        self.published: list[Outgoing] = []
        self.trouble = ""
        self.online = self.opened = True

    def open(self) -> bool:
        return True

    def turn(self, _timeout: float) -> None:
        """Nothing to wait for."""

    def acknowledge(self, _arrived: Arrived) -> None:
        """An acknowledgement is no custody, here least of all."""

    def publish(self, outgoing: Outgoing, _now: float) -> bool:
        self.published.append(outgoing)
        return True

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class _Box:
    site: str
    store: Store
    uplink: Uplink
    said: dict[str, str] = field(default_factory=dict)
    """Event id to digest, of all that it ever put in."""


class _Broker:
    """The hostile hands."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.tally: Counter[str] = Counter()
        self.captured: list[tuple[str, bytes]] = []
        self._held: list[tuple[str, bytes, bool]] = []

    def handle(self, batch: list[tuple[str, bytes]]) -> list[tuple[str, bytes, bool]]:
        """(topic, body, genuine) as they are delivered, in whatever order."""
        out, self._held = self._held, []
        for topic, body in batch:
            if len(self.captured) < _CAPTURED:
                self.captured.append((topic, body))
            dice = self._chance.random()
            if dice < 0.15:
                self.tally["dropped"] += 1
            elif dice < 0.25:
                self.tally["held back"] += 1
                self._held.append((topic, body, True))
            elif dice < 0.35:
                self.tally["repeated"] += 1
                out += [(topic, body, True)] * 3
            else:
                out.append((topic, body, True))
            if dice < 0.5:
                out.append((*self._spoilt(topic, body), False))
        self._chance.shuffle(out)
        return out

    def _spoilt(self, topic: str, body: bytes) -> tuple[str, bytes]:
        """One forgery of a message."""
        kind = self._chance.choice(("altered", "relabelled", "moved", "cross-delivered", "cut"))
        self.tally[kind] += 1
        envelope: dict[str, Any] = json.loads(body)
        levels = topic.split("/")
        match kind:
            case "altered":
                data = envelope["data_base64"]
                place = self._chance.randrange(len(data) // 2)
                other = "A" if data[place] != "A" else "B"
                envelope["data_base64"] = data[:place] + other + data[place + 1 :]
            case "relabelled":
                name = self._chance.choice(_CLEAR)
                envelope[name] = {
                    "id": "0badcafe-1",
                    "sequence": str(int(envelope["sequence"]) + 1),
                    "time": "2026-01-01T00:00:00Z",
                    "type": "gatehouse.session.v1" if "session" not in envelope["type"] else "gatehouse.finding.v1",
                    "source": f"urn:gatehouse:{TENANT}:site-9",
                }[name]
            case "moved":
                levels[-1] = "other"
            case "cross-delivered":
                other = SITES[1 - SITES.index(levels[3])]
                levels[3] = other
                if self._chance.random() < 0.5:
                    envelope["source"] = f"urn:gatehouse:{TENANT}:{other}"
            case _:
                return topic, body[: len(body) // 2]
        return "/".join(levels), json.dumps(envelope).encode()


class _Game:
    """Two boxes, a worker, and the broker between them."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.monotonic = 1_000.0
        self.server, self.sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'dashboard.db'}")
        upgrade(self.engine)
        self.boxes = {site: self.box(folder / site, site) for site in SITES}
        self.wire = _Wire()
        self.worker = Worker(
            session=cast("Session", self.wire),
            engine=self.engine,
            tenant=TENANT,
            sealing_key=self.sealing,
            writer=Writer(tenant=TENANT, signing_key=self.server, run="ingest-1"),
            handlers={},
            now=clock.now,
            monotonic=lambda: self.monotonic,
            pause=lambda _seconds: None,
        )
        self.up, self.down = _Broker(random.Random(seed)), _Broker(random.Random(seed + 1))  # noqa: S311 - a repeatable game
        self.forged_up = self.forged_down = self.taken_down = self.refused_down = 0

    def box(self, folder: Path, site: str) -> _Box:
        """A box with keys of its own, known to the dashboard."""
        signer, opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        with self.engine.begin() as connection:
            connection.execute(
                schema.site.insert().values(
                    site=site,
                    tenant=TENANT,
                    title=site,
                    verify_key=public_text(signer),
                    seal_key=public_text(opener),
                )
            )
        store = Store(folder / "keeper.db")
        identity = Identity(
            tenant=TENANT,
            site=site,
            signer=signer,
            opener=opener,
            server_verify=(self.server.public_key(),),
            server_seal=self.sealing.public_key(),
        )
        made = _Box(site, store, Uplink(store, identity))
        made.uplink.connected(clock.now())
        made.uplink.broker(connected=True)
        return made

    def close(self) -> None:
        """Close the databases."""
        for box in self.boxes.values():
            box.store.close()
        self.engine.dispose()

    def put(self, box: _Box, numbers: range) -> None:
        """Put events in, every tenth a finding."""
        with box.store.transaction():
            for number in numbers:
                at = clock.now()
                payload = alert(number, at) if number % 10 == 0 else stay(number, number % 20, at)
                body = payload_json(payload)
                seq = box.store.outbox.add(
                    type_=type_of(payload).ce_type,
                    subject=str(number),
                    body=body.decode(),
                    priority=Priority.FINDING if number % 10 == 0 else Priority.RECORD,
                    created=at,
                )
                box.said[f"{box.store.epoch}-{seq}"] = _digest(body)

    def turn(self) -> None:
        """One second: boxes speak, the broker meddles, the worker stores and receipts, the broker meddles again."""
        self.monotonic += 1.0
        spoken: list[Outbound] = []
        for box in self.boxes.values():
            box.uplink.credit(20)
            with box.store.transaction():
                spoken += box.uplink.pump(self.monotonic, clock.now())
        self.deliver_up(self.up.handle([(item.topic, item.body) for item in spoken]))
        answers, self.wire.published = self.wire.published, []
        for topic, body, genuine in self.down.handle([(item.topic, item.body) for item in answers]):
            self.deliver_down(topic, body, genuine=genuine)

    def deliver_up(self, batch: list[tuple[str, bytes, bool]]) -> None:
        """To the worker."""
        for number, (topic, body, genuine) in enumerate(batch, start=1):
            self.forged_up += not genuine
            self.wire.arrivals.append(Arrived(topic=topic, body=body, packet=number, connection=1))
        while self.wire.arrivals:
            self.worker.turn()

    def deliver_down(self, topic: str, body: bytes, *, genuine: bool) -> None:
        """To the box whose topic it is."""
        box = self.boxes[topic.split("/")[3]]
        self.forged_down += not genuine
        try:
            payload = box.uplink.open(topic, body).payload
        except ValueError:
            self.refused_down += 1
            return
        self.taken_down += not genuine
        if isinstance(payload, Receipt):
            with box.store.transaction():
                box.uplink.received(payload)

    def stored(self) -> dict[tuple[str, str], str]:
        """(site, event id) to digest."""
        table = schema.event.c
        with self.engine.begin() as connection:
            rows = connection.execute(sql_select(table.site, table.id, table.digest)).all()
        return {(row.site, row.id): row.digest for row in rows}


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Let the broker meddle until everything genuine is through, then replay all that it kept."""
    seed = int(os.environ.get("GATEHOUSE_SEED") or secrets.randbelow(10**6))
    say(f"seed {seed} (GATEHOUSE_SEED={seed} repeats it)")
    total = SHORT if short else EVENTS
    game = _Game(folder, seed)
    try:
        for first in range(0, total, _PORTION):
            for box in game.boxes.values():
                game.put(box, range(first, min(first + _PORTION, total)))
            game.turn()
        for _ in range(_ROUNDS):
            if not any(len(box.store.outbox) for box in game.boxes.values()):
                break
            game.turn()
        left = sum(len(box.store.outbox) for box in game.boxes.values())
        before, refused = game.stored(), game.worker.refused
        game.deliver_up([(topic, body, True) for topic, body in game.up.captured])
        replayed_new = len(game.stored()) - len(before)
        emptied = _replay_to_a_new_database(game, folder)
    finally:
        game.close()
    genuine = {(box.site, id_): digest for box in game.boxes.values() for id_, digest in box.said.items()}
    wrong = sum(genuine.get(key) != digest for key, digest in before.items())
    missing = sum(key not in before for key in genuine)
    meddled = game.up.tally + game.down.tally
    return Result(
        kept=wrong == missing == left == replayed_new == emptied == game.taken_down == 0
        and refused == game.forged_up
        and game.refused_down == game.forged_down,
        figures={
            "genuine events": f"{len(genuine):,}",
            **{kind: f"{count:,}" for kind, count in sorted(meddled.items())},
            "forged upwards, and refused": f"{game.forged_up:,}, {refused:,}",
            "forged downwards, and refused": f"{game.forged_down:,}, {game.refused_down:,}",
            "accepted that should not be": f"{wrong + game.taken_down:,}",
            "genuine and missing": f"{missing + left:,}",
            "replayed from the captures": f"{len(game.up.captured) + len(game.down.captured):,}",
            "new because of a replay": f"{replayed_new + emptied:,}",
            "seed": str(seed),
        },
        remarks=("The broker is a function, so that it can do what Mosquitto would not; TLS is not in the way.",),
    )


def _replay_to_a_new_database(game: _Game, folder: Path) -> int:
    """Old receipts to a box that began anew: how many rows they took from it."""
    site = SITES[0]
    old = game.boxes[site]
    identity = old.uplink.identity
    old.store.close()
    store = Store(folder / "anew" / "keeper.db")
    game.boxes[site] = fresh = _Box(site, store, Uplink(store, identity), old.said)
    with store.transaction():
        for number in range(_PORTION):
            store.outbox.add(
                type_="gatehouse.session.v1", subject=str(number), body="{}", priority=Priority.RECORD, created=1.0
            )
    for topic, body in game.down.captured:
        if topic.split("/")[3] == site:
            game.deliver_down(topic, body, genuine=True)
    return _PORTION - len(fresh.store.outbox)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
