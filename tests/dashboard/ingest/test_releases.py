from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, insert, update

from dashboard.ingest import releases as rounds
from dashboard.ingest.releases import Bound
from dashboard.store import fleet as fleets
from dashboard.store import ordering, releases, schema
from dashboard.store.releases import NotTakenError, Ring
from wire.release import Release, SignedRelease, sign

TENANT = "northmoor"
KEY = Ed25519PrivateKey.generate()
DAY = 86400.0


def _signed(at: float, version: str = "2026.11.1", *, sha256: str = "ab" * 32, security: bool = False) -> SignedRelease:
    issued = datetime.fromtimestamp(at, UTC)
    plain = Release(
        version=version,
        board="pi4",
        url="https://updates.example/b",
        sha256=sha256,
        size=10,
        floor="2026.10.1",
        issued=issued,
        expires=issued + timedelta(days=30),
        security=security,
    )
    return sign(plain, KEY)


@pytest.fixture(autouse=True)
def _who(engine: Engine) -> None:
    with engine.begin() as connection:
        who = {"account_id": "acc-1", "name": "engineer-1", "role": "engineer", "failures": 0}
        connection.execute(insert(schema.account).values(**who))


@pytest.fixture
def fleet(seed: Any, clock: Any, engine: Engine) -> Any:  # noqa: C901 - small steps of one script
    """Boxes of a made-up fleet that say what they run, and what can be done with them."""

    class Fleet:
        def __init__(self) -> None:
            self.sites = [f"box-{number:03}" for number in range(60)]

        def say(self, site: str, version: str = "2026.10.1", **software: Any) -> None:
            said = {"online": True, "at": clock.at, "software": {"version": version, "board": "pi4", **software}}
            with engine.begin() as connection:
                connection.execute(
                    update(schema.site)
                    .where(schema.site.c.site == site)
                    .values(status=said, status_at=clock.at, heard_at=clock.at)
                )

        def enter(self, **values: Any) -> str:
            with engine.begin() as connection:
                return releases.add(connection, _signed(clock.at, **values), tenant=TENANT, by="acc-1", now=clock.at)

        def start(self, release_id: str, *rings: tuple[int, float]) -> None:
            made = [Ring(share=share, opens_at=clock.at + after) for share, after in rings or [(1000, 0.0)]]
            with engine.begin() as connection:
                assert releases.start(connection, release_id, made, tenant=TENANT, by="acc-1", now=clock.at)

        def go(self, **bound: Any) -> None:
            with engine.begin() as connection:
                rounds.go(connection, tenant=TENANT, now=clock.at, bound=Bound(**bound) if bound else None)

        def stored(self, release_id: str) -> releases.StoredRelease:
            with engine.connect() as connection:
                found = releases.one(connection, TENANT, release_id)
            assert found is not None
            return found

        def progress(self, release_id: str, ring: int | None = None) -> releases.Progress:
            with engine.connect() as connection:
                return releases.progress(connection, self.stored(release_id), now=clock.at, ring=ring)

        def told(self) -> set[str]:
            return {row["site"] for row in seed.rows(schema.release_box)}

        def answer(self, site: str, state: str) -> None:
            with engine.begin() as connection:
                connection.execute(update(schema.command).where(schema.command.c.site == site).values(state=state))

    made = Fleet()
    for site in made.sites:
        seed.site(site, charged=False)
        made.say(site)
    return made


@pytest.mark.req("R4")
def test_rings_open_one_after_the_other(fleet: Any, clock: Any, seed: Any) -> None:
    release_id = fleet.enter()
    fleet.go()
    assert fleet.told() == set(), "nothing is told before it is started"
    fleet.start(release_id, (100, 0.0), (500, DAY), (1000, 3 * DAY))
    fleet.go()
    first = {site for site in fleet.sites if releases.place(site) < 100}
    assert fleet.told() == first
    assert 0 < len(first) < 20
    fleet.go()
    assert len(seed.rows(schema.command)) == len(first), "a box is told once"
    clock.at += DAY
    fleet.go()
    assert fleet.told() == {site for site in fleet.sites if releases.place(site) < 500}
    clock.at += 2 * DAY
    for _ in range(3):
        fleet.go()
    assert fleet.told() == set(fleet.sites)
    assert fleet.progress(release_id, 0).told == len(first)
    body = seed.rows(schema.command)[0]["body"]
    assert (body["action"], body["signed"]["release"]["version"]) == ("take-release", "2026.11.1")
    assert {row["account_id"] for row in seed.rows(schema.audit) if row["action"] == "take-release"} == {"acc-1"}


