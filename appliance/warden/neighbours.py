"""Ports and neighbours: rtnetlink events in, `LinkChanged` and `NeighbourChanged` out.

Our own non-blocking socket, pyroute2's decoder. Only what concerns this router is passed on: its
bridge, the ports of the bridge and the port to the provider; neighbours on the bridge.
Bounded: at most `MAX_NEIGHBOURS` neighbours are remembered (the oldest is forgotten and counted),
at most `MAX_LINKS` interfaces; at most `READS` datagrams in one go.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from appliance.messages import LinkChanged, NeighbourChanged
from appliance.warden.holding import is_device

MAX_NEIGHBOURS = 2048
MAX_LINKS = 256
READS = 64

_BUFFER = 64 * 1024
_RECEIVE_BUFFER = 1 << 20

_GROUPS = 0x1 | 0x4  # RTMGRP_LINK | RTMGRP_NEIGH
_GETLINK = 18
_GETNEIGH = 30
_BODY_OCTETS = {_GETLINK: 16, _GETNEIGH: 12}  # struct ifinfomsg, struct ndmsg
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP

_IFF_UP = 0x1
_IFF_LOWER_UP = 0x10000

# Neighbour states, <linux/neighbour.h>
_REACHABLE = 0x02
_UNCERTAIN = 0x04 | 0x08 | 0x10  # STALE, DELAY, PROBE
_FAILED = 0x20

Event = LinkChanged | NeighbourChanged

_log = logging.getLogger(__name__)


class Surroundings:
    """What the router knows of its ports and neighbours; turns decoded messages into changes."""

    def __init__(self, *, bridge: str, wan: str) -> None:
        self._bridge = bridge
        self._wan = wan
        self._links: dict[int, tuple[str, bool]] = {}
        self._masters: dict[int, int] = {}
        self._neighbours: OrderedDict[str, str] = OrderedDict()
        """Hardware address by IP address."""
        self.overflow = 0

    @property
    def wan_there(self) -> bool:
        """The port to the provider exists, up or not."""
        return any(name == self._wan for name, _ in self._links.values())

    def has(self, address: str) -> str | None:
        """Hardware address of the device that has an IP address; None where nobody is known to, or it is none."""
        try:
            return self._neighbours.get(str(ip_address(address)))
        except ValueError:
            return None

    def take(self, decoded: Iterable[Mapping[str, Any]], now: float) -> list[Event]:
        """Changes that decoded rtnetlink messages tell, in their order."""
        events: list[Event] = []
        for message in decoded:
            match message.get("event"):
                case "RTM_NEWLINK" | "RTM_DELLINK":
                    events += self._link(message, now)
                case "RTM_NEWNEIGH" | "RTM_DELNEIGH":
                    events += self._neighbour(message, now)
        return events

    def _link(self, message: Mapping[str, Any], now: float) -> list[Event]:
        if message.get("family") == socket.AF_BRIDGE:  # a port's state in its bridge, told beside the link itself
            return []
        attributes = dict(message["attrs"])
        index, name, flags = message["index"], str(attributes.get("IFLA_IFNAME", "")), message["flags"]
        before = self._links.get(index)
        if message["event"] == "RTM_DELLINK":
            self._links.pop(index, None)
            ours = self._ours(index, name)
            self._masters.pop(index, None)
            return [LinkChanged(ts=now, interface=name, up=False)] if ours and before and before[1] else []
        if before is None and len(self._links) >= MAX_LINKS:
            self.overflow += 1
            return []
        up = bool(flags & _IFF_UP and flags & _IFF_LOWER_UP)
        self._links[index] = (name, up)
        self._masters[index] = attributes.get("IFLA_MASTER", 0)
        if not self._ours(index, name) or before == (name, up):
            return []
        return [LinkChanged(ts=now, interface=name, up=up)]

    def _ours(self, index: int, name: str) -> bool:
        if name in {self._bridge, self._wan}:
            return True
        master = self._links.get(self._masters.get(index, 0))
        return master is not None and master[0] == self._bridge

    def _neighbour(self, message: Mapping[str, Any], now: float) -> list[Event]:
        on_bridge = self._links.get(message["ifindex"], ("", False))[0] == self._bridge
        attributes = dict(message["attrs"])
        destination = attributes.get("NDA_DST")
        if message.get("family") not in {socket.AF_INET, socket.AF_INET6} or not on_bridge or not destination:
            return []
        address = str(ip_address(destination))
        before = self._neighbours.get(address)
        state = message["state"]
        if message["event"] == "RTM_DELNEIGH" or state & _FAILED:
            # The kernel leaves the hardware address out of what it no longer believes.
            return [] if before is None else [self._left(address, now)]
        mac = attributes.get("NDA_LLADDR")
        if mac is None or mac == before or not is_device(mac) or not state & (_REACHABLE | _UNCERTAIN):
            # Same device: that it grew stale says only that nobody asked; a phone would flap all day.
            return []
        # A new entry that is merely stale counts too: it was just learned from the device's own frame.
        events: list[Event] = [] if before is None else [self._left(address, now)]
        if len(self._neighbours) >= MAX_NEIGHBOURS:
            self._neighbours.popitem(last=False)
            self.overflow += 1
        self._neighbours[address] = mac
        events.append(NeighbourChanged(ts=now, mac=mac, ip=address, reachable=True))
        return events

    def _left(self, address: str, now: float) -> NeighbourChanged:
        return NeighbourChanged(ts=now, mac=self._neighbours.pop(address), ip=address, reachable=False)


class RouteSocket:
    """A subscription to rtnetlink; begins with all that is there already."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._marshal = MarshalRtnl()
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.bind((0, _GROUPS))
        # One dump at a time: the kernel refuses a second while the first is not read.
        self._dumps = [_GETNEIGH]
        self._ask(_GETLINK)
        self.lost = 0

    def fileno(self) -> int:
        """Descriptor, so that a selector can wait for events."""
        return self._socket.fileno()

    def read(self, now: float) -> list[Event]:
        """Changes that wait; empty when none. At most `READS` datagrams, the rest next time."""
        events: list[Event] = []
        for _ in range(READS):
            try:
                datagram = self._socket.recv(_BUFFER)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                # Events were lost; what is true now can be asked for.
                self.lost += 1
                self._dumps = [_GETNEIGH]
                self._ask(_GETLINK)
                continue
            decoded = list(self._marshal.parse(datagram))
            events += self._surroundings.take(decoded, now)
            if self._dumps and any(message["header"]["type"] == 3 for message in decoded):  # NLMSG_DONE
                self._ask(self._dumps.pop())
        return events

    def close(self) -> None:
        """End the subscription."""
        self._socket.close()

    def _ask(self, kind: int) -> None:
        body = bytes(_BODY_OCTETS[kind])  # all zero: everything of every family
        request = struct.pack("=IHHII", 16 + len(body), kind, _DUMP, 1, 0) + body
        try:
            self._socket.send(request)
        except OSError as error:
            _log.warning("the kernel does not list its ports and neighbours: %s", error)
