"""A device's DHCP client: ISC dhclient, told to ask exactly as the persona does. A `Lease` comes out.

dhclient because it sends option 55 in the order of its `request` statement; busybox udhcpc, compared
with it on the wire, sends the same numbers sorted, and a client identifier nobody asked for. It runs from a copy in the run's
folder: Debian's AppArmor profile for /usr/sbin/dhclient allows configuration and script in the system's
own places only. Bounded: one client process a device, an answer within 15 s or a LabError.
"""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lab.host import Host, LabError
from lab.personas import Persona

ANSWER_SECONDS = 15

_KNOWN = {
    1: "subnet-mask",
    3: "routers",
    6: "domain-name-servers",
    12: "host-name",
    15: "domain-name",
    51: "dhcp-lease-time",
    54: "dhcp-server-identifier",
}
"""Options whose values the script below reads, by dhclient's names for them."""

_SCRIPT = """#!/bin/sh
# Puts the lease in force on this machine; called by dhclient with everything in the environment.
case "$reason" in
PREINIT) ip link set "$interface" up ;;
BOUND | RENEW | REBIND | REBOOT)
    ip -4 address replace "$new_ip_address/$new_subnet_mask" dev "$interface"
    [ -z "$new_routers" ] || ip route replace default via "${new_routers%% *}" dev "$interface"
    # In place: /etc/resolv.conf is this machine's own file, mounted there.
    for resolver in ${lab_resolvers:-$new_domain_name_servers}; do echo "nameserver $resolver"; done >/etc/resolv.conf
    printf '%s\\n' "$new_ip_address" "$new_subnet_mask" "$new_routers" "$new_domain_name_servers" \\
        "$new_dhcp_server_identifier" "$new_dhcp_lease_time" >"$lab_lease"
    ;;
EXPIRE | FAIL | RELEASE | STOP) ip -4 address flush dev "$interface" ;;
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What the router gave."""

    address: IPv4Address
    netmask: IPv4Address
    routers: tuple[IPv4Address, ...]
    resolvers: tuple[IPv4Address, ...]
    server: IPv4Address
    seconds: int


class DhcpClient:
    """The DHCP client of one device."""

    def __init__(self, host: Host, persona: Persona, *, resolvers: tuple[str, ...] = ()) -> None:
        """Write its configuration; `resolvers` are used whatever the lease says."""
        self._host = host
        self._folder = host.folder / "dhcp"
        self._folder.mkdir(exist_ok=True)
        self._resolvers = resolvers
        (self._folder / "dhclient.conf").write_text(configuration(persona), encoding="ascii")
        script = self._folder / "script"
        script.write_text(_SCRIPT, encoding="ascii")
        script.chmod(0o755)

    def lease(self, interface: str = "eth0") -> Lease:
        """Ask until there is an answer; the client stays to renew.

        Raises:
            LabError: no answer, or no dhclient on this machine.
        """
        self.stop()
        answer = self._folder / "answer"
        answer.unlink(missing_ok=True)
        words = ["-e", f"lab_lease={answer}", "-e", f"lab_resolvers={' '.join(self._resolvers)}"]
        done = self._host.run([*self._command(), "-1", *words, interface], check=False, timeout=ANSWER_SECONDS + 5)
        if done.returncode != 0 or not answer.exists():
            raise LabError(f"{self._host.name}: no lease: {done.stderr.strip()[-500:] or 'no answer to DHCP'}")
        address, netmask, routers, resolvers, server, seconds = answer.read_text(encoding="ascii").splitlines()
        return Lease(
            address=IPv4Address(address),
            netmask=IPv4Address(netmask),
            routers=tuple(map(IPv4Address, routers.split())),
            resolvers=tuple(map(IPv4Address, resolvers.split())),
            server=IPv4Address(server),
            seconds=int(seconds or 0),
        )

    def release(self, interface: str = "eth0") -> None:
        """Give the lease back (RFC 2131 section 4.4.6)."""
        self._host.run([*self._command(), "-r", interface], check=False)

    def stop(self) -> None:
        """End the client without a word to the router."""
        with suppress(OSError, ValueError):
            os.kill(int((self._folder / "pid").read_text(encoding="ascii")), signal.SIGKILL)
        (self._folder / "pid").unlink(missing_ok=True)

    def forget(self) -> None:
        """Stop, and forget the last lease, as a device does under a new MAC."""
        self.stop()
        (self._folder / "leases").unlink(missing_ok=True)

    def _command(self) -> list[str | Path]:
        folder = self._folder
        words: list[str | Path] = [program(folder.parent.parent), "-4", "-q", "-cf", folder / "dhclient.conf"]
        return [*words, "-lf", folder / "leases", "-pf", folder / "pid", "-sf", folder / "script"]


def program(folder: Path) -> Path:
    """A copy of dhclient in `folder`.

    Raises:
        LabError: it is not installed.
    """
    copy = folder / "dhclient"
    if not copy.exists():
        found = shutil.which("dhclient")
        if found is None:
            raise LabError("dhclient is missing: install isc-dhcp-client")
        shutil.copy(found, copy)
    return copy


def configuration(persona: Persona) -> str:
    """dhclient.conf(5) of a persona."""
    lines = [f"timeout {ANSWER_SECONDS};", "initial-interval 1;", "backoff-cutoff 2;"]
    lines += [f"option lab-{code} code {code} = string;" for code in sorted(set(persona.parameters) - set(_KNOWN))]
    if persona.host_name is not None:
        lines.append(f'send host-name "{persona.host_name}";')
    if persona.vendor_class is not None:
        lines.append(f'send vendor-class-identifier "{persona.vendor_class}";')
    if persona.user_class is not None:
        lines.append(f'send user-class "{persona.user_class}";')
    if persona.client_id == "mac":
        lines.append("send dhcp-client-identifier = hardware;")  # its type and the address (RFC 2132 section 9.14)
    wanted = ", ".join(_KNOWN.get(code, f"lab-{code}") for code in persona.parameters)
    return "\n".join([*lines, f"request {wanted};", ""])
