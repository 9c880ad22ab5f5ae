from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine

from dashboard import auth
from dashboard.access import Role
from dashboard.store import installs, schema
from dashboard.store.installs import Adult, Claimed, Full, Key
from wire.claim import BoxCard, Label, code_digest, label_of
from wire.keys import public_text

NOW = 1_768_424_649.0
CODE = "ABCDEFGH23456789"
ID = "ab" * 16


@pytest.fixture
def by(engine: Engine) -> str:
    return auth.add_account(engine, name="officer-1", role=Role.OFFICER, now=0.0)


def card(site: str = "box-7", code: str = CODE) -> BoxCard:
    return BoxCard(
        tenant="northmoor",
        site=site,
        verify_key=public_text(Ed25519PrivateKey.generate()),
        seal_key=public_text(X25519PrivateKey.generate()),
        code_sha256=code_digest(site, code),
        made_at=datetime.fromtimestamp(NOW, UTC),
    )


def begin(engine: Engine, by: str, install_id: str = ID, **values: Any) -> None:
    whole: dict[str, Any] = {"tenant": "northmoor", "kind": "install", "reference": "NM-1", "site": None}
    with engine.begin() as connection:
        installs.start(connection, install_id, by=by, now=NOW, **(whole | values))


def claim(engine: Engine, label: Label, by: str) -> Claimed:
    with engine.begin() as connection:
        return installs.claim_box(connection, ID, label, tenant="northmoor", title="NM-1", by=by, now=NOW)


def test_a_box_in_stock_is_claimed_once(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = card()
    with engine.begin() as connection:
        installs.stock_box(connection, made, by=None, now=NOW)
    label = label_of(made, CODE)
    assert claim(engine, Label(site="box-7", fingerprint="0" * 16, code=CODE), by) is Claimed.UNKNOWN
    assert claim(engine, label_of(made, CODE[::-1]), by) is Claimed.WRONG
    assert claim(engine, label, by) is Claimed.DONE
    assert claim(engine, label, by) is Claimed.USED
    with engine.begin() as connection:
        box = installs.box_of(connection, "northmoor", "box-7")
        assert box is not None
        assert (box.verify_key, box.title, box.heard_at) == (made.verify_key, "NM-1", None)
        assert installs.box_of(connection, "elsewhere", "box-7") is None
        found = installs.install_of(connection, "northmoor", ID)
        assert found is not None
        assert found.site == "box-7"
        with pytest.raises(ValueError, match="in use"):
            installs.stock_box(connection, made, by=None, now=NOW)


def test_wrong_codes_lock_a_box_until_it_is_entered_anew(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = card()
    with engine.begin() as connection:
        installs.stock_box(connection, made, by=None, now=NOW)
    for _ in range(installs.MOST_TRIES):
        assert claim(engine, label_of(made, CODE[::-1]), by) is Claimed.WRONG
    assert claim(engine, label_of(made, CODE), by) is Claimed.LOCKED
    with engine.begin() as connection:
        installs.stock_box(connection, made, by=None, now=NOW)
    assert claim(engine, label_of(made, CODE), by) is Claimed.DONE


def test_stock_and_installations_have_a_most(engine: Engine, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installs, "MOST_STOCK", 1)
    monkeypatch.setattr(installs, "MOST_OPEN", 1)
    monkeypatch.setattr(installs, "MOST_ADULTS", 1)
    monkeypatch.setattr(installs, "MOST_KEYS", 1)
    with engine.begin() as connection:
        installs.stock_box(connection, card(), by=None, now=NOW)
        with pytest.raises(Full):
            installs.stock_box(connection, card("box-8"), by=None, now=NOW)
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
