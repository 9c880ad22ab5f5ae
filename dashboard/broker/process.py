"""Runs a Mosquitto of our own: for a pilot on one machine, the demo and the tests.

What enters: a `BrokerPlan`. What leaves: a running broker, or a plain word why not.
Bounded: starting waits at most `READY_SECONDS`; of the broker's log the last `_LAST` bytes are quoted.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dashboard.broker.render import RULES_FILE, Account, dynamic_security, find_mosquitto, mosquitto_conf
from wire.files import replace

READY_SECONDS = 10.0
_STEADY = 3  # looks in a row: Mosquitto 2.0.21 listens first and reads its certificate after
_STOP_SECONDS = 5.0
_LAST = 2000


class BrokerStartError(RuntimeError):
    """Mosquitto did not come up; the text quotes what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """What a broker shall be; the paths as `mosquitto_conf` takes them."""

    folder: Path
    address: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    accounts: tuple[Account, ...]
    user: str | None = None


def write(plan: BrokerPlan) -> Path:
    """Write the broker's two files into its folder; returns the path for `mosquitto -c`.

    Access rules that are there stay: the plugin rewrites that file when a box is added or cut off.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    rules = plan.folder / RULES_FILE
    if not rules.exists():
        replace(rules, dynamic_security(plan.accounts).encode())
    text = mosquitto_conf(
        folder=plan.folder,
        address=plan.address,
        port=plan.port,
        ca=plan.ca,
        certificate=plan.certificate,
        key=plan.key,
        user=plan.user,
    )
    path = plan.folder / "mosquitto.conf"
    replace(path, text.encode())
    return path


class RunningBroker:
    """One Mosquitto process. `start` again after `kill` or `stop` keeps what the broker stored."""

    def __init__(self, plan: BrokerPlan) -> None:
        self._plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        self._log = plan.folder / "mosquitto.log"

    @property
    def pid(self) -> int | None:
        """Process id while it was started and not stopped by us."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Write the configuration and start; returns when it listens.

        Raises:
            BrokerMissingError: Mosquitto is not installed.
            BrokerStartError: it ended at once (a taken port, an unreadable certificate), or does not listen.
        """
        program = find_mosquitto()
        self._try_port()  # else another program there would pass for ours
        configuration = write(self._plan)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(program), "-c", str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        heard = 0
        for _ in range(int(READY_SECONDS / 0.05)):
            if self._process.poll() is not None:
                self._process = None
                raise BrokerStartError(f"Mosquitto ended at once: {self._quote()}")
            heard += self._listens()
            if heard >= _STEADY:
                return
            time.sleep(0.05)
        self.kill()
        raise BrokerStartError(
            f"Mosquitto does not listen at {self._plan.address} port {self._plan.port}: {self._quote()}"
        )

    def stop(self) -> None:
        """End it in order: it writes down what it holds."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _try_port(self) -> None:
        try:
            socket.create_server((self._plan.address, self._plan.port)).close()
        except OSError as error:
            raise BrokerStartError(
                f"Mosquitto cannot listen at {self._plan.address} port {self._plan.port}: {error.strerror}"
            ) from error

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self._plan.address, self._plan.port), timeout=1):
            return True
        return False

    def _quote(self) -> str:
        return " ".join(_tail(self._log).split()) or "it said nothing"


def _tail(path: Path) -> str:
    return path.read_bytes()[-_LAST:].decode(errors="replace")
