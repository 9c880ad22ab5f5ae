"""A dashboard on a seeded SQLite file, with a clock that the test moves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, insert, inspect, select, update
from werkzeug.test import TestResponse

from dashboard import auth
from dashboard.access import Role
from dashboard.app import GatehouseFlask, create_app
from dashboard.settings import DashboardSettings
from dashboard.store import migrate, schema
from dashboard.store.engine import open_engine, reading
from dashboard.store.migrate import upgrade
from lab.postgres import Cluster, PostgresMissingError, cluster

START = datetime(2026, 1, 14, 21, 4, 9, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """Stands until moved."""

    at: float = START
    waits: list[float] = field(default_factory=list)
    on_wait: Callable[[], None] | None = None

    def now(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.on_wait is not None:
            self.on_wait()


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@dataclass
class Seed:
    """Puts rows into the tables as ingest would."""

    engine: Engine
    clock: Clock

    def site(self, site: str = "site-1", *, charged: bool = True, **values: Any) -> str:
        """A household, that every officer there is by now is in charge of unless told otherwise."""
        row: dict[str, Any] = {
            "site": site,
            "tenant": "northmoor",
            "title": f"NM-{site}",
            "verify_key": "A" * 44,
            "seal_key": "A" * 44,
            "heard_at": self.clock.at - 5,
            "status_at": self.clock.at - 5,
            "status": {
                "online": True,
                "at": iso(self.clock.at - 5),
                "recording": True,
                "authority": "Records under order 7 until 31 March 2026",
                "outbox": 2,
                "processes": [{"name": "sensor", "connected": True}],
                "taps": [{"name": "flow", "messages": 1200, "octets": 9, "lost": 3, "unparsed": 0, "overflow": 0}],
                "gaps": [
                    {"started": iso(self.clock.at - 60), "cause": "sensor-away"},
                    {"started": iso(self.clock.at - 900), "ended": iso(self.clock.at - 600), "cause": "keeper-away"},
                    {"started": iso(self.clock.at - 950), "ended": iso(self.clock.at - 950), "cause": "taps-anew"},
                ],
            },
        }
        self._insert(schema.site, row | values)
        if charged:
            with reading(self.engine).connect() as connection:
                officers = select(schema.account.c.account_id).where(schema.account.c.role == Role.OFFICER.value)
                found = connection.execute(officers).scalars().all()
            for account_id in found:
                self.charge(account_id, site)
        return site

    def charge(self, account_id: str, *sites: str) -> None:
        """Put an account in charge of these households, or of all there are."""
        with self.engine.begin() as connection:
            known = sites or connection.execute(select(schema.site.c.site)).scalars().all()
            for one in known:
                connection.execute(insert(schema.assignment).values(site=one, account_id=account_id, since=0.0))

    def device(self, device_id: str = "dev-1", site: str = "site-1", **values: Any) -> str:
        row: dict[str, Any] = {
            "site": site,
            "device_id": device_id,
            "revision": 1,
            "standing": "unknown",
            "label": None,
            "looks_like": {"text": "a phone", "confidence": 0.8, "reasons": ["Its host name looks like a phone's"]},
            "quarantined": False,
            "first_seen": self.clock.at - 120,
            "last_seen": self.clock.at - 10,
            "addresses": [
                {
                    "mac": "02:00:5e:00:53:01",
                    "locally_administered": True,
                    "first_seen": iso(self.clock.at - 120),
                    "last_seen": iso(self.clock.at - 10),
                }
            ],
        }
        self._insert(schema.device, row | values)
        return device_id

    def proposal(self, proposal_id: str = "prop-1", site: str = "site-1", **values: Any) -> str:
        row: dict[str, Any] = {
            "site": site,
            "proposal_id": proposal_id,
            "revision": 1,
            "device_id": "dev-1",
            "other_id": "dev-2",
            "probability": 0.87,
            "state": "open",
            "raised_at": self.clock.at - 30,
            "reasons": ["Both give the same name of their own."],
            "against": ["The first had left only a moment before."],
        }
        self._insert(schema.proposal, row | values)
        return proposal_id

    def stay(self, session_id: str = "stay-1", site: str = "site-1", **values: Any) -> str:
        row: dict[str, Any] = {
            "site": site,
            "session_id": session_id,
            "revision": 1,
            "device_id": "dev-1",
            "mac": "02:00:5e:00:53:01",
            "started": self.clock.at - 600,
            "ended": None,
            "asleep_seconds": 0,
            "ended_because": None,
        }
        self._insert(schema.stay, row | values)
        return session_id

    def finding(
        self,
        finding_id: str = "find-1",
        *,
        site: str = "site-1",
        kind: str = "unregistered-device",
        severity: str = "today",
        device_id: str | None = "dev-1",
        state: str = "open",
        raised_at: float | None = None,
        cause: str | None = None,
        **payload: Any,
    ) -> str:
        at = self.clock.at - 60 if raised_at is None else raised_at
        whole: dict[str, Any] = {
            "finding_id": finding_id,
            "revision": 1,
            "kind": kind,
            "severity": severity,
            "device_id": device_id,
            "cause": cause,
            "state": state,
            "first_seen": iso(at - 1),
            "last_seen": iso(at),
            "raised_at": iso(at),
            "count": 1,
            "rule": {
                "id": "unregistered-device",
                "version": "1",
                "authority_id": "order-7",
                "authority_number": 2,
                "clause": "4.2",
            },
            "confidence": 0.95,
            "reasons": ["It asked for an address and no officer has registered it"],
            "alternatives": ["A visitor's phone", "A registered device that changed its address"],
        } | payload
        self._insert(
            schema.finding,
            {
                "site": site,
                "finding_id": finding_id,
                "revision": 1,
                "kind": kind,
                "severity": severity,
                "device_id": device_id,
                "cause": cause,
                "state": state,
                "first_seen": at - 1,
                "last_seen": at,
                "raised_at": at,
                "count": whole["count"],
                "payload": whole,
                "stored_at": at + 0.2,
            },
        )
        return finding_id

    def arrangements(self, site: str = "site-1", **values: Any) -> None:
        payload: dict[str, Any] = {"revision": 1} | values
        self._insert(
            schema.arrangements, {"site": site, "revision": 1, "payload": payload, "stored_at": self.clock.at - 20}
        )

    def hit(self, **values: Any) -> dict[str, Any]:
        return {
            "name": "shop.example.test",
            "how": "subtree",
            "list_id": "demo-list",
            "list_version": "2026-01-10",
            "list_sha256": "ab" * 32,
            "entry": "example.test",
        } | values

    def rename_device(self, device_id: str, label: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(schema.device).where(schema.device.c.device_id == device_id).values(label=label))

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with reading(self.engine).connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def _insert(self, table: Any, row: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(table).values(**row))


@pytest.fixture
def clock() -> Clock:
    return Clock()


BOTH = (
    "store",
    "ingest",
    "test_auth",
    "test_second",
    "test_commands",
    "test_rounds",
    "test_feeding",
    "test_round_trip",
)
"""Folders and modules here whose tests run on SQLite and on PostgreSQL: what reads, writes and locks."""

SQLITE_ALONE = (
    "test_a_reader_that_does_not_let_go_delays_the_commit_and_loses_nothing",
    "test_what_the_box_erased_at_an_officers_word_is_erased_here_and_gone_from_the_file",
    "test_after_the_authority_has_ended_all_of_devices_goes",
)
"""Tests of SQLite's own ways: its file, its locks."""


