from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, update

from dashboard import auth
from dashboard.access import Role
from dashboard.ingest.rounds import Rounds
from dashboard.store import schema, wifi
from dashboard.store.wifi import AT_ONCE, MOST_ENDED, MOST_KEYS, MOST_TRIES, Full, Made

SEALED = "A" * 64


@pytest.fixture
def by(engine: Engine) -> str:
    return auth.add_account(engine, name="officer", role=Role.OFFICER, now=0.0)


@pytest.fixture
def home(seed: Any, by: str) -> Callable[..., None]:
    """Enters a Wi-Fi with the home's own passphrase and a card."""
    assert by
    seed.site()

    def enter(*names: str) -> None:
        with seed.engine.begin() as connection:
            wifi.save_wifi(connection, "site-1", ssid="Home", by=by, now=seed.clock.at)
            for name in names:
                made = Made(key_id=name, sealed=SEALED, purpose="device", label=name)
                wifi.add_key(connection, "site-1", made, by=by, now=seed.clock.at)

    return enter


def _send(seed: Any) -> list[str]:
    """What boxes are told now."""
    before = {row["command_id"] for row in seed.rows(schema.command)}
    with seed.engine.begin() as connection:
        wifi.send(connection, tenant="northmoor", now=seed.clock.at)
    new = [row for row in seed.rows(schema.command) if row["command_id"] not in before]
    return sorted(row["body"]["action"] + ":" + row["body"].get("key_id", "") for row in new)


def _heard(seed: Any, at: float | None) -> None:
    with seed.engine.begin() as connection:
        connection.execute(update(schema.site).values(heard_at=at))


def _answered(seed: Any, state: str) -> None:
    with seed.engine.begin() as connection:
        latest = schema.command.c.state == "waiting"
        connection.execute(update(schema.command).where(latest).values(state=state))


@pytest.mark.req("R2", "N9")
def test_a_box_is_told_when_it_is_there_and_again_where_that_was_lost(seed: Any, home: Callable[..., None]) -> None:
    home("card-1")
    _heard(seed, None)
    assert _send(seed) == [], "it is given all of it when it enrols"
    _heard(seed, seed.clock.at)
    assert _send(seed) == ["set-network:", "set-passphrase:card-1"]
    assert _send(seed) == []
    _answered(seed, "unanswered")
    seed.clock.at += wifi.HEARD_WITHIN + 1
    assert _send(seed) == [], "it is away"
    _heard(seed, seed.clock.at)
    assert _send(seed) == ["set-network:", "set-passphrase:card-1"]
    _answered(seed, "applied")
    assert _send(seed) == []
    body = next(row["body"] for row in seed.rows(schema.command) if row["body"]["action"] == "set-passphrase")
    assert body == {"action": "set-passphrase", "key_id": "card-1", "sealed": SEALED, "purpose": "device"}


@pytest.mark.req("N9")
def test_an_end_is_told_until_the_box_has_followed_and_the_sealed_passphrase_goes(
    seed: Any, home: Callable[..., None], by: str
) -> None:
    home("card-1")
    _heard(seed, seed.clock.at)
    _send(seed)
    _answered(seed, "applied")
    with seed.engine.begin() as connection:
        assert wifi.end_key(connection, "site-1", "card-1", by=by, now=seed.clock.at)
        assert not wifi.end_key(connection, "site-1", "card-1", by=by, now=seed.clock.at)
        assert wifi.keys_of(connection, "site-1") == ()
        (ended,) = wifi.keys_of(connection, "site-1", ended=True)
    assert (ended.sealed, ended.end_state) == (None, None)
    assert _send(seed) == ["end-passphrase:card-1"]
    _answered(seed, "expired")
    assert _send(seed) == ["end-passphrase:card-1"]
    _answered(seed, "applied")
    assert _send(seed) == []


def test_a_box_that_refuses_is_not_asked_for_ever(seed: Any, home: Callable[..., None]) -> None:
    home("card-1")
    _heard(seed, seed.clock.at)
    for _ in range(MOST_TRIES):
        assert "set-passphrase:card-1" in _send(seed)
        _answered(seed, "unanswered")
    assert _send(seed) == []
    home("card-1")  # made anew
    assert "set-passphrase:card-1" in _send(seed)
    _answered(seed, "refused")
    assert _send(seed) == []


def test_a_revoked_box_and_other_operators_are_told_nothing(seed: Any, home: Callable[..., None]) -> None:
    home("card-1")
    _heard(seed, seed.clock.at)
    with seed.engine.begin() as connection:
        assert wifi.send(connection, tenant="another", now=seed.clock.at) == 0
        connection.execute(update(schema.site).values(revoked_at=1.0))
    assert _send(seed) == []


