"""A household from one dashboard to another: asked for by one, agreed to by another, made, brought, taken in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine, select, update

from dashboard import auth
from dashboard.access import Role
from dashboard.ingest import replaced
from dashboard.store import schema, transfers
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from dashboard.transfer import work
from dashboard.transfer.work import Keys
from wire.keys import public_text

pytestmark = pytest.mark.req("R46", "R48")
T1, T2 = "a1" * 16, "b2" * 16


@dataclass
class Service:
    engine: Engine
    keys: Keys
    officers: tuple[str, str]

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def run(self, now: float) -> int:
        with self.engine.begin() as connection:
            return work.work(connection, self.keys, now)

    def pin(self, other: Service, name: str, partner_id: str = "c3" * 16) -> str:
        with self.engine.begin() as connection:
            transfers.add_partner(
                connection,
                partner_id=partner_id,
                tenant=self.keys.tenant,
                name=name,
                verify_key=public_text(other.keys.signing),
                seal_key=public_text(other.keys.sealing),
                by=self.officers[0],
                now=1.0,
            )
            assert transfers.confirm_partner(
                connection, tenant=self.keys.tenant, partner_id=partner_id, by=self.officers[1], now=2.0
            )
        return partner_id

    def ask(self, way: str, now: float, *, reference: str = T1, **values: Any) -> str:
        with self.engine.begin() as connection:
            assert transfers.ask(
                connection,
                **{
                    "transfer_id": reference,
                    "tenant": self.keys.tenant,
                    "way": way,
                    "site_id": None,
                    "partner_id": None,
                    "reason": "The person moves",
                    "title": "",
                    "by": self.officers[0],
                    "now": now,
                }
                | values,
            )
            assert not transfers.answer(
                connection,
                tenant=self.keys.tenant,
                transfer_id=reference,
                by=self.officers[0],
                agree=True,
                now=now,
            )
            assert transfers.answer(
                connection,
                tenant=self.keys.tenant,
                transfer_id=reference,
                by=self.officers[1],
                agree=True,
                now=now,
            )
        return reference

    def transfer(self, reference: str = T1) -> Any:
        with self.engine.connect() as connection:
            return transfers.transfer_of(connection, self.keys.tenant, reference)

    def file(self, reference: str = T1) -> bytes:
        with self.engine.connect() as connection:
            data = transfers.data_of(connection, reference)
        assert data is not None
        return data

    def bring(self, data: bytes, now: float, reference: str = T2) -> Any:
        self.ask(
            "in", now, reference=reference, data=data, sha256=hashlib.sha256(data).hexdigest(), title="ED-2026-0007"
        )
        assert self.run(now) == 1
        return self.transfer(reference)


@pytest.fixture
def make_service(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Service]]:
    made: list[Service] = []
    server = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres")
    urls: list[str] = []

    def make(tenant: str) -> Service:
        urls.append(f"sqlite:///{tmp_path / f'{tenant}.db'}" if server is None else server.fresh(like="fresh_1"))
        engine = open_engine(urls[-1])
        upgrade(engine)
        officers = tuple(
            auth.add_account(engine, name=f"{tenant} {number}", role=Role.SUPERVISOR, now=0.0) for number in (1, 2)
        )
        keys = Keys(
            tenant=tenant,
            operator=f"{tenant} unit",
            show_names=False,
            signing=Ed25519PrivateKey.generate(),
            sealing=X25519PrivateKey.generate(),
        )
        made.append(Service(engine=engine, keys=keys, officers=(officers[0], officers[1])))
        return made[-1]

    yield make
    for service, url in zip(made, urls, strict=True):
        service.engine.dispose()
        if server is not None:
            server.drop(url)


@pytest.fixture
def here(engine: Engine, seed: Any, clock: Any) -> Service:
    """The service whose database is seeded."""
    officers = tuple(
        auth.add_account(engine, name=f"northmoor {number}", role=Role.SUPERVISOR, now=0.0) for number in (1, 2)
    )
    seed.site()
    seed.device("dev-1", standing="registered", label="grey laptop")
    seed.device("dev-2", standing="household", addresses=[_address("02:00:5e:00:53:02", clock.at)])
    seed.finding("find-1", kind="tunnel", state="closed")
    seed.finding("find-old", raised_at=clock.at - 200 * 86400, state="closed")
    keys = Keys(
        tenant="northmoor",
        operator="Northmoor",
        show_names=True,
        signing=Ed25519PrivateKey.generate(),
        sealing=X25519PrivateKey.generate(),
    )
    return Service(engine=engine, keys=keys, officers=(officers[0], officers[1]))


@pytest.fixture
def there(make_service: Callable[[str], Service]) -> Service:
    return make_service("eastdale")


@pytest.fixture
def made(here: Service, there: Service, clock: Any) -> bytes:
    partner_id = here.pin(there, "Eastdale")
    there.pin(here, "Northmoor")
    here.ask("out", clock.at, site_id="site-1", partner_id=partner_id)
    assert here.run(clock.at) == 1
    assert here.transfer().state == "made"
    return here.file()


def _address(mac: str, at: float) -> dict[str, Any]:
    seen = "2026-01-14T21:00:00+00:00"
    del at
    return {"mac": mac, "locally_administered": True, "first_seen": seen, "last_seen": seen}


def test_a_household_arrives_with_devices_and_six_months_of_history(
    made: bytes, there: Service, here: Service, clock: Any
) -> None:
    done = there.bring(made, clock.at + 60)
    assert (done.state, done.problem) == ("taken", "")
    site = next(row for row in there.rows(schema.site) if row["site"] == done.site)
    assert site["tenant"] == "eastdale"
    assert site["title"] == "ED-2026-0007"
    assert site["revoked_at"] is not None  # no box speaks for it yet
    before = {row["device_id"]: (row["standing"], row["label"]) for row in here.rows(schema.device)}
    after = {row["device_id"]: (row["standing"], row["label"]) for row in there.rows(schema.device)}
    assert after == before
    pieces = there.rows(schema.history)
    assert [json.loads(row["text"])["finding_id"] for row in pieces if row["part"] == "finding"] == ["find-1"]
    assert not there.rows(schema.finding)  # history asks nobody for a decision
    assert not done.held  # the file is gone
    assert [row["outcome"] for row in there.rows(schema.audit) if row["action"] == "take-in-household"] == ["taken"]
    assert {row["account_id"] for row in there.rows(schema.assignment)} == {there.officers[1]}


def test_the_new_box_is_given_the_devices(made: bytes, there: Service, clock: Any) -> None:
    site_id = there.bring(made, clock.at + 60).site
    at = clock.at + 120
    with there.engine.begin() as connection:
        replaced.replace_box(connection, site_id=site_id, verify_key="B" * 44, seal_key="B" * 44, now=at)
    for seconds in (1, 2):
        with there.engine.begin() as connection:
            connection.execute(
                update(schema.site)
                .where(schema.site.c.site == site_id)
                .values(status={"recording": True}, status_id="fresh-s1")
            )
            replaced.restore(connection, tenant="eastdale", now=at + seconds)
    orders = [row["body"] for row in there.rows(schema.command) if row["body"]["action"] == "restore-devices"]
    assert {one["device_id"] for order in orders for one in order["devices"]} == {"dev-1", "dev-2"}
    assert {row["by"] for row in there.rows(schema.command)} == {there.officers[1]}


def test_a_file_is_taken_in_once(made: bytes, there: Service, clock: Any) -> None:
    assert there.bring(made, clock.at + 60).state == "taken"
    again = there.bring(made, clock.at + 70, "d4" * 16)
    assert (again.state, again.problem) == ("failed", "it was taken in before")
    assert len(there.rows(schema.site)) == 1


def test_nobody_but_the_operator_that_it_is_for_can_open_it(
    made: bytes, make_service: Callable[[str], Service], here: Service, clock: Any
) -> None:
    other = make_service("westhill")
    other.pin(here, "Northmoor")
    done = other.bring(made, clock.at + 60)
    assert (done.state, done.problem) == ("failed", "it is not sealed to this service")


def test_a_sender_that_two_people_have_not_confirmed_is_not_heard(made: bytes, there: Service, clock: Any) -> None:
    with there.engine.begin() as connection:
        assert transfers.end_partner(connection, tenant="eastdale", partner_id="c3" * 16, now=3.0)
    done = there.bring(made, clock.at + 60)
    assert done.state == "failed"
    assert "not confirmed" in done.problem
    assert not there.rows(schema.site)


def test_an_old_or_altered_file_is_refused(made: bytes, there: Service, clock: Any) -> None:
    assert "too old" in there.bring(made, clock.at + 31 * 86400).problem
    document = json.loads(made)
    document["header"]["made_at"] = "2026-02-01T00:00:00Z"
    altered = json.dumps(document).encode()
    assert "altered" in there.bring(altered, clock.at + 19 * 86400, "d4" * 16).problem
    assert not there.rows(schema.site)


def test_a_household_that_nobody_agreed_to_is_not_packed(here: Service, there: Service, clock: Any) -> None:
    partner_id = here.pin(there, "Eastdale")
    with here.engine.begin() as connection:
        transfers.ask(
            connection,
            transfer_id=T1,
            tenant="northmoor",
            way="out",
            site_id="site-1",
            partner_id=partner_id,
            reason="The person moves",
            title="",
            by=here.officers[0],
            now=clock.at,
        )
    assert here.run(clock.at) == 0
    assert here.run(clock.at + 4 * 86400) == 0
    assert here.transfer().state == "lapsed"


def test_the_file_is_erased_when_its_time_is_over(made: bytes, here: Service, clock: Any) -> None:
    assert made
    here.run(clock.at + 15 * 86400)
    left = here.transfer()
    assert not left.held
    assert left.sha256 == hashlib.sha256(made).hexdigest()


def test_names_stay_behind_where_the_receiver_keeps_none(here: Service, there: Service, clock: Any) -> None:
    with here.engine.begin() as connection:
        from dashboard.store.cases import Risk, keep_person

        keep_person(
            connection,
            tenant="northmoor",
            site_id="site-1",
            reference="NM-77",
            name="A Made-up Name",
            risk=Risk.HIGH,
            review_days=None,
            revision=0,
            by=here.officers[0],
            now=clock.at,
        )
    partner_id = here.pin(there, "Eastdale")
    there.pin(here, "Northmoor")
    here.ask("out", clock.at, site_id="site-1", partner_id=partner_id)
    here.run(clock.at)
    assert there.bring(here.file(), clock.at + 60).state == "taken"
    people = there.rows(schema.person)
    assert [(row["reference"], row["name"], row["risk"]) for row in people] == [("NM-77", None, "high")]
