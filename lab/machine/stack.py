"""A whole Gatehouse whose box is a machine started from the built image, from power-on to enrolled.

The same broker, ingest and pages as in `lab.stack`, the enrolment desk beside them, and a card that says where they are.
Keys, certificates, card and accounts are made for the run; the box makes its own. Bounded: one machine; each wait has
its limit.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from dashboard.broker.process import BrokerPlan, write
from dashboard.broker.render import Account, find_mosquitto
from dashboard.store import installs, schema, stock
from dashboard.store.engine import open_engine
from firmware import layout
from lab import addresses
from lab.client import Client
from lab.host import LabError
from lab.machine import disk, image
from lab.machine.home import LAN_TAP, WAN_TAP, Home
from lab.machine.qemu import Machine, Plan
from lab.machine.shell import Shell
from lab.service import wait_until
from lab.stack import TENANT, WORKER, Stack
from wire import authority as authority_document
from wire import claim
from wire.files import replace
from wire.keys import public_text

DESK_PORT = 8884
DISK_SIZE = "4G"
"""Of the card: larger than the image, so that the data partition grows."""
BOOT_SECONDS = 420.0
LABEL = re.compile(rf"[a-z0-9-]{{1,63}}\.[0-9a-f]{{16}}\.[{claim.CODE_ALPHABET}]{{{claim.CODE_LENGTH}}}")
"""As the set-up page shows it, to be typed."""
_HQ = addresses.HQ[0]
_PORT = 8883
_ADMINISTRATOR = "administrator-1"


class BoxStack(Stack):
    """See the module's text. `machine` is off until `start`; `site` is known once the box said it.

    Args:
        folder: where this run writes; its name must be short (unix(7)).
        built: the image.
    """

    machine: Machine
    home: Home

    def __init__(self, folder: Path, built: image.Image) -> None:
        super().__init__(folder, poll_seconds=1.0)
        self.built = built
        self.site = ""
        self.engineer = Ed25519PrivateKey.generate()
        self.release_key = Ed25519PrivateKey.generate()

    def _household(self) -> Home:
        return Home(self.folder / "household")

    def _start_broker(self) -> None:
        server = self._ca.issue("broker", addresses=(_HQ,), dns=(addresses.HQ_NAME,))
        plan = BrokerPlan(
            folder=self.folder / "broker",
            address=_HQ,
            port=_PORT,
            ca=self._ca.certificate_path,
            certificate=server.certificate,
            key=server.key,
            accounts=(Account.ingest(TENANT, WORKER), Account.administrator(_ADMINISTRATOR)),
            user="root",
        )
        self.services.start("broker", self.home.hq, [find_mosquitto(), "-c", write(plan)])

    def _start_dashboard(self) -> None:
        self._write_dashboard()
        self._dashboard("init-db")
        folder = self.folder / "dashboard"
        python = [sys.executable, "-m"]
        self.services.start(
            "ingest", self.home.hq, [*python, "dashboard.ingest", "--config", str(folder / "ingest.toml")]
        )
        self.services.start("desk", self.home.hq, [*python, "dashboard.enrol", "--config", str(folder / "desk.toml")])
        argv = [*python, "dashboard.web", "--config", str(folder / "dashboard.toml"), "--fd", str(self._own.fileno())]
        self.services.start("pages", self.home.hq, argv, pass_fds=(self._own.fileno(),))

    def _write_dashboard(self) -> None:
        folder, keys = self.folder / "dashboard", self.folder / "keys"
        folder.mkdir(exist_ok=True)
        replace(folder / "secret", self.engineer.sign(b"secret"))
        worker, desk = self._ca.issue(WORKER), self._ca.issue("desk", addresses=(_HQ,), dns=(addresses.HQ_NAME,))
        administrator = self._ca.issue(_ADMINISTRATOR)
        engineer = self.engineer.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        common = f"""
database_url = "sqlite:///{self.database}"
tenant = "{TENANT}"
operator = "Demonstration Constabulary"
secret_key_file = "secret"
poll_seconds = {self._poll_seconds}
secure_cookies = false
authority_issuers = ["{public_text(self.issuer)}"]

