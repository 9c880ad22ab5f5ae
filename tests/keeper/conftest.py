"""A keeper on the bench: keys made at run time, an authority, a core that is played as a script."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import messages as m
from appliance import requests
from appliance.keeper.authority import Scope
from appliance.keeper.core import Core, Parts, Peer, Send
from appliance.keeper.devices.fingerprint import shipped
from appliance.keeper.household.record import Ids
from appliance.keeper.law.desk import from_store
from appliance.keeper.law.kinds import LAW_KINDS
from appliance.keeper.lists.match import Lists, load
from appliance.keeper.store.database import Store
from appliance.keeper.uplink import Identity
from appliance.traits import Trait
from wire.authority import Authority, CollectClause, DataClass, ListsClause, QuarantineClause, RegisterClause, sign
from wire.base import Payload, Standing
from wire.box import BoxStatus
from wire.codec import Opened, open_sealed, payload_json, seal, topic_for
from wire.findings import Finding, Severity
from wire.ledger import Head
from wire.models import Command, Receipt, Session, type_of
from wire.orders import SetStanding

START = 1_900_000_000.0
"""Where the scripts' wall clock begins, Unix seconds."""

TENANT, SITE = "force-a", "box-1"
LAPTOP, PHONE, TV = "00:00:5e:00:53:01", "02:00:00:00:00:02", "00:00:5e:00:53:03"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


CLAUSES = (
    CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
    RegisterClause(number="2"),
    CollectClause(number="3", standings=(Standing.REGISTERED,), classes=(DataClass.FULL_NAMES,)),
    ListsClause(number="4", standings=(Standing.REGISTERED,), lists=("gambling",)),
    QuarantineClause(number="5", standings=(Standing.REFUSED,)),
)


@pytest.fixture(scope="session")
def issuer() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
def make_authority() -> Callable[..., Authority]:
    def make(**changes: Any) -> Authority:
        fields: dict[str, Any] = {
            "id": "authority-1",
            "number": 1,
            "kind": "order",
            "reference": "EX-0001",
            "purpose": "detect",
            "tenant": TENANT,
            "site": SITE,
            "responsible_officer": "duty officer",
            "issued_at": at(START - 7200),
            "not_before": at(START - 3600),
            "not_after": at(START + 86400),
            "review_date": at(START + 43200),
            "clauses": CLAUSES,
        }
        return Authority(**(fields | changes))

    return make


@pytest.fixture(scope="session")
def scope(make_authority: Callable[..., Authority]) -> Scope:
    return Scope(authority=make_authority())


@pytest.fixture(scope="session")
def signed(issuer: Ed25519PrivateKey, make_authority: Callable[..., Authority]) -> Callable[..., bytes]:
    """Bytes of an authority file; changes as keyword arguments."""

    def make(*, key: Ed25519PrivateKey | None = None, **changes: Any) -> bytes:
        return sign(make_authority(**changes), key or issuer).model_dump_json().encode()

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "keeper" / "keeper.db")
    yield opened
    opened.close()


