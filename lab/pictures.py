"""Pictures of the pages for README and guides: `python -m lab.pictures [--into docs/pictures]`.

Sixty made-up households, a real server process on loopback and Debian's Chromium; what is on the pictures is nobody.
Bounded: one server, one browser, `PATIENCE` seconds a page. Ends only what it started.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Connection, Engine, func, select

from dashboard import auth
from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.engine import open_engine
from dashboard.store.migrate import upgrade
from lab import pictures_install
from lab.generator import Sizes, fill
from lab.pictures_install import Wizard
from wire.keys import public_text

PATIENCE = 60.0
DESK, PHONE = (1280, 900), (390, 844)
"""Width and height of what is seen."""
CHROMIUM = "/usr/bin/chromium"
TENANT = "northmoor"
_OFFICER, _SUPERVISOR = "Officer 1", "Supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture."""

    name: str
    path: str
    """`{site}` and `{finding}` are those of the household with most to decide."""
    size: tuple[int, int] = DESK
    whole: bool = False
    """The whole page, not what is seen first."""
    by: str = _OFFICER


PICTURES = (
    Picture(name="today", path="/"),
    Picture(name="today-phone", path="/", size=PHONE),
    Picture(name="households", path="/households"),
    Picture(name="household", path="/households/{site}"),
    Picture(name="finding", path="/households/{site}/findings/{finding}", whole=True),
    Picture(name="finding-phone", path="/households/{site}/findings/{finding}", size=PHONE),
    Picture(name="devices", path="/households/{site}/devices"),
    Picture(name="timeline", path="/households/{site}/timeline"),
    Picture(name="coverage", path="/households/{site}/coverage"),
    Picture(name="notes", path="/households/{site}/notes"),
    Picture(name="visits-phone", path="/households/{site}/visits", size=PHONE),
    Picture(name="install-phone", path="/install", size=PHONE),
    Picture(name="team", path="/team", by=_SUPERVISOR),
    Picture(name="audit", path="/audit", by=_SUPERVISOR),
    Picture(name="accounts", path="/accounts", by=_SUPERVISOR),
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--into", type=click.Path(path_type=Path), default=Path("docs/pictures"), show_default=True)
@click.option("--only", multiple=True, help="Name of a picture; all without it.")
def main(into: Path, only: tuple[str, ...]) -> None:
    """Take the pictures."""
    wanted = [one for one in PICTURES if not only or one.name in only]
    unknown = set(only) - {one.name for one in PICTURES} - set(pictures_install.NAMES)
    if unknown:
        raise click.UsageError(f"there is no picture {min(unknown)}")
    into.mkdir(parents=True, exist_ok=True)
    issuer = Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder, _service(Path(folder), issuer) as (address, engine):
        values = _places(engine)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            pages = {by: _signed_in(browser, address, engine, by) for by in sorted({one.by for one in wanted})}
            for one in wanted:
                page = pages[one.by]
                page.set_viewport_size({"width": one.size[0], "height": one.size[1]})
                answer = page.goto(address + one.path.format(**values))
                if answer is None or not answer.ok:
                    raise click.ClickException(f"{one.name}: the page cannot be had")
                page.screenshot(path=into / f"{one.name}.png", full_page=one.whole)
                click.echo(f"{into / one.name}.png", err=True)
            if not only or set(only) & set(pictures_install.NAMES):
                page = _signed_in(browser, address, engine, _OFFICER)
                page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
                _wizard(page, engine, issuer, into, only)
            browser.close()


def _wizard(page: Page, engine: Engine, issuer: Ed25519PrivateKey, into: Path, only: tuple[str, ...]) -> None:
    """The steps of the wizard, one after the other: each is a state that the one before led to."""

    def shoot(page: Page, name: str) -> None:
        if not only or name in only:
            page.screenshot(path=into / f"{name}.png", full_page=True)
            click.echo(f"{into / name}.png", err=True)

    with engine.connect() as connection:
        last = connection.execute(
            select(schema.site.c.title).order_by(schema.site.c.title.desc()).limit(1)
        ).scalar_one()
    way = Wizard(page=page, engine=engine, tenant=TENANT, issuer=issuer, shoot=shoot)
    way.fit()
    way.carry()
    way.take_away(last)


@contextmanager
def _service(folder: Path, issuer: Ed25519PrivateKey) -> Iterator[tuple[str, Engine]]:
    (folder / "secret").write_bytes(os.urandom(32))
    url, config = f"sqlite:///{folder / 'pages.db'}", folder / "dashboard.toml"
    config.write_text(
        f'database_url = "{url}"\ntenant = "{TENANT}"\noperator = "Northmoor Supervision Unit"\n'
        'secret_key_file = "secret"\nsecure_cookies = false\npoll_seconds = 3600\n'
        f'authority_issuers = ["{public_text(issuer)}"]\n'
    )
    engine = open_engine(url)
    upgrade(engine)
    fill(engine, Sizes(households=60, devices=12, events=1, officers=1), time.time())
    with engine.begin() as connection:
        connection.execute(schema.account.update().values(name=_OFFICER))
        _calm(connection)
    auth.add_account(engine, name=_SUPERVISOR, role=Role.SUPERVISOR, now=time.time())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.web", "--config", str(config), "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
    try:
        yield address, engine
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        engine.dispose()


def _calm(connection: Connection) -> None:
    """Leave three households with something to decide, as on most mornings; all else was looked at."""
    finding, proposal = schema.finding, schema.proposal
    waits = finding.c.state == "open"
    most = (
        select(finding.c.site)
        .where(waits, finding.c.severity != "information")
        .group_by(finding.c.site)
        .order_by(func.count().desc(), finding.c.site)
        .limit(3)
    )
    chosen = connection.execute(most).scalars().all()
    connection.execute(finding.update().where(finding.c.site.not_in(chosen)).values(state="closed"))
    connection.execute(finding.update().where(finding.c.state == "closed").values(looked_at=finding.c.last_seen + 3600))
    connection.execute(proposal.update().where(proposal.c.site.not_in(chosen)).values(state="refused"))


def _places(engine: Engine) -> dict[str, str]:
    """The household with most to decide, and its worst finding."""
    table = schema.finding.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(table.site, table.finding_id, table.severity).where(
                table.state == "open", table.severity.in_(("act_now", "today"))
            )
        ).all()
    sites = [row.site for row in rows]
    site = max(sorted(set(sites)), key=sites.count)
    mine = sorted((row.severity, row.finding_id) for row in rows if row.site == site)
    return {"site": site, "finding": mine[0][1]}


def _signed_in(browser: Browser, address: str, engine: Engine, name: str) -> Page:
    page = browser.new_page(base_url=address)
    page.set_default_timeout(PATIENCE * 1000)
    page.goto("/sign-in")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Sign-in code").fill(auth.make_code(engine, name=name, now=time.time(), lifetime=900))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()
    return page


if __name__ == "__main__":
    main()
