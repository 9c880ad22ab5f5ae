from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from dashboard.store import schema
from dashboard.store.forgetting import as_signed, forget_device, lines_erased, without
from dashboard.store.visits import digest_of

WRONG, RIGHT = "dev-wrong", "dev-right"
CANARY = "canary-4c81"
RECORD: dict[str, Any] = {
    "lines": [
        {"number": 1, "device_id": RIGHT, "name": "Kitchen tablet", "state": "seen", "note": ""},
        {"number": 2, "device_id": WRONG, "name": CANARY, "state": "not-shown", "note": CANARY},
    ],
    "to_ask": [CANARY],
    "note": "In the officer's own words",
}


@pytest.fixture
def visited(seed: Any) -> Any:
    """Two signed visits that name the device, one of them long ago, and what another operator handed over."""
    seed.site()
    empty = {"present": [], "answers": {}, "found": [], "explained": []}
    for number, at in enumerate((100.0, 5000.0)):
        seed._insert(
            schema.visit,
            {
                "site": "site-1",
                "visit_id": f"visit-{number}",
                "state": "signed",
                "revision": 1,
                "by": "acc-1",
                "started_at": at,
                "question_set": 1,
                "saved_at": at,
                "outcome": "",
                "note": "",
                "own_words": "",
                "signed_at": at,
                "signed_name": "A. Officer",
                "record": RECORD,
                "digest": digest_of(RECORD),
                **empty,
            },
        )
        for place, device in enumerate((RIGHT, WRONG)):
            line = {"device_id": device, "number": place + 1, "state": "seen", "note": CANARY if place else ""}
            seed._insert(schema.visit_line, {"site": "site-1", "visit_id": f"visit-{number}", **line})
    parts: list[tuple[str, dict[str, Any]]] = [
        ("finding", {"finding_id": "f-1", "payload": {"device_id": WRONG, "reasons": [CANARY]}}),
        ("finding", {"finding_id": "f-2", "payload": {"device_id": RIGHT, "reasons": [f"beside {WRONG}"]}}),
        ("review", {"finding_id": "f-1", "reason": CANARY}),
        ("review", {"finding_id": "f-2", "reason": "Explained"}),
        ("visit", {"visit_id": "v-0", "record": RECORD, "digest": digest_of(RECORD)}),
    ]
    for number, (part, body) in enumerate(parts):
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        row = {"site": "site-1", "pack_id": "pack-1", "part": part, "number": number, "at": 5000.0, "text": text}
        seed._insert(schema.history, row)
    return seed


def _forget(engine: Engine, **span: float) -> int:
    with engine.begin() as connection:
        return forget_device(connection, site_id="site-1", device_id=WRONG, **({"since": 0.0, "until": 9e9} | span))


@pytest.mark.req("R65")
def test_a_device_is_gone_from_roll_calls_and_handed_over_history(visited: Any, engine: Engine) -> None:
    assert _forget(engine) == 2 + 2 + 3
    assert _forget(engine) == 0
    for row in visited.rows(schema.visit):
        assert CANARY not in json.dumps(row["record"])
        assert [line.get("device_id") for line in row["record"]["lines"]] == [RIGHT, None]
        assert row["record"]["note"] == RECORD["note"]
        assert as_signed(row["record"], row["digest"])
        assert lines_erased(row["record"]) == 1
    assert {row["device_id"] for row in visited.rows(schema.visit_line)} == {RIGHT}
    left = {(row["part"], row["number"]): row["text"] for row in visited.rows(schema.history)}
    assert set(left) == {("finding", 1), ("review", 3), ("visit", 4)}
    assert CANARY not in left["visit", 4]
    path = Path(str(engine.url.database))
    assert CANARY.encode() not in b"".join(item.read_bytes() for item in path.parent.glob(f"{path.name}*"))


@pytest.mark.usefixtures("visited")
def test_what_is_of_another_time_or_home_stays(engine: Engine) -> None:
    assert _forget(engine, since=0.0, until=50.0) == 0
    assert _forget(engine, since=0.0, until=200.0) == 2
    with engine.begin() as connection:
        assert forget_device(connection, site_id="site-2", device_id=WRONG, since=0.0, until=9e9) == 0
        records = connection.execute(select(schema.visit.c.record).order_by(schema.visit.c.visit_id)).scalars().all()
    assert [CANARY in json.dumps(record) for record in records] == [False, True]


def test_a_record_that_was_changed_by_somebody_is_told_from_one_that_was_erased_from() -> None:
    erased = without(RECORD, WRONG)
    assert erased is not None
    assert as_signed(erased, digest_of(RECORD))
    assert not as_signed(erased | {"note": "Another"}, digest_of(RECORD))
    assert not as_signed(RECORD | {"note": "Another"}, digest_of(RECORD))
    again = without(erased, RIGHT)
    assert again is not None
    assert lines_erased(again) == 2
    assert without(RECORD, "dev-other") is None
    assert without({"lines": "none"}, WRONG) is None
