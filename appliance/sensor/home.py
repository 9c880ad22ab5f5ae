"""Which addresses are the household's own: the router's networks, in; yes or no, out.

Enters: the `[lan]` table of the router's household file. The rest of that file is of no use here.
Bounded: `_CACHED` addresses remembered.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network
from pathlib import Path

_CACHED = 4096
_Network = IPv4Network | IPv6Network

_LINK: tuple[_Network, ...] = (
    ip_network("169.254.0.0/16"),  # RFC 3927
    ip_network("fe80::/10"),
    ip_network("127.0.0.0/8"),
    ip_network("::1/128"),
    ip_network("0.0.0.0/8"),
    ip_network("::/128"),
    ip_network("224.0.0.0/4"),
    ip_network("255.255.255.255/32"),
    ip_network("ff00::/8"),
)
"""Never beyond the router: the link's own, this machine, groups."""
_PRIVATE: tuple[_Network, ...] = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""RFC 1918, RFC 6598, RFC 4193: not of the internet; somebody's home, of whom the file does not tell."""


class Home:
    """The household's networks. Without any (a capture file) only what can be nobody else's counts."""

    def __init__(self, networks: tuple[_Network, ...] = ()) -> None:
        self.networks = networks
        """Of the router's LAN; empty where not known."""
        self.is_home = lru_cache(maxsize=_CACHED)(self._is_home)
        """Whether an address is in the household or of its link; also where text is no address. A group is."""
        self.is_beyond = lru_cache(maxsize=_CACHED)(self._is_beyond)
        """Whether an address is of the internet: not in the household, and not private."""

    def _is_home(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return True
        own = self.networks or _PRIVATE
        return any(parsed in network for network in (*own, *_LINK) if network.version == parsed.version)

    def _is_beyond(self, address: str) -> bool:
        if self._is_home(address):
            return False
        parsed = ip_address(address)
        return not any(parsed in network for network in _PRIVATE if network.version == parsed.version)


def load(path: Path) -> Home:
    """Read the household file; one that cannot be read gives a `Home` without networks.

    The warden reads and checks the same file and says what is wrong with it.
    """
    try:
        lan = tomllib.loads(path.read_text(encoding="utf-8"))["lan"]
        return Home((ip_network(lan["network"]), ip_interface(lan["network6"]).network))
    except (OSError, ValueError, KeyError, TypeError):
        return Home()
