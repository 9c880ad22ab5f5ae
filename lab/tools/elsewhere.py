"""A rented server somewhere on the internet: what the tools that go round a router talk to.

Real programs: dnsdist (DoT, DoH), OpenVPN, wireguard-go, iodined, sshd, microsocks, tinyproxy,
ss-server, and openssl as the TLS end of Tor's directory authorities. Addresses are documentation
ranges, but for those authorities: their real addresses are routed here, inside the sealed place.
Bounded: one process a service; all end with the machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import addresses
from lab.host import Host
from lab.internet.machine import Internet
from lab.pki import CertificateAuthority, CertificateFiles

DOT, VPN, WIREGUARD, DNS_TUNNEL, SHELL, SOCKS, PROXY, SHADOW, IKE, MAIL = (f"203.0.113.{n}" for n in range(130, 140))
"""Where each service is."""
_LINK = ("203.0.113.128/26", "2001:db8:54::/64")
AUTHORITIES = (
    ("128.31.0.39", 9201),
    ("217.196.147.77", 443),
    ("45.66.35.11", 443),
    ("131.188.40.189", 443),
    ("193.23.244.244", 443),
    ("171.25.193.9", 80),
    ("199.58.81.140", 443),
    ("204.13.164.118", 443),
    ("216.218.219.41", 443),
)
"""Tor's directory authorities and the ports they take connections on (tor's source, auth_dirs.inc)."""
TUNNEL_ZONE = addresses.TUNNEL_ZONE
BIG = "big.bin"
"""A file of 4 MiB that the web server of this machine has, on port 8080."""

_DNSDIST = """
setACL({{"0.0.0.0/0", "::/0"}})
setSecurityPollSuffix("")
newServer("{resolver}")
setLocal("{address}:53")
addTLSLocal("{address}:853", "{certificate}", "{key}")
addDOHLocal("{address}:443", "{certificate}", "{key}", "/dns-query")
"""
_SSHD = """
Port 22
ListenAddress {address}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PidFile none
"""
_TINYPROXY = """
Port 8888
Listen {address}
Timeout 60
LogLevel Error
MaxClients 20
"""


class Elsewhere(Host):
    """See the module's text. Behind the internet machine, as headquarters are."""

    def __init__(self, folder: Path, internet: Internet) -> None:
        super().__init__("elsewhere", folder)
        self.pki = CertificateAuthority(self.folder / "pki", name="A private CA")
        self._connect(internet)

    def _connect(self, internet: Internet) -> None:
        gate = addresses.PROVIDER[0]
        internet.ip(
            f"link add else0 type veth peer name eth0 netns {self.pid}",
            "link set else0 up",
            "address add fe80::1/64 dev else0 nodad",
            *(f"route add {net} dev else0" for net in _LINK),
            *(f"route add {address}/32 dev else0" for address, _ in AUTHORITIES),
        )
        own = (DOT, VPN, WIREGUARD, DNS_TUNNEL, SHELL, SOCKS, PROXY, SHADOW, IKE, MAIL)
        self.ip(
            "link set eth0 up",
            *(f"address add {address}/32 dev eth0" for address in own),
            *(f"address add {address}/32 dev eth0" for address, _ in AUTHORITIES),
            "address add 2001:db8:54::130/128 dev eth0 nodad",
            f"route add {gate}/32 dev eth0 src {DOT}",
            f"route add default via {gate} dev eth0 src {DOT}",
            "route add default via fe80::1 dev eth0",
        )
        self.use_resolvers(*addresses.RESOLVER)

    def start(self, argv: Sequence[str | Path], *, name: str) -> subprocess.Popen[bytes]:
        """Leave a server running; what it says goes to `name.log`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process: subprocess.Popen[bytes] = self.popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return process

    def certificate(self, name: str, *, dns: Sequence[str] = (), numbers: Sequence[str] = ()) -> CertificateFiles:
        """A certificate of this machine's own CA."""
        return self.pki.issue(name, dns=dns, addresses=numbers)

    def write(self, name: str, text: str) -> Path:
        """A file of this machine's folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    # --- services -------------------------------------------------------------------------------

    def resolvers(self) -> None:
        """DNS over TLS and over HTTPS, of the same real resolver."""
        files = self.certificate("resolver", dns=["dns.google", "doh.example", "dot.example"], numbers=[DOT])
        text = _DNSDIST.format(
            resolver=addresses.RESOLVER[0], address=DOT, certificate=files.certificate, key=files.key
        )
        self.start(
            ["dnsdist", "--supervised", "--disable-syslog", "-C", self.write("dnsdist.conf", text)], name="dnsdist"
        )

    def openvpn(self, protocol: str, port: int) -> None:
        """An OpenVPN server."""
        files = self.certificate(f"vpn-{protocol}", dns=["vpn.example"])
        network = "10.98.0.0" if protocol == "udp" else "10.96.0.0"
        self.start(
            ["openvpn", "--dev", f"tun-{protocol}", "--dev-type", "tun", "--topology", "subnet",
             "--server", network, "255.255.255.0", "--proto", protocol if protocol == "udp" else "tcp-server",
             "--local", VPN, "--port", str(port), "--ca", self.pki.certificate_path,
             "--cert", files.certificate, "--key", files.key, "--dh", "none", "--keepalive", "5", "30"],
            name=f"openvpn-{protocol}",
        )  # fmt: skip

    def wireguard(self, private: Path, peer: str) -> None:
        """A WireGuard server in user space, with one peer."""
        self.start(["wireguard-go", "-f", "wgs0"], name="wireguard")
        self.run(["sh", "-c", "for n in $(seq 50); do ip link show wgs0 && exit 0; sleep 0.1; done; exit 1"])
        self.run(["wg", "set", "wgs0", "listen-port", "51820", "private-key", private,
                  "peer", peer, "allowed-ips", "10.99.0.2/32"])  # fmt: skip
        self.ip("address add 10.99.0.1/24 dev wgs0", "link set wgs0 up")

    def dns_tunnel(self) -> None:
        """The far end of a tunnel in DNS questions."""
        self.start(["iodined", "-f", "-c", "-P", "lab", "-l", DNS_TUNNEL, "-d", "dns7", "10.97.0.1/24", TUNNEL_ZONE],
                   name="iodined")  # fmt: skip

    @property
    def key(self) -> Path:
        """The private key that the SSH server lets in."""
        return self.folder / "key"

    def shell(self) -> None:
        """An SSH server."""
        for name in ("host", "key"):
            if not (self.folder / name).exists():
                self.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name])
        config = self.write("sshd.conf", _SSHD.format(address=SHELL, folder=self.folder))
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # on the sealed place's own tmpfs
        self.start(["/usr/sbin/sshd", "-D", "-e", "-f", config], name="sshd")

    def web(self) -> None:
        """A plain web server with one large file."""
        (self.folder / BIG).write_bytes(bytes(4 << 20))
        self.start([sys.executable, "-m", "http.server", "8080", "--directory", self.folder], name="web")

    def proxies(self) -> None:
        """A SOCKS proxy, an HTTP proxy, and one whose words look like noise."""
        self.start(["microsocks", "-i", SOCKS, "-p", "1080"], name="microsocks")
        self.start(["tinyproxy", "-d", "-c", self.write("tinyproxy.conf", _TINYPROXY.format(address=PROXY))],
                   name="tinyproxy")  # fmt: skip
        self.start(["ss-server", "-s", SHADOW, "-p", "8388", "-k", "lab", "-m", "chacha20-ietf-poly1305"],
                   name="ss-server")  # fmt: skip

    def tor(self) -> None:
        """The TLS end of Tor's directory authorities: it takes hellos and knows nothing more."""
        files = self.certificate("relay", dns=["www.relay.example"])
        for address, port in AUTHORITIES:
            self.start(["openssl", "s_server", "-quiet", "-accept", f"{address}:{port}",
                        "-cert", files.certificate, "-key", files.key], name="tor")  # fmt: skip

    def everyday(self) -> None:
        """Mail with TLS, DTLS as in video calls, and sinks of datagrams."""
        files = self.certificate("mail", dns=["mail.example"], numbers=[MAIL])
        pair: list[str | Path] = ["-cert", files.certificate, "-key", files.key]
        for port in (993, 8883):
            self.start(["openssl", "s_server", "-quiet", "-accept", f"{MAIL}:{port}", *pair], name=f"tls-{port}")
        self.start(["openssl", "s_server", "-quiet", "-dtls", "-accept", f"{MAIL}:5004", *pair], name="dtls")
        for port in (123, 3478, 27015):
            self.start([sys.executable, "-c", _SINK, MAIL, str(port)], name=f"sink-{port}")


_SINK = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
    sink.bind((sys.argv[1], int(sys.argv[2])))
    while True:
        sink.recvfrom(2048)
"""
