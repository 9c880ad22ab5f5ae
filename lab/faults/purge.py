"""Made-up names in everything that a keeper keeps; then time passes, and every file is searched for them.

The real keeper over its real store, with scripted time: names are looked up, announced, listed, signalled, written on
labels and into reasons. One device is held for a case. After the records' time, no file may hold a name of the others,
plain, in UTF-16, in base64 at any offset, in hexadecimal or with its labels reversed; nor may any key that is left open it,
nor a copy of the database from before together with the key file of now. What is held stays readable.
"""

from __future__ import annotations

import base64
import itertools
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import messages as m
from appliance.keeper.core import Core, Parts, Peer
from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.household.record import Ids
from appliance.keeper.law.desk import Desk
from appliance.keeper.lists.match import Lists, load
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from appliance.signals import Signal
from appliance.traits import Trait
from lab.faults.result import Result, Say
from wire.acts import SetHold
from wire.authority import Authority, CollectClause, DataClass, Keep, ListsClause, RegisterClause, sign
from wire.base import Payload, Standing
from wire.codec import payload_json, seal, topic_for
from wire.findings import Severity
from wire.models import Command, Receipt, type_of
from wire.orders import AddWatch, SetStanding

NAME = "purge"
PROMISE = "what is due is in no file within 24 hours, and no key that is left opens a copy of it; what is held stays"

DAY = 86400.0
START = 1_900_000_000.0
KEPT_DAYS = 7
NAMES, SHORT = 2000, 150
TENANT, SITE = "force-a", "box-1"
DUE, HELD, THIRD = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
CANARY, KEPT = "quillfeather", "sparrowhawk"


