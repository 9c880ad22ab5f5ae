"""The ledger of a real box against a real server: what is recorded is signed for, confirmed, and the same at both ends."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lab.service import wait_until
from lab.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.req("R68")
@pytest.mark.req("N4")
def test_an_alert_is_signed_for_and_confirmed_at_once(stack: Stack) -> None:
    stack.join("unregistered-phone")

    def alert() -> int | None:
        ((position,),) = rows(stack.keeper_database, "select min(n) from ledger where kind = 'finding'")
        return None if position is None else int(position)

    wait_until(lambda: alert() is not None, what="a finding in the ledger", seconds=60, pause=0.5)
    confirmed = f"select size from ledger_head where cosignature is not null and size > {alert()}"  # noqa: S608 - a number
    wait_until(lambda: bool(rows(stack.keeper_database, confirmed)), what="a confirmed head", seconds=30, pause=0.5)
    here = rows(stack.keeper_database, "select size, lower(hex(root)) from ledger_head where cosignature is not null")
    there = rows(stack.database, "select size, root from ledger_head where verdict = 'cosigned'")
    assert set(here) <= set(there)
    assert rows(stack.database, "select count(*) from ledger_seed") == [(1,)]
    assert rows(stack.database, "select 1 from finding where kind = 'ledger-conflict'") == []
    kinds = dict(rows(stack.keeper_database, "select kind, count(*) from ledger group by kind"))
    assert kinds["coverage"] >= 2
