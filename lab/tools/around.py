"""Tools that go round a router, each started as a resident would start it.

A device in; traffic of the real program out. Played where that is said: the questions that only a
browser or a telephone asks by itself (canary, relay, designated resolvers) are asked with kdig.
"""

from __future__ import annotations

from lab import addresses
from lab.client import Client
from lab.host import LabError
from lab.tools import elsewhere as far
from lab.tools.ground import Ground, Tool, background, script, wait_for_link
from wire.findings import FindingKind as Kind

_PAGES = "www.garden.example trains.example www.chess.example recipes.example weather.example www.museum.example"
"""Made-up pages that no other device of the run asks for: the box holds who asked just before against each."""
_STUBBY = """
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS]
tls_authentication: GETDNS_AUTHENTICATION_NONE
listen_addresses: [127.0.0.1]
idle_timeout: 10000
upstream_recursive_servers:
  - address_data: {address}
    tls_auth_name: "dot.example"
"""


def _hosts(client: Client, text: str) -> None:
    """Names that this machine knows by itself."""
    path = client.folder / "hosts"
    path.write_text(f"127.0.0.1 localhost\n{text}\n", encoding="ascii")
    client.run(["mount", "--bind", path, "/etc/hosts"])


def _doh(name: str) -> str:
    pages = " ".join(f"https://{page}/" for page in _PAGES.split())
    doh = f"--doh-url https://{name}/dns-query --doh-insecure"
    return f"for n in $(seq 40); do for u in {pages}; do curl -sk -m 5 {doh} -o /dev/null $u; done; sleep 3; done"


def _known_doh(ground: Ground, client: Client) -> None:
    del ground
    _hosts(client, f"{far.DOT} dns.google")
    script(client, _doh("dns.google"))


def _own_doh(ground: Ground, client: Client) -> None:
    del ground
    _hosts(client, f"{far.DOT} doh.example")
    script(client, _doh("doh.example"))


def _dot(ground: Ground, client: Client) -> None:
    del ground
    config = client.folder / "stubby.yml"
    config.write_text(_STUBBY.format(address=far.DOT), encoding="ascii")
    background(client, ["stubby", "-C", config], "stubby")
    client.use_resolvers("127.0.0.1")
    script(client, f"for n in $(seq 60); do for p in {_PAGES}; do getent ahosts $p; done; sleep 3; done", "pages")


def _doq(ground: Ground, client: Client) -> None:
    del ground
    script(client, f"for n in $(seq 20); do kdig @{far.DOT} +quic +time=2 +retry=0 www.news.example; sleep 3; done")


def _other_resolver(ground: Ground, client: Client) -> None:
    del ground
    where = addresses.OTHER_RESOLVER[0]
    script(client, f"for n in $(seq 40); do kdig @{where} www.news.example www.shop.example; sleep 3; done")


def _static6(ground: Ground, client: Client) -> None:
    prefix = ground.stack.home.prefix6
    client.ip(
        f"address add {prefix[0x7777]}/64 dev eth0 nodad",
        f"route add default via {prefix[1]} dev eth0",
    )
    client.use_resolvers(addresses.OTHER_RESOLVER[1])
    script(
        client,
        f"for n in $(seq 40); do for p in {_PAGES}; do curl -6 -sk -m 5 -o /dev/null https://$p/; done; sleep 3; done",
    )


def _canary(ground: Ground, client: Client) -> None:
    del ground
    script(client, "for n in $(seq 10); do kdig use-application-dns.net A; sleep 10; done")


def _relay(ground: Ground, client: Client) -> None:
    del ground
    script(client, "for n in $(seq 10); do kdig mask.icloud.com A; kdig mask-h2.icloud.com A; sleep 10; done")


def _discovery(ground: Ground, client: Client) -> None:
    del ground
    script(client, "for n in $(seq 10); do kdig _dns.resolver.arpa TYPE64; sleep 10; done")


def _openvpn(ground: Ground, client: Client, protocol: str, port: int) -> None:
    ground.elsewhere.openvpn(protocol, port)
    files = ground.elsewhere.certificate(f"vpn-client-{protocol}")
    background(
        client,
        ["openvpn", "--client", "--dev", "tun", "--proto", protocol, "--remote", far.VPN, str(port), "--nobind",
         "--route-noexec", "--ca", ground.elsewhere.pki.certificate_path, "--cert", files.certificate,
         "--key", files.key, "--connect-retry", "2"],
        "openvpn",
    )  # fmt: skip
    gate = "10.98.0.1" if protocol == "udp" else "10.96.0.1"
    script(client, f"for n in $(seq 200); do busybox ping -c 1 -W 1 -s 1000 {gate}; sleep 1; done", "ping")


def _openvpn_udp(ground: Ground, client: Client) -> None:
    _openvpn(ground, client, "udp", 1194)


def _openvpn_tcp(ground: Ground, client: Client) -> None:
    _openvpn(ground, client, "tcp", 443)


