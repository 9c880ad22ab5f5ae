"""A household whose router is a machine: the same internet, headquarters and devices, and two cables to the machine.

The gateway of `lab.household` is a cabinet here: a namespace that holds QEMU, a switch for the household's side and a
link to the provider, which gives the machine its address by DHCP as a provider's router does. Bounded as the household is.
"""

from __future__ import annotations

from pathlib import Path

from appliance.fitting.defaults import RESOLVERS
from firmware import household as what
from lab import addresses
from lab.household import Household, default

LAN_TAP, WAN_TAP = "tlan", "twan"
_PROVIDER_PORT = "isp0"


class Home(Household):
    """See the module's text. `gateway` is the cabinet; devices are plugged into its switch."""

    def __init__(self, folder: Path, config: what.Household | None = None) -> None:
        """`config` says only where the switch is; what the machine is, it says itself."""
        super().__init__(folder, config or default())

    def _wire(self) -> None:
        switch = self.config.lan.bridge
        self.gateway.ip(
            f"link add {switch} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            f"link set {switch} addrgenmode none",
            f"tuntap add {LAN_TAP} mode tap",
            f"link set {LAN_TAP} addrgenmode none master {switch} up",
            f"link set {switch} up",
            f"tuntap add {WAN_TAP} mode tap",
            "link add line type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            "link set line addrgenmode none",
            f"link set {WAN_TAP} addrgenmode none master line up",
            f"link add toisp type veth peer name {_PROVIDER_PORT} netns {self.internet.pid}",
            "link set toisp addrgenmode none master line up",
            "link set line up",
        )
        self.internet.connect(self.hq, str(self.config.lan.network6))
        self._provide()

    def _install(self) -> None:
        """Nothing: the machine brings its own."""

    def _provide(self) -> None:
        """What a provider's router does: an address, a prefix, and the two resolvers that a fresh box asks."""
        first = addresses.WAN[0].partition("/")[0]
        self.internet.run(
            [
                "dnsmasq", "--conf-file=/dev/null", "--port=0", f"--interface={_PROVIDER_PORT}", "--bind-dynamic",
                f"--dhcp-range={first},{first},255.255.255.0,10m",
                f"--dhcp-option=option:router,{addresses.PROVIDER[0]}",
                f"--dhcp-option=option:dns-server,{addresses.RESOLVER[0]}",
                f"--dhcp-leasefile={self.folder / 'provider.leases'}", f"--pid-file={self.folder / 'provider.pid'}",
                "--dhcp-authoritative", "--no-ping", "--user=root", "--group=",
            ]
        )  # fmt: skip
        known = ", ".join(RESOLVERS)
        self.internet.ip(*(f"address add {address}/32 dev lo" for address in RESOLVERS))
        rules = "".join(
            f"ip daddr {{ {known} }} {kind} dport 53 dnat to {addresses.RESOLVER[0]}\n" for kind in ("udp", "tcp")
        )
        table = "table ip lab_resolvers {\nchain there {\ntype nat hook prerouting priority dstnat; policy accept;\n"
        self.internet.run(["nft", "-f", "-"], input=f"{table}{rules}}}\n}}\n")
