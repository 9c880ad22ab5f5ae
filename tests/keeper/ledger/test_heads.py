from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.keeper.ledger.heads import RECORDS, SPACING, Heads
from appliance.keeper.store.database import Store
from wire.codec import read_payload
from wire.ledger import Head, HeadCosigned, LedgerSeed, RecordKind, Stamp, cosigned_bytes, head_bytes, holds, signed
from wire.merkle import verify_consistency

AT = datetime(2030, 3, 17, 17, tzinfo=UTC)


class Desk:
    """Heads of a store, and the server's answers."""

    def __init__(self, store: Store, make_stamp: Callable[..., Stamp]) -> None:
        self.store = store
        self._make_stamp = make_stamp
        self.box, self.server = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.anew()

    def anew(self) -> None:
        """The keeper starts again."""
        verify = (self.server.public_key(),)
        self.heads = Heads(self.store, tenant="force-a", site="box-1", signer=self.box, server_verify=verify)

    def turn(self, seconds: float, records: int = 0, *, urgent: bool = False) -> None:
        with self.store.transaction():
            self.store.ledger.begin(self._make_stamp(seconds))
            for number in range(records):
                self.store.ledger.note(RecordKind.COVERAGE, {"number": number})
            self.store.ledger.urgent |= urgent
            self.heads.tick(seconds)

    def waiting(self, kind: type[Head | LedgerSeed]) -> list[Head | LedgerSeed]:
        rows = self.store.outbox.waiting(without=(), most=100)
        payloads = [read_payload(row.type, row.body.encode()) for row in rows]
        return [payload for payload in payloads if isinstance(payload, kind)]

    def head(self) -> Head:
        (head,) = self.waiting(Head)
        assert isinstance(head, Head)
        return head

    def says(
        self, *, size: int, root: str, epoch: str | None = None, by: Ed25519PrivateKey | None = None, at: datetime = AT
    ) -> bool:
        epoch = epoch or self.store.epoch
        message = cosigned_bytes(tenant="force-a", site="box-1", epoch=epoch, size=size, root=root, at=at)
        answer = HeadCosigned(epoch=epoch, size=size, root=root, at=at, signature=signed(by or self.server, message))
        with self.store.transaction():
            return self.heads.cosigned(answer)

    def received(self) -> None:
        """The server's receipt for all that waits."""
        with self.store.transaction():
            self.store.outbox.received(self.store.epoch, 0, 10**9)


@pytest.fixture
def desk(store: Store, make_stamp: Callable[..., Stamp]) -> Desk:
    return Desk(store, make_stamp)


@pytest.mark.req("R68")
def test_a_head_is_signed_when_time_has_passed_or_the_log_has_grown_or_at_once_with_an_alert(desk: Desk) -> None:
    desk.turn(0, 1)
    assert desk.head().size == 1
    desk.turn(SPACING - 1, 1)
    assert desk.head().size == 1
    desk.turn(SPACING, 0)
    assert desk.head().size == 2
    desk.turn(10 * SPACING, 0)
    assert desk.head().size == 2  # nothing was written: there is nothing to sign
    desk.turn(10 * SPACING + 2, RECORDS)
    desk.turn(10 * SPACING + 3, RECORDS)
    assert desk.head().size == 2 + 2 * RECORDS
    desk.turn(10 * SPACING + 5, 1, urgent=True)
    assert desk.head().size == 3 + 2 * RECORDS
    assert [head.size for head in desk.store.ledger.log.heads()] == [1, 2, 102, 202, 203]


@pytest.mark.req("R68")
def test_a_head_is_the_boxs_and_continues_what_was_counter_signed(desk: Desk) -> None:
    desk.turn(0, 3)
    first = desk.head()
    assert holds(first.signature, head_bytes(first), [desk.box.public_key()])
    assert (first.since, first.consistency) == (0, ())
    assert desk.says(size=3, root=first.root)
    kept = desk.store.ledger.log.latest_head(cosigned=True)
    assert kept is not None
    assert (kept.size, kept.cosigned_at) == (3, AT.timestamp())
    desk.turn(SPACING, 9)
    second = desk.head()
    assert second.since == 3
    assert verify_consistency(
        first=3,
        second=12,
        proof=[bytes.fromhex(item) for item in second.consistency],
        first_root=bytes.fromhex(first.root),
        second_root=bytes.fromhex(second.root),
    )
    desk.anew()
    desk.turn(2 * SPACING, 1)
    assert desk.head().since == 3  # the second was not counter-signed; the first still counts after a restart