class Bench:
    """A core with its peers' ends in hand; time moves only when told."""

    root: Any = None
    """Who may change the box, from the next start on; None: it takes no releases."""
    machine: Any = None
    """What the keeper sees of its machine, from the next start on."""
    run_dir: Path | None = None
    """Where root is asked and answers, from the next start on; None: there is none."""

    def __init__(
        self, path: Path, issuer: Ed25519PrivateKey, *, document: bytes | None, boot: str | None = None
    ) -> None:
        """`boot`: id of the run of the machine; None: time is the script's."""
        self.path = path
        self.issuer = issuer
        self.box_key, self.box_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.server_key, self.server_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.wall, self.monotonic = START, 1000.0
        self.sent: list[Send] = []
        self._tokens = itertools.count(1)
        self._ids = itertools.count(1)
        self.sequence = 0
        self.boot = boot
        self.start(document)

    def start(self, document: bytes | None) -> None:
        """Start the keeper (again) on the same database."""
        self.store = Store(self.path)
        run_dir = self.run_dir
        numbers = self._ids  # over restarts too: an id is never given again
        gambling = load(b"bets.example\n", id_="gambling", version="7", title="Gambling", severity=Severity.TODAY)
        self.core = Core(
            Parts(
                store=self.store,
                desk=from_store(self.store.get, issuers=[self.issuer.public_key()], tenant=TENANT, site=SITE),
                boot=self.boot,
                identity=Identity(
                    tenant=TENANT,
                    site=SITE,
                    signer=self.box_key,
                    opener=self.box_opener,
                    server_verify=(self.server_key.public_key(),),
                    server_seal=self.server_opener.public_key(),
                ),
                lists=Lists([gambling]),
                rules=shipped(),
                ids=Ids(
                    device=lambda: f"d-{self.store.epoch}-{next(numbers)}",
                    finding=lambda: f"f-{self.store.epoch}-{next(numbers)}",
                    proposal=lambda: f"p-{self.store.epoch}-{next(numbers)}",
                    session=lambda: f"s-{self.store.epoch}-{next(numbers)}",
                    record=lambda: f"r-{self.store.epoch}-{next(numbers)}",
                    arrangement=lambda: f"a-{self.store.epoch}-{next(numbers)}",
                ),
                heartbeat_seconds=60.0,
                root=self.root,
                machine=self.machine,
                ask_network=None if run_dir is None else lambda request: requests.ask(run_dir, request),
                answers=None
                if run_dir is None
                else lambda name: requests.answered(run_dir, name, owners=frozenset({os.getuid()})),
            ),
            monotonic=self.monotonic,
        )
        self.take(self.core.document(document, now=self.wall, monotonic=self.monotonic))

    def stop(self) -> None:
        self.store.close()

    def take(self, sends: list[Send]) -> list[m.Message]:
        self.sent.extend(sends)
        return [message for send in sends for message in send.messages]

    def gone(self, peer: Peer) -> list[m.Message]:
        return self.take(self.core.gone(peer, now=self.wall, monotonic=self.monotonic))

    def connect(self, *peers: Peer) -> list[m.Message]:
        return [
            message
            for peer in peers
            for message in self.take(self.core.connected(peer, now=self.wall, monotonic=self.monotonic))
        ]

    def hear(self, peer: Peer, *batch: m.Message) -> list[m.Message]:
        return self.take(self.core.heard(peer, batch, now=self.wall, monotonic=self.monotonic))

    def document(self, raw: bytes | None) -> list[m.Message]:
        return self.take(self.core.document(raw, now=self.wall, monotonic=self.monotonic))

    def wait(self, seconds: float, *, wall: float | None = None) -> list[m.Message]:
        """Let time pass; `wall` sets the wall clock apart from it."""
        self.monotonic += seconds
        self.wall = self.wall + seconds if wall is None else wall
        return self.take(self.core.tick(now=self.wall, monotonic=self.monotonic))

    def sight(self, mac: str, via: m.Via = m.Via.DHCP) -> list[m.Message]:
        return self.hear(Peer.SENSOR, m.Sighting(ts=self.wall, mac=mac, via=via))

    def look_up(self, mac: str, name: str, *, generation: int) -> list[m.Message]:
        heard = m.NameLookedUp(ts=self.wall, mac=mac, name=name, how=m.How.DNS, generation=generation)
        return self.hear(Peer.SENSOR, heard)

    def open(self, outbound: m.Outbound) -> Opened:
        return open_sealed(
            outbound.body,
            topic=outbound.topic,
            recipient=self.server_opener,
            signers=(self.box_key.public_key(),),
        )

    def payloads(self, heard: list[m.Message]) -> list[Payload]:
        """Payloads of what went to the broker, without status, stays, heads, and what is told about the law."""
        opened = [self.open(message).payload for message in heard if isinstance(message, m.Outbound)]
        found = [payload for payload in opened if not isinstance(payload, BoxStatus | Session | Head)]
        return [each for each in found if not (isinstance(each, Finding) and each.kind in LAW_KINDS)]

    def law(self, heard: list[m.Message]) -> list[Finding]:
        """What was told about the law."""
        opened = [self.open(message).payload for message in heard if isinstance(message, m.Outbound)]
        return [each for each in opened if isinstance(each, Finding) and each.kind in LAW_KINDS]

    def stays(self, heard: list[m.Message]) -> list[Session]:
        """Stays among what went to the broker."""
        opened = [self.open(message).payload for message in heard if isinstance(message, m.Outbound)]
        return [payload for payload in opened if isinstance(payload, Session)]

    def online(self, credit: int = 1000) -> None:
        """Courier with credit, broker there, sensor and warden connected."""
        self.connect(Peer.COURIER, Peer.SENSOR, Peer.WARDEN)
        self.hear(Peer.COURIER, m.BrokerState(connected=True), m.Credit(count=credit))

    def down(
        self, payload: Payload, *, key: Ed25519PrivateKey | None = None, topic: str | None = None
    ) -> list[m.Message]:
        """A message of the server comes in."""
        own = topic_for(payload, tenant=TENANT, site=SITE)
        number = next(self._tokens)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=own,
            id_=f"s-{number}",
            sequence=number,
            at=at(self.wall),
            signer=key or self.server_key,
            recipient=self.box_opener.public_key(),
        )
        return self.hear(Peer.COURIER, m.Inbound(token=number, topic=topic or str(own), body=body))

    def command(self, device_id: str, standing: Standing, **changes: Any) -> Command:
        self.sequence += 1
        body = {key: changes.pop(key) for key in ("label", "guest_until") if key in changes}
        fields: dict[str, Any] = {
            "command_id": f"c-{self.sequence}",
            "sequence": self.sequence,
            "issued_at": at(self.wall),
            "expires_at": at(self.wall + 300),
            "by": "officer-1",
            "second": "officer-2",
            "body": SetStanding(device_id=device_id, standing=standing, **body),
        }
        return Command(**(fields | changes))

    def give(self, mac: str, standing: Standing) -> str:
        """See a device and give it a standing; returns its id."""
        self.sight(mac)
        device = self.core._book.registry.by_mac(mac)
        assert device is not None
        self.down(self.command(device.device_id, standing))
        return device.device_id

    def names(self, device_id: str) -> dict[str, int]:
        """Names kept of a device."""
        device = self.core._book.registry.by_id(device_id)
        assert device is not None
        return self.store.evidence.names(device.macs)

    def device(self, mac: str) -> Any:
        """The device that an address is."""
        return self.core._book.registry.by_mac(mac)

    def trait(self, mac: str, trait: Trait, value: str) -> list[m.Message]:
        return self.hear(Peer.SENSOR, m.TraitSeen(ts=self.wall, mac=mac, trait=trait, value=value))

    def station(self, mac: str, key_id: str | None = None, *, joined: bool = True) -> list[m.Message]:
        return self.hear(Peer.WARDEN, m.StationChanged(ts=self.wall, mac=mac, joined=joined, key_id=key_id))

    def order(self, body: Any) -> list[m.Message]:
        """An order of the dashboard comes in."""
        return self.down(self.command("d-none", Standing.UNKNOWN, body=body))

    def open_kinds(self, mac: str) -> list[str]:
        """Kinds of the open findings about the device that an address is."""
        return sorted(item.finding.kind.value for item in self.store.findings.open_of(self.device(mac).device_id))

    def acknowledge(self) -> None:
        """The server has received everything."""
        self.down(self.receipt((1, 10**9)))

    @property
    def generation(self) -> int:
        return self.core._collection.generation

    def rows(self, table: str) -> int:
        return int(self.store._db.table(table).count)

    def receipt(self, *ranges: tuple[int, int], epoch: str | None = None) -> Receipt:
        return Receipt(epoch=epoch or self.store.epoch, ranges=ranges, at=at(self.wall))


@pytest.fixture
def make_bench(tmp_path: Path, issuer: Ed25519PrivateKey) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(document: bytes | None, boot: str | None = None) -> Bench:
        made.append(Bench(tmp_path / f"bench{len(made)}" / "keeper.db", issuer, document=document, boot=boot))
        return made[-1]

    yield make
    for bench in made:
        bench.stop()


@pytest.fixture
def bench(make_bench: Callable[..., Bench], signed: Callable[..., bytes]) -> Bench:
    """A keeper with a valid authority and all peers connected."""
    made = make_bench(signed())
    made.online()
    return made
