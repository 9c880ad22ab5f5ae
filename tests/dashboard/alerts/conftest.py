"""People, rules and a database with a rota, for the alerts' tests."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, select

from dashboard import auth
from dashboard.access import Role
from dashboard.alerts import channels
from dashboard.alerts.plan import House, Person, Rules
from dashboard.alerts.rounds import Rounds
from dashboard.settings import Alerts, DashboardSettings
from dashboard.store import schema
from dashboard.store.engine import open_engine, reading
from dashboard.store.migrate import upgrade

LONDON = ZoneInfo("Europe/London")
START = 1768424649.0
"""14 January 2026, 21:04:09 in London."""


@dataclass
class Post:
    """Where messages end up; `problem` is what it answers instead of taking one."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    problem: str | None = None

    def send(self, url: str, title: str, body: str, settings: Alerts) -> str | None:
        assert title
        assert settings.address in body
        if self.problem is None:
            self.sent.append((url, body))
        return self.problem


@dataclass
class Office:
    """A database with people, and rounds over it."""

    engine: Engine
    rounds: Rounds
    post: Post
    seed: Any

    def account(self, name: str, role: Role = Role.OFFICER, *, channel: bool = True, **choices: Any) -> str:
        account_id = auth.add_account(self.engine, name=name, role=role, now=0.0)
        with self.engine.begin() as connection:
            if channel:
                url = f"ntfys://ntfy.example.com/{name}"
                connection.execute(
                    insert(schema.channel).values(
                        channel_id=f"ch-{name}",
                        account_id=account_id,
                        kind="ntfys",
                        name="Phone",
                        sealed=channels.seal(url, key=self.rounds.key, channel_id=f"ch-{name}"),
                        made_at=0.0,
                    )
                )
            if choices:
                values = {"also_today": False, "digest": False} | choices
                connection.execute(insert(schema.alert_choice).values(account_id=account_id, **values))
        return account_id

    def charge(self, account_id: str, site: str = "site-1") -> None:
        self.put(schema.assignment, site=site, account_id=account_id, since=1.0)

    def put(self, table: Any, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(table).values(**values))

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with reading(self.engine).connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    @property
    def told(self) -> list[str]:
        """Names of who got a message, in order."""
        return [url.rpartition("/")[2] for url, _ in self.post.sent]


@pytest.fixture
def rules() -> Rules:
    return Rules(escalate_seconds=600.0, repeat_seconds=3600.0, zone=LONDON)


@pytest.fixture
def make_house() -> Callable[..., House]:
    """A house of people with one channel each, named by their accounts; `sup-` begins a supervisor's."""

    def make(*names: str, **values: Any) -> House:
        people = {
            name: Person(account_id=name, channels=((f"ch-{name}", "ntfys"),), supervises=name.startswith("sup-"))
            for name in names
        }
        return House(people=people, **values)

    return make


@pytest.fixture
def alerts_settings(tmp_path: Path, database_url: str) -> DashboardSettings:
    secret = tmp_path / "secret"
    secret.write_bytes(os.urandom(32))
    return DashboardSettings.model_validate(
        {
            "database_url": database_url,
            "tenant": "northmoor",
            "operator": "Northmoor Supervision Unit",
            "secret_key_file": secret,
            "alerts": {"address": "https://gatehouse.example.org/"},
        }
    )


@pytest.fixture
def office(alerts_settings: DashboardSettings) -> Iterator[Office]:
    engine = open_engine(alerts_settings.database_url)
    upgrade(engine)
    assert alerts_settings.alerts is not None
    post = Post()
    rounds = Rounds(
        engine=engine,
        settings=alerts_settings,
        alerts=alerts_settings.alerts,
        key=channels.channel_key(alerts_settings.secret_key_file),
        send=post.send,
    )
    path = Path(__file__).parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("dashboard_tests_conftest_for_alerts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    seed = module.Seed(engine, module.Clock(at=START))
    yield Office(engine=engine, rounds=rounds, post=post, seed=seed)
    engine.dispose()