@pytest.mark.req("R68")
def test_an_answer_that_overtook_makes_the_head_go_again_with_the_right_proof(desk: Desk) -> None:
    desk.turn(0, 3)
    first = desk.head()
    desk.turn(SPACING, 1)
    assert desk.says(size=3, root=first.root)
    desk.turn(SPACING + 2)
    assert (desk.head().size, desk.head().since) == (4, 3)
    again = desk.head()
    desk.turn(SPACING + 4)
    assert desk.head() == again  # once is enough


def test_what_the_server_did_not_sign_counts_for_nothing(desk: Desk) -> None:
    desk.turn(0, 3)
    root = desk.head().root
    assert not desk.says(size=3, root=root, by=Ed25519PrivateKey.generate())
    assert not desk.says(size=3, root=root, epoch="another")
    assert not desk.says(size=0, root=root)
    assert desk.store.ledger.log.latest_head(cosigned=True) is None


@pytest.mark.req("N3")
def test_a_head_that_this_log_does_not_hold_is_answered_with_a_proof_that_cannot_hold(desk: Desk) -> None:
    desk.turn(0, 5)
    assert desk.says(size=4, root="ab" * 32)
    assert desk.heads.disputed
    desk.turn(SPACING)
    head = desk.head()
    assert head.since == 4
    assert not verify_consistency(
        first=4,
        second=5,
        proof=[bytes.fromhex(item) for item in head.consistency],
        first_root=bytes.fromhex("ab" * 32),
        second_root=bytes.fromhex(head.root),
    )
    assert desk.says(size=50, root="cd" * 32)  # this log is shorter: it was set back
    desk.turn(2 * SPACING)
    assert (desk.head().since, desk.head().size) == (50, 5)


def test_a_server_that_was_set_back_is_followed(desk: Desk) -> None:
    desk.turn(0, 3)
    first = desk.head()
    desk.says(size=3, root=first.root)
    desk.turn(SPACING, 3)
    desk.says(size=6, root=desk.head().root)
    desk.turn(2 * SPACING, 1)
    assert desk.head().since == 6
    desk.says(size=3, root=first.root)
    desk.turn(3 * SPACING)
    assert desk.head().since == 6, "one that was kept back and comes again"
    desk.says(size=3, root=first.root, at=AT + timedelta(days=1))
    desk.turn(4 * SPACING)
    assert (desk.head().since, desk.head().size) == (3, 7)


@pytest.mark.req("R68")
def test_a_stretch_begins_with_the_receipt_of_its_seed(desk: Desk) -> None:
    desk.turn(0, 1)
    desk.says(size=1, root=desk.head().root)
    (seed,) = desk.waiting(LedgerSeed)
    assert isinstance(seed, LedgerSeed)
    desk.turn(5, 1)
    desk.received()
    desk.turn(10)
    desk.turn(15, 1)
    rows = list(desk.store.ledger.log.rows(0, 2))
    assert [row.stretch for row in rows] == [None, None, seed.stretch]
    desk.turn(SPACING * 2, 1)
    desk.says(size=4, root=desk.head().root)
    assert desk.waiting(LedgerSeed) == []  # the stretch is young


@pytest.mark.req("R68")
def test_a_seed_that_was_dropped_or_whose_way_is_unknown_begins_nothing(desk: Desk) -> None:
    desk.turn(0, 1)
    desk.says(size=1, root=desk.head().root)
    desk.received()
    desk.anew()  # whether the seed was received or dropped, nobody knows any more
    desk.turn(10, 1)
    assert desk.store.ledger.ratchet.waits is None
    assert desk.store.ledger.log.ratchets() == []