class _Compiled(BytecodeCache):
    """Templates compiled once in a run of tests, instead of once for each app."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def _once() -> Iterator[None]:
    """What is the same for each test is made once: compiled templates, and the tables of an empty SQLite file."""
    cache, make, steps = _Compiled(), GatehouseFlask.create_jinja_environment, migrate.command.upgrade
    tables: list[str] = []

    def environment(app: GatehouseFlask) -> Any:
        made = make(app)
        made.bytecode_cache = cache
        return made

    def upgraded(config: Config, revision: str) -> None:
        connection = config.attributes["connection"]
        if connection.dialect.name != "sqlite" or inspect(connection).get_table_names():
            steps(config, revision)
            return
        raw = connection.connection.dbapi_connection
        if tables:
            raw.executescript(tables[0])
        else:
            steps(config, revision)
            tables.append("\n".join(raw.iterdump()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GatehouseFlask, "create_jinja_environment", environment)
        patch.setattr(migrate, "command", SimpleNamespace(upgrade=upgraded))
        yield


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    where = metafunc.definition.path.relative_to(Path(__file__).parent)
    both = {where.parts[0], where.stem} & {*BOTH} and metafunc.function.__name__ not in SQLITE_ALONE
    if "database_url" in metafunc.fixturenames and both:
        metafunc.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A private server whose first database has this version's tables."""
    try:
        with cluster() as made:
            engine = open_engine(made.fresh())
            upgrade(engine)
            engine.dispose()
            yield made
    except PostgresMissingError as error:
        pytest.skip(f"PostgreSQL cannot run here: {error}")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own: SQLite, but where the test is parametrised for PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{tmp_path / 'pages.db'}"
        return
    server: Cluster = request.getfixturevalue("postgres")
    url = server.fresh(like="fresh_1")
    yield url
    server.drop(url)


