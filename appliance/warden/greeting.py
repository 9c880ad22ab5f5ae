"""Who is led to the notice: the keeper's `NoticeDue` in, lines for `nft -f` out; and who has an IP address.

Pure but for `heard_at`, which reads the bridge's table in /sys. Every element has a timeout of its own, so the kernel
itself lets a device go where it asked, whichever process has stopped (R57). Nothing is written down: after a restart
of this process nobody is led anywhere until the keeper says so again.
Bounded: `names.UNREAD_SIZE` devices; `MAX_FORWARDED` entries of the bridge's table are looked through.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from appliance.messages import NoticeDue
from appliance.warden.holding import is_device
from firmware import names

PLACE = ("inet", names.UNREAD)
SYS = Path("/sys/class/net")

_ENTRY = struct.Struct("=6sBBIBxH")
"""struct __fdb_entry of linux/if_bridge.h: address, port, is_local, age, high octet of the port."""

MAX_FORWARDED = 16_384


@dataclass(slots=True)
class Greeting:
    """Who has not read the notice yet, each until a moment on the monotonic clock."""

    until: dict[str, float] = field(default_factory=dict)

    def take(self, due: NoticeDue, monotonic: float) -> None:
        """What the keeper says replaces what it said; addresses that no one device has are left out."""
        wanted = {each.mac: monotonic + each.seconds for each in due.devices if is_device(each.mac)}
        self.until = dict(list(wanted.items())[: names.UNREAD_SIZE])

    def fill(self, monotonic: float) -> str:
        """Lines that make the set exactly that."""
        return f"flush set inet {names.TABLE} {names.UNREAD}\n{self.add(monotonic)}"

    def add(self, monotonic: float) -> str:
        """Lines that fill a set which is empty."""
        elements = ", ".join(
            f"{mac} timeout {int(until - monotonic)}s" for mac, until in self.until.items() if until - monotonic >= 1
        )
        return f"add element inet {names.TABLE} {names.UNREAD} {{ {elements} }}\n" if elements else ""


def heard_at(bridge: str, mac: str, *, folder: Path = SYS) -> str | None:
    """Port of the bridge at which it heard an address last; None where it has not, or nothing tells.

    Raises nothing: a bridge may be gone, or a kernel may not have the file.
    """
    wanted = bytes.fromhex(mac.replace(":", ""))
    try:
        with (folder / bridge / "brforward").open("rb") as table:
            entries = table.read(MAX_FORWARDED * _ENTRY.size)
        for address, low, _local, _age, high, _unused in _ENTRY.iter_unpack(entries[: len(entries) // 16 * 16]):
            if address == wanted:
                return _port(folder / bridge / "brif", low | high << 8)
    except OSError:
        return None
    return None


def _port(ports: Path, number: int) -> str | None:
    for port in ports.iterdir():
        if int((port / "port_no").read_text(encoding="ascii").strip(), 16) == number:
            return port.name
    return None
