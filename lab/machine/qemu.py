"""One machine in QEMU: power on, power cut, reset; its console is a file, its monitor and its shell are sockets.

Always emulated (`-accel tcg`): Debian's kernels hang under the half of KVM that some clouds offer.
It runs where its `Host` is, so that its taps are that host's and reach nothing else, and it ends with
that host. Bounded: memory, `MAX_CONSOLE` octets of console that are looked at, a time limit on every wait.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.host import Host, LabError
from lab.machine.qmp import Monitor, MonitorError
from lab.machine.shell import Shell, ShellError

MAX_CONSOLE = 8 * 1024 * 1024
PROGRAM = "qemu-system-x86_64"
_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a machine is made of."""

    disks: Sequence[Path]
    """qcow2 overlays or raw images; written to."""
    media: Sequence[Path] = ()
    """Files that are further disks to the machine, after its own and only to be read."""
    taps: Sequence[str] = ()
    """Interfaces of the host that become the machine's network cards, in this order; "" is a card without a cable."""
    memory_mib: int = 768
    kernel: Path | None = None
    """None: the machine's own firmware boots the first disk, as a board would."""
    initrd: Path | None = None
    words: str = ""
    """The kernel's command line; only with `kernel`."""
    firmware: Path | None = None
    """UEFI as one file; None is a PC's BIOS."""
    clock: str = "utc"
    """The clock of the board as QEMU's `-rtc base=`: `utc`, or a moment such as `2026-03-01T18:00:00`."""
    log: Path | None = None
    """An empty file that takes what is written to the first disk, in order (see `lab.machine.writes`)."""
    mac: str = "02:00:5e:20:00:{:02x}"
    extra: Sequence[str] = ()
    """Further words for QEMU."""

    def argv(self, folder: Path) -> list[str]:
        """The command that runs it, with console, monitor and shell below `folder`."""
        words = [
            PROGRAM,
            "-name",
            "gatehouse",
            "-machine",
            "q35,sata=off",
            "-accel",
            "tcg,thread=single,tb-size=256",
            "-cpu",
            "Westmere",
        ]
        words += ["-smp", "1", "-m", str(self.memory_mib), "-nodefaults", "-display", "none"]
        words += ["-no-user-config", "-rtc", f"base={self.clock},clock=host", "-device", "virtio-rng-pci"]
        words += ["-serial", f"file:{folder / 'console'}"]
        words += ["-serial", f"unix:{folder / 'shell'},server=on,wait=off"]
        words += ["-qmp", f"unix:{folder / 'monitor'},server=on,wait=off"]
        for number, disk in enumerate(self.disks):
            kind = "qcow2" if disk.suffix == ".qcow2" else "raw"
            if number == 0 and self.log is not None:
                file = f"driver=blklogwrites,log.driver=file,log.filename={self.log}"
                file += f",file.driver={kind},file.file.driver=file,file.file.filename={disk}"
            else:
                file = f"file={disk},format={kind}"
            words += ["-drive", f"{file},if=virtio,index={number},cache=writeback"]
        for number, path in enumerate(self.media, len(self.disks)):
            words += ["-drive", f"file={path},format=raw,if=virtio,index={number},readonly=on"]
        for number, tap in enumerate(self.taps):
            end = (
                f"tap,id=net{number},ifname={tap},script=no,downscript=no"
                if tap
                else f"hubport,id=net{number},hubid={number}"
            )
            words += ["-netdev", end]
            words += ["-device", f"virtio-net-pci,netdev=net{number},mac={self.mac.format(number)}"]
        if self.firmware is not None:
            words += ["-drive", f"if=pflash,format=raw,readonly=on,file={self.firmware}"]
        if self.kernel is not None:
            words += ["-kernel", str(self.kernel), "-append", self.words]
            words += ["-initrd", str(self.initrd)] if self.initrd is not None else []
        return [*words, *self.extra]


