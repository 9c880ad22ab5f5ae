"""Links and ways out, as systemd-networkd and pppd read them (R5).

A `Household` in, texts by path out; pure. The provider's password is not in there: pppd is given
the file that the household names.
"""

from __future__ import annotations

from firmware import layout
from firmware.household import Household
from firmware.templating import fill

_NETWORKD = "/etc/systemd/network"
LAN_DEVICE = f"{_NETWORKD}/20-gatehouse-lan.netdev"
LAN = f"{_NETWORKD}/20-gatehouse-lan.network"
LAN_PORTS = f"{_NETWORKD}/20-gatehouse-lan-ports.network"
RADIOS = f"{_NETWORKD}/20-gatehouse-radios.network"
WAN = f"{_NETWORKD}/20-gatehouse-wan.network"
LINE = f"{_NETWORKD}/20-gatehouse-line.network"

PPP_PEER = "/etc/ppp/peers/gatehouse"
PPP_UNIT = "/etc/systemd/system/gatehouse-uplink.service"


def render(household: Household) -> dict[str, str]:
    """Text of each file, by path."""
    lan, wan = household.lan, household.wan
    files = {
        LAN_DEVICE: fill("lan.netdev", lan=lan),
        LAN: fill("lan.network", lan=lan, address6=lan.network6[1], wan=wan.interface),
        WAN: fill("wan.network", wan=wan, delegated=lan.delegated),
    }
    if lan.ports:
        files[LAN_PORTS] = fill("lan-ports.network", lan=lan)
    if household.wifi is not None:
        files[RADIOS] = fill("radios.network", radios=[radio.interface for radio in household.wifi.radios])
    if wan.kind == "pppoe":
        files[LINE] = fill("line.network", port=wan.port)
        files[PPP_PEER] = fill("ppp-peer.conf", wan=wan)
        files[PPP_UNIT] = fill("uplink.service", port=wan.port, secret=wan.password_file, told=layout.LINE_TOLD)
    return files
