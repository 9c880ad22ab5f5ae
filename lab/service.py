"""Server-side programs of a run (broker, ingest, pages): started in a host, logged, restarted.

On a server systemd does this; in the lab a thread does. Bounded: a program that dies more than
`MAX_RESTARTS` times is left dead and said so.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.host import Host

MAX_RESTARTS = 50
_PAUSE = 0.3


@dataclass(kw_only=True)
class Service:
    """One program that should be running."""

    name: str
    host: Host
    argv: Sequence[str | Path]
    log: Path
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0


@dataclass
class Services:
    """Starts programs, starts them again when they die, stops them in reverse order."""

    folder: Path
    running: dict[str, Service] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, name: str, host: Host, argv: Sequence[str | Path], *, pass_fds: tuple[int, ...] = ()) -> Service:
        """Start a program inside a host; its output goes to `folder/NAME.log`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        service = Service(name=name, host=host, argv=argv, log=self.folder / f"{name}.log", pass_fds=pass_fds)
        with self._lock:
            self._spawn(service)
            self.running[name] = service
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="services", daemon=True)
            self._thread.start()
        return service

    def pid(self, name: str) -> int:
        """Process id of a running program."""
        process = self.running[name].process
        if process is None:
            raise LookupError(f"{name} is not running")
        return process.pid

    def end(self, name: str) -> None:
        """End one program; kill it if it does not end within 8 s."""
        with self._lock:
            process = self.running.pop(name).process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End every program, last started first."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        for name in reversed(list(self.running)):
            self.end(name)

    def tail(self, name: str, lines: int = 15) -> str:
        """Last lines of a program's log, for an error message."""
        log = self.folder / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def _spawn(self, service: Service) -> None:
        with service.log.open("ab") as log:
            service.process = service.host.popen(
                service.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=service.pass_fds
            )

    def _watch(self) -> None:
        while not self._stopping.wait(_PAUSE):
            with self._lock:
                for service in self.running.values():
                    process = service.process
                    if process is not None and process.poll() is not None and service.restarts < MAX_RESTARTS:
                        service.restarts += 1
                        self._spawn(service)


def wait_until(ready: Callable[[], object], *, what: str, seconds: float = 20.0, pause: float = 0.05) -> None:
    """Wait for `ready()` to be true.

    Raises:
        TimeoutError: it was not within `seconds`; the text says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(pause)
    raise TimeoutError(f"{what}: not within {seconds:.0f} s")
