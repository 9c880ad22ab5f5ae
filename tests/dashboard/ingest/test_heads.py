from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from dashboard.ingest import heads
from dashboard.ingest.heads import Verdict
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from wire.codec import Envelope, Opened, source
from wire.findings import FindingKind
from wire.keys import public_text
from wire.ledger import ClockState, Head, HeadCosigned, LedgerSeed, Stamp, cosigned_bytes, head_bytes, holds, signed
from wire.merkle import consistency_proof, leaf_hash, root
from wire.topics import Channel, Topic

AT = datetime(2030, 3, 17, 17, tzinfo=UTC)
NOW = AT.timestamp()
STAMP = Stamp(wall_ms=1, mono_ms=1, boot="a", clock=ClockState.FREE)
UNSIGNED = "A" * 86 + "=="
LEAVES = [leaf_hash(bytes([number])) for number in range(64)]
OTHER = [*LEAVES[:5], *(leaf_hash(bytes([number, 1])) for number in range(59))]
"""The log of a copy that went its own way after five records."""


@dataclass
class Site:
    """A box's heads, and a database to judge them in."""

    connection: Connection
    box: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    server: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    seq: int = 0

    def __post_init__(self) -> None:
        row = {"site": "box-1", "tenant": "force-a", "title": "Home", "seal_key": "k" * 44}
        self.connection.execute(schema.site.insert().values(verify_key=public_text(self.box), **row))

    def opened(self, payload: Head | LedgerSeed, *, seq: int | None = None, epoch: str = "e1") -> Opened:
        self.seq = self.seq + 1 if seq is None else seq
        channel, name = Channel.EVENT, "head"
        envelope = Envelope(
            id=f"{epoch}-{self.seq}", source=source("force-a", "box-1"), type="t", time=AT, sequence=str(self.seq)
        )
        topic = Topic(tenant="force-a", site="box-1", channel=channel, name=name)
        return Opened(topic=topic, envelope=envelope, payload=payload, digest="0" * 64)

    def head(
        self, size: int, since: int = 0, *, log: list[bytes] = LEAVES, epoch: str = "e1", site: str = "box-1"
    ) -> Head:
        proof = consistency_proof(log[:size], since) if since <= size else ()
        head = Head(
            tenant="force-a",
            site=site,
            epoch=epoch,
            size=size,
            root=root(log[:size]).hex(),
            at=STAMP,
            signature=UNSIGNED,
            consistency=tuple(item.hex() for item in proof),
            since=since,
        )
        return head.model_copy(update={"signature": signed(self.box, head_bytes(head))})

    def takes(
        self, head: Head, *, seq: int | None = None, epoch: str = "e1", now: float = NOW
    ) -> tuple[Verdict, HeadCosigned | None]:
        said = heads.take_head(self.connection, self.opened(head, seq=seq, epoch=epoch), now, signing_key=self.server)
        table = schema.ledger_head.c
        verdict = self.connection.execute(
            select(table.verdict).where(table.seq == self.seq).order_by(table.received_at)
        )
        answer = said[0] if said else None
        assert answer is None or isinstance(answer, HeadCosigned)
        return Verdict(verdict.scalars().all()[-1]), answer

    @property
    def conflicts(self) -> int:
        table = schema.finding.c
        rows = self.connection.execute(select(table.kind).where(table.site == "box-1", table.state == "open"))
        return [row.kind for row in rows].count(FindingKind.LEDGER_CONFLICT.value)


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    engine = open_engine(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        yield Site(connection)
    engine.dispose()


@pytest.mark.req("R68")
def test_heads_that_continue_each_other_are_counter_signed(site: Site) -> None:
    verdict, answer = site.takes(site.head(3))
    assert verdict is Verdict.COSIGNED
    assert answer is not None
    message = cosigned_bytes(
        tenant="force-a", site="box-1", epoch="e1", size=3, root=root(LEAVES[:3]).hex(), at=answer.at
    )
    assert holds(answer.signature, message, [site.server.public_key()])
    for since, size in ((3, 4), (4, 31), (31, 64)):
        verdict, answer = site.takes(site.head(size, since))
        assert verdict is Verdict.COSIGNED
        assert answer is not None
        assert answer.size == size
    assert site.conflicts == 0
    assert [row.size for row in heads.heads_of(site.connection, "box-1", "e1")] == [3, 4, 31, 64]
    (latest,) = heads.latest_roots(site.connection)
    assert (latest.site, latest.epoch, latest.size, latest.root) == ("box-1", "e1", 64, root(LEAVES).hex())


@pytest.mark.req("R68")
def test_a_proof_from_elsewhere_is_told_where_to_begin(site: Site) -> None:
    _, first = site.takes(site.head(3))
    _, second = site.takes(site.head(10, 3))
    verdict, answer = site.takes(site.head(20, 3))  # the second answer is still on its way
    assert (verdict, answer) == (Verdict.UNPROVED, second)
    assert site.takes(site.head(20, 0))[0] is Verdict.UNPROVED
    assert site.takes(site.head(20, 10))[0] is Verdict.COSIGNED
    assert first != second
    assert site.conflicts == 0


@pytest.mark.req("R68", "N3")
@pytest.mark.parametrize(("log", "closes"), [(LEAVES, True), (OTHER, False)])
def test_a_box_that_never_proves_its_log_is_a_finding(site: Site, log: list[bytes], closes: bool) -> None:
    site.takes(site.head(10))
    most = heads.UNPROVED_HEADS
    for number in range(most):  # a rewritten log, say, whose owner knows better than to prove it
        head = site.head(20 + number, 0, log=log)
        assert site.takes(head, now=NOW + number)[0] is Verdict.UNPROVED
    assert site.conflicts == 0, "so far its answers may only have been late"
    for number in range(3):
        late = NOW + heads.UNPROVED_SECONDS + number
        assert site.takes(site.head(40 + number, 0, log=log), now=late)[0] is Verdict.UNPROVED
        assert site.conflicts == 1
    verdict, _ = site.takes(site.head(60, 10, log=log), now=NOW + 700)
    assert (verdict is Verdict.COSIGNED) is closes
    assert site.conflicts == (0 if closes else 2)


@pytest.mark.req("R68")
def test_heads_that_come_in_another_order_are_no_conflict(site: Site) -> None:
    site.takes(site.head(3), seq=5)
    _, last = site.takes(site.head(20, 3), seq=9)
    assert site.takes(site.head(10, 3), seq=7) == (Verdict.LATE, last)
    assert site.takes(site.head(20, 3), seq=8) == (Verdict.LATE, last)
    assert site.conflicts == 0


@pytest.mark.req("R68")
@pytest.mark.req("N3")
@pytest.mark.parametrize(
    ("size", "since", "log"),
    [
        (10, 3, OTHER),  # the same size, another root
        (12, 10, OTHER),  # larger, and it does not continue the last
        (12, 6, OTHER),  # larger, and it does not continue an earlier one
        (8, 3, LEAVES),  # smaller, and said later
        (8, 10, LEAVES),  # it says itself that more was counter-signed than it holds
    ],
)
def test_two_accounts_of_one_time_are_a_finding_and_nothing_more_is_counter_signed(
    site: Site, size: int, since: int, log: list[bytes]
) -> None:
    site.takes(site.head(3))
    site.takes(site.head(6, 3))
    site.takes(site.head(10, 6))
    assert site.takes(site.head(size, since, log=log)) == (Verdict.CONFLICT, None)
    assert site.conflicts == 1
    assert site.takes(site.head(30, 10)) == (Verdict.REFUSED, None)
    assert [row.size for row in heads.latest_roots(site.connection)] == [10]


@pytest.mark.req("R68")
def test_a_proof_with_one_bit_changed_is_a_conflict(site: Site) -> None:
    site.takes(site.head(3))
    head = site.head(10, 3)
    bad = bytes([bytes.fromhex(head.consistency[1])[0] ^ 1]).hex() + head.consistency[1][2:]
    altered = head.model_copy(update={"consistency": (head.consistency[0], bad, *head.consistency[2:])})
    assert site.takes(altered)[0] is Verdict.CONFLICT


@pytest.mark.req("R68")
def test_what_another_signed_or_is_about_another_box_is_kept_and_counts_for_nothing(site: Site) -> None:
    forged = site.head(3).model_copy(update={"size": 4})
    assert site.takes(forged) == (Verdict.UNSIGNED, None)
    assert site.takes(site.head(3, site="box-2")) == (Verdict.UNSIGNED, None)
    assert site.takes(site.head(3, epoch="e2")) == (Verdict.UNSIGNED, None)
    assert heads.heads_of(site.connection, "box-1", "e1") == []
    assert site.conflicts == 0
    assert site.takes(site.head(3))[0] is Verdict.COSIGNED


def test_a_new_log_of_the_box_begins_beside_the_old_one(site: Site) -> None:
    site.takes(site.head(10))
    verdict, _ = site.takes(site.head(4, epoch="e2", log=OTHER), epoch="e2")
    assert verdict is Verdict.COSIGNED
    assert [(row.epoch, row.size) for row in heads.latest_roots(site.connection)] == [("e1", 10), ("e2", 4)]
    assert site.takes(site.head(0, epoch="e3"), epoch="e3") == (Verdict.UNPROVED, None)  # of nothing there is no proof


@pytest.mark.req("R68")
def test_the_first_seed_of_a_stretch_stands(site: Site) -> None:
    for begins, seed in ((7, "ab" * 32), (9, "cd" * 32)):
        said = heads.take_seed(
            site.connection, site.opened(LedgerSeed(epoch="e1", stretch=1, begins=begins, seed=seed)), NOW
        )
        assert said == []
    assert heads.seeds_of(site.connection, "box-1", "e1") == [
        LedgerSeed(epoch="e1", stretch=1, begins=7, seed="ab" * 32)
    ]
