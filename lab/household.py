"""A household: a gateway set up from `firmware`'s own templates, an internet, headquarters, devices.

A `household.toml` in; running machines out. What the gateway is comes from `firmware.render` and
from nowhere else. Bounded: at most 250 devices; all processes are those of its machines and end
with `close`. Nothing is kept but the files in the run's folder.
"""

from __future__ import annotations

from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware import household as what
from firmware import names, render
from lab import addresses, enter, personas
from lab.client import Client
from lab.host import Host, LabError
from lab.internet.machine import Internet
from lab.personas import Persona

MAX_DEVICES = 250
BRIDGE_MAC = "02:00:5e:10:00:01"
"""Fixed: left alone, a bridge takes the lowest MAC of its ports and changes it as devices join."""

HQ_ADDRESS = addresses.HQ[0]
"""Where broker and dashboard run, as the gateway reaches it."""

_NEEDED = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.netfilter.nf_conntrack_acct")


def default() -> what.Household:
    """The household of the lab: br-lan, wan0, documentation prefixes."""
    return what.Household(
        lan=what.Lan(
            bridge="br-lan",
            address=IPv4Address("192.0.2.1"),
            network=IPv4Network("192.0.2.0/24"),
            network6=IPv6Network("2001:db8:1::/64"),
        ),
        wan=what.Wan(interface="wan0"),
        resolver=what.Resolver(upstream=tuple(map(ip_address, addresses.RESOLVER))),
    )


