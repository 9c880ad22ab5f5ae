"""The pages as they are served (`python -m dashboard.web` on an inherited socket), and a real Chromium."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from sqlalchemy import Connection, Engine, func, select, update

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.engine import open_engine, reading
from dashboard.store.migrate import upgrade
from wire.keys import public_text

PATIENCE = 60.0
"""Seconds that anything here may take at most."""
expect.set_options(timeout=20_000)  # a busy machine is no fault of the page


def _dashboard_tests() -> ModuleType:
    # Test folders are no packages: what the pages' own tests seed with is loaded by its path.
    path = Path(__file__).parents[1] / "dashboard" / "conftest.py"
    spec = importlib.util.spec_from_file_location("dashboard_tests_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class RealClock:
    """The wall clock, in the shape that the seed wants."""

    @property
    def at(self) -> float:
        return time.time()


@dataclass
class Served:
    """A running service."""

    address: str
    engine: Engine
    seed: Any
    issuer: Ed25519PrivateKey
    """May issue authority documents for these households."""

    def code(self, name: str = "officer-1") -> str:
        """A fresh account's sign-in code."""
        account_id = auth.add_account(self.engine, name=name, role=Role.OFFICER, now=0.0)
        self.seed.charge(account_id)
        return auth.make_code(self.engine, name=name, now=time.time(), lifetime=900)

    def wait_for_command(self) -> dict[str, Any]:
        """The command that the officer's form left, as ingest finds it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with reading(self.engine).connect() as connection:
                row = connection.execute(select(schema.command).where(schema.command.c.state == "waiting")).mappings()
                found = row.first()
            if found is not None:
                return dict(found)
            time.sleep(0.02)
        raise AssertionError("no command came")

    def signs(self) -> None:
        """Three signs of one cause about the laptop of site-9, one more for information, and what is arranged there."""
        about: dict[str, Any] = {"site": "site-9", "device_id": "dev-2", "cause": "dev-2/out-of-sight"}
        self.seed.finding(
            "f-3",
            kind="tunnel",
            severity="act_now",
            grade="high",
            signals=3,
            records=["record-2", "record-1"],
            reasons=[
                "It looks like WireGuard: a handshake to 192.0.2.7 every 2 minutes.",
                "Nothing named the address.",
            ],
            alternatives=["An employer may ask for it."],
            **about,
        )
        self.seed.finding("f-4", kind="hidden-names", severity="this_week", grade="low", signals=1, **about)
        self.seed.finding("f-5", kind="encrypted-dns", grade="medium", signals=2, **about)
        self.seed.finding("f-6", site="site-9", kind="trend", severity="information", device_id="dev-2", grade="low")
        now = self.seed.clock.at
        at, later = (datetime.fromtimestamp(now + days * 86400, UTC).isoformat() for days in (-1, 30))
        by = {"by": "nobody", "at": at}
        self.seed.arrangements(
            "site-9",
            quieted=[{"quiet_id": "q-1", "rule": "trend", "reason": "Agreed", "until": later, "count": 4, **by}],
            away=[{"away_id": "a-1", "starts": at, "ends": later, "reason": "Holiday", "by": "nobody"}],
            watch=[{"watch_id": "w-1", "name": "listed.example", "reason": "Agreed", "expires": later, **by}],
        )

    def count_commands(self) -> int:
        """All commands."""
        with reading(self.engine).connect() as connection:
            return connection.execute(select(func.count()).select_from(schema.command)).scalar_one()

    def answer(self, command: dict[str, Any], *, state: str = "applied", detail: str = "") -> None:
        """Play ingest: the box's answer, and what it then says of devices and findings, in one transaction."""
        with self.engine.begin() as connection:
            connection.execute(
                update(schema.command)
                .where(schema.command.c.command_id == command["command_id"])
                .values(state=state, detail=detail, answered_at=time.time(), sequence=1)
            )
            if state == "applied":
                self._follow(connection, command["site"], command["body"])

    def _follow(self, connection: Connection, site: str, body: dict[str, Any]) -> None:
        devices, proposals, findings = schema.device, schema.proposal, schema.finding

        def change(device_id: str, **values: Any) -> None:
            where = (devices.c.site == site) & (devices.c.device_id == device_id)
            connection.execute(update(devices).where(where).values(**values))

        def addresses(device_id: str) -> list[Any]:
            where = (devices.c.site == site) & (devices.c.device_id == device_id)
            return list(connection.execute(select(devices.c.addresses).where(where)).scalar_one())

        match body["action"]:
            case "set-standing":
                change(body["device_id"], standing=body["standing"], label=body.get("label"))
                of = (findings.c.site == site) & (findings.c.device_id == body["device_id"])
                connection.execute(update(findings).where(of).values(state="closed"))
            case "correct-device":
                change(body["device_id"], correction=body["correction"])
            case "answer-proposal":
                asked = (proposals.c.site == site) & (proposals.c.proposal_id == body["proposal_id"])
                row = connection.execute(select(proposals).where(asked)).one()
                connection.execute(
                    update(proposals).where(asked).values(state="confirmed" if body["confirm"] else "refused")
                )
                if body["confirm"]:
                    joined = [item | {"joined_by": "person"} for item in addresses(row.other_id)]
                    change(row.device_id, addresses=[*addresses(row.device_id), *joined])
                    change(row.other_id, addresses=[], merged_into=row.device_id)
                of = (findings.c.site == site) & (findings.c.device_id == row.other_id)
                connection.execute(update(findings).where(of).values(state="closed"))
            case "split-device":
                whole = addresses(body["device_id"])
                gone = [item | {"joined_by": None} for item in whole if item["mac"] in body["macs"]]
                change(body["device_id"], addresses=[item for item in whole if item["mac"] not in body["macs"]])
                part = (devices.c.site == site) & (devices.c.merged_into == body["device_id"])
                connection.execute(update(devices).where(part).values(merged_into=None, addresses=gone))


SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def accessible(artefacts: Path) -> Callable[..., None]:
    """Look a page over: axe finds nothing, light on a desk and dark on a phone; nothing is cut off at 320 pixels.

    Pictures are left in the artefacts under the given name.
    """

    def look(page: Page, name: str) -> None:
        # All four of them: `test_every_page`. Here, in the states that a journey leads to, two have to do.
        for scheme, where in (("light", "desk"), ("dark", "phone")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(SIZES[where])  # type: ignore[arg-type]
            found = Axe().run(page, options=AXE).response["violations"]
            faults = [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
            assert faults == [], f"{name}, {scheme}, {where}"
            page.screenshot(path=artefacts / f"{name}-{where}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
        assert page.locator("h1").count() == 1, name
        page.set_viewport_size(SIZES["desk"])  # type: ignore[arg-type]

    return look


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def scripted(request: pytest.FixtureRequest) -> bool:
    """With and without JavaScript: give it to `open_page(java_script_enabled=scripted)`."""
    return bool(request.param)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The service on a loopback port of its own, with an empty database."""
    (tmp_path / "secret").write_bytes(os.urandom(32))
    config = tmp_path / "dashboard.toml"
    url = f"sqlite:///{tmp_path / 'pages.db'}"
    issuer = Ed25519PrivateKey.generate()
    config.write_text(
        f'database_url = "{url}"\ntenant = "northmoor"\noperator = "Northmoor Supervision Unit"\n'
        'secret_key_file = "secret"\nsecure_cookies = false\npoll_seconds = 0.2\n'
        f'authority_issuers = ["{public_text(issuer)}"]\n'
    )
    engine = open_engine(url)
    upgrade(engine)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        descriptor = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.web", "--config", str(config), "--fd", str(descriptor)],
            pass_fds=[descriptor],
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        # The socket takes the question at once and answers when the process is up, however busy the machine is.
        assert requests.get(f"{address}/health", timeout=3 * PATIENCE).ok
        seed = _dashboard_tests().Seed(engine, RealClock())
        yield Served(address=address, engine=engine, seed=seed, issuer=issuer)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
        engine.dispose()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors


@pytest.fixture
def open_page(chromium: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    """A page in a fresh profile; whatever goes wrong in its console fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def is_problem(message: ConsoleMessage) -> bool:
        # Chromium counts a form sent back with an error summary (422), and a look when signed out (401), as failed loads.
        return message.type == "error" and not {"401", "422"} & set(message.text.split())

    def make(**options: Any) -> Page:
        context = chromium.new_context(base_url=served.address, **options)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if is_problem(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture
def sign_in(served: Served) -> Callable[..., None]:
    """Sign a page in, as an officer does."""

    def do(page: Page, name: str = "officer-1") -> None:
        code = served.code(name)
        page.goto("/")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Sign-in code").fill(code)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Today", exact=True).wait_for()

    return do