def test_the_same_wifi_saved_again_tells_the_box_nothing(seed: Any, home: Callable[..., None], by: str) -> None:
    home()
    _heard(seed, seed.clock.at)
    assert _send(seed) == ["set-network:"]
    home()
    assert _send(seed) == []
    with seed.engine.begin() as connection:
        wifi.save_wifi(connection, "site-1", ssid="Home", isolation=True, uplink="modem", by=by, now=seed.clock.at)
        held = wifi.wifi_of(connection, "site-1")
    assert held is not None
    assert (held.isolation, held.uplink, held.state) == (True, "modem", None)
    assert _send(seed) == ["set-network:"]


def test_how_many_a_home_has_and_a_round_tells_is_bounded(
    seed: Any, home: Callable[..., None], by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (MOST_KEYS, MOST_ENDED, AT_ONCE) == (64, 200, 20)
    for name, value in (("MOST_KEYS", 6), ("MOST_ENDED", 8), ("AT_ONCE", 3)):
        monkeypatch.setattr(wifi, name, value)
    names = [f"card-{number:03}" for number in range(wifi.MOST_KEYS)]
    home(*names)
    with seed.engine.begin() as connection:
        wifi.add_key(
            connection,
            "site-1",
            Made(key_id=names[0], sealed=SEALED, purpose="guest", label="again", until=9.0),
            by=by,
            now=seed.clock.at,
        )
    with seed.engine.begin() as connection, pytest.raises(Full):
        wifi.add_key(
            connection, "site-1", Made(key_id="one-more", sealed=SEALED, purpose="device", label="x"), by=by, now=1.0
        )
    with seed.engine.begin() as connection:
        now = 10.0 + wifi.OVER_DAYS * 86400.0
        gone = Made(key_id="one-more", sealed=SEALED, purpose="device", label="x")
        wifi.add_key(connection, "site-1", gone, by=by, now=now)
        held = {key.key_id for key in wifi.keys_of(connection, "site-1")}
    assert "one-more" in held, "a visit that is over makes room"
    assert names[0] not in held, "and is forgotten in the end"
    _heard(seed, seed.clock.at)
    assert len(_send(seed)) == wifi.AT_ONCE + 1
    with seed.engine.begin() as connection:
        for number in range(wifi.MOST_ENDED + 5):
            name = f"old-{number:03}"
            if number < wifi.MOST_KEYS:
                name_ = names[number] if number else "one-more"
                wifi.end_key(connection, "site-1", name_, by=by, now=float(number))
            wifi.add_key(
                connection,
                "site-1",
                Made(key_id=name, sealed=SEALED, purpose="device", label="x"),
                by=by,
                now=1.0,
            )
            wifi.end_key(connection, "site-1", name, by=by, now=1000.0 + number)
        assert len(wifi.keys_of(connection, "site-1", ended=True)) == wifi.MOST_ENDED
    assert len(seed.rows(schema.wifi_key)) == wifi.MOST_ENDED, "the oldest go"


@pytest.mark.req("N9")
def test_visits_that_are_over_never_crowd_out_what_counts(
    seed: Any, home: Callable[..., None], by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wifi, "MOST_KEYS", 3)
    home()
    with seed.engine.begin() as connection:
        for day in range(12):
            now = seed.clock.at + day * 86400.0
            made = Made(key_id=f"card-{day:02}", sealed=SEALED, purpose="guest", label="guest", until=now + 2 * 86400.0)
            wifi.add_key(connection, "site-1", made, by=by, now=now)
            listed = [key.key_id for key in wifi.keys_of(connection, "site-1")]
            assert made.key_id in listed
            assert len(listed) <= 2 * wifi.MOST_KEYS
        again = Made(key_id="card-09", sealed=SEALED, purpose="device", label="again")
        wifi.add_key(connection, "site-1", again, by=by, now=now + 40 * 86400.0)
        assert [key.key_id for key in wifi.keys_of(connection, "site-1")] == ["card-09"], "one that went comes back"


def test_a_visit_that_is_over_is_not_told_any_more(seed: Any, home: Callable[..., None], by: str) -> None:
    home()
    with seed.engine.begin() as connection:
        made = Made(key_id="card-1", sealed=SEALED, purpose="guest", label="sofa", until=seed.clock.at - 1)
        wifi.add_key(connection, "site-1", made, by=by, now=seed.clock.at)
    _heard(seed, seed.clock.at)
    assert _send(seed) == ["set-network:"]


@pytest.mark.req("N9")
def test_ingest_tells_the_box_in_its_rounds(seed: Any, home: Callable[..., None]) -> None:
    home("card-1")
    _heard(seed, seed.clock.at)
    rounds = Rounds(tenant="northmoor")
    with seed.engine.begin() as connection:
        rounds.go(connection, online=True, now=seed.clock.at, moment=0.0)
    told = {row["body"]["action"] for row in seed.rows(schema.command)}
    assert {"set-network", "set-passphrase"} <= told