@pytest.mark.req("R4")
def test_pilots_are_told_first_and_a_box_of_another_board_never(fleet: Any, engine: Engine, clock: Any) -> None:
    last = max(fleet.sites, key=releases.place)
    fleet.say(fleet.sites[0], board="qemu")
    with engine.begin() as connection:
        assert fleets.add_pilot(connection, last, tenant=TENANT, by="acc-1", now=clock.at)
        assert fleets.add_pilot(connection, last, tenant=TENANT, by="acc-1", now=clock.at)
        assert not fleets.add_pilot(connection, "box-999", tenant=TENANT, by="acc-1", now=clock.at)
        assert fleets.pilots(connection, TENANT) == (last,)
    release_id = fleet.enter()
    fleet.start(release_id, (1, 0.0), (1000, DAY))
    fleet.go()
    assert last in fleet.told()
    clock.at += DAY
    for _ in range(3):
        fleet.go()
    assert fleet.told() == set(fleet.sites) - {fleet.sites[0]}
    with engine.begin() as connection:
        fleets.remove_pilot(connection, last, tenant=TENANT, by="acc-1", now=clock.at)
        assert fleets.pilots(connection, TENANT) == ()


@pytest.mark.req("R4")
def test_a_release_that_does_not_work_halts_by_itself(fleet: Any, clock: Any, seed: Any, engine: Engine) -> None:
    release_id = fleet.enter()
    fleet.start(release_id, (200, 0.0), (1000, DAY))
    fleet.go()
    told = sorted(fleet.told())
    clock.at += 60
    fleet.say(told[0], wanted="2026.11.1", stage="rolled-back", detail="names are not answered")
    fleet.go()
    assert fleet.stored(release_id).state == "going", "one bad card is no bad release"
    fleet.answer(told[1], "refused")
    for site in told[2:]:
        fleet.say(site, "2026.11.1", stage="done", wanted="2026.11.1")
    fleet.go()  # what they say is read before it is judged
    stored = fleet.stored(release_id)
    assert (stored.state, stored.reason.startswith("Halted by itself: on 2 of")) == ("halted", True)
    progress = fleet.progress(release_id)
    assert (progress.rolled_back, progress.refused, progress.bad, progress.has) == (1, 1, 2, len(told) - 2)
    assert progress.under_way == 0
    clock.at += 2 * DAY
    fleet.go()
    assert fleet.told() == set(told), "nobody else is told"
    (line,) = [row for row in seed.rows(schema.audit) if row["action"] == "halt-release"]
    assert (line["account_id"], line["outcome"]) == (None, "automatic")
    with engine.begin() as connection:
        rows = releases.without(connection, stored, now=clock.at)
        assert [(became, row.site) for became, row in rows] == [("rolled_back", told[0]), ("refused", told[1])]
        assert rows[0][1].detail == "names are not answered"
        assert releases.resume(connection, release_id, "Two bad cards", tenant=TENANT, by="acc-1", now=clock.at)
        assert not releases.resume(connection, release_id, "again", tenant=TENANT, by="acc-1", now=clock.at)
    for _ in range(3):
        fleet.go()
    assert fleet.stored(release_id).state == "going", "what somebody let pass does not halt it again"
    assert fleet.told() == set(fleet.sites)


@pytest.mark.req("R4")
def test_a_box_that_was_away_is_told_again(fleet: Any, clock: Any, seed: Any) -> None:
    release_id = fleet.enter()
    fleet.start(release_id)
    fleet.go()
    site = min(fleet.told())
    clock.at += ordering.LIFETIME + 60
    fleet.answer(site, "unanswered")
    fleet.go()
    assert [row["tries"] for row in seed.rows(schema.release_box) if row["site"] == site] == [1], "it is still away"
    assert fleet.progress(release_id).silent > 0
    fleet.say(site)
    for _ in range(3):
        fleet.go()
    assert [row["tries"] for row in seed.rows(schema.release_box) if row["site"] == site] == [2]
    assert len({row["command_id"] for row in seed.rows(schema.command) if row["site"] == site}) == 2


@pytest.mark.req("R4")
def test_boxes_that_are_late_with_a_security_release_are_named(fleet: Any, clock: Any, engine: Engine) -> None:
    release_id = fleet.enter(security=True)
    fleet.start(release_id)
    for site in fleet.sites[2:]:
        fleet.say(site, "2026.11.1")
    fleet.go()
    stored = fleet.stored(release_id)
    with engine.connect() as connection:
        assert releases.overdue(connection, stored, tenant=TENANT, now=clock.at) == ((), 0)
        late, count = releases.overdue(connection, stored, tenant=TENANT, now=clock.at + 73 * 3600)
        assert fleets.versions(connection, TENANT) == (("pi4", "2026.11.1", 58), ("pi4", "2026.10.1", 2))
    assert ([row.site for row in late], count) == (fleet.sites[:2], 2)


