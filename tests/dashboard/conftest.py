"""A dashboard on a seeded SQLite file, with a clock that the test moves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, inspect
from werkzeug.test import TestResponse

from dashboard import auth
from dashboard.access import Role
from dashboard.app import GatehouseFlask, create_app
from dashboard.settings import DashboardSettings
from dashboard.store import migrate
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.postgres import Cluster, PostgresMissingError, cluster
from lab.seed import Clock, Seed


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
