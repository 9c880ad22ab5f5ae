"""A device of the household: a machine on the bridge that behaves as its persona does.

Methods in, real programs' traffic out: dhclient, glibc's resolver, curl, openssl, aioquic, zeroconf.
Bounded: every call has a time limit; one DHCP client and one announcer stay, and end with the device.
"""

from __future__ import annotations

import json
import secrets
import selectors
import subprocess
import sys
import time
from ipaddress import IPv6Address
from pathlib import Path
from typing import IO, Any, Literal

import dns.message
import dns.query
import dns.rcode

from lab import addresses
from lab.dhcp import DhcpClient, Lease
from lab.host import Host, LabError, pipe
from lab.personas import Persona, made_up

SECONDS = 10.0
"""Time limit of one look-up, page or announcement."""

Family = Literal[4, 6]


class Client(Host):
    """See the module's text. Made by `Household.join`."""

    def __init__(self, persona: Persona, folder: Path, *, ca: Path) -> None:
        super().__init__(persona.name, folder)
        self.persona = persona
        self.mac = persona.mac
        """Its MAC now, lower case with colons."""
        self.leased: Lease | None = None
        """The lease it has."""
        self._ca = ca
        self._resolvers = addresses.OTHER_RESOLVER if persona.resolver == "own" else ()
        self._dhcp = DhcpClient(self, persona, resolvers=self._resolvers)
        self._announcer: subprocess.Popen[str] | None = None

    def plug_in(self, gateway: Host, *, port: str, bridge: str) -> None:
        """Put a cable between this machine's eth0 and a new port of the bridge; link up at both ends."""
        gateway.ip(
            f"link add {port} type veth peer name eth0 address {self.mac} netns {self.pid}",
            f"link set {port} addrgenmode none",
            f"link set {port} master {bridge}",
            f"link set {port} up",
        )
        self.ip("link set eth0 up")

    def lease(self) -> Lease:
        """Ask for an IPv4 address as the persona asks, and use it.

        Raises:
            LabError: no answer.
        """
        self.leased = self._dhcp.lease()
        return self.leased

    def address6(self, *, timeout: float = SECONDS) -> IPv6Address:
        """Its own choice of address from the router's prefix (RFC 4862), waited for.

        Raises:
            LabError: none within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self.popen(["ip", "-6", "monitor", "address"], stdout=subprocess.PIPE) as monitor:
            heard = pipe(monitor.stdout)
            try:
                while (left := deadline - time.monotonic()) > 0:
                    found = self._settled6()
                    if found is not None:
                        return found
                    if _readable(heard, min(1.0, left)):
                        heard.readline()
            finally:
                monitor.kill()
        raise LabError(f"{self.name}: no IPv6 address within {timeout:g} s")

    def lookup(
        self, name: str, kind: str = "A", *, resolver: str | None = None, tcp: bool = False, timeout: float = SECONDS
    ) -> list[str]:
        """Ask one question; the records of that type in the answer, as text. A CNAME's target is followed.

        `resolver` is an address; by default the first in this machine's /etc/resolv.conf. An empty list
        means that there is no such name or no such record.

        Raises:
            LabError: nobody answered, or the answer is an error other than "no such name".
        """
        where = resolver or self._first_resolver()
        question = dns.message.make_query(name, kind)
        family = 10 if ":" in where else 2  # AF_INET6, AF_INET
        with self.socket(family, 1 if tcp else 2) as handle:  # SOCK_STREAM, SOCK_DGRAM
            try:
                if tcp:
                    handle.settimeout(timeout)
                    handle.connect((where, 53))
                    handle.setblocking(False)
                    answer = dns.query.tcp(question, where, timeout=timeout, sock=handle)
                else:
                    handle.setblocking(False)
                    answer = dns.query.udp(question, where, timeout=timeout, sock=handle)
            except (OSError, dns.exception.DNSException) as error:
                raise LabError(f"{self.name}: {where} did not answer about {name}: {error}") from error
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise LabError(f"{self.name}: {where} says {dns.rcode.to_text(answer.rcode())} about {name}")
        wanted = question.question[0].rdtype
        return [item.to_text() for found in answer.answer if found.rdtype == wanted for item in found]

    def resolve(self, name: str) -> list[str]:
        """Addresses of a name as any program here gets them, from glibc's resolver (A and AAAA at once)."""
        done = self.run(["getent", "ahosts", name], check=False)
        return list(dict.fromkeys(line.split()[0] for line in done.stdout.splitlines()))

    def browse(self, name: str, *, scheme: str = "https", family: Family | None = None) -> int:
        """Fetch a page with curl, its certificate checked against the lab's CA; the HTTP status, 0 for no answer."""
        words = ["curl", "--silent", "--noproxy", "*", "--cacert", str(self._ca), "--max-time", str(SECONDS)]
        words += [f"-{family}"] if family else []
        done = self.run(
            [*words, "--output", "/dev/null", "--write-out", "%{http_code}", f"{scheme}://{name}/"], check=False
        )
        if not done.stdout.isdecimal():
            raise LabError(f"{self.name}: curl did not run: {done.stderr.strip()}")
        return int(done.stdout)

    def browse_tls(self, name: str) -> bool:
        """Open a TLS connection with openssl s_client; whether it came about with a good certificate."""
        words = ["openssl", "s_client", "-connect", f"{name}:443", "-servername", name, "-verify_hostname", name]
        return self.run([*words, "-CAfile", self._ca, "-verify_return_error", "-brief"], check=False).returncode == 0

    def quic(self, name: str, *, family: Family = 4) -> int:
        """Fetch a page over HTTP/3; the status, 0 for no answer."""
        words = [sys.executable, "-m", "lab.fetch_h3", "--ca", str(self._ca), "--family", str(family), name]
        done = self.run(words, check=False, timeout=2 * SECONDS)
        if not done.stdout.strip().isdecimal():
            raise LabError(f"{self.name}: the HTTP/3 client did not run: {done.stderr.strip()[-500:]}")
        return int(done.stdout)

    def announce(self) -> None:
        """Say by mDNS and SSDP what the persona offers and looks for, and go on answering questions about it.

        Raises:
            LabError: the announcer ended or was not done within the time.
        """
        self._hush()
        persona = self.persona
        if not (persona.services or persona.asks or persona.ssdp or persona.ssdp_asks):
            return
        words = [sys.executable, "-m", "lab.announce"]
        self._announcer = self.popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told, said = pipe(self._announcer.stdin), pipe(self._announcer.stdout)
        told.write(persona.model_dump_json() + "\n")
        told.flush()
        if not _readable(said, SECONDS) or said.readline() != "announced\n":
            raise LabError(f"{self.name}: announcing failed")

    def change_mac(self, mac: str | None = None) -> Lease:
        """Drop off the network without a word and come back under another MAC, with a new lease.

        `mac` is made up where none is given, as phones do: random, locally administered.

        Raises:
            LabError: no lease was given.
            ValueError: `mac` may be somebody's.
        """
        wanted = made_up(mac) if mac else random_mac()
        announced = self._announcer is not None
        self._hush()
        self._dhcp.forget()
        self.ip("link set eth0 down", "address flush dev eth0", f"link set eth0 address {wanted}", "link set eth0 up")
        self.mac = wanted
        lease = self.lease()
        if announced:
            self.announce()
        return lease

    def idle(self, seconds: float) -> None:
        """Be there and do nothing of its own accord."""
        time.sleep(seconds)

    def leave(self) -> None:
        """Give the lease back and go."""
        self._hush()
        if self.leased is not None:
            self._dhcp.release()
        self.close()

    def close(self) -> None:
        """As `Host.close`; the announcer's pipes as well."""
        self._hush()
        super().close()

    def _settled6(self) -> IPv6Address | None:
        """A global address that is not being probed any more (RFC 4862 section 5.4)."""
        for interface in json.loads(self.run(["ip", "-6", "-j", "address", "show", "dev", "eth0"]).stdout):
            for item in interface.get("addr_info", ()):
                if item["scope"] == "global" and not item.get("tentative"):
                    return IPv6Address(item["local"])
        return None

    def _hush(self) -> None:
        if self._announcer is None:
            return
        announcer, self._announcer = self._announcer, None
        with announcer:  # closing its input is what it waits for
            pipe(announcer.stdin).close()
            try:
                announcer.wait(timeout=3)
            except subprocess.TimeoutExpired:
                announcer.kill()

    def _first_resolver(self) -> str:
        for line in self.resolv_conf.read_text(encoding="ascii").splitlines():
            if line.startswith("nameserver "):
                return line.split()[1]
        raise LabError(f"{self.name} has no resolver: it has no lease yet")


def _readable(end: IO[Any], seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(end, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def random_mac() -> str:
    """A locally administered, individual MAC."""
    octets = bytearray(secrets.token_bytes(6))
    octets[0] = octets[0] & 0xFC | 0x02
    return octets.hex(":")
