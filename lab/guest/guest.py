"""One run of a command in a guest: this machine's files, Debian's kernel, no network to anywhere.

In: a shell script, modules to load, files to put beside it. Out: its exit status, what it said, and the files it left in
`/guest`. Always emulated (TCG), one processor in one thread: with two, QEMU 7.2 is no quicker at this and loses mounts
now and then. The guest has no network card: what happens in it stays there. Bounded: `seconds` of wall time, then QEMU is
killed by its pid; `MAX_OUTPUT` octets of what was said are kept.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from lab.guest import initrd
from lab.guest.kernel import GuestMissingError, Kernel, kernel

PROGRAM = "qemu-system-x86_64"
MAX_OUTPUT = 4 * 1024 * 1024
BASE = ("virtio_pci", "virtio-rng", "9pnet_virtio", "9p", "overlay")
"""Modules that every guest has: how it reads this machine's files."""
WIFI = ("bridge", "veth", "ccm", "cmac", "gcm", "ctr", "cbc", "af_packet", "mac80211_hwsim")
"""Modules of a guest with radios that are none (mac80211_hwsim), and the ciphers of WPA2 and WPA3."""
NETFILTER = (
    *(
        "nf_tables",
        "nft_ct",
        "nft_log",
        "nft_limit",
        "nft_counter",
        "nft_masq",
        "nft_redir",
        "nft_chain_nat",
        "nft_nat",
    ),
    *("nft_fib_inet", "nft_reject_inet", "nft_reject_bridge", "nft_reject_netdev", "nft_meta_bridge", "nfnetlink_log"),
    *("nf_log_syslog", "nf_conntrack_bridge", "nft_connlimit", "nft_socket", "nft_quota", "nft_numgen", "nft_hash"),
    *("nft_objref", "nft_dup_netdev", "nft_reject"),
)
"""Modules of the router's rules, as far as they are modules in this kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run."""

    status: int | None
    """Exit status of the command; None where it was not over in time, or the guest did not come up."""
    output: str
    console: str
    ready: float
    """Seconds from power-on until the command began."""
    seconds: float
    """In all."""
    files: Mapping[str, bytes]
    """What the command left in `/guest`, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """What a guest is made of; `run` may be called many times."""

    modules: Sequence[str] = ()
    """Beside `BASE`."""
    optional: Sequence[str] = ()
    """Modules that are left out where the kernel has none of that name: it may have them built in, or renamed."""
    arguments: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Arguments of modules, such as `{"mac80211_hwsim": "radios=4"}`."""
    memory_mib: int = 768

    def run(self, command: str, *, files: Mapping[str, bytes] | None = None, seconds: float = 120.0) -> Result:
        """Boot, run `command` (a script for /bin/sh), and end.

        Raises:
            GuestMissingError: QEMU, the kernel or a module is missing.
        """
        if shutil.which(PROGRAM) is None:
            raise GuestMissingError(f"{PROGRAM} is not installed: there is no guest")
        chosen = kernel()
        with tempfile.TemporaryDirectory(prefix="gh-guest-") as made:
            folder = Path(made)
            share = folder / "share"
            share.mkdir()
            for name, content in (files or {}).items():
                (share / name).write_bytes(content)
            (share / "command").write_text(command)
            (folder / "initrd").write_bytes(initrd.build(self._modules(chosen), self.arguments))
            return _run(self, chosen, folder, share, seconds)

    def _modules(self, chosen: Kernel) -> list[tuple[str, bytes]]:
        names = [*BASE, *self.modules]
        for name in self.optional:
            with suppress(GuestMissingError):
                chosen.modules([name])
                names.append(name)
        return chosen.modules(names)


def _run(guest: Guest, chosen: Kernel, folder: Path, share: Path, seconds: float) -> Result:
    console = folder / "console"
    words = [PROGRAM, "-machine", "pc", "-accel", "tcg,thread=single,tb-size=256", "-cpu", "max", "-smp", "1"]
    words += ["-m", str(guest.memory_mib), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    words += ["-serial", f"file:{console}", "-device", "virtio-rng-pci", "-rtc", "base=utc"]
    words += ["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"]
    words += ["-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]
    words += ["-fsdev", f"local,id=share,path={share},security_model=none"]
    words += ["-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]
    words += ["-kernel", str(chosen.image), "-initrd", str(folder / "initrd")]
    words += ["-append", "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check nowatchdog random.trust_cpu=on"]
    began = time.monotonic()
    ready = 0.0
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while process.poll() is None and time.monotonic() - began < seconds:
                if not ready and "guest: ready" in _text(console):
                    ready = time.monotonic() - began
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
        complaint = process.stderr.read() if process.stderr is not None else ""
    kept = {item.name: item.read_bytes() for item in sorted(share.iterdir()) if item.is_file()}
    status = kept.get("status", b"").decode("ascii", "replace").strip()
    return Result(
        status=int(status) if status.isdigit() else None,
        output=_text(share / "output"),
        console=_text(console) + complaint,
        ready=ready,
        seconds=time.monotonic() - began,
        files=kept,
    )


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_OUTPUT).decode("utf-8", "replace")
    except OSError:
        return ""
