"""A whole Gatehouse in one sealed place: household, box, broker, ingest and pages.

Everything real and made for this run: keys, certificates, authority document, accounts. Nothing
outlives the run but what it wrote into `folder`.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from dashboard.broker.process import BrokerPlan, write
from dashboard.broker.render import Account, find_mosquitto
from firmware import household as what
from lab import addresses, enter, personas
from lab.boxfile import Places, settings_text
from lab.client import Client
from lab.household import Household
from lab.officer import Officer
from lab.pki import CertificateAuthority
from lab.service import Services, wait_until
from wire import authority as authority_document
from wire.authority import Authority, Clause, CollectClause, DataClass, ListsClause, QuarantineClause, RegisterClause
from wire.base import Standing
from wire.files import replace
from wire.keys import public_text, write_private

TENANT = "demo"
SITE = "site-0001"
WORKER = "ingest-1"
GATEHOUSE = Path(sys.executable).with_name("gatehouse")
"""The command, as installed beside this Python."""
LISTS = Path(__file__).parent / "lists"
_HQ = addresses.HQ[0]
_PORT = 8883
_UIDS = {"warden": 64101, "sensor": 64102, "keeper": 64103, "courier": 64104, "porch": 64105, "resolver": 64106}
_ROOMS = tuple(_UIDS)


class Stack:
    """Starts everything on entry, stops it on exit.

    Args:
        folder: where this run writes; made if absent.
        listeners: descriptors of listening sockets the pages are served on, beside a loopback one.
        poll_seconds: how often a page looks for news.
        quarantine: whether the authority lets unknown devices be held to the LAN side.
        lists: further lists, by id, each in the format of plain domains or addresses.
        house: what the router is, where it is not the lab's own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        listeners: Sequence[int] = (),
        poll_seconds: float = 1.0,
        quarantine: bool = False,
        lists: Mapping[str, str] | None = None,
        house: what.Household | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._listeners = tuple(listeners)
        self._poll_seconds = poll_seconds
        self._quarantine = quarantine
        self._lists = dict(lists or {})
        self._house = house
        self.services = Services(folder / "logs")
        self.issuer = Ed25519PrivateKey.generate()
        self.why_one_user = _why_one_user()
        """Why the box's processes share one user here; None where each has its own, as on a box."""
        self._exit = ExitStack()
        self._own = self._exit.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.url = f"http://127.0.0.1:{self._own.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Bring it all up; what was started is stopped again if a later part fails."""
        try:
            self.home = self._exit.enter_context(self._household())
            self._exit.callback(self.services.stop)
            self._make_keys()
            self._start_broker()
            self._start_dashboard()
            self._start_box()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it all."""
        self.stop()

    def stop(self) -> None:
        """Stop programs, then the household. Safe to call twice."""
        self._exit.close()

    def join(self, name: str, *, mac: str | None = None, lease: bool = True) -> Client:
        """A device of persona `name` joins the household, under another address if `mac` is given."""
        persona = personas.load(name)
        if mac is not None:
            persona = persona.model_copy(update={"name": f"{name}-{mac.replace(':', '')[-4:]}", "mac": mac})
        client = self.home.join(persona)
        if lease:
            client.lease()
        return client

    def _household(self) -> Household:
        return Household(self.folder / "household", self._house)

    @property
    def box_config(self) -> Path:
        """The box's settings file."""
        return self.folder / "box" / "box.toml"

    @property
    def authority_file(self) -> Path:
        """Where the box looks for its authority."""
        return self.folder / "box" / "authority.json"

    @property
    def database(self) -> Path:
        """The dashboard's SQLite file."""
        return self.folder / "dashboard" / "dashboard.db"

    @property
    def keeper_database(self) -> Path:
        """The box's SQLite file; open it read-only."""
        return self.folder / "box" / "state" / "keeper" / "keeper.db"

    def server_pid(self, name: str) -> int:
        """Process id of broker, ingest, pages or box (the supervisor)."""
        return self.services.pid(name)

    def room_pids(self) -> dict[str, int]:
        """Process id of each process of the box, as its supervisor says."""
        with suppress(OSError, ValueError):
            state: dict[str, int] = json.loads((self.folder / "box" / "run" / "up.json").read_text())
            return {name: pid for name, pid in state.items() if name in _ROOMS}
        return {}

    def officer(self, name: str) -> Officer:
        """A new account with a fresh one-time code, signed in to the pages."""
        return Officer(self.url, name, self.sign_in_code(name))

    def sign_in_code(self, name: str) -> str:
        """A one-time sign-in code for an account, which is made if absent."""
        with suppress(subprocess.CalledProcessError):
            self._dashboard("add-account", name, "--role", "officer")
            self._dashboard("assign", name, "--all")
        return self._dashboard("sign-in-code", name).strip()

    def issue_authority(self, document: Authority, issuer: Ed25519PrivateKey | None = None) -> None:
        """Sign an authority document and put it where the box looks."""
        signed = authority_document.sign(document, issuer or self.issuer)
        replace(self.authority_file, signed.model_dump_json(indent=1).encode(), mode=0o644)

    def authority(
        self,
        number: int = 1,
        *,
        not_after: datetime | None = None,
        signs: bool = False,
        clauses: Sequence[Clause] = (),
    ) -> Authority:
        """The demonstration's authority: register, presence for all, names for the registered.

        With `signs`, those of devices that nobody has registered yet as well; `clauses` are added.
        """
        now = datetime.now(UTC)
        everyone = tuple(Standing)
        watched = CollectClause(number="8", standings=(Standing.UNKNOWN,), classes=(DataClass.SIGNS, DataClass.VOLUMES))
        all_clauses = (
            RegisterClause(number="3"),
            CollectClause(number="4", standings=everyone, classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
            CollectClause(
                number="5",
                standings=(Standing.REGISTERED,),
                classes=(DataClass.LIST_HITS, DataClass.VOLUMES, DataClass.SIGNS),
            ),
            ListsClause(number="6", standings=(Standing.REGISTERED,), lists=("demo-list",)),
            *((QuarantineClause(number="7", standings=(Standing.UNKNOWN,)),) if self._quarantine else ()),
            *((watched,) if signs else ()),
            *clauses,
        )
        return Authority(
            id="authority-demo",
            number=number,
            kind="order",
            reference="DEMO/2026/0001",
            purpose="prevent",
            tenant=TENANT,
            site=SITE,
            responsible_officer="demonstration officer",
            issued_at=now,
            not_before=now - timedelta(hours=1),
            not_after=not_after or now + timedelta(days=1),
            review_date=now + timedelta(days=180),
            clauses=all_clauses,
        )

    def _make_keys(self) -> None:
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        self._public: dict[str, str] = {}
        for name in ("box", "server"):
            signing, sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
            write_private(keys / f"{name}-signing.pem", signing)
            write_private(keys / f"{name}-sealing.pem", sealing)
            self._public[f"{name}-signing"] = public_text(signing)
            self._public[f"{name}-sealing"] = public_text(sealing)
        self._ca = CertificateAuthority(self.folder / "pki")

    def _start_broker(self) -> None:
        server = self._ca.issue("broker", addresses=(_HQ,))
        plan = BrokerPlan(
            folder=self.folder / "broker",
            address=_HQ,
            port=_PORT,
            ca=self._ca.certificate_path,
            certificate=server.certificate,
            key=server.key,
            accounts=(Account.box(TENANT, SITE), Account.ingest(TENANT, WORKER)),
            user="root",  # the only user that every lab has
        )
        self.services.start("broker", self.home.hq, [find_mosquitto(), "-c", write(plan)])

    def _start_dashboard(self) -> None:
        folder = self.folder / "dashboard"
        folder.mkdir(exist_ok=True)
        replace(folder / "secret", base64.b64encode(secrets.token_bytes(48)))
        worker = self._ca.issue(WORKER)
        common = f"""
database_url = "sqlite:///{self.database}"
tenant = "{TENANT}"
operator = "Demonstration Constabulary"
secret_key_file = "secret"
poll_seconds = {self._poll_seconds}
secure_cookies = false
"""
        replace(folder / "dashboard.toml", common.encode())
        ingest = f"""
[ingest]
host = "{_HQ}"
port = {_PORT}
worker = "{WORKER}"
ca = "{self._ca.certificate_path}"
certificate = "{worker.certificate}"
key = "{worker.key}"
signing_key = "{self.folder}/keys/server-signing.pem"
sealing_key = "{self.folder}/keys/server-sealing.pem"
"""
        replace(folder / "ingest.toml", (common + ingest).encode())
        self._dashboard("init-db")
        self._dashboard(
            "add-site", SITE, "--title", "Household DEMO-0001",
            "--verify-key", self._public["box-signing"], "--seal-key", self._public["box-sealing"],
        )  # fmt: skip
        python = [sys.executable, "-m"]
        config = ["--config", str(folder / "ingest.toml")]
        self.services.start("ingest", self.home.hq, [*python, "dashboard.ingest", *config])
        descriptors = (self._own.fileno(), *self._listeners)
        argv = [*python, "dashboard.web", "--config", str(folder / "dashboard.toml")]
        for descriptor in descriptors:
            argv += ["--fd", str(descriptor)]
        self.services.start("pages", self.home.hq, argv, pass_fds=descriptors)

    def _dashboard(self, *arguments: str) -> str:
        config = self.folder / "dashboard" / "dashboard.toml"
        done = subprocess.run(
            [sys.executable, "-m", "dashboard.cli", "--config", str(config), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def _start_box(self) -> None:
        folder = self.folder / "box"
        folder.mkdir(exist_ok=True)
        certificate = self._ca.issue(SITE)
        keys = self.folder / "keys"
        uids = {} if self.why_one_user else _UIDS
        if uids:
            os.chown(keys / "box-signing.pem", uids["keeper"], -1)
            os.chown(keys / "box-sealing.pem", uids["keeper"], -1)
            os.chown(certificate.key, uids["courier"], -1)
            os.chown(self.home.known_folder, uids["warden"], -1)
        places = Places(
            state="state",
            run="run",
            household=self.home.household_file,
            authority="authority.json",
            ca=self._ca.certificate_path,
            certificate=certificate.certificate,
            certificate_key=certificate.key,
            signing_key=keys / "box-signing.pem",
            sealing_key=keys / "box-sealing.pem",
        )
        self._write_settings(places, uids)
        self.issue_authority(self.authority())
        self.resume_box()

    def _write_settings(self, places: Places, uids: Mapping[str, int]) -> None:
        """`box.toml`, and the lists beside it."""
        shutil.copy(LISTS / "demo-list.txt", self.box_config.parent / "demo-list.txt")
        for list_id, text in self._lists.items():
            replace(self.box_config.parent / f"{list_id}.txt", text.encode(), mode=0o644)
        text = settings_text(
            places,
            uids,
            tenant=TENANT,
            site=SITE,
            broker=(_HQ, _PORT),
            server_verify=self._public["server-signing"],
            server_seal=self._public["server-sealing"],
            issuer=public_text(self.issuer),
            lists=self._lists,
        )
        replace(self.box_config, text.encode(), mode=0o644)

    def pause_box(self) -> None:
        """Stop the box's processes; its rules stay loaded and the household keeps its internet."""
        self.services.end("box")

    def resume_box(self) -> None:
        """Start the box's processes again."""
        self.services.start("box", self.home.gateway, [GATEHOUSE, "up", "--config", self.box_config])

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Wait until the pages answer and the box's first words have reached the dashboard."""
        probe = Officer(self.url, "probe", None)
        try:
            wait_until(probe.answers, what="the pages to answer", seconds=seconds)
            wait_until(lambda: set(self.room_pids()) == set(_ROOMS), what="the box's processes", seconds=seconds)
            wait_until(self._heard, what="the box's first message to reach the dashboard", seconds=seconds)
        except TimeoutError as error:
            logs = "\n".join(f"--- {name}\n{self.services.tail(name)}" for name in self.services.running)
            raise TimeoutError(f"{error}\n{logs}") from error

    def _heard(self) -> bool:
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection,
        ):
            row = connection.execute("select status from site where site = ?", (SITE,)).fetchone()
            status = json.loads(row[0]) if row and row[0] else None
            # Until the server vouches for the time, what the box sees is sealed, and devices are not known yet.
            said = status or {}
            return bool(said.get("online") and said.get("recording") and said.get("clock") == "authenticated")
        return False


def _why_one_user() -> str | None:
    if enter.mode() != "root":
        return "an ordinary user's lab has one user only"
    command = ["setpriv", f"--reuid={_UIDS['sensor']}", f"--regid={_UIDS['sensor']}", "--clear-groups"]
    done = subprocess.run([*command, sys.executable, "-c", "import appliance"], capture_output=True, check=False)
    if done.returncode:
        return (
            f"other users may not read {Path(__file__).parents[1]} or {sys.executable}; a folder outside a home will do"
        )
    return None
