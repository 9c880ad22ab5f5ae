"""Keeper and warden as they run on a box, with a courier's end in hand: for a guest with radios.

In: a household, passphrases as enrolment leaves them. Out: orders carried to the keeper as the server seals them, and
what the keeper wrote down. Keys are made at run time. Both are forked from a process that has loaded what they are made
of, because loading it twice takes an emulated processor half a minute; they begin where `python -m` begins them. Bounded:
every wait as in `air`.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import link, service
from appliance import messages as m
from appliance.keeper.main import main as keeper
from appliance.warden.main import main as warden
from lab.wifi.air import WAIT_SECONDS, AirError, wait
from wire.authority import Authority, CollectClause, DataClass, QuarantineClause, RegisterClause, sign
from wire.base import Payload, Standing
from wire.codec import open_sealed, payload_json, seal, topic_for
from wire.keys import public_text, write_private
from wire.models import Command, CommandResult, type_of
from wire.orders import SetPassphrase
from wire.timing import TimeAnswer, TimeRequest, open_run_key
from wire.wifi import SealedPassphrase, seal_passphrase

TENANT, SITE = "force-a", "box-1"
_MAINS = {"keeper": keeper, "warden": warden}
_FORK = multiprocessing.get_context("fork")

_SETTINGS = """
tenant = "{tenant}"
site = "{site}"
state_dir = "state"
run_dir = "run"
household = "household.toml"
[broker]
host = "localhost"
ca = "ca.pem"
certificate = "box.pem"
key = "box.key"
[keys]
signing_key = "sign.pem"
sealing_key = "seal.pem"
server_verify = ["{server}"]
server_seal = "{server_seal}"
[authority]
path = "authority.json"
issuers = ["{issuer}"]
[notice]
operator = "Example"
contact = "Example"
complaints = "Example"
"""


class Box:
    """The two processes and their keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._signer, self._opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self._server, self._server_opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        issuer = Ed25519PrivateKey.generate()
        write_private(folder / "sign.pem", self._signer)
        write_private(folder / "seal.pem", self._opener)
        text = _SETTINGS.format(
            tenant=TENANT,
            site=SITE,
            server=public_text(self._server),
            server_seal=public_text(self._server_opener),
            issuer=public_text(issuer),
        )
        (folder / "box.toml").write_text(text)
        (folder / "authority.json").write_text(sign(_authority(), issuer).model_dump_json())
        self._processes: dict[str, ForkProcess] = {}
        self._courier: link.Link | None = None
        self._sequence = 0
        self.results: list[CommandResult] = []

    @property
    def passphrases(self) -> Path:
        """What hostapd reads."""
        return self.folder / "state" / "warden" / "wifi.psk"

    def seal(self, key_id: str, passphrase: str) -> str:
        """A passphrase as the dashboard stores it."""
        return seal_passphrase(passphrase, site=SITE, key_id=key_id, recipient=self._opener.public_key())

    def leave(self, passphrases: dict[str, str]) -> None:
        """As enrolment leaves them, beside the household's file; the id of everybody's is `household`."""
        left = [
            SealedPassphrase(
                key_id=key_id,
                sealed=self.seal(key_id, passphrase),
                purpose="household" if key_id == "household" else "device",
            ).model_dump_json(exclude_none=True)
            for key_id, passphrase in passphrases.items()
        ]
        (self.folder / "passphrases.json").write_text(f"[{','.join(left)}]")

    def start(self, name: str) -> None:
        """Start keeper or warden."""
        process = _FORK.Process(target=_begin, args=(name, self.folder), name=name)
        process.start()
        self._processes[name] = process

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one of them, as a fault would."""
        process = self._processes.pop(name)
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, number)
        process.join(WAIT_SECONDS)

    def stop(self) -> None:
        """End what runs."""
        for name in tuple(self._processes):
            self.kill(name, signal.SIGTERM)

    def log(self, name: str) -> str:
        """What a process said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- the server's side ------------------------------------------------------------------

    def connect(self) -> None:
        """Be the courier, and the server that vouches for the time."""
        path = self.folder / "run" / "keeper" / "courier.sock"
        wait(path.exists, "the keeper")
        self._courier = link.connect(path)
        self._courier.send(m.BrokerState(connected=True), m.Credit(count=10_000))
        self._until(lambda payload: isinstance(payload, TimeRequest))

    def order(self, body: Any) -> CommandResult:
        """Give an order; the keeper's answer."""
        self._sequence += 1
        now = datetime.now(UTC)
        command = Command(
            command_id=f"c-{self._sequence}",
            sequence=self._sequence,
            issued_at=now,
            expires_at=now + timedelta(minutes=5),
            by="officer-1",
            second="officer-2",
            body=body,
        )
        self._down(command)
        found = self._until(lambda payload: getattr(payload, "command_id", None) == command.command_id)
        if not isinstance(found, CommandResult):
            raise AirError("the keeper gave no answer")
        return found

    def set(self, key_id: str, passphrase: str, *, purpose: str = "device", seconds: float | None = None) -> str:
        """Set a passphrase; what became of it."""
        until = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
        fields: dict[str, Any] = {"key_id": key_id, "purpose": purpose, "until": until}
        return self.order(SetPassphrase(sealed=self.seal(key_id, passphrase), **fields)).outcome.value

    def _down(self, payload: Payload) -> None:
        if self._courier is None:
            raise AirError("nobody carries")
        topic = topic_for(payload, tenant=TENANT, site=SITE)
        body = seal(
            payload_json(payload),
            type_=type_of(payload).ce_type,
            topic=topic,
            id_=f"s-{self._sequence}-{time.monotonic_ns()}",
            sequence=self._sequence,
            at=datetime.now(UTC),
            signer=self._server,
            recipient=self._opener.public_key(),
        )
        self._courier.send(m.Inbound(token=self._sequence, topic=str(topic), body=body))

    def _until(self, wanted: Any) -> Payload:
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end and self._courier is not None:
            ready, _, _ = select.select([self._courier], [], [], 1.0)
            for message in self._courier.receive() if ready else ():
                if not isinstance(message, m.Outbound):
                    continue
                payload = self._open(message)
                if isinstance(payload, TimeRequest):
                    self._answer(payload)
                if isinstance(payload, CommandResult):
                    self.results.append(payload)
                if wanted(payload):
                    return payload
        raise AirError("the keeper did not say what was waited for")

    def _open(self, outbound: m.Outbound) -> Payload:
        signers = (self._signer.public_key(),)
        return open_sealed(outbound.body, topic=outbound.topic, recipient=self._server_opener, signers=signers).payload

    def _answer(self, request: TimeRequest) -> None:
        key = None
        if request.sealed_key is not None:
            key = open_run_key(request.sealed_key, self._server_opener, boot=request.boot, tenant=TENANT, site=SITE)
        self._down(TimeAnswer(nonce=request.nonce, at=datetime.now(UTC), key=key))


def _begin(name: str, folder: Path) -> None:
    """In the new process: what `python -m appliance.NAME` does."""
    with (folder / f"{name}.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = [f"appliance.{name}", "--config", str(folder / "box.toml")]
    service.run(name, _MAINS[name])


def _authority() -> Authority:
    now = datetime.now(UTC)
    return Authority(
        id="authority-1",
        number=1,
        kind="order",
        reference="EX-0001",
        purpose="detect",
        tenant=TENANT,
        site=SITE,
        responsible_officer="duty officer",
        issued_at=now - timedelta(hours=2),
        not_before=now - timedelta(hours=1),
        not_after=now + timedelta(days=1),
        review_date=now + timedelta(hours=12),
        clauses=(
            CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT)),
            RegisterClause(number="2"),
            QuarantineClause(number="3", standings=(Standing.REFUSED,)),
        ),
    )
