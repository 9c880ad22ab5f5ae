from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Outbox, Priority


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    store = Store(tmp_path / "keeper.db", outbox_limit=4)
    with store.transaction():
        yield store.outbox
    store.close()


def add(outbox: Outbox, subject: str, priority: Priority, body: str = "{}") -> int:
    return outbox.add(type_=priority.name.lower(), subject=subject, body=body, priority=priority, created=1.0)


def seqs(outbox: Outbox) -> list[int]:
    return [row.seq for row in outbox.waiting(without=(), most=100)]


def test_findings_go_first_then_by_age(outbox: Outbox) -> None:
    state = add(outbox, "d-1", Priority.STATE)
    result = add(outbox, "c-1", Priority.RESULT)
    first, second = add(outbox, "f-1", Priority.FINDING), add(outbox, "f-2", Priority.FINDING)
    assert seqs(outbox) == [first, second, result, state]
    assert [row.seq for row in outbox.waiting(without=[first], most=1)] == [second]
    assert [row.seq for row in outbox.waiting(without=[first], most=9, urgent_only=True)] == [second]


def test_a_newer_state_replaces_the_older_of_the_same_subject(outbox: Outbox) -> None:
    add(outbox, "d-1", Priority.STATE)
    other, newer = add(outbox, "d-2", Priority.STATE), add(outbox, "d-1", Priority.STATE)
    assert seqs(outbox) == [other, newer]
    assert outbox.superseded == 1
    assert len(outbox) == 2


def test_when_full_only_middle_revisions_make_way(outbox: Outbox) -> None:
    first, middle = add(outbox, "f-1", Priority.FINDING), add(outbox, "f-1", Priority.FINDING)
    other = add(outbox, "f-2", Priority.FINDING)
    assert not outbox.full
    result = add(outbox, "c-1", Priority.RESULT)
    assert outbox.full
    latest = add(outbox, "f-1", Priority.FINDING)
    assert sorted(seqs(outbox)) == [first, other, result, latest]
    assert middle not in seqs(outbox)
    beyond = add(outbox, "f-3", Priority.FINDING)
    assert beyond in seqs(outbox), "a finding is never dropped"
    assert len(outbox) == 5


def test_a_receipt_deletes_its_ranges_of_this_epoch(outbox: Outbox) -> None:
    numbers = [add(outbox, f"f-{n}", Priority.FINDING) for n in range(4)]
    epoch = outbox.waiting(without=(), most=1)[0].epoch
    assert outbox.received("ffffffff-other", 1, 100) == 0
    assert outbox.received(epoch, numbers[1], numbers[2]) == 2
    assert outbox.received(epoch, numbers[1], numbers[2]) == 0
    assert seqs(outbox) == [numbers[0], numbers[3]]
    assert len(outbox) == 2
    assert outbox.row(numbers[1]) is None
    assert outbox.holds(type_="finding", subject="f-0")
    assert not outbox.holds(type_="finding", subject="f-1")


def test_a_sequence_number_is_never_given_twice(outbox: Outbox) -> None:
    last = add(outbox, "f-1", Priority.FINDING)
    outbox.received(outbox.waiting(without=(), most=1)[0].epoch, 1, last)
    assert add(outbox, "f-2", Priority.FINDING) > last