@pytest.fixture
def make_settings(tmp_path: Path, database_url: str) -> Callable[..., DashboardSettings]:
    def make(**values: Any) -> DashboardSettings:
        secret = tmp_path / "secret"
        if not secret.exists():
            secret.write_bytes(os.urandom(32))
        return DashboardSettings.model_validate(
            {
                "database_url": database_url,
                "tenant": "northmoor",
                "operator": "Northmoor Supervision Unit",
                "secret_key_file": secret,
                "secure_cookies": False,
            }
            | values
        )

    return make


@pytest.fixture
def settings(make_settings: Callable[..., DashboardSettings]) -> DashboardSettings:
    return make_settings()


@pytest.fixture
def engine(settings: DashboardSettings) -> Iterator[Engine]:
    engine = open_engine(settings.database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def seed(engine: Engine, clock: Clock) -> Seed:
    return Seed(engine, clock)


@pytest.fixture
def app(settings: DashboardSettings, engine: Engine, clock: Clock) -> Flask:
    return create_app(settings, engine=engine, now=clock.now, wait=clock.wait)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def csrf() -> Callable[[TestResponse], str]:
    """The token in a page's first form."""

    def find(response: TestResponse) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
        assert found is not None, response.text[:500]
        return found.group(1)

    return find


@pytest.fixture
def new_code(engine: Engine, clock: Clock) -> Callable[[str], str]:
    return lambda name: auth.make_code(engine, name=name, now=clock.at, lifetime=900)


@pytest.fixture
def sign_in_as(app: Flask, engine: Engine, clock: Clock, seed: Seed) -> Callable[..., FlaskClient]:
    """A browser signed in to a fresh account; by the back door, as hashing a code is slow by design.

    An officer is in charge of the households there are, and of those that are seeded later.
    """

    def make(name: str = "officer-1", role: Role = Role.OFFICER, *, charged: bool = True) -> FlaskClient:
        account_id = auth.add_account(engine, name=name, role=role, now=0.0)
        if charged and role is Role.OFFICER:
            seed.charge(account_id)
        with engine.begin() as connection:
            token = auth._open_session(connection, account_id, clock.at)
        client = app.test_client()
        with client.session_transaction() as session:
            session["token"] = token
        return client

    return make


@pytest.fixture
def officer(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in_as()
