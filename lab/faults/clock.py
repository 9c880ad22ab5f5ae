"""Clocks that are wrong, set, or jump: the real keeper over a real database, with a scripted wall clock (R54, N1).

Each part is a box whose true time runs on evenly; its wall clock does what the part says. The server, played here,
vouches for the true time, except where the part keeps it away. Everything is in this process: no network, no waiting.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import messages as m
from appliance.keeper.core import Core, Parts, Peer, Send
from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.household.record import Ids
from appliance.keeper.law.desk import from_store
from appliance.keeper.lists.match import Lists
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from lab.faults.result import Result, Say
from wire.authority import Authority, CollectClause, DataClass, sign
from wire.base import Payload, Standing
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.ledger import ClockState
from wire.models import type_of
from wire.timing import TimeAnswer, TimeRequest, open_run_key

NAME = "clock"
PROMISE = "clock at 1970, +10 years, -1 day, 10 jumps a minute: order holds, no authority extended, records marked"

TENANT, SITE = "lab", "clock"
STARTS = 1_900_000_000.0
HOUR, DAY, YEARS = 3600.0, 86400.0, 10 * 365 * 86400.0
JUMP_SECONDS = 6.0
"""Ten jumps a minute."""
SIGHT_SECONDS = 30.0
EXACT_SECONDS = 2.0
"""A sighting's time may be wrong by this and the error that its records say."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of all parts."""

    turns: int = 0
    sighted: int = 0
    recorded: int = 0
    missed: int = 0
    """Sightings within the authority that were not recorded."""
    extended: int = 0
    """Sightings outside it that were."""
    wrong: int = 0
    """Recorded with another time than it was."""
    order: int = 0
    """Records whose number and time are not in the same order, while somebody vouched for the time."""
    unmarked: int = 0
    """Records made before anybody vouched for the time that do not say so."""
    free: int = 0
    released: int = 0
    jumps: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep the first few."""
        if len(self.problems) < 5:
            self.problems.append(text)


class Box:
    """One box; `true` is what time it is."""

    def __init__(self, folder: Path, tally: Tally, *, lasts: float) -> None:
        folder.mkdir(parents=True)
        self._tally = tally
        self._path = folder / "keeper.db"
        self._issuer, self._signer, self._server = (Ed25519PrivateKey.generate() for _ in range(3))
        self._opener, self._server_opener = X25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.true, self.monotonic, self.off = STARTS, 10.0, 0.0
        self.ends = STARTS + lasts
        self._boot = 0
        self._numbers = count(1)
        self.answers = True
        """Whether the server answers questions about the time."""
        self._document = self._signed()
        self._asked: list[TimeRequest] = []
        self._start()

    @property
    def wall(self) -> float:
        """What the wall clock shows: nothing before 1970."""
        return max(self.true + self.off, 0.0)

    def _signed(self) -> bytes:
        at = [datetime.fromtimestamp(STARTS + offset, UTC) for offset in (-HOUR, -HOUR / 2)]
        clause = CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE,))
        document = Authority(
            id="authority-1",
            number=1,
            kind="order",
            reference="EX-0001",
            purpose="detect",
            tenant=TENANT,
            site=SITE,
            responsible_officer="duty officer",
            issued_at=at[0],
            not_before=at[1],
            not_after=datetime.fromtimestamp(self.ends, UTC),
            review_date=datetime.fromtimestamp(self.ends, UTC),
            clauses=(clause,),
        )
        return sign(document, self._issuer).model_dump_json().encode()

    def _ids(self) -> Ids:
        def new(letter: str) -> Callable[[], str]:
            return lambda: f"{letter}-{next(self._numbers)}"

        return Ids(
            device=new("d"),
            finding=new("f"),
            proposal=new("p"),
            session=new("s"),
            record=new("r"),
            arrangement=new("a"),
        )

    def _start(self) -> None:
        self.store = Store(self._path)
        identity = Identity(
            tenant=TENANT,
            site=SITE,
            signer=self._signer,
            opener=self._opener,
            server_verify=(self._server.public_key(),),
            server_seal=self._server_opener.public_key(),
        )
        desk = from_store(self.store.get, issuers=[self._issuer.public_key()], tenant=TENANT, site=SITE)
        parts = Parts(
            store=self.store,
            desk=desk,
            identity=identity,
            lists=Lists(),
            rules=shipped(),
            ids=self._ids(),
            heartbeat_seconds=60.0,
            boot=f"b{self._boot:x}",
        )
        self._core = Core(parts, monotonic=self.monotonic)
        self._take(self._core.document(self._document, now=self.wall, monotonic=self.monotonic))
        for peer in (Peer.COURIER, Peer.SENSOR):
            self._take(self._core.connected(peer, now=self.wall, monotonic=self.monotonic))
        self.hear(Peer.COURIER, m.BrokerState(connected=True), m.Credit(count=60_000))

    def restart(self, *, boot: bool = False, away: float = 0.0) -> None:
        """End the keeper from one moment to the next, and start it again; with `boot`, the machine too."""
        self.store.close()
        self.true += away
        self.monotonic = 3.0 if boot else self.monotonic + away
        self._boot += boot
        self._start()

    def close(self) -> None:
        """Look at the ledger, and end."""
        self._look()
        self.store.close()

    def hear(self, peer: Peer, *batch: m.Message) -> None:
        """Messages of a peer."""
        self._take(self._core.heard(peer, batch, now=self.wall, monotonic=self.monotonic))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.true += seconds
        self.monotonic += seconds
        self._take(self._core.tick(now=self.wall, monotonic=self.monotonic))

    def _take(self, sends: Sequence[Send]) -> None:
        self._tally.turns += 1
        for send in sends:
            for message in send.messages:
                if isinstance(message, m.Outbound) and message.topic.endswith("/telemetry/time"):
                    self._question(message)
        if self._core.anew:
            self.restart()

    def _question(self, message: m.Outbound) -> None:
        signers = (self._signer.public_key(),)
        opened = open_sealed(message.body, topic=message.topic, recipient=self._server_opener, signers=signers)
        if isinstance(opened.payload, TimeRequest):
            self._asked.append(opened.payload)

    def answer(self) -> None:
        """The server answers what it was asked last, a fifth of a second later."""
        if not self._asked or not self.answers:
            return
        request = self._asked.pop()
        self._asked.clear()
        self.true += 0.1
        self.monotonic += 0.1
        key = None
        if request.sealed_key is not None:
            key = open_run_key(request.sealed_key, self._server_opener, tenant=TENANT, site=SITE, boot=request.boot)
        said = TimeAnswer(nonce=request.nonce, at=datetime.fromtimestamp(self.true, UTC), key=key)
        self.true += 0.1
        self.monotonic += 0.1
        self._down(said)

    def _down(self, payload: Payload) -> None:
        topic, number = topic_for(payload, tenant=TENANT, site=SITE), next(self._numbers)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=f"s-{number}",
            sequence=number,
            at=datetime.fromtimestamp(self.true, UTC),
            signer=self._server,
            recipient=self._opener.public_key(),
        )
        self.hear(Peer.COURIER, m.Inbound(token=number, topic=str(topic), body=body))

    # --- what is looked at ------------------------------------------------------------------

    def sight(self, *, heard_off: float | None = None) -> str:
        """A new device is heard now; `heard_off` is how far off the wall clock was when the frame came."""
        number = next(self._numbers)
        mac = f"02:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        ts = max(self.true + (self.off if heard_off is None else heard_off), 0.0)
        self.hear(Peer.SENSOR, m.Sighting(ts=ts, mac=mac, via=m.Via.ARP))
        self._tally.sighted += 1
        return mac

    def judge(self, mac: str, heard: float) -> None:
        """Compare what is kept of a device with when it was heard."""
        tally = self._tally
        kept = {address.mac: device for device in self.store.devices.all() for address in device.addresses}.get(mac)
        within = heard < self.ends
        if kept is None:
            tally.missed += within
            if within:
                tally.note(f"not recorded, {self.ends - heard:.0f} s before the end")
            return
        tally.recorded += 1
        if not within:
            tally.extended += 1
            tally.note(f"recorded {heard - self.ends:.0f} s after the end")
        elif abs(kept.first_seen - heard) > EXACT_SECONDS + (self.store.ledger.stamp.error_ms or 0) / 1000:
            tally.wrong += 1
            tally.note(f"recorded with a time {kept.first_seen - heard:.0f} s off")

    def sight_and_judge(self) -> None:
        """A device is heard, and recorded at once or not."""
        heard = self.true
        self.judge(self.sight(), heard)

    def _look(self) -> None:
        """Order and marks of all records of the ledger."""
        tally, before = self._tally, None
        rows = [row.at for row in self.store.ledger.log.rows(0, self.store.ledger.size)]
        for stamp in rows:
            if stamp.clock is ClockState.FREE:
                tally.free += 1
                tally.unmarked += stamp.error_ms is not None
            else:
                tally.unmarked += stamp.error_ms is None
        vouched = [stamp for stamp in rows if stamp.clock is ClockState.AUTHENTICATED]
        for before, after in pairwise(vouched):
            if after.wall_ms < before.wall_ms or (after.boot == before.boot and after.mono_ms < before.mono_ms):
                tally.order += 1


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """All parts."""
    tally = Tally()
    for name, off in (("1970", -2 * STARTS), ("ten years ahead", YEARS), ("a day behind", -DAY)):
        say(f"a start at {name}")
        _start_wrong(folder / f"start{off:.0f}", tally, off)
        say(f"set to {name} while it runs, to the end of the authority and past it")
        _set_while_running(folder / f"set{off:.0f}", tally, off)
    say("set between a frame and its commit")
    _between(folder / "between", tally)
    say("ten jumps a minute")
    _jumps(folder / "jumps", tally, hours=1.0 if short else 24.0)
    broken = tally.missed + tally.extended + tally.wrong + tally.order + tally.unmarked
    figures = {
        "turns of the keeper": f"{tally.turns:,}",
        "jumps of the clock": f"{tally.jumps:,}",
        "devices heard": f"{tally.sighted:,}",
        "recorded, each with its right time": f"{tally.recorded:,}",
        "of these sealed first, and released": f"{tally.released:,}",
        "not recorded though within the authority": f"{tally.missed:,}",
        "recorded though outside it": f"{tally.extended:,}",
        "recorded with a wrong time": f"{tally.wrong:,}",
        "records out of order": f"{tally.order:,}",
        "records of a time nobody vouched for": f"{tally.free:,}, all marked" if not tally.unmarked else "unmarked",
    }
    remarks = (*tally.problems, "The monotonic clock is the kernel's and is taken to be right within 100 ppm.")
    return Result(kept=broken == 0 and tally.recorded > 0, figures=figures, remarks=remarks)


def _start_wrong(folder: Path, tally: Tally, off: float) -> None:
    """A first start with a wrong clock: sealed, then released with the right times."""
    box = Box(folder, tally, lasts=2 * HOUR)
    box.off = off
    box.restart(boot=True)
    heard: dict[str, float] = {}
    for _ in range(3):
        heard[box.sight()] = box.true
        box.wait(SIGHT_SECONDS)
    early = len(box.store.devices.all())
    tally.extended += early  # readable before anybody vouched for the time
    box.wait(60.0)
    box.answer()
    for _ in range(3):
        box.wait(1.0)
        box.answer()  # a keeper that started over asks again
    for mac, at in heard.items():
        box.judge(mac, at)
    tally.released += len(heard)
    box.sight_and_judge()
    box.close()


def _set_while_running(folder: Path, tally: Tally, off: float) -> None:
    """The clock is set while somebody vouches for the time: nothing changes, until the authority ends."""
    box = Box(folder, tally, lasts=HOUR)
    box.wait(6.0)
    box.answer()
    box.wait(1.0)
    while box.true < box.ends + 10 * 60:
        if box.true > STARTS + HOUR / 4 and not box.off:
            box.off = off
            tally.jumps += 1
        box.wait(SIGHT_SECONDS)
        box.answer()
        box.sight_and_judge()
    box.restart(boot=True, away=60.0)
    box.answers = False  # offline from here on, with the clock still wrong
    mac, heard = box.sight(), box.true
    box.wait(600.0)
    box.judge(mac, heard)
    box.close()


def _between(folder: Path, tally: Tally) -> None:
    """The clock is set while a frame is on its way to the commit."""
    box = Box(folder, tally, lasts=2 * HOUR)
    box.wait(6.0)
    box.answer()
    box.wait(1.0)
    for off in (YEARS, -DAY, -STARTS * 2, 3 * HOUR, 0.0):
        before, box.off = box.off, off
        tally.jumps += 1
        heard = box.true
        box.judge(box.sight(heard_off=before), heard)
        box.wait(10.0)
    box.close()


def _jumps(folder: Path, tally: Tally, *, hours: float) -> None:
    """Ten jumps a minute; every hour the keeper is killed, once the machine is; then the authority ends."""
    chance = random.Random(5)  # noqa: S311 - a script, the same each time
    box = Box(folder, tally, lasts=hours * HOUR * 0.9)
    box.wait(6.0)
    box.answer()
    box.wait(1.0)
    ends, step = STARTS + hours * HOUR, 0
    booted = False
    while box.true < ends:
        box.off = chance.choice((-STARTS * 2, YEARS, -DAY, DAY, chance.uniform(-3600, 3600)))
        tally.jumps += 1
        step += 1
        box.wait(JUMP_SECONDS)
        box.answer()
        if step % 5 == 0:
            box.sight_and_judge()
        if step % 600 == 0:
            box.restart()
        if not booted and box.true > STARTS + hours * HOUR / 2:
            booted = True
            box.restart(boot=True, away=90.0)
            mac, heard = box.sight(), box.true
            box.wait(6.0)
            box.answer()
            box.wait(1.0)
            box.judge(mac, heard)
            tally.released += 1
    box.close()