def forms(text: str) -> list[bytes]:
    """How a name may stand in a file: in lower case, as it would be found by somebody who looks."""
    plain = text.encode()
    found = [plain, plain.hex().encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), plain[::-1]]
    for offset in range(3):  # base64 depends on where in a group of three octets it begins
        whole = base64.b64encode(b"x" * offset + plain)
        found.append(whole[-(offset * 8 // -6) : (offset + len(plain)) * 8 // 6])
    return found


def search(folder: Path, texts: Iterable[str]) -> list[str]:
    """Which file holds which text, in whatever form."""
    hits = []
    wanted = [(text, form) for text in texts for form in forms(text)]
    for file in sorted(item for item in folder.rglob("*") if item.is_file()):
        raw = file.read_bytes()
        lowered = raw.lower()
        hits += [f"{file.name}: {text}" for text, form in wanted if form in raw or form.lower() in lowered]
    return hits


class Box:
    """A keeper whose time is the script's, and its server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "state"
        self.store = Store(self.folder / "keeper.db")
        self.wall, self.monotonic = START, 1000.0
        self.keys = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.server = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self._numbers, self._tokens = itertools.count(1), itertools.count(1)
        issuer = Ed25519PrivateKey.generate()
        self.core = Core(self._parts(issuer), monotonic=self.monotonic)
        raw = sign(_authority(), issuer).model_dump_json().encode()
        self.core.document(raw, now=self.wall, monotonic=self.monotonic)
        for peer in (Peer.COURIER, Peer.SENSOR, Peer.WARDEN):
            self.core.connected(peer, now=self.wall, monotonic=self.monotonic)
        self.hear(Peer.COURIER, m.BrokerState(connected=True), m.Credit(count=1_000_000))

    def _parts(self, issuer: Ed25519PrivateKey) -> Parts:
        def id_(letter: str) -> str:
            return f"{letter}-{self.store.epoch}-{next(self._numbers)}"

        listed = load(b"bets.example\n", id_="gambling", version="7", title="Gambling", severity=Severity.TODAY)
        return Parts(
            store=self.store,
            desk=Desk(issuers=[issuer.public_key()], tenant=TENANT, site=SITE),
            identity=Identity(
                tenant=TENANT,
                site=SITE,
                signer=self.keys[0],
                opener=self.keys[1],
                server_verify=(self.server[0].public_key(),),
                server_seal=self.server[1].public_key(),
            ),
            lists=Lists([listed]),
            rules=shipped(),
            ids=Ids(
                device=lambda: id_("d"),
                finding=lambda: id_("f"),
                proposal=lambda: id_("p"),
                session=lambda: id_("s"),
                record=lambda: id_("r"),
                arrangement=lambda: id_("a"),
            ),
            heartbeat_seconds=3600.0,
        )

    def hear(self, peer: Peer, *batch: m.Message) -> None:
        """Messages of a peer come in."""
        self.core.heard(peer, batch, now=self.wall, monotonic=self.monotonic)

    def down(self, payload: Payload) -> None:
        """A message of the server comes in."""
        number = next(self._tokens)
        topic = topic_for(payload, tenant=TENANT, site=SITE)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=f"s-{number}",
            sequence=number,
            at=_time(self.wall),
            signer=self.server[0],
            recipient=self.keys[1].public_key(),
        )
        self.hear(Peer.COURIER, m.Inbound(token=number, topic=str(topic), body=body))

    def order(self, body: SetStanding | SetHold | AddWatch) -> None:
        """An order that two people gave."""
        number = next(self._numbers)
        command = Command(
            command_id=f"c-{number}",
            sequence=number,
            issued_at=_time(self.wall),
            expires_at=_time(self.wall + 300),
            by="officer-1",
            second="officer-2",
            body=body,
        )
        self.down(command)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.wall += seconds
        self.monotonic += seconds
        self.core.tick(now=self.wall, monotonic=self.monotonic)

    def received(self) -> None:
        """The server has everything."""
        self.down(Receipt(epoch=self.store.epoch, ranges=((1, 10**9),), at=_time(self.wall)))

    def register(self, mac: str, label: str) -> str:
        """A device of the household's joins and is put on the register; its id."""
        self.hear(Peer.SENSOR, m.Sighting(ts=self.wall, mac=mac, via=m.Via.DHCP))
        device = next(item for item in self.store.devices.all() if mac in item.macs)
        self.order(SetStanding(device_id=device.device_id, standing=Standing.REGISTERED, label=label))
        return device.device_id

    def use(self, mac: str, word: str, names: int) -> None:
        """The device looks names up, says its own, and tries ways round."""
        generation = int(self.store.get("mask_generation") or "0")
        for number in range(names):
            name = f"{word}-{number}.{'bets.' if number % 50 == 0 else ''}example"
            heard = m.NameLookedUp(ts=self.wall, mac=mac, name=name, how=m.How.DNS, generation=generation)
            self.hear(Peer.SENSOR, heard)
        for trait in (Trait.DHCP4_HOST_NAME, Trait.MDNS_INSTANCE, Trait.DHCP4_VENDOR_CLASS):
            self.hear(Peer.SENSOR, m.TraitSeen(ts=self.wall, mac=mac, trait=trait, value=f"{word}-laptop"))
        signal = m.SignalSeen(
            ts=self.wall,
            mac=mac,
            signal=Signal.RESOLVER_NAMED,
            value=f"dns.{word}.example",
            since=self.wall - 60,
            count=3,
            generation=generation,
        )
        self.hear(Peer.SENSOR, signal)

    def readable(self) -> bytes:
        """Every body of the ledger that any key still opens."""
        return b"\n".join(_bodies(self.store))

    def close(self) -> None:
        """Stop it."""
        self.core.stopping(now=self.wall, monotonic=self.monotonic)
        self.store.close()


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """See the module's text."""
    names = SHORT if short else NAMES
    box = Box(folder)
    box.register(DUE, f"{CANARY} laptop")
    held = box.register(HELD, "laptop")
    box.hear(Peer.SENSOR, m.Sighting(ts=box.wall, mac=THIRD, via=m.Via.DHCP))
    box.use(DUE, CANARY, names)
    box.use(HELD, KEPT, names // 10)
    box.use(THIRD, CANARY, names)
    box.order(
        AddWatch(name=f"{CANARY}.example", below=True, reason=f"about {CANARY}", expires=_time(box.wall + 3 * DAY))
    )
    since, until, review = (_time(START + days * DAY) for days in (-1, 1, 200))
    hold = SetHold(hold_id="case-1", device_id=held, since=since, until=until, review=review, reason="A hearing.")
    box.order(hold)
    for _ in range(4):
        box.wait(1800)  # the hour's records close
    before = box.readable().count(CANARY.encode())
    planted = search(box.folder, [CANARY])
    old = folder / "old"
    shutil.copytree(box.folder, old)
    say(f"planted: {names} names, {before} in records of the ledger")

    label = SetStanding(device_id=_device(box, DUE), standing=Standing.REGISTERED, label="laptop")
    box.order(label)  # the register itself stays: an officer's words on it are the officer's to change
    longest, turns = 0.0, 0
    days = 31 + KEPT_DAYS + 2
    for _day in range(days):
        for step in (DAY - 600, *[1.0] * 60):
            began = perf_counter()
            box.wait(step)
            longest, turns = max(longest, perf_counter() - began), turns + 1
        box.received()
    after = box.readable()
    size = sum(item.stat().st_size for item in box.folder.rglob("*") if item.is_file())
    box.close()
    found = search(box.folder, [CANARY])
    opened = _opened(old, box.folder / "vault.key")
    held_left = after.count(KEPT.encode())
    kept = bool(planted) and before > 0 and not found and CANARY.encode() not in after and not opened and held_left > 0
    return Result(
        kept=kept,
        figures={
            "names planted": str(names),
            "records of the ledger that held one": str(before),
            "files that held one before": str(len({line.split(":")[0] for line in planted})),
            "found after": str(len(found)),
            "readable in the ledger after": str(after.count(CANARY.encode())),
            "opened from the copy of before with the key file of now": str(opened),
            "records of the case that stay readable": str(held_left),
            "turns": str(turns),
            "longest turn": f"{longest * 1000:.0f} ms",
            "size of the state at the end": f"{size / 1e6:.1f} MB",
        },
        remarks=(
            "A copy of database and key file, made together before the purge, opens what it held: no backup is made of a box.",
            "What the medium keeps of a key file that was replaced is not shown here.",
        ),
    )


def _device(box: Box, mac: str) -> str:
    return next(item.device_id for item in box.store.devices.all() if mac in item.macs)


def _bodies(store: Store) -> Iterator[bytes]:
    ledger = store.ledger
    for n in range(ledger.size):
        row = ledger.log.row(n)
        body = None if row is None else ledger.body(row)
        if body is not None:
            yield body[1]


def _opened(old: Path, key_file: Path) -> int:
    """Bodies of a copy of before that the key file of now opens, as old pages of flash memory with it."""
    shutil.copyfile(key_file, old / "vault.key")
    store = Store(old / "keeper.db")
    try:
        return sum(1 for _body in _bodies(store))
    finally:
        store.close()


def _authority() -> Authority:
    classes: Sequence[DataClass] = tuple(DataClass)
    return Authority(
        id="order-1",
        number=1,
        kind="order",
        reference="EX-0001",
        purpose="detect",
        tenant=TENANT,
        site=SITE,
        responsible_officer="duty officer",
        issued_at=_time(START - 7200),
        not_before=_time(START - 3600),
        not_after=_time(START + 400 * DAY),
        review_date=_time(START + 180 * DAY),
        clauses=(
            CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
            RegisterClause(number="2"),
            CollectClause(number="3", standings=(Standing.REGISTERED,), classes=tuple(classes)),
            ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling",)),
        ),
        retention=(
            *(Keep(data_class=name, days=KEPT_DAYS) for name in classes),
            Keep(data_class="box", days=KEPT_DAYS),
        ),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