[boxes]
enrol_url = "https://{addresses.HQ_NAME}:{DESK_PORT}"
ca = "{self._ca.certificate_path}"
server_verify = ["{self._public["server-signing"]}"]
release_keys = ["{public_text(self.release_key)}"]
engineer_keys = ["{engineer}"]
"""
        card = '[sign_in]\npublic_url = "https://pages.example"\n'
        ingest = f"""
[ingest]
host = "{_HQ}"
port = {_PORT}
worker = "{WORKER}"
ca = "{self._ca.certificate_path}"
certificate = "{worker.certificate}"
key = "{worker.key}"
signing_key = "{keys}/server-signing.pem"
sealing_key = "{keys}/server-sealing.pem"
"""
        control = f"""
[control]
host = "{_HQ}"
port = {_PORT}
ca = "{self._ca.certificate_path}"
certificate = "{administrator.certificate}"
key = "{administrator.key}"
"""
        enrol = f"""
[enrol]
host = "{_HQ}"
port = {DESK_PORT}
ca = "{self._ca.certificate_path}"
ca_key = "{self._ca.write_key()}"
certificate = "{desk.certificate}"
key = "{desk.key}"

[enrol.box]
server_seal = "{self._public["server-sealing"]}"
signing_key = "{keys}/server-signing.pem"

