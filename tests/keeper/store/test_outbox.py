from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.keeper.store import outbox as module
from appliance.keeper.store.database import Store
from appliance.keeper.store.outbox import Dropped, Outbox, Priority


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


@pytest.mark.req("R69")
def test_the_lowest_class_makes_way_first_and_the_oldest_of_it(outbox: Outbox) -> None:
    finding = add(outbox, "f-1", Priority.FINDING)
    head = add(outbox, "head", Priority.LEDGER)
    state = add(outbox, "d-1", Priority.STATE)
    bulk = add(outbox, "b-1", Priority.RECORD)
    newer = add(outbox, "b-2", Priority.RECORD)
    assert seqs(outbox) == [finding, head, state, newer], "the older bulk made way"
    result = add(outbox, "c-1", Priority.RESULT)
    assert seqs(outbox) == [finding, result, head, state]
    second = add(outbox, "f-2", Priority.FINDING)
    assert seqs(outbox) == [finding, second, result, head], "then states"
    assert outbox.take_dropped() == (
        Dropped(priority=Priority.STATE, count=1, first_seq=state, last_seq=state, since=1.0, until=1.0),
        Dropped(priority=Priority.RECORD, count=2, first_seq=bulk, last_seq=newer, since=1.0, until=1.0),
    )
    assert outbox.take_dropped() == (), "said once"
    assert outbox.dropped == 3


@pytest.mark.req("R69")
def test_findings_are_never_dropped(outbox: Outbox) -> None:
    """What they can take is bounded: of each the first and the latest, and their number by the findings' own bound."""
    first, middle = add(outbox, "f-1", Priority.FINDING), add(outbox, "f-1", Priority.FINDING)
    others = [add(outbox, f"f-{n}", Priority.FINDING) for n in range(2, 6)]
    assert outbox.over
    latest = add(outbox, "f-1", Priority.FINDING)
    assert sorted(seqs(outbox)) == sorted([first, *others, latest])
    assert middle not in seqs(outbox)
    assert outbox.take_dropped() == ()
    assert outbox.superseded == 1


@pytest.mark.req("R69")
def test_the_quota_is_in_octets_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "keeper.db", outbox_octets=64 * 1024)
    with store.transaction():
        for number in range(100):
            add(store.outbox, f"b-{number}", Priority.RECORD, body="x" * 1000)
            assert store.outbox.octets <= 64 * 1024
    kept = [row.seq for row in store.outbox.after(Priority.RECORD, 0, most=1000)]
    assert kept == list(range(101 - len(kept), 101)), "the newest are kept"
    assert len(kept) in (51, 52), "and the quota is used but for one portion"
    (dropped,) = store.outbox.take_dropped()
    assert (dropped.count, dropped.first_seq, dropped.last_seq) == (100 - len(kept), 1, 100 - len(kept))
    counts = (len(store.outbox), store.outbox.octets)
    store.close()
    again = Store(tmp_path / "keeper.db")
    assert (len(again.outbox), again.outbox.octets) == counts, "counted anew, the same"
    again.close()


def test_a_step_drops_no_more_than_its_portion(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        add(outbox, f"b-{number}", Priority.RECORD)
    monkeypatch.setattr(module, "PORTION_ROWS", 3)
    assert outbox.make_room(module.MAX_OCTETS) == 3
    assert outbox.make_room(module.MAX_OCTETS) == 1
    assert outbox.make_room(module.MAX_OCTETS) == 0


@pytest.mark.req("R69", "N3")
def test_with_room_for_nothing_else_findings_answers_and_heads_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "keeper.db")
    spared: list[str] = []
    outbox = Outbox(store._db, epoch="e", spares=lambda what: not spared.append(what))
    with store.transaction():
        kept = [add(outbox, "x", priority) for priority in (Priority.FINDING, Priority.RESULT, Priority.LEDGER)]
        assert [add(outbox, "x", priority) for priority in (Priority.STATE, Priority.RECORD)] == [0, 0]
    assert seqs(outbox) == kept
    assert spared == ["state", "record"]
    store.close()


def test_a_full_disk_sheds_bulk_first_and_never_the_ledger(outbox: Outbox) -> None:
    add(outbox, "h", Priority.LEDGER)
    add(outbox, "d-1", Priority.STATE)
    add(outbox, "b-1", Priority.RECORD)
    assert [outbox.shed() for _ in range(3)] == [1, 1, 0]
    assert [item.priority for item in outbox.take_dropped()] == [Priority.STATE, Priority.RECORD]


def test_cursors_and_sizes(outbox: Outbox) -> None:
    numbers = [add(outbox, f"f-{n}", Priority.FINDING, body="x" * 744) for n in range(4)]
    assert [row.seq for row in outbox.after(Priority.FINDING, numbers[1], most=9)] == numbers[2:]
    assert [row.seq for row in outbox.after(Priority.FINDING, 0, most=9, octets=2_500)] == numbers[:2]
    assert [row.seq for row in outbox.after(Priority.FINDING, 0, most=9, octets=1)] == numbers[:1], "one at least"
    assert outbox.after(Priority.STATE, 0, most=9) == []
    found = outbox.waiting(without={numbers[0]}, most=9, octets=2_500)
    assert [row.seq for row in found] == numbers[1:3]


def test_a_state_of_another_class_can_replace_too(outbox: Outbox) -> None:
    for _ in range(2):
        newest = outbox.add(type_="head", subject="", body="{}", priority=Priority.LEDGER, created=1.0, supersede=True)
    assert seqs(outbox) == [newest]
    assert outbox.forget(type_="head", subject="") == 1
    assert len(outbox) == outbox.octets == 0


def test_what_is_rolled_back_is_not_counted(tmp_path: Path) -> None:
    store = Store(tmp_path / "keeper.db", outbox_limit=2)

    def fails() -> None:
        with store.transaction():
            for number in range(3):
                add(store.outbox, f"b-{number}", Priority.RECORD)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fails()
    assert (len(store.outbox), store.outbox.octets, store.outbox.take_dropped()) == (0, 0, ())
    store.close()


def test_what_waits_is_found_by_index_alone(outbox: Outbox) -> None:
    for statement in (
        "select count(*), total(octets) from outbox",
        "select seq, octets from outbox order by priority, seq",
        "select seq, octets from outbox where priority = 4 and seq > 7 order by seq limit 9",
    ):
        plan = str(outbox._db.execute(f"explain query plan {statement}").fetchall())
        assert "COVERING INDEX outbox_order" in plan
        assert "TEMP B-TREE" not in plan


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
