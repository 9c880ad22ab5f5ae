"""The box's own port on the household's bridge, where the probe asks for the test's name as a device would (R33).

A link with two ends: one is a port of the bridge, the other is the probe's to send at. A frame that the bridge's own
interface sends leaves the box and never passes the taps; one that comes in at a port does.
The probe's end has no address of its own, asks nobody for one and answers nobody. Bounded: one link, made once.
"""

from __future__ import annotations

import logging

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from firmware.names import TEST_PORT, TEST_PORT_INSIDE

_IFF_NOARP, _IFF_MULTICAST = 0x80, 0x1000
_NO_ADDRESS = {"attrs": [["AF_INET6", {"attrs": [["IFLA_INET6_ADDR_GEN_MODE", 1]]}]]}
"""IN6_ADDR_GEN_MODE_NONE: no link-local address, so no router is asked for and no group is joined."""

_log = logging.getLogger(__name__)


def ensure(bridge: str) -> bool:
    """Make the link where it is missing, and its end a port of the bridge. Whether it is there; never raises."""
    try:
        with IPRoute() as route:
            return _ensure(route, bridge)
    except (NetlinkError, OSError) as error:
        _log.warning("no port for the detection test: %s", error)
        return False


def _ensure(route: IPRoute, bridge: str) -> bool:
    masters = route.link_lookup(ifname=bridge)
    if not masters:
        return False  # the bridge may come later
    if not route.link_lookup(ifname=TEST_PORT):
        route.link("add", ifname=TEST_PORT, kind="veth", peer={"ifname": TEST_PORT_INSIDE})
    (ours,) = route.link_lookup(ifname=TEST_PORT)
    (inside,) = route.link_lookup(ifname=TEST_PORT_INSIDE)
    for index in (ours, inside):
        route.link("set", index=index, IFLA_AF_SPEC=_NO_ADDRESS)
    route.link("set", index=inside, master=masters[0])
    route.link("set", index=ours, flags=_IFF_NOARP, mask=_IFF_NOARP | _IFF_MULTICAST)
    route.link("set", index=inside, state="up")
    route.link("set", index=ours, state="up")
    return True
