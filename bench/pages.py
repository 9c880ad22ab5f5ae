"""How long the pages take with as much in the tables as an operator has after years, while boxes go on reporting.

By database and page: server time (from the request to the last octet of the answer, in this process), what of it this
process worked itself (which is the same however much else the machine does), octets, statements,
the same page over a small database of the same kind, and a bare Flask page of as many octets in the same rounds. Ingest's own code stores `A_SECOND` events a second
meanwhile, in a process of its own. Sizes are the generator's; the numbers are of this machine and what else it does.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from appliance import clock
from dashboard import auth
from dashboard.access import Role
from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab.generator import Sizes, fill, site_id
from lab.postgres import PostgresMissingError, cluster

FULL = {"postgresql": Sizes(events=10_000_000), "sqlite": Sizes(events=1_000_000)}
QUICK = {name: Sizes(households=50, events=20_000) for name in FULL}
SMALL = Sizes(households=10, devices=5, events=1000, days=7)
NEEDED = 3_000
"""Octets of disk for each event, with indexes, journal and room to work."""
A_SECOND = 500
ROUNDS, QUICK_ROUNDS = 40, 5
GOAL_MS, GOAL_OCTETS = 100.0, 150_000
_HOME = f"/households/{site_id(3)}"
PAGES = {
    "today": "/",
    "households": "/households",
    "findings": _HOME,
    "finding": f"{_HOME}/findings/find-001",
    "devices": f"{_HOME}/devices",
    "device": f"{_HOME}/devices/dev-01",
    "timeline": f"{_HOME}/timeline",
    "activity": f"{_HOME}/activity",
    "coverage": f"{_HOME}/coverage",
    "box": f"{_HOME}/box",
    "order": f"{_HOME}/law",
    "visits": f"{_HOME}/visits",
    "notes": f"{_HOME}/notes",
    "search": "/search?q=REF00004",
    "team": "/team",
    "lists": "/lists",
    "audit": "/audit",
    "boxes": "/boxes",
}


def measure(*, quick: bool = False) -> dict[str, dict[str, float | str]]:
    """By database, role and page: milliseconds, octets and statements; beside them the same page over little."""
    sizes, rounds = (QUICK, QUICK_ROUNDS) if quick else (FULL, ROUNDS)
    found: dict[str, dict[str, float | str]] = {}
    with tempfile.TemporaryDirectory(prefix="pages-", dir=Path.cwd()) as name:
        folder = Path(name)
        urls = {size: f"sqlite:///{folder / size}.db" for size in ("full", "small")}
        found |= _database("sqlite", urls, sizes["sqlite"], rounds, folder)
        try:
            if shutil.disk_usage(folder).free < NEEDED * sizes["postgresql"].events:
                raise PostgresMissingError("not enough room on the disk")  # noqa: TRY301 - told as what is not there
            # On the disk, as SQLite's: in the lab's household /run is memory, and smaller than the server's journal alone.
            with cluster(data=_entered(folder) / "postgres", durable=True) as server:
                urls = {size: server.fresh() for size in ("full", "small")}
                found |= _database("postgresql", urls, sizes["postgresql"], rounds, folder)
        except PostgresMissingError as error:
            found["postgresql"] = {"left out": str(error)}
    return found


def _entered(folder: Path) -> Path:
    """A folder that the server, which is another user, gets to."""
    folder.chmod(0o711)
    return folder


def _database(
    kind: str, urls: dict[str, str], sizes: Sizes, rounds: int, folder: Path
) -> dict[str, dict[str, float | str]]:
    now = clock.now()
    for size, url in urls.items():
        engine = open_engine(url)
        upgrade(engine)
        fill(engine, sizes if size == "full" else SMALL, now)
        engine.dispose()
    return over(kind, urls, sizes, rounds, folder)


def over(kind: str, urls: dict[str, str], sizes: Sizes, rounds: int, folder: Path) -> dict[str, dict[str, float | str]]:
    """Measure over two databases that are filled already."""
    small = look(urls["small"], rounds, folder)
    with storing(urls["full"], sizes.households):
        full = look(urls["full"], rounds, folder)
    rows: dict[str, dict[str, float | str]] = {}
    for page, figures in full.items():
        beside = small.get(page)
        judged: dict[str, float | str] = {
            "p95_small_ms": beside["p95_ms"] if beside else "",
            "times_small": figures["p95_ms"] / beside["p95_ms"] if beside else "",
            "kept": "yes" if figures["p95_ms"] <= GOAL_MS and figures["octets"] <= GOAL_OCTETS else "no",
        }
        rows[f"{kind} {page}"] = {**figures, **judged}
    return rows


def look(url: str, rounds: int, folder: Path) -> dict[str, dict[str, float]]:
    """Ask for every page that is there, as a supervisor (who sees all) and, where it differs, as an officer."""
    secret = folder / "secret"
    secret.write_bytes(os.urandom(32))
    settings = DashboardSettings.model_validate(
        {
            "database_url": url,
            "tenant": Sizes().tenant,
            "operator": "Northmoor",
            "secret_key_file": secret,
            "secure_cookies": False,
        }
    )
    engine = open_engine(url)
    app = create_app(settings, engine=engine)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    found: dict[str, dict[str, float]] = {}
    bare = _bare()
    for role in (Role.SUPERVISOR, Role.OFFICER):
        client = app.test_client()
        with client.session_transaction() as session:
            session["token"] = _signed_in(engine, role)
        for page, address in PAGES.items():
            first = client.get(address)
            if first.status_code != 200 or (role is Role.OFFICER and page not in ("today", "households")):
                continue
            times, own, beside = [], [], []
            octets = len(first.get_data())
            for _ in range(rounds):
                asked.clear()
                whole, worked, octets = _ask(client, address)
                times.append(whole)
                own.append(worked)
                beside.append(_ask(bare, f"/{octets}")[1])
            found[page if role is Role.SUPERVISOR else f"{page} of one officer"] = {
                "p50_ms": statistics.median(times),
                "p95_ms": _p95(times),
                "p95_own_ms": _p95(own),
                "own_times_bare": statistics.median(own) / statistics.median(beside),
                "octets": float(octets),
                "statements": float(len(asked)),
            }
    engine.dispose()
    return found


def _ask(client: FlaskClient, address: str) -> tuple[float, float, int]:
    """Milliseconds of an answer, those of them that this process worked, and its octets."""
    began, worked = time.perf_counter(), time.process_time()
    octets = len(client.get(address).get_data())
    return (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000, octets


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.95) - 1)]


def _bare() -> FlaskClient:
    """An app that answers with so many octets and does nothing else: what Flask itself takes."""
    app = Flask("bare")
    app.add_url_rule("/<int:octets>", view_func=lambda octets: "x" * octets)
    return app.test_client()


def _signed_in(engine: Engine, role: Role) -> str:
    """A session's token; the officer is the first of the generator's."""
    if role is Role.OFFICER:
        account = "acc-made-001"
    else:
        account = auth.add_account(engine, name=f"Bench {time.perf_counter_ns()}", role=role, now=clock.now())
    with engine.begin() as connection:
        return auth._open_session(connection, account, clock.now())  # noqa: SLF001 - hashing a code is slow by design


@contextmanager
def storing(url: str, households: int) -> Iterator[None]:
    """Store `A_SECOND` events a second in another process meanwhile."""
    given = [sys.executable, "-m", "bench.pages_load", url, str(households), str(A_SECOND)]
    process = subprocess.Popen(given, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        assert process.stdin is not None  # noqa: S101 - as asked for
        process.stdin.close()
        process.wait(30)