def test_what_is_out_of_date_is_listed_and_what_says_nothing_keeps_what_was_said(
    fleet: Any, clock: Any, engine: Engine
) -> None:
    fleet.say("box-001", outdated=["hostapd is 1, below 2"])
    fleet.go()
    clock.at += 60
    with engine.begin() as connection:
        gone = {"online": False, "at": clock.at}
        connection.execute(
            update(schema.site).where(schema.site.c.site == "box-001").values(status=gone, status_at=clock.at)
        )
    fleet.go()
    with engine.connect() as connection:
        assert fleets.out_of_date(connection, TENANT) == (("box-001", ("hostapd is 1, below 2",)),)


def test_a_statement_is_entered_once(fleet: Any, clock: Any, engine: Engine) -> None:
    signed = _signed(clock.at)
    with engine.begin() as connection:
        first = releases.add(connection, signed, tenant=TENANT, by="acc-1", now=clock.at)
        assert releases.add(connection, signed, tenant=TENANT, by="acc-1", now=clock.at + 5) == first
        others = (_signed(clock.at - 5), _signed(clock.at + 5, sha256="cd" * 32), _signed(clock.at, "2026.11.2"))
        for other in others:
            with pytest.raises(NotTakenError):
                releases.add(connection, other, tenant=TENANT, by="acc-1", now=clock.at)
    assert fleet.stored(first).state == "entered"
    with engine.begin() as connection:
        assert not releases.halt(connection, first, "x", tenant=TENANT, by="acc-1", now=clock.at)
        assert not releases.start(connection, "none", [], tenant=TENANT, by="acc-1", now=clock.at)


@pytest.mark.req("R4")
def test_a_statement_that_expires_is_signed_anew(fleet: Any, clock: Any) -> None:
    release_id = fleet.enter()
    fleet.start(release_id, (1, 0.0), (1000, 40 * DAY))
    clock.at += 31 * DAY
    fleet.go()
    assert fleet.enter() == release_id
    stored = fleet.stored(release_id)
    assert (stored.state, stored.expires) == ("going", clock.at + 30 * DAY)
    assert releases.release_of(stored).expires.timestamp() == clock.at + 30 * DAY
    clock.at += 10 * DAY
    for site in fleet.sites:
        fleet.say(site)
    for _ in range(3):
        fleet.go()
    assert fleet.told() == set(fleet.sites)


@pytest.mark.req("R4")
def test_a_box_that_has_yet_to_take_a_newer_release_is_not_told_of_an_older_one(
    fleet: Any, clock: Any, seed: Any, engine: Engine
) -> None:
    older, newer = fleet.enter(), fleet.enter(version="2026.11.2", sha256="cd" * 32)
    fleet.start(older)
    fleet.start(newer, (500, 0.0))
    for _ in range(3):
        fleet.go()
    told = {row["site"]: row["release_id"] for row in seed.rows(schema.release_box)}
    assert len(seed.rows(schema.release_box)) == len(told) == 60, "each box is told of one"
    assert told == {site: newer if releases.place(site) < 500 else older for site in fleet.sites}
    with engine.begin() as connection:
        assert releases.halt(connection, newer, "It does not work", tenant=TENANT, by="acc-1", now=clock.at)
    for _ in range(3):
        fleet.go()
    assert fleet.progress(older).told == 60


def test_there_are_not_more_releases_than_that(clock: Any, engine: Engine, seed: Any, monkeypatch: Any) -> None:
    seed.site()
    monkeypatch.setattr(releases, "MOST_RELEASES", 1)
    with engine.begin() as connection:
        releases.add(connection, _signed(clock.at), tenant=TENANT, by="acc-1", now=clock.at)
        with pytest.raises(NotTakenError, match="1 releases"):
            releases.add(
                connection, _signed(clock.at, "2026.12.1", sha256="cd" * 32), tenant=TENANT, by="acc-1", now=clock.at
            )


def test_the_bound() -> None:
    bound = Bound(share=0.1, least=2)
    assert not bound.is_over(releases.Progress(told=10, failed=1), 0)
    assert bound.is_over(releases.Progress(told=10, failed=2), 0)
    assert not bound.is_over(releases.Progress(told=30, failed=2, has=28), 0)
    assert not bound.is_over(releases.Progress(told=10, failed=3), 2)