def _wireguard(ground: Ground, client: Client) -> None:
    keys = {}
    for name in ("server", "client"):
        private = client.folder / f"{name}.key"
        private.write_text(client.run(["wg", "genkey"]).stdout, encoding="ascii")
        keys[name] = (private, client.run(["wg", "pubkey"], input=private.read_text(encoding="ascii")).stdout.strip())
    ground.elsewhere.wireguard(keys["server"][0], keys["client"][1])
    background(client, ["wireguard-go", "-f", "wgc0"], "wireguard")
    wait_for_link(client, "wgc0")
    client.run(["wg", "set", "wgc0", "private-key", keys["client"][0], "peer", keys["server"][1], "endpoint",
                f"{far.WIREGUARD}:51820", "allowed-ips", "10.99.0.0/24", "persistent-keepalive", "5"])  # fmt: skip
    client.ip("address add 10.99.0.2/24 dev wgc0", "link set wgc0 up")
    script(client, "for n in $(seq 200); do busybox ping -c 1 -W 1 -s 1000 10.99.0.1; sleep 1; done", "ping")


def _ike(ground: Ground, client: Client) -> None:
    del ground
    background(client, ["charon-cmd", "--host", far.IKE, "--identity", "lab", "--profile", "ikev2-eap"], "charon")


def _tor(ground: Ground, client: Client) -> None:
    ground.elsewhere.tor()
    background(
        client,
        ["tor", "--ignore-missing-torrc", "-f", "/nonexistent", "--DataDirectory", client.folder / "tor",
         "--SocksPort", "9050", "--UseDefaultFallbackDirs", "0", "--Log", "notice stdout"],
        "tor",
    )  # fmt: skip


def _iodine(ground: Ground, client: Client) -> None:
    ground.elsewhere.dns_tunnel()
    background(client, ["iodine", "-f", "-r", "-P", "lab", "-d", "dns8", far.TUNNEL_ZONE], "iodine")
    script(client, "sleep 5; for n in $(seq 100); do busybox ping -c 1 -W 1 -s 400 10.97.0.1; sleep 1; done", "ping")


def _ssh(ground: Ground, client: Client) -> None:
    key = ground.elsewhere.key
    background(
        client,
        ["ssh", "-N", "-D", "127.0.0.1:1080", "-i", key, "-o", "StrictHostKeyChecking=no", "-o",
         "UserKnownHostsFile=/dev/null", f"root@{far.SHELL}"],
        "ssh",
    )  # fmt: skip
    page = f"http://{far.SHELL}:8080/{far.BIG}"
    fetch = f"curl -s -m 20 --socks5-hostname 127.0.0.1:1080 -o /dev/null {page}"
    script(client, f"sleep 2; for n in $(seq 140); do {fetch}; sleep 3; done", "pages")


def _through(client: Client, proxy: str) -> None:
    pages = " ".join(f"https://{page}/" for page in _PAGES.split())
    script(
        client,
        f"for n in $(seq 40); do for u in {pages}; do curl -sk -m 5 {proxy} -o /dev/null $u; done; sleep 3; done",
    )


def _socks(ground: Ground, client: Client) -> None:
    del ground
    _through(client, f"--socks5-hostname {far.SOCKS}:1080")


def _connect(ground: Ground, client: Client) -> None:
    del ground
    _through(client, f"-x http://{far.PROXY}:8888")


def _noise(ground: Ground, client: Client) -> None:
    del ground
    cipher = "chacha20-ietf-poly1305"
    background(
        client, ["ss-local", "-s", far.SHADOW, "-p", "8388", "-l", "1081", "-k", "lab", "-m", cipher], "ss-local"
    )
    _through(client, "--socks5-hostname 127.0.0.1:1081")


def _nat(ground: Ground, client: Client) -> None:
    """A second router behind the laptop, and behind it a machine of another make."""
    behind = ground.machine("behind")
    client.ip(
        f"link add inside type veth peer name eth0 netns {behind.pid}",
        "link set inside up",
        "address add 192.168.137.1/24 dev inside",
    )
    client.sysctl("net.ipv4.ip_forward", "1")
    client.run(
        ["nft", "-f", "-"],
        input='table ip nat { chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }; }',
    )
    behind.ip("link set eth0 up", "address add 192.168.137.2/24 dev eth0", "route add default via 192.168.137.1")
    behind.sysctl("net.ipv4.ip_default_ttl", "128")
    behind.use_resolvers(str(ground.stack.home.config.lan.address))
    own = "curl -s -m 5 -A 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' -o /dev/null http://www.news.example/"
    other = (
        "curl -s -m 5 -A 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0' -o /dev/null http://www.shop.example/"
    )
    script(client, f"for n in $(seq 60); do {own}; sleep 3; done")
    script(behind, f"for n in $(seq 60); do {other}; sleep 3; done")