class Machine:
    """See the module's text. Use as a context manager; it is off until `power_on`."""

    def __init__(self, plan: Plan, folder: Path, host: Host) -> None:
        """`folder` takes console and sockets: its name must be short enough for a socket (unix(7))."""
        if shutil.which(PROGRAM) is None:
            raise LabError(f"{PROGRAM} is not installed: `make test-image` installs what it needs")
        self.plan = plan
        self.folder = folder
        self._host = host
        self._process: subprocess.Popen[Any] | None = None
        self._shell: Shell | None = None
        self._shell_there = False
        self.powered_at = 0.0
        """`time.monotonic` of the last `power_on`."""
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def pid(self) -> int:
        """Process id of QEMU.

        Raises:
            LabError: the machine is off.
        """
        if self._process is None or self._process.poll() is not None:
            raise LabError(f"the machine is off; its last words:\n{self.console()[-2000:]}")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether power is on."""
        return self._process is not None and self._process.poll() is None

    def power_on(self) -> None:
        """Switch it on; it boots by itself from here.

        Raises:
            LabError: it is on already, or QEMU did not start.
        """
        if self.running:
            raise LabError("the machine is on already")
        self._keep_console()
        for name in ("console", "shell", "monitor"):
            (self.folder / name).unlink(missing_ok=True)
        self._process = self._host.popen(
            self.plan.argv(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.powered_at = time.monotonic()
        deadline = self.powered_at + 10
        while not (self.folder / "monitor").exists() or not (self.folder / "shell").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._process.stderr.read().decode(errors="replace") if self._process.stderr else ""
                raise LabError(f"QEMU did not start: {said.strip()[-1000:]}")
            time.sleep(_PAUSE)
        self._shell = Shell(self.folder / "shell")

    def cut_power(self) -> None:
        """The plug is pulled: QEMU is killed, and what the machine had not flushed to its disk is lost."""
        process = self._process
        if process is None:
            return
        self._forget_shell()
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
        self._process = None

    def press_power(self, seconds: float = 90.0) -> bool:
        """Press the button and wait for the machine to shut down; False where it had to be cut."""
        with suppress(MonitorError), self.monitor() as monitor:
            monitor.ask("system_powerdown")
        ended = self.wait_off(seconds)
        self.cut_power()
        return ended

    def wait_off(self, seconds: float) -> bool:
        """Whether the machine switched itself off within `seconds`."""
        process = self._process
        if process is None:
            return True
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def monitor(self) -> Monitor:
        """A connection to QEMU's monitor."""
        return Monitor(self.folder / "monitor")

    def shell(self, seconds: float = 240.0) -> Shell:
        """Its shell (see `lab.machine.shell`), once it answers.

        Raises:
            ShellError: not within `seconds`.
        """
        if self._shell is None:
            raise ShellError("the machine is off")
        if not self._shell_there:
            self._shell.wait(seconds)
            self._shell_there = True
        return self._shell

    def console(self) -> str:
        """What its first serial line said since power-on, the last `MAX_CONSOLE` octets."""
        try:
            with (self.folder / "console").open("rb") as stream:
                stream.seek(0, 2)
                stream.seek(max(0, stream.tell() - MAX_CONSOLE))
                return stream.read(MAX_CONSOLE).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_console(self, pattern: str, seconds: float) -> float:
        """Wait until the console says what `pattern` matches; seconds since power-on.

        Raises:
            LabError: it did not, or the machine went off; the text has the console's end.
        """
        wanted, deadline = re.compile(pattern), time.monotonic() + seconds
        while time.monotonic() < deadline:
            if wanted.search(self.console()):
                return time.monotonic() - self.powered_at
            if not self.running:
                break
            time.sleep(_PAUSE)
        raise LabError(f"the console did not say {pattern!r} within {seconds:.0f} s:\n{self.console()[-3000:]}")

    def resident_mib(self) -> float:
        """Memory that QEMU has of this machine, in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise LabError("the kernel does not say how much memory QEMU has")

    def _keep_console(self) -> None:
        """The console of an earlier boot stays beside the new one, for who looks for a fault."""
        now = self.folder / "console"
        if now.exists():
            number = len(list(self.folder.glob("console.*")))
            now.rename(self.folder / f"console.{number:03}")

    def _forget_shell(self) -> None:
        if self._shell is not None:
            self._shell.close()
        self._shell, self._shell_there = None, False

    def close(self) -> None:
        """Cut the power if it is still on."""
        self.cut_power()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
