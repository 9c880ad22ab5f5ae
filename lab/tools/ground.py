"""What every tool stands on: the running stack, the machine elsewhere, and how to make a device."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.client import Client
from lab.host import Host, LabError
from lab.stack import Stack
from lab.tools.elsewhere import Elsewhere
from wire.findings import FindingKind

PERSONA = "linux-laptop"
TUN = Path("/dev/net/tun")


@dataclass(kw_only=True)
class Ground:
    """Stack, servers, devices of one run."""

    stack: Stack
    elsewhere: Elsewhere
    hosts: list[Host] = field(default_factory=list)
    """Machines that tools brought along; closed at the end."""
    _devices: int = 0

    def device(self, persona: str = PERSONA, *, lease: bool = True) -> Client:
        """A new device of the household, with an address of its own that nobody has."""
        self._devices += 1
        return self.stack.join(
            persona, mac=f"02:00:5e:a0:{self._devices >> 8:02x}:{self._devices & 255:02x}", lease=lease
        )

    def machine(self, name: str) -> Host:
        """A machine that is no device of the household's own."""
        host = Host(name, self.stack.folder / "machines")
        self.hosts.append(host)
        return host

    def close(self) -> None:
        """Take the machines down that tools brought along."""
        for host in self.hosts:
            host.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program, what it does, and what the box is to make of it."""

    name: str
    title: str
    run: Callable[[Ground, Client], None]
    """Starts it on the device; what it leaves running ends with the device."""
    expects: frozenset[FindingKind] = frozenset()
    """Kinds that show that it was seen, any of them; empty for everyday programs."""
    needs: Sequence[str] = ()
    """Programs that must be installed."""
    tun: bool = False
    """Whether it needs a tunnel interface."""
    lease: bool = True
    """Whether the device gets its address from the box first."""

    def why_not(self) -> str:
        """Why it cannot run on this machine; empty where it can."""
        missing = [name for name in self.needs if shutil.which(name) is None and not Path("/usr/sbin", name).exists()]
        if missing:
            return f"not installed: {', '.join(missing)}"
        return "no tunnel interfaces here" if self.tun and not _may_tunnel() else ""


def _may_tunnel() -> bool:
    try:
        os.close(os.open(TUN, os.O_RDWR))
    except OSError:
        return False
    return True


def background(client: Host, argv: Sequence[str | Path], name: str) -> None:
    """Leave a program running on a device; what it says goes to `name.log`."""
    with (client.folder / f"{name}.log").open("ab") as log:
        client.popen(argv, stdin=-3, stdout=log, stderr=log)


def script(client: Host, text: str, name: str = "script") -> None:
    """Leave a shell script running on a device."""
    background(client, ["sh", "-c", text], name)


def wait_for_link(client: Host, name: str) -> None:
    """Return when an interface is there.

    Raises:
        LabError: not within 5 s.
    """
    found = client.run(
        ["sh", "-c", f"for n in $(seq 50); do ip link show {name} && exit 0; sleep 0.1; done; exit 1"], check=False
    )
    if found.returncode:
        raise LabError(f"{client.name}: no interface {name}")