class Household:
    """Everything from the devices to the internet; use as a context manager.

    Inside it, `gateway`, `internet` and `hq` are `Host`s, `clients` the devices by the persona's name,
    `household_file` the TOML file that the warden reads, `ca` the lab CA's certificate (PEM).
    """

    gateway: Host
    internet: Internet
    hq: Host
    ca: Path

    def __init__(self, folder: Path, config: what.Household | None = None) -> None:
        """Write `household.toml` into `folder`; nothing runs before the context is entered."""
        self.config = config or default()
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.household_file = self.folder / "household.toml"
        self.household_file.write_text(as_toml(self.config), encoding="utf-8")
        self.clients: dict[str, Client] = {}
        self.sysctls_left_out: dict[str, str] = {}
        """Settings of `firmware` that this machine's kernel does not let a namespace have, and why."""
        self._ports = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Bring everything up but devices.

        Raises:
            LabError: a part did not come up; what came up before it is taken down again.
        """
        with ExitStack() as stack:
            self.internet = stack.enter_context(Internet(self.folder))
            self.gateway = stack.enter_context(Host("gateway", self.folder))
            self.hq = stack.enter_context(Host("hq", self.folder))
            self._wire()
            self.internet.serve()
            self._install()
            self.internet.wait_until_ready()
            self._stack = stack.pop_all()
        self.ca = self.internet.ca
        return self

    @property
    def prefix6(self) -> IPv6Network:
        """The /64 that devices choose their addresses from."""
        return self.config.lan.network6

    def join(self, who: str | Persona) -> Client:
        """A device is plugged in: its link is up, and it has asked for nothing yet (see `Client.lease`).

        Raises:
            LabError: too many devices, or one of that name is here.
            FileError: there is no such persona, or its file is wrong.
        """
        persona = personas.load(who) if isinstance(who, str) else who
        if persona.name in self.clients:
            raise LabError(f"a device named {persona.name} is here already")
        if len(self.clients) >= MAX_DEVICES:
            raise LabError(f"the lab holds at most {MAX_DEVICES} devices")
        self._ports += 1
        client = Client(persona, self.folder, ca=self.ca)
        self._stack.callback(client.close)
        client.plug_in(self.gateway, port=f"lan{self._ports}", bridge=self.config.lan.bridge)
        self.clients[persona.name] = client
        return client

    def leave(self, client: Client) -> None:
        """A device goes away; its lease is given back."""
        del self.clients[client.persona.name]
        client.leave()

    def close(self) -> None:
        """Take everything down. Calling twice is fine."""
        self._stack.close()
        self.clients.clear()

    def _wire(self) -> None:
        lan, wan = self.config.lan, self.config.wan.interface
        inside4 = f"{lan.address}/{lan.network.prefixlen}"
        self.gateway.ip(
            # No spanning tree and no forwarding delay: a port that is up forwards.
            f"link add {lan.bridge} address {BRIDGE_MAC} type bridge stp_state 0 forward_delay 0",
            # An address that needs no probing: with it router advertisements start at once.
            f"link set {lan.bridge} addrgenmode none",
            f"link set {lan.bridge} up",
            f"address add {inside4} dev {lan.bridge}",
            f"address add {lan.network6[1]}/64 dev {lan.bridge} nodad",
            f"address add fe80::1/64 dev {lan.bridge} nodad",
            f"link add {wan} type veth peer name isp0 netns {self.internet.pid}",
            f"link set {wan} up",
            *(f"address add {address} dev {wan} nodad" for address in addresses.WAN),
        )
        self.internet.connect(self.hq, str(lan.network6))
        self.gateway.ip(*(f"route add default via {address}" for address in addresses.PROVIDER))
        self.gateway.use_resolvers("127.0.0.1")

    def _install(self) -> None:
        """Write what `firmware` renders and put it in force, in the order the box does at boot."""
        files = render.render(self.config)
        for path, text in files.items():
            target = self.rendered(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        self._apply_sysctls(files[render.SYSCTL])
        self._serve()

    def _serve(self) -> None:
        """Load the rules and start dnsmasq; where the box has a systemd of its own, that does it."""
        self.gateway.run(["nft", "-f", self.rendered(render.NFTABLES)])
        self._own_runtime_folder()
        command = ["dnsmasq", f"--conf-file={self.rendered(render.DNSMASQ)}", f"--pid-file={self.dnsmasq_pid_file}"]
        if mode() == "user":  # one uid exists in there: none to change to
            command += ["--user=root", "--group="]
        # It goes into the background once it is listening, and says what is wrong before that.
        self.gateway.run(command)

    def _own_runtime_folder(self) -> None:
        """What lies below /run on the box lies in the run's folder here, for the gateway alone."""
        shown = Path(render.LEASE_FILE).parent
        shown.mkdir(parents=True, exist_ok=True)  # on the sealed place's private tmpfs
        kept = self.folder / "run"
        kept.mkdir(exist_ok=True)
        self.known_folder.mkdir(exist_ok=True)
        self.gateway.run(["mount", "--bind", kept, shown])

    @property
    def known_folder(self) -> Path:
        """Where the box writes which devices are on the register; whoever it runs as must own it."""
        return self.folder / "run" / Path(names.KNOWN_FOLDER).name

    @property
    def dnsmasq_pid_file(self) -> Path:
        """Where dnsmasq wrote its process id."""
        return self.folder / "dnsmasq.pid"

    def rendered(self, path: str) -> Path:
        """Where the file that the box has at absolute `path` lies in this run."""
        return self.folder / "rootfs" / path.lstrip("/")

    def _apply_sysctls(self, text: str) -> None:
        for line in text.splitlines():
            setting, _, value = line.partition("=")
            key, value = setting.strip().removeprefix("-"), value.strip()
            if not value or key.startswith(("#", ";")):
                continue
            if not key.startswith(("net.", "net/")):
                self.sysctls_left_out[key] = "belongs to the whole machine"
                continue
            try:
                self.gateway.sysctl(key, value)
            except OSError as error:
                if key in _NEEDED:
                    raise LabError(
                        f"the gateway's {key} cannot be set ({error.strerror}); "
                        f"load the kernel modules the router needs: {', '.join(modules(self.config))}"
                    ) from error
                self.sysctls_left_out[key] = error.strerror or "refused"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def modules(config: what.Household) -> list[str]:
    """Kernel modules that `firmware` has loaded at boot."""
    lines = render.render(config)[render.MODULES].splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def as_toml(config: what.Household) -> str:
    """`household.toml` of a household."""
    return what.as_toml(config)


def mode() -> str:
    """`root` or `user`: who entered the lab, and so whether each process can have a uid of its own."""
    return enter.mode()
