"""The internet machine: the provider's router, and the servers behind it.

`connect` joins it to headquarters, `serve` starts the servers, `wait_until_ready` returns when they
answer. Bounded: ready within 20 s or a LabError.
"""

from __future__ import annotations

import selectors
import subprocess
import sys
from pathlib import Path

from lab import addresses
from lab.host import Host, LabError

READY_SECONDS = 20.0


class Internet(Host):
    """See the module's text."""

    def __init__(self, folder: Path) -> None:
        super().__init__("internet", folder)
        self.ca = self.folder / "ca" / "ca.pem"
        """Certificate of the CA that vouches for every site of the run (PEM)."""
        self._servers: subprocess.Popen[bytes] | None = None
        self.use_resolvers(*addresses.RESOLVER)
        self.ip(
            *(f"address add {address}/32 dev lo" for pair in addresses.SERVERS for address in pair[:1]),
            *(f"address add {address}/128 dev lo nodad" for pair in addresses.SERVERS for address in pair[1:]),
        )
        self.sysctl("net.ipv4.ip_forward", "1")
        self.sysctl("net.ipv6.conf.all.forwarding", "1")

    def connect(self, hq: Host, household6: str) -> None:
        """Join headquarters and the household's router (`isp0`, already here) and route between them."""
        four, six = addresses.HQ
        gate4, gate6 = addresses.PROVIDER
        self.ip(
            "link set isp0 up",
            f"address add {gate4}/24 dev isp0",
            f"address add {gate6}/64 dev isp0 nodad",
            f"route add {household6} via {addresses.WAN[1].partition('/')[0]}",
            f"link add hq0 type veth peer name eth0 netns {hq.pid}",
            "link set hq0 up",
            "address add fe80::1/64 dev hq0 nodad",
            f"route add {four}/32 dev hq0",
            f"route add {six}/128 dev hq0",
        )
        hq.ip(
            f"address add {four}/32 dev eth0",
            f"address add {six}/128 dev eth0 nodad",
            "link set eth0 up",
            f"route add {gate4}/32 dev eth0",
            f"route add default via {gate4} dev eth0",
            "route add default via fe80::1 dev eth0",
        )
        hq.use_resolvers(*addresses.RESOLVER)

    def serve(self) -> None:
        """Start the servers; they come up while the rest of the household does."""
        log = (self.folder / "servers.log").open("wb")
        self._servers = self.popen(
            [sys.executable, "-m", "lab.internet", self.ca.parent], stdout=subprocess.PIPE, stderr=log
        )
        log.close()

    def wait_until_ready(self) -> None:
        """Return when every server answers.

        Raises:
            LabError: they ended or took too long; the text has their last words.
        """
        if self._servers is None or self._servers.stdout is None:
            raise LabError("the internet's servers were not started")
        with selectors.DefaultSelector() as selector:
            selector.register(self._servers.stdout, selectors.EVENT_READ)
            came = selector.select(READY_SECONDS)
        if not came or self._servers.stdout.readline() != b"ready\n":
            said = (self.folder / "servers.log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise LabError(f"the lab's internet did not come up: {said or 'no word within the time'}")

    def close(self) -> None:
        """As `Host.close`; the servers' pipe as well."""
        super().close()
        if self._servers is not None and self._servers.stdout is not None:
            self._servers.stdout.close()
