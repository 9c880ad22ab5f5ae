"""One machine of the lab: a holder process with network, mount and UTS namespaces of its own.

Commands enter, their results leave. The holder waits on a pipe from us: when this process ends in
whatever way, the pipe closes, the holder ends and the namespaces go with it. (A parent-death signal
would fire when the starting *thread* ends, which is not what callers mean.) Bounded: every `run`
has a time limit; `close` ends whatever still runs in the machine.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket as sockets
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from lab import enter

RUN_SECONDS = 30.0
"""Time limit of `Host.run` unless the caller sets one."""

_libc = ctypes.CDLL(None, use_errno=True)

_NEW_MACHINE = ("unshare", "--net", "--mount", "--uts", "--propagation", "private")

# $1 host name, $2 this machine's resolv.conf. A fresh sysfs shows this machine's interfaces; where
# the kernel refuses it to an ordinary user the old one stays and only listings of it are wrong.
_SET_UP = """
set -e
hostname "$1"
mount --bind "$2" /etc/resolv.conf
mount -t sysfs sysfs /sys 2>/dev/null || :
ip link set lo up
echo ready
exec cat
"""


class LabError(RuntimeError):
    """Something of the lab did not come up; the text says what, and what the program said."""


class Host:
    """A machine. Use as a context manager or call `close`."""

    def __init__(self, name: str, folder: Path) -> None:
        """Bring the machine up: `lo` is up, nothing else is connected. Files lie in `folder / name`.

        Raises:
            LabError: not inside `python -m lab.enter`, or the kernel refused.
        """
        if not enter.sealed():
            raise LabError("the lab runs inside its sealed place only: start with `python -m lab.enter -- ...`")
        self.name = name
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.resolv_conf = self.folder / "resolv.conf"
        self.resolv_conf.touch()
        self._children: list[subprocess.Popen[Any]] = []
        self._holder = subprocess.Popen(
            [*_NEW_MACHINE, "sh", "-c", _SET_UP, "sh", name, str(self.resolv_conf)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if pipe(self._holder.stdout).readline() != b"ready\n":
            said = pipe(self._holder.stderr).read().decode(errors="replace").strip()
            self.close()
            raise LabError(f"machine {name} did not come up: {said}")
        self._network = self._network_of(self.pid)

    @property
    def pid(self) -> int:
        """The holder's process id; `/proc/<pid>/ns/` has the machine's namespaces."""
        return self._holder.pid

    def command(self, command: Sequence[str | Path]) -> list[str]:
        """The argv that runs `command` on this machine, in the caller's working directory."""
        into = ["nsenter", "--target", str(self.pid), "--net", "--mount", "--uts"]
        return [*into, "--", "env", "-C", str(Path.cwd()), *map(str, command)]

    def run(
        self,
        command: Sequence[str | Path],
        *,
        check: bool = True,
        timeout: float = RUN_SECONDS,
        input: str | None = None,  # noqa: A002 (subprocess.run calls it so)
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; stdout and stderr are in the result, as text.

        Raises:
            LabError: it failed (unless `check` is off); the text has its last words.
            subprocess.TimeoutExpired: it took longer than `timeout` seconds.
        """
        done = subprocess.run(
            self.command(command),
            check=False,
            timeout=timeout,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=env,
        )
        if check and done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-2000:]
            raise LabError(f"{self.name}: {' '.join(map(str, command))}: exit code {done.returncode}: {said}")
        return done

    def popen(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a command and leave it running; options as for `subprocess.Popen`. Ended by `close`."""
        process: subprocess.Popen[Any] = subprocess.Popen(self.command(command), **options)
        self._children = [child for child in self._children if child.poll() is None]
        self._children.append(process)
        return process

    def ip(self, *lines: str) -> None:
        """Run lines of `ip -batch`, such as `link set eth0 up`.

        Raises:
            LabError: one was refused; the ones before it stand.
        """
        self.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n")

    def sysctl(self, key: str, value: str) -> None:
        """Set `net.*` key `key` for this machine; dots or slashes part its levels.

        Raises:
            OSError: there is no such key here, or it is not this machine's to set.
        """
        path = Path("/proc/sys", key if "/" in key else key.replace(".", "/"))
        # /proc/sys/net shows the network namespace of the thread that opens it.
        self._in_thread(lambda: path.write_text(value, encoding="ascii"))

    def socket(
        self, family: int = sockets.AF_INET, kind: int = sockets.SOCK_DGRAM, protocol: int = 0
    ) -> sockets.socket:
        """A socket of this machine's network, for use in this process."""
        made: list[sockets.socket] = []
        self._in_thread(lambda: made.append(sockets.socket(family, kind, protocol)))
        return made[0]

    def use_resolvers(self, *addresses: str) -> None:
        """Write this machine's own /etc/resolv.conf."""
        text = "".join(f"nameserver {address}\n" for address in addresses)
        self.resolv_conf.write_text(text, encoding="ascii")  # in place: the file is bind-mounted

    def processes(self) -> list[int]:
        """Process ids in this machine's network, the holder's left out."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != self.pid:
                with suppress(OSError):
                    if self._network_of(int(entry.name)) == self._network:
                        found.append(int(entry.name))
        return found

    def close(self) -> None:
        """End everything that runs in the machine, then the machine. Calling twice is fine."""
        if self._holder.returncode is not None:
            return
        if hasattr(self, "_network"):
            self._end_processes()
        with suppress(OSError):
            pipe(self._holder.stdin).close()
        try:
            self._holder.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()
        for end in (self._holder.stdout, self._holder.stderr):
            pipe(end).close()

    def _end_processes(self) -> None:
        for child in self._children:
            if child.poll() is None:
                child.terminate()
        for child in self._children:
            try:
                child.wait(timeout=3)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for _ in range(10):  # what went into the background, such as dnsmasq; it may be forking just now
            left = self.processes()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                return

    def _in_thread(self, action: Any) -> None:
        """Do `action` on a thread of its own that has moved into this machine's network."""
        fault: list[OSError] = []

        def inside() -> None:
            try:
                with Path(f"/proc/{self.pid}/ns/net").open("rb") as network:
                    _move_to(network.fileno())
                action()
            except OSError as error:
                fault.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if fault:
            raise fault[0]

    @staticmethod
    def _network_of(pid: int) -> str:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 (not a path: `net:[number]`)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _move_to(network: int) -> None:
    """Move the calling thread, and no other, into a network namespace (setns(2))."""
    if _libc.setns(network, 0x40000000) != 0:  # CLONE_NEWNET
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter a machine's network: {os.strerror(number)}")


def pipe(end: IO[Any] | None) -> IO[Any]:
    """The end of a pipe that was asked for when the process was started."""
    if end is None:
        raise LabError("a process was started without the pipe that is wanted of it")
    return end
