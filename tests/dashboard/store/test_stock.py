from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, insert

from dashboard import auth
from dashboard.access import Role
from dashboard.store import installs, schema, stock
from dashboard.store.installs import Full
from dashboard.store.stock import Claimed
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


def begin(engine: Engine, by: str, install_id: str = ID) -> None:
    with engine.begin() as connection:
        installs.start(
            connection, install_id, tenant="northmoor", kind="install", reference="NM-1", site=None, by=by, now=NOW
        )


def claim(engine: Engine, label: Label, by: str, install_id: str = ID) -> Claimed:
    with engine.begin() as connection:
        return stock.claim_box(connection, install_id, label, tenant="northmoor", title="NM-1", by=by, now=NOW)


def test_a_box_in_stock_is_claimed_once(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = card()
    with engine.begin() as connection:
        stock.stock_box(connection, made, by=None, now=NOW)
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
            stock.stock_box(connection, made, by=None, now=NOW)


def test_wrong_codes_lock_a_box_until_it_is_entered_anew(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = card()
    with engine.begin() as connection:
        stock.stock_box(connection, made, by=None, now=NOW)
    for _ in range(stock.MOST_TRIES):
        assert claim(engine, label_of(made, CODE[::-1]), by) is Claimed.WRONG
    assert claim(engine, label_of(made, CODE), by) is Claimed.LOCKED
    with engine.begin() as connection:
        stock.stock_box(connection, made, by=None, now=NOW)
    assert claim(engine, label_of(made, CODE), by) is Claimed.DONE


def test_an_installation_takes_one_box_and_the_other_stays_in_stock(engine: Engine, by: str) -> None:
    begin(engine, by)
    begin(engine, by, "cd" * 16)
    first, second = card(), card("box-8")
    with engine.begin() as connection:
        for made in (first, second):
            stock.stock_box(connection, made, by=None, now=NOW)
    assert claim(engine, label_of(first, CODE), by) is Claimed.DONE
    assert claim(engine, label_of(second, CODE), by) is Claimed.OTHER
    assert claim(engine, label_of(second, CODE), by, "cd" * 16) is Claimed.DONE


def test_a_box_that_came_into_use_by_another_way_is_not_claimed(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = card()
    with engine.begin() as connection:
        stock.stock_box(connection, made, by=None, now=NOW)
        values = {"verify_key": made.verify_key, "seal_key": made.seal_key}
        connection.execute(insert(schema.site).values(site="box-7", tenant="northmoor", title="X", **values))
    assert claim(engine, label_of(made, CODE), by) is Claimed.USED


def test_the_stock_has_a_most(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "MOST_STOCK", 1)
    with engine.begin() as connection:
        stock.stock_box(connection, card(), by=None, now=NOW)
        with pytest.raises(Full):
            stock.stock_box(connection, card("box-8"), by=None, now=NOW)


def test_boxes_that_wait_are_listed_and_taken_out(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = [card("box-1"), card("box-2")]
    with engine.begin() as connection:
        for number, one in enumerate(made):
            stock.stock_box(connection, one, by=None, now=NOW + number)
        assert [item.site for item in stock.waiting(connection, "northmoor")] == ["box-2", "box-1"]
        assert [item.site for item in stock.waiting(connection, "northmoor", start=1)] == ["box-1"]
        assert stock.count_waiting(connection, "another") == 0
        assert not stock.remove(connection, "another", "box-1", by=by, now=NOW)
        assert stock.remove(connection, "northmoor", "box-1", by=by, now=NOW)
        assert stock.count_waiting(connection, "northmoor") == 1
    assert claim(engine, label_of(made[1], CODE), by) is Claimed.DONE
    with engine.begin() as connection:
        assert stock.count_waiting(connection, "northmoor") == 0
        assert not stock.remove(connection, "northmoor", "box-2", by=by, now=NOW), "it is a household's"


def test_a_box_is_entered_again_only_with_its_own_keys_and_not_revoked(engine: Engine, by: str) -> None:
    begin(engine, by)
    made = card()
    with engine.begin() as connection:
        stock.stock_box(connection, made, by=None, now=NOW)
    assert claim(engine, label_of(made, CODE), by) is Claimed.DONE
    with engine.begin() as connection:
        with pytest.raises(ValueError, match="no household has"):
            stock.reopen(connection, card(), by=by, now=NOW)
        for at in (NOW, NOW + 1):
            stock.reopen(connection, made, by=by, now=at)
        assert connection.execute(schema.box_access.select()).one().reopened_at == NOW + 1
        connection.execute(schema.site.update().values(revoked_at=NOW))
        with pytest.raises(ValueError, match="revoked"):
            stock.reopen(connection, made, by=by, now=NOW)
