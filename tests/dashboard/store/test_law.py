from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import law, schema
from dashboard.store.law import count_requests, documents_of, keep_document


def _keep(engine: Engine, number: int, document: str) -> bool:
    with engine.begin() as connection:
        return keep_document(
            connection, site_id="site-1", authority_id="order-7", number=number, document=document, by="a", now=number
        )


@pytest.mark.req("R53")
def test_documents_are_kept_once_and_bounded(engine: Engine, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seed.site()
    monkeypatch.setattr(law, "MOST_DOCUMENTS", 2)
    assert _keep(engine, 1, "one")
    assert _keep(engine, 1, "one"), "again changes nothing"
    assert _keep(engine, 2, "two")
    assert not _keep(engine, 3, "three")
    with engine.begin() as connection:
        assert [row.number for row in documents_of(connection, "site-1")] == [2, 1]


@pytest.mark.req("N12")
def test_only_what_waits_for_an_answer_is_counted(engine: Engine, seed: Any) -> None:
    seed.site()
    row = {"site": "site-1", "proved": False, "text": "", "at": 1.0, "stored_at": 1.0, "note": ""}
    for name, kind, state in (("a", "guest", "open"), ("b", "guest", "answered"), ("c", "notice-read", "open")):
        seed._insert(schema.request, row | {"request_id": name, "kind": kind, "state": state})
    with engine.begin() as connection:
        assert count_requests(connection, "northmoor") == {"site-1": 1}
        assert count_requests(connection, "elsewhere") == {}
