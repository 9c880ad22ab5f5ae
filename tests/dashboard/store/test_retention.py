"""What is due is erased, what is held or still due is not, and what is erased is gone from the file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, insert, update

from dashboard import auth
from dashboard.access import Role
from dashboard.store import retention, schema
from dashboard.store.cases import Risk, keep_person
from dashboard.store.law import keep_document
from dashboard.store.retention import erase_confirmed, purge
from dashboard.store.schedule import DAY, schedule_of
from wire.authority import Authority, sign

NOW = 1_900_000_000.0
CANARY = "canary-7f31c0"

pytestmark = pytest.mark.req("N17")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _purge(engine: Engine, now: float = NOW) -> bool:
    with engine.begin() as connection:
        return purge(connection, tenant="northmoor", now=now)


def _event(
    seed: Any, number: int, *, at: float, kind: str = "device", device_id: str = "dev-1", label: str = CANARY
) -> None:
    row = {
        "source": "urn:gatehouse:northmoor:site-1",
        "id": f"e-{number}",
        "site": "site-1",
        "type": f"gatehouse.{kind}.v1",
        "digest": "0" * 64,
        "received_at": at,
        "payload": {"device_id": device_id, "label": label},
    }
    seed._insert(schema.event, row)


def _command(engine: Engine, body: dict[str, Any], **values: Any) -> None:
    with engine.begin() as connection:
        by = connection.execute(schema.account.select()).first()
    account = by.account_id if by else auth.add_account(engine, name="officer", role=Role.OFFICER, now=0.0)
    row = {
        "command_id": f"c-{body['action']}",
        "site": "site-1",
        "body": body,
        "reason": "Case",
        "by": account,
        "created_at": NOW - DAY,
        "expires_at": NOW,
        "state": "applied",
        "answered_at": NOW - 60,
    }
    with engine.begin() as connection:
        connection.execute(insert(schema.command).values(**(row | values)))


def _ids(seed: Any, table: Any, column: str) -> set[str]:
    return {row[column] for row in seed.rows(table)}


@pytest.fixture
def old(seed: Any) -> Any:
    """One of each that is due, one of each that is not."""
    seed.site()
    for name, age in (("old", 200.0), ("new", 10.0)):
        at = NOW - age * DAY
        seed.device(f"d-{name}", last_seen=at)
        seed.stay(f"s-{name}", started=at - 60, ended=at)
        seed.finding(f"f-{name}", state="closed", raised_at=at, device_id=f"d-{name}")
        seed.finding(f"open-{name}", raised_at=at, device_id=f"d-{name}")
        seed.proposal(f"p-{name}", state="refused", raised_at=at)
    _event(seed, 1, at=NOW - 100 * DAY)
    _event(seed, 2, at=NOW - 10 * DAY)
    _event(seed, 3, at=NOW - 100 * DAY, kind="finding")
    return seed


def test_what_is_due_goes_and_the_audit_says_how_much_and_not_what(engine: Engine, old: Any) -> None:
    assert not _purge(engine)
    assert _ids(old, schema.device, "device_id") == {"d-new"}
    assert _ids(old, schema.stay, "session_id") == {"s-new"}
    assert _ids(old, schema.finding, "finding_id") == {"f-new", "open-old", "open-new"}
    assert _ids(old, schema.proposal, "proposal_id") == {"p-new"}
    events = {row["id"]: (row["type"], row["payload"]) for row in old.rows(schema.event)}
    assert events["e-1"] == (retention.ERASED, {}), "its id stays, so that a repetition is not news"
    assert events["e-2"][1]
    assert events["e-3"][1], "a finding's time is longer"
    (line,) = old.rows(schema.audit)
    assert line["action"] == "erase"
    assert "d-old" not in line["subject"]
    assert not _purge(engine)
    assert len(old.rows(schema.audit)) == 1, "nothing more is due"


def test_a_hold_keeps_what_it_names(engine: Engine, old: Any) -> None:
    span = {"since": _iso(NOW - 300 * DAY), "until": _iso(NOW - 50 * DAY), "review": _iso(NOW + DAY)}
    _command(engine, {"action": "set-hold", "hold_id": "h-1", "reason": "Case", "device_id": "d-old", **span})
    _purge(engine)
    assert "f-old" in _ids(old, schema.finding, "finding_id")
    assert "d-old" in _ids(old, schema.device, "device_id")
    assert "s-old" not in _ids(old, schema.stay, "session_id"), "that is another device's"
    _command(engine, {"action": "end-hold", "hold_id": "h-1"})
    _purge(engine)
    assert "f-old" not in _ids(old, schema.finding, "finding_id")


def test_a_hold_that_was_ended_and_set_again_holds(engine: Engine, old: Any) -> None:
    span = {"since": _iso(NOW - 300 * DAY), "until": _iso(NOW - 50 * DAY), "review": _iso(NOW + DAY)}
    hold = {"action": "set-hold", "hold_id": "h-1", "reason": "Case", "device_id": "d-old", **span}
    _command(engine, hold, command_id="c-1", answered_at=NOW - 300)
    _command(engine, {"action": "end-hold", "hold_id": "h-1"}, command_id="c-2", answered_at=NOW - 200)
    # Asked for before the end, and confirmed by the second person after it.
    _command(engine, hold, command_id="c-3", created_at=NOW - 2 * DAY, answered_at=NOW - 100)
    _purge(engine)
    assert "f-old" in _ids(old, schema.finding, "finding_id")
    sooner = hold | {"review": _iso(NOW - 1)}
    _command(engine, sooner, command_id="c-4", answered_at=NOW - 50)
    _purge(engine)
    assert "f-old" not in _ids(old, schema.finding, "finding_id"), "the last that was said counts"


def test_a_hold_that_nobody_reviewed_is_over(engine: Engine, old: Any) -> None:
    span = {"since": _iso(NOW - 300 * DAY), "until": _iso(NOW), "review": _iso(NOW - 1)}
    _command(engine, {"action": "set-hold", "hold_id": "h-1", "reason": "Case", **span})
    _purge(engine)
    assert "f-old" not in _ids(old, schema.finding, "finding_id")


def test_a_purge_is_bounded_and_says_that_more_is_due(
    engine: Engine, old: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10, 15):
        _event(old, number, at=NOW - 100 * DAY)
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    assert _purge(engine)
    assert _purge(engine)
    assert not _purge(engine)


def _document(**values: Any) -> Authority:
    at = datetime.fromtimestamp(NOW - 100 * DAY, UTC)
    row: dict[str, Any] = {
        "id": "order-7",
        "number": 1,
        "kind": "order",
        "reference": "REF-7",
        "purpose": "detect",
        "tenant": "northmoor",
        "site": "site-1",
        "responsible_officer": "OM-12",
        "issued_at": at,
        "not_before": at,
        "not_after": datetime.fromtimestamp(NOW + DAY, UTC),
        "review_date": at,
        "clauses": [{"number": "1", "kind": "register"}],
    }
    return Authority.model_validate(row | values)


def test_the_document_in_force_says_how_long_and_not_what_one_person_handed_in(engine: Engine, old: Any) -> None:
    assert schedule_of(None, NOW).presence == NOW - 90 * DAY
    assert schedule_of(_document(), NOW).presence == NOW - 180 * DAY
    own = _document(retention=[{"data_class": "presence", "days": 5}, {"data_class": "list_hits", "days": 6}])
    assert (schedule_of(own, NOW).presence, schedule_of(own, NOW).findings) == (NOW - 5 * DAY, NOW - 6 * DAY)
    signed = sign(own, Ed25519PrivateKey.generate()).model_dump_json(exclude_none=True)
    with engine.begin() as connection:
        assert keep_document(
            connection, site_id="site-1", authority_id="order-7", number=1, document=signed, by="x", now=NOW
        )
    _purge(engine)
    assert "f-new" in _ids(old, schema.finding, "finding_id"), "nobody agreed to it"
    _command(engine, {"action": "set-authority", "document": signed}, second="somebody-else")
    _purge(engine)
    assert _ids(old, schema.finding, "finding_id") == {"open-old", "open-new"}


def test_a_document_that_waits_for_its_day_does_not_count_yet(engine: Engine, old: Any) -> None:
    later = datetime.fromtimestamp(NOW + DAY, UTC)
    own = _document(
        not_before=later,
        not_after=datetime.fromtimestamp(NOW + 9 * DAY, UTC),
        retention=[{"data_class": "list_hits", "days": 6}],
    )
    signed = sign(own, Ed25519PrivateKey.generate()).model_dump_json(exclude_none=True)
    _command(engine, {"action": "set-authority", "document": signed}, second="somebody-else")
    _purge(engine)
    assert "f-new" in _ids(old, schema.finding, "finding_id")


def test_long_after_the_end_nothing_of_devices_is_left_open_or_not(engine: Engine, old: Any) -> None:
    old.stay("s-open", started=NOW - 2 * DAY)
    old.proposal("p-open", raised_at=NOW - DAY)
    old.finding("box", device_id=None, kind="box-silent")
    over = _document(not_after=datetime.fromtimestamp(NOW - 91 * DAY, UTC))
    signed = sign(over, Ed25519PrivateKey.generate()).model_dump_json(exclude_none=True)
    _command(engine, {"action": "set-authority", "document": signed}, second="somebody-else")
    _purge(engine)
    for table in (schema.device, schema.stay, schema.proposal):
        assert old.rows(table) == []
    assert _ids(old, schema.finding, "finding_id") == {"box"}


def test_a_stay_that_never_ended_goes_with_its_device(engine: Engine, old: Any) -> None:
    old.stay("s-gone", device_id="d-old", started=NOW - 200 * DAY)
    old.stay("s-here", device_id="d-new", started=NOW - 200 * DAY)
    _purge(engine)
    assert _ids(old, schema.stay, "session_id") == {"s-new", "s-here"}


def test_many_orders_about_holds_do_not_push_one_out(engine: Engine, old: Any) -> None:
    span = {"since": _iso(NOW - 300 * DAY), "until": _iso(NOW), "review": _iso(NOW + DAY)}
    _command(engine, {"action": "set-hold", "hold_id": "h-1", "reason": "Case", **span}, created_at=NOW - 9 * DAY)
    for number in range(60):
        body = {"action": "end-hold", "hold_id": f"other-{number}"}
        _command(engine, body, command_id=f"c-{number}")
    _purge(engine)
    assert "f-old" in _ids(old, schema.finding, "finding_id")


def test_what_a_row_held_before_it_was_changed_is_gone_too(engine: Engine, old: Any) -> None:
    before = "canary-before-44c1"
    old.finding("f-changed", device_id="d-old", state="closed", reasons=[before * 40], raised_at=NOW - 200 * DAY)
    with engine.begin() as connection:
        same = schema.finding.c.finding_id == "f-changed"
        connection.execute(update(schema.finding).where(same).values(payload={"reasons": ["After"]}))
    _purge(engine)
    path = Path(str(engine.url.database))
    assert before.encode() not in b"".join(item.read_bytes() for item in path.parent.glob(f"{path.name}*"))


@pytest.mark.req("R65")
def test_what_came_late_of_an_erased_time_is_erased_by_what_it_speaks_of(engine: Engine, old: Any) -> None:
    for number, seen in ((21, NOW - 20 * DAY), (22, NOW - 2 * DAY)):
        _event(old, number, at=NOW - DAY / 2, device_id="d-new")
        payload = {"device_id": "d-new", "first_seen": _iso(seen - 60), "last_seen": _iso(seen)}
        with engine.begin() as connection:
            connection.execute(update(schema.event).where(schema.event.c.id == f"e-{number}").values(payload=payload))
    span = {"since": _iso(NOW - 21 * DAY), "until": _iso(NOW - 19 * DAY)}
    _command(engine, {"action": "erase-records", "device_id": "d-new", "reason": "Mistake", **span})
    with engine.begin() as connection:
        assert erase_confirmed(connection, tenant="northmoor", now=NOW, answered_since=NOW) == 0
        assert erase_confirmed(connection, tenant="northmoor", now=NOW) == 1
    types = {row["id"]: row["type"] for row in old.rows(schema.event)}
    assert types["e-21"] == retention.ERASED
    assert types["e-22"] != retention.ERASED


def test_after_the_authority_has_ended_all_of_devices_goes(engine: Engine) -> None:
    over = _document(not_after=datetime.fromtimestamp(NOW - 91 * DAY, UTC))
    assert schedule_of(over, NOW).presence == NOW
    assert schedule_of(over, NOW - 2 * DAY).presence < NOW - 100 * DAY
    assert engine.dialect.name == "sqlite"
    back = _document(
        not_after=datetime.fromtimestamp(NOW, UTC), withdrawn_at=datetime.fromtimestamp(NOW - 91 * DAY, UTC)
    )
    assert schedule_of(back, NOW).ended, "a document that was withdrawn has ended then"
    assert not schedule_of(back, NOW - 2 * DAY).ended


@pytest.mark.req("R65")
def test_what_the_box_erased_at_an_officers_word_is_erased_here_and_gone_from_the_file(
    engine: Engine, old: Any
) -> None:
    wrong = "canary-wrong-91d2"
    old.finding("f-wrong", device_id="d-new", reasons=[wrong], raised_at=NOW - 3 * DAY)
    _event(old, 9, at=NOW - 3 * DAY, device_id="d-new", label=wrong)
    path = Path(str(engine.url.database))
    assert wrong.encode() in path.read_bytes()
    _command(engine, {"action": "erase-records", "device_id": "d-new", "reason": "Mistake"}, device_id="d-new")
    with engine.begin() as connection:
        assert erase_confirmed(connection, tenant="northmoor", now=NOW) > 0
        assert erase_confirmed(connection, tenant="northmoor", now=NOW) == 0
    assert "f-wrong" not in _ids(old, schema.finding, "finding_id")
    left = b"".join(item.read_bytes() for item in path.parent.glob(f"{path.name}*"))
    assert wrong.encode() not in left
    assert CANARY.encode() in left, "what is not due stays"


def test_notes_go_with_the_decisions_and_gaps_with_the_box(seed: Any, engine: Engine) -> None:
    seed.site()
    by = auth.add_account(engine, name="officer", role=Role.OFFICER, now=0.0)
    for name, at in (("old", NOW - 731 * DAY), ("new", NOW - 729 * DAY)):
        row = {"note_id": name, "site": "site-1", "by": by, "agency": "Probation", "heading": "", "text": CANARY}
        seed._insert(schema.note, row | {"at": at})
        seed._insert(schema.gap, {"site": "site-1", "started": at - 60, "ended": at, "cause": "sensor-away"})
    seed._insert(schema.gap, {"site": "site-1", "started": 1.0, "ended": None, "cause": "keeper-away"})
    _purge(engine)
    assert _ids(seed, schema.note, "note_id") == {"new"}
    assert {row["started"] for row in seed.rows(schema.gap)} == {NOW - 729 * DAY - 60, 1.0}


@pytest.mark.req("R64")
def test_who_a_household_was_about_goes_when_nothing_that_was_decided_is_kept(seed: Any, engine: Engine) -> None:
    document = _document(not_after=datetime.fromtimestamp(NOW, UTC))
    assert [schedule_of(document, NOW + days * DAY).over for days in (729, 731)] == [False, True]
    assert not schedule_of(None, NOW).over
    seed.site()
    values: dict[str, Any] = {
        "reference": "NM/1",
        "name": None,
        "risk": Risk.LOW,
        "review_days": None,
        "revision": 0,
        "by": "account-1",
    }
    with engine.begin() as connection:
        keep_person(connection, tenant="northmoor", site_id="site-1", now=NOW - 731 * DAY, **values)
    _purge(engine)
    assert (len(seed.rows(schema.person)), seed.rows(schema.person_change)) == (1, [])