def _rogue_dhcp(ground: Ground, client: Client) -> None:
    own = client.leased
    if own is None:
        raise LabError("the device has no address to hand out others beside")
    leases = client.folder / "leases"
    background(
        client,
        ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
         "--user=root", "--group=", f"--dhcp-leasefile={leases}", "--dhcp-range=192.0.2.240,192.0.2.250,2m"],
        "dnsmasq",
    )  # fmt: skip
    ground.device()  # asks for an address, and both answer


def _upstream(ground: Ground, client: Client) -> None:
    """A device on the provider's side, as where the provider's own router is on again."""
    del client
    beyond = ground.machine("beyond")
    ground.stack.home.internet.ip(f"link add link isp0 name up0 netns {beyond.pid} type macvlan mode bridge")
    beyond.ip("link set up0 address 02:00:5e:b0:00:01", "link set up0 up", "address add 198.51.100.77/24 dev up0")
    script(beyond, "for n in $(seq 100); do busybox arping -q -c 1 -w 1 -I up0 198.51.100.200; sleep 2; done")


def _kinds(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


TOOLS = (
    Tool(name="doh-known", title="curl, DNS over HTTPS at a well-known resolver", run=_known_doh,
         expects=_kinds(Kind.ENCRYPTED_DNS), needs=("curl", "dnsdist")),
    Tool(name="doh-own", title="curl, DNS over HTTPS at a resolver of its own", run=_own_doh,
         expects=_kinds(Kind.ENCRYPTED_DNS, Kind.HIDDEN_NAMES), needs=("curl", "dnsdist")),
    Tool(name="dot", title="stubby, DNS over TLS", run=_dot, expects=_kinds(Kind.ENCRYPTED_DNS),
         needs=("stubby", "dnsdist")),
    Tool(name="doq", title="kdig, DNS over QUIC", run=_doq, expects=_kinds(Kind.ENCRYPTED_DNS), needs=("kdig",)),
    Tool(name="resolver4", title="Another resolver asked in plain, IPv4", run=_other_resolver,
         expects=_kinds(Kind.OTHER_RESOLVER), needs=("kdig",)),
    Tool(name="resolver6", title="Fixed address and another resolver, IPv6", run=_static6, lease=False,
         expects=_kinds(Kind.OTHER_RESOLVER), needs=("curl",)),
    Tool(name="canary", title="A browser's question for the canary name (played with kdig)", run=_canary,
         expects=_kinds(Kind.ENCRYPTED_DNS), needs=("kdig",)),
    Tool(name="relay", title="A telephone's question for Private Relay (played with kdig)", run=_relay,
         expects=_kinds(Kind.RELAY), needs=("kdig",)),
    Tool(name="discovery", title="The question for designated resolvers (played with kdig)", run=_discovery,
         expects=_kinds(Kind.ENCRYPTED_DNS), needs=("kdig",)),
    Tool(name="openvpn-udp", title="OpenVPN over UDP", run=_openvpn_udp, expects=_kinds(Kind.TUNNEL),
         needs=("openvpn",), tun=True),
    Tool(name="openvpn-tcp", title="OpenVPN over TCP, port 443", run=_openvpn_tcp, expects=_kinds(Kind.TUNNEL),
         needs=("openvpn",), tun=True),
    Tool(name="wireguard", title="wireguard-go", run=_wireguard, expects=_kinds(Kind.TUNNEL),
         needs=("wireguard-go", "wg"), tun=True),
    Tool(name="ike", title="strongSwan, IKEv2", run=_ike, expects=_kinds(Kind.TUNNEL), needs=("charon-cmd",)),
    Tool(name="tor", title="Tor, its first connections", run=_tor, expects=_kinds(Kind.TOR), needs=("tor", "openssl")),
    Tool(name="iodine", title="iodine, a tunnel in DNS questions", run=_iodine, expects=_kinds(Kind.DNS_TUNNEL),
         needs=("iodine", "iodined"), tun=True),
    Tool(name="ssh", title="ssh -D, long and busy", run=_ssh, expects=_kinds(Kind.TUNNEL), needs=("ssh", "sshd")),
    Tool(name="socks", title="A SOCKS proxy elsewhere", run=_socks, expects=_kinds(Kind.PROXY), needs=("microsocks",)),
    Tool(name="connect", title="An HTTP proxy elsewhere", run=_connect, expects=_kinds(Kind.PROXY), needs=("tinyproxy",)),
    Tool(name="noise", title="Shadowsocks: words that look like noise", run=_noise,
         expects=_kinds(Kind.UNKNOWN_PROTOCOL), needs=("ss-local", "ss-server")),
    Tool(name="nat", title="A machine behind the laptop", run=_nat, expects=_kinds(Kind.DEVICE_BEHIND), needs=("nft",)),
    Tool(name="rogue-dhcp", title="dnsmasq on a laptop hands out addresses", run=_rogue_dhcp,
         expects=_kinds(Kind.OTHER_DHCP), needs=("dnsmasq",)),
    Tool(name="upstream", title="A device on the provider's side", run=_upstream,
         expects=_kinds(Kind.UPSTREAM_DEVICE), needs=("busybox",)),
)  # fmt: skip
"""All of them; each on a device of its own."""
