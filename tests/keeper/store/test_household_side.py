"""Bounds of the household's own tables."""

from __future__ import annotations

from appliance.keeper.store.database import Store
from appliance.keeper.store.household_side import DAY, MAX_CODES, MAX_FORMS, MAX_SHOWN, MAX_TOLD, Code, Shown


def test_the_oldest_shown_make_room_and_are_counted(store: Store) -> None:
    side = store.household_side
    with store.transaction():
        for number in range(MAX_SHOWN + 3):
            side.put_shown(Shown(device_id=f"d-{number}", sha256="0" * 64, shown=float(number)))
    left = {row.device_id for row in side.shown()}
    assert len(left) == MAX_SHOWN
    assert left.isdisjoint({"d-0", "d-1", "d-2"})
    assert side.overflow == 3


def test_notices_that_were_told_are_remembered_up_to_a_bound(store: Store) -> None:
    side = store.household_side
    with store.transaction():
        for number in range(MAX_TOLD + 1):
            side.put_told(f"{number:064x}", float(number))
    assert not side.told(f"{0:064x}")
    assert side.told(f"{1:064x}")
    assert store._db.table("notice_told").count == MAX_TOLD


def test_codes_that_ended_make_room(store: Store) -> None:
    side = store.household_side
    with store.transaction():
        for number in range(MAX_CODES):
            assert side.put_code(Code(device_id=f"d-{number}", sha256="0" * 64, expires=100.0), 0.0)
        assert not side.put_code(Code(device_id="d-more", sha256="0" * 64, expires=100.0), 0.0)
        assert side.put_code(Code(device_id="d-1", sha256="1" * 64, expires=100.0), 0.0)
        assert side.put_code(Code(device_id="d-more", sha256="0" * 64, expires=200.0), 100.0)
    assert store._db.table("own_code").count == 1


def test_forms_are_counted_for_a_day(store: Store) -> None:
    side = store.household_side
    with store.transaction():
        side.put_form("complaint", "d-1", 0.0)
        side.put_form("access", None, DAY / 2)
        assert side.forms(DAY / 2) == [("d-1", "complaint"), (None, "access")]
        assert side.forms(DAY + 1) == [(None, "access")]
        side.put_form("guest", "d-2", DAY + 1)
        assert store._db.table("form_sent").count == 2
        for number in range(MAX_FORMS + 5):
            side.put_form("guest", f"d-{number}", DAY + 2)
        assert len(side.forms(DAY + 2)) == MAX_FORMS


def test_no_column_holds_what_somebody_wrote(store: Store) -> None:
    tables = ("notice_shown", "notice_told", "guest_claim", "own_code", "form_sent")
    columns = {column.name for table in tables for column in store._db.table(table).columns}
    assert columns == {
        "device_id", "sha256", "shown", "read", "at", "visitor", "until", "expires", "wrong", "kind"
    }  # fmt: skip
