"""Two accounts of which one had the other's sign-in code in hand are not two people."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import vouched
from dashboard.store.engine import reading

pytestmark = pytest.mark.req("R60", "N2")


def _apart(engine: Engine, one: str, other: str, now: float) -> bool:
    with reading(engine).connect() as connection:
        return vouched.are_apart(connection, one, other, now)


def test_who_made_a_code_for_the_other_is_not_a_second_person_for_a_while(engine: Engine, clock: Any) -> None:
    maker, made, third = (auth.add_account(engine, name=name, role=Role.OFFICER, now=0.0) for name in "abc")
    assert _apart(engine, maker, made, clock.at)
    auth.make_code(engine, name="b", now=clock.at, lifetime=60, by=maker)
    assert not _apart(engine, maker, made, clock.at)
    assert not _apart(engine, made, maker, clock.at)
    assert _apart(engine, maker, third, clock.at)
    assert _apart(engine, made, third, clock.at)
    assert _apart(engine, maker, made, clock.at + vouched.KEPT_SECONDS)


def test_nobody_is_apart_from_themselves_and_the_command_line_is_nobody(engine: Engine, clock: Any) -> None:
    one, other = (auth.add_account(engine, name=name, role=Role.OFFICER, now=0.0) for name in "ab")
    auth.make_code(engine, name="b", now=clock.at, lifetime=60)
    assert not _apart(engine, one, one, clock.at)
    assert _apart(engine, one, other, clock.at)
