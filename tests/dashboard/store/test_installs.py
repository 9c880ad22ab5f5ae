from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import installs, schema
from dashboard.store.installs import Adult, Full, Key

NOW = 1_768_424_649.0
ID = "ab" * 16


@pytest.fixture
def by(engine: Engine) -> str:
    return auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)


def begin(engine: Engine, by: str, install_id: str = ID, **values: Any) -> None:
    whole: dict[str, Any] = {"tenant": "northmoor", "kind": "install", "reference": "NM-1", "site": None}
    with engine.begin() as connection:
        installs.start(connection, install_id, by=by, now=NOW, **(whole | values))


def test_installations_have_a_most(engine: Engine, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installs, "MOST_OPEN", 1)
    monkeypatch.setattr(installs, "MOST_ADULTS", 1)
    monkeypatch.setattr(installs, "MOST_KEYS", 1)
    begin(engine, by)
    begin(engine, by)
    with pytest.raises(Full):
        begin(engine, by, "cd" * 16)
    with engine.begin() as connection:
        told = adult("adult-1")
        installs.add_adult(connection, ID, told, by=by, now=NOW)
        installs.add_adult(connection, ID, told, by=by, now=NOW)
        with pytest.raises(Full):
            installs.add_adult(connection, ID, adult("adult-2"), by=by, now=NOW)
        key = Key(key_id="card-1", purpose="device", label="phone", made_at=NOW)
        installs.add_keys(connection, ID, (key,), by=by, now=NOW)
        with pytest.raises(Full):
            installs.add_keys(connection, ID, (key,), by=by, now=NOW)
        assert installs.adults_of(connection, ID) == (told,)
        assert installs.keys_of(connection, ID) == (key,)


def adult(name: str) -> Adult:
    return Adult(
        adult_id=name,
        role="subject",
        kind="notice",
        language="en",
        explained=True,
        signed="declined",
        signature="",
        notice_sha256="0" * 64,
        given_at=NOW,
        confirm_by=None,
    )


def test_a_section_keeps_when_it_was_first_opened_and_done(engine: Engine, by: str) -> None:
    begin(engine, by)
    with engine.begin() as connection:
        installs.save_step(connection, ID, "never", None, by=by, now=NOW, done=False)
        installs.save_step(connection, ID, "never", None, by=by, now=NOW + 1, done=False)
        installs.save_step(connection, ID, "never", {"a": 1}, by=by, now=NOW + 60, done=True)
        installs.save_step(connection, ID, "never", {"a": 2}, by=by, now=NOW + 90, done=True)
        step = installs.steps_of(connection, ID)["never"]
        assert (step.opened_at, step.done_at, step.answers) == (NOW, NOW + 60, {"a": 2})
        installs.save_step(connection, ID, "never", {}, by=by, now=NOW + 99, done=False)
        assert installs.steps_of(connection, ID)["never"].done_at is None


def test_a_state_is_changed_by_one_of_two(engine: Engine, by: str) -> None:
    begin(engine, by)
    with engine.begin() as connection:
        found = installs.install_of(connection, "northmoor", ID)
        assert found is not None
        assert installs.change_state(connection, found, "pending", by=by, now=NOW + 5)
        assert not installs.change_state(connection, found, "done", by=by, now=NOW + 6)
        found = installs.install_of(connection, "northmoor", ID)
        assert found is not None
        assert (found.state, found.signed_at, found.closed_at) == ("pending", NOW + 5, None)
        assert installs.change_state(connection, found, "done", by=by, now=NOW + 9)
        found = installs.install_of(connection, "northmoor", ID)
        assert found is not None
        assert (found.signed_at, found.closed_at) == (NOW + 5, NOW + 9)


def test_the_list_has_ones_own_and_those_in_charge_of(engine: Engine, by: str) -> None:
    other = auth.add_account(engine, name="officer-2", role=Role.OFFICER, now=0.0)
    begin(engine, by)
    begin(engine, other, "cd" * 16)
    none = schema.site.c.site == "nothing"
    with engine.begin() as connection:
        mine = installs.installs(connection, "northmoor", within=none, by=by)
        every = installs.installs(connection, "northmoor", within=None, by=by)
    assert [item.install_id for item in mine] == [ID]
    assert len(every) == 2


@pytest.mark.req("R64")
def test_what_was_given_up_before_there_was_a_box_goes_in_time(engine: Engine, by: str) -> None:
    for install_id in (ID, "cd" * 16):
        begin(engine, by, install_id)
        with engine.begin() as connection:
            installs.save_step(connection, install_id, "start", {"other": False}, by=by, now=NOW, done=True)
    with engine.begin() as connection:
        found = installs.install_of(connection, "northmoor", ID)
        assert found is not None
        installs.change_state(connection, found, "given-up", by=by, now=NOW + 5)
        assert installs.forget_unclaimed(connection, "northmoor", before=NOW + 5) == 0
        assert installs.forget_unclaimed(connection, "elsewhere", before=NOW + 9) == 0
        assert installs.forget_unclaimed(connection, "northmoor", before=NOW + 9) == 1
        assert installs.install_of(connection, "northmoor", ID) is None
        assert installs.steps_of(connection, ID) == {}
        assert installs.install_of(connection, "northmoor", "cd" * 16) is not None