[enrol.box.broker]
host = "{addresses.HQ_NAME}"
port = {_PORT}
renew_url = "https://{addresses.HQ_NAME}:{DESK_PORT}"
"""
        replace(folder / "dashboard.toml", common.encode())
        replace(folder / "card.toml", (common + card).encode())
        replace(folder / "ingest.toml", (common + ingest).encode())
        replace(folder / "desk.toml", (common + control + enrol).encode())

    def operator_card(self) -> str:
        """`operator.toml`, as the dashboard's command prints it."""
        return self._dashboard("operator-card", config="card.toml")

    def _dashboard(self, *arguments: str, config: str = "dashboard.toml") -> str:
        words = [sys.executable, "-m", "dashboard.cli", "--config", str(self.folder / "dashboard" / config), *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def _start_box(self) -> None:
        self.base = image.prepare(self.built, self.folder / "base.img", self.operator_card())
        self.machine = self.new_machine("m")

    def new_machine(self, name: str, *, memory_mib: int | None = None) -> Machine:
        """A machine with a fresh copy of the card, switched off; cabled where it is the only one that is on."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        card = disk.overlay(self.base, folder / "card.qcow2", size=DISK_SIZE)
        plan = Plan(disks=[card], taps=[WAN_TAP, LAN_TAP], memory_mib=memory_mib or self.built.memory_mib)
        machine = Machine(plan, folder, self.home.gateway)
        self._exit.callback(machine.close)
        return machine

    def uncabled(self, card: Path) -> Machine:
        """A machine with this card and no cable in its network cards, switched off: several may be on at a time."""
        folder = self.folder / f"m-{card.stem}"
        machine = Machine(
            Plan(disks=[card], taps=["", ""], memory_mib=self.built.memory_mib), folder, self.home.gateway
        )
        self._exit.callback(machine.close)
        return machine

    # --- from power-on to enrolled --------------------------------------------------------------

    def boot(self, machine: Machine | None = None) -> Shell:
        """Switch on, and wait for the shell and for what systemd has to start.

        Raises:
            ShellError: not within `BOOT_SECONDS`.
        """
        box = machine or self.machine
        if not box.running:
            box.power_on()
        shell = box.shell(BOOT_SECONDS)
        # Not `is-system-running --wait`: what timers start each minute is never done where a minute is too short for it.
        shell.run("until systemctl -q is-active multi-user.target; do sleep 2; done", seconds=BOOT_SECONDS)
        return shell

    def page(self, device: Client, path: str) -> str:
        """A page of the box itself, as a device gets it from the address that gave it its lease."""
        if device.leased is None:
            raise LabError(f"{device.name} has no lease")
        words = [
            "curl",
            "--silent",
            "--show-error",
            "--fail",
            "--max-time",
            "20",
            f"http://{device.leased.routers[0]}{path}",
        ]
        return device.run(words).stdout

    def wait_page(self, device: Client, wanted: Callable[[str], bool], *, path: str = "/", seconds: float = 180) -> str:
        """Wait until the box's page says what is wanted; the page."""
        said: list[str] = [""]

        def look() -> bool:
            with suppress(LabError):
                said[0] = self.page(device, path)
            return wanted(said[0])

        wait_until(look, what=f"the box's page {path}", seconds=seconds, pause=1.0)
        return said[0]

    def stock(self, card: str) -> None:
        """Enter the box into stock by its card."""
        path = self.folder / "card.json"
        path.write_text(card, encoding="utf-8")
        self._dashboard("stock-box", str(path))

    def device_id(self, mac: str) -> str | None:
        """What the dashboard calls the device of a hardware address; None where it was told of none."""
        statement = select(schema.device).where(schema.device.c.site == self.site)
        engine = open_engine(f"sqlite:///{self.database}")
        with engine.connect() as connection:
            rows = connection.execute(statement).mappings().all()
        engine.dispose()
        found = (row["device_id"] for row in rows if any(item["mac"] == mac for item in row["addresses"] or ()))
        return next(found, None)

    def claim(self, card: str, label: str) -> str:
        """Enter the box into stock by its card and claim it by its label for an installation; its site id.

        Raises:
            LabError: card or label do not count.
        """
        self.stock(card)
        read = claim.parse_label(label)
        if read is None:
            raise LabError(f"this is no label: {label[:80]}")
        self.sign_in_code("installer-1")
        install_id, now = "ab" * 16, time.time()
        engine = open_engine(f"sqlite:///{self.database}")
        with engine.begin() as connection:
            named = select(schema.account.c.account_id).where(schema.account.c.name == "installer-1")
            by = str(connection.execute(named).scalar_one())
            installs.start(
                connection, install_id, tenant=TENANT, kind="install", reference="DEMO-1", site=None, by=by, now=now
            )
            done = stock.claim_box(
                connection, install_id, read, tenant=TENANT, title="Household DEMO-0001", by=by, now=now
            )
        engine.dispose()
        if done is not stock.Claimed.DONE:
            raise LabError(f"the box could not be claimed: {done}")
        self.site = read.site
        self._dashboard("assign", "installer-1", "--all")
        return read.site

    def fit(self, device: Client, *, seconds: float = 300.0) -> dict[str, float]:
        """From the set-up page to a box that watches; seconds since power-on of each stage.

        Raises:
            TimeoutError: a stage took longer than `seconds`.
        """
        began, shell = self.machine.powered_at, self.machine.shell()
        stages = {}
        card = self.wait_page(device, lambda text: '"code_sha256"' in text, path="/card.json", seconds=seconds)
        label = LABEL.search(self.page(device, "/"))
        if label is None:
            raise LabError("the set-up page shows no label")
        stages["set-up page"] = time.monotonic() - began
        self.claim(card, label.group())
        wait_until(
            lambda: not shell.run(f"test -e {layout.BOX_FILE}", check=False).returncode,
            what="the box to be enrolled",
            seconds=seconds,
            pause=1.0,
        )
        stages["enrolled"] = time.monotonic() - began
        self.give_authority(shell)
        self.wait_heard(seconds)
        stages["watches, and the service hears it"] = time.monotonic() - began
        return stages

    def wait_heard(self, seconds: float) -> None:
        """Wait until the dashboard has heard that the box records, and that its clock is right."""
        statement = select(schema.site.c.status).where(schema.site.c.site == self.site)
        engine = open_engine(f"sqlite:///{self.database}")

        def look() -> bool:
            with engine.connect() as connection:
                text = connection.execute(statement).scalar()
            said = (json.loads(text) if isinstance(text, str) else text) or {}
            return bool(said.get("online") and said.get("recording") and said.get("clock") == "authenticated")

        try:
            wait_until(look, what="the box's word that it records", seconds=seconds, pause=1.0)
        finally:
            engine.dispose()

    def give_authority(self, shell: Shell) -> None:
        """Put a signed authority for this box where it looks, by the shell: no officer has signed one in this run."""
        document = self.authority().model_copy(update={"site": self.site})
        text = authority_document.sign(document, self.issuer).model_dump_json()
        shell.run(
            f"cat > {layout.AUTHORITY_FILE}.new <<'END'\n{text}\nEND\n"
            f"chmod 644 {layout.AUTHORITY_FILE}.new && mv {layout.AUTHORITY_FILE}.new {layout.AUTHORITY_FILE}"
        )
