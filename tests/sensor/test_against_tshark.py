"""Our readings of real devices' packets beside tshark's: every difference is listed, with its reason, or fails."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import MessageHeard
from appliance.sensor.frame import Frame, LinkType
from appliance.sensor.packet import dhcp4, dhcp6, ethernet, icmp6, ip, names, syn, tcp, tls, udp
from appliance.sensor.packet.cursor import Cursor
from appliance.sensor.taps.capture import Capture

Row = dict[str, str]

FILTER = "not icmp and (dhcp or dhcpv6 or icmpv6.type in {133..136} or (tcp.flags.syn == 1 and tcp.flags.ack == 0))"
FIELDS = (
    "frame.number",
    "frame.protocols",
    "dhcp.option.type",
    "dhcp.option.request_list_item",
    "dhcp.option.hostname",
    "dhcp.option.vendor_class_id",
    "dhcp.option.dhcp",
    "dhcp.option.dhcp_server_id",
    "dhcp.id",
    "dhcpv6.msgtype",
    "dhcpv6.option.type",
    "dhcpv6.requested_option_code",
    "icmpv6.type",
    "icmpv6.opt.linkaddr",
    "icmpv6.nd.ns.target_address",
    "icmpv6.nd.na.target_address",
    "icmpv6.nd.ra.router_lifetime",
    "ip.ttl",
    "ipv6.hlim",
    "tcp.window_size_value",
    "tcp.option_kind",
    "tcp.options.mss_val",
    "tcp.options.wscale.shift",
)


HELLO_FIELDS = (
    "frame.number",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "udp.srcport",
    "tls.handshake.extensions_server_name",
)
LINKS = {
    LinkType.ETHERNET: ethernet.ethernet,
    LinkType.RAW_IP: ethernet.raw,
    LinkType.NULL: ethernet.loopback,
    LinkType.SLL: ethernet.cooked_v1,
    LinkType.SLL2: ethernet.cooked_v2,
}


@pytest.fixture(scope="module")
def sources(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every capture beside the project; the many small ones of single devices in one file, to be asked about once.

    The others stay apart: some hold the same connections, which would be one.
    """
    if shutil.which("tshark") is None or shutil.which("mergecap") is None:
        pytest.skip("tshark is not installed")
    found = sorted(path for path in (root.parent / "shared").glob("**/*.pcap*") if path.is_file())
    if not found:
        pytest.skip("the captures are not here")
    devices = [path for path in found if (path.parent / "mac.txt").exists()]
    merged = tmp_path_factory.mktemp("merged") / "devices.pcap"
    subprocess.run(["mergecap", "-a", "-F", "pcap", "-w", merged, *devices], check=True)
    return [merged, *(path for path in found if path not in devices)]


def asked(source: Path, wanted: str, fields: tuple[str, ...]) -> list[Row]:
    """What tshark says of the packets that a filter passes."""
    arguments = [argument for field in fields for argument in ("-e", field)]
    said = subprocess.run(
        ["tshark", "-n", "-r", source, "-Y", wanted, "-T", "fields", "-E", "separator=/t", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in said.stdout.splitlines()]


def numbers(values: object) -> str:
    assert isinstance(values, tuple)
    return ",".join(map(str, values))


def plain(value: int | None) -> str:
    return "" if value is None else str(value)


def dhcp4_of(message: dhcp4.Message) -> Row:
    return {
        # tshark lists the end option as type 0 or 255 according to its version, and padding never.
        "dhcp.option.type": numbers(tuple(code for code, _ in message.options)),
        "dhcp.option.request_list_item": numbers(message.parameters),
        "dhcp.option.hostname": names.announced(message.option(dhcp4.HOST_NAME) or b""),
        "dhcp.option.vendor_class_id": message.vendor_class or "",
        "dhcp.option.dhcp": str(message.message_type),
        "dhcp.option.dhcp_server_id": ip.text(message.server_id) if message.server_id else "",
        "dhcp.id": f"0x{message.transaction:08x}",
    }


def dhcp6_of(message: dhcp6.Message) -> Row:
    return {"dhcpv6.msgtype": str(message.message_type), "dhcpv6.requested_option_code": numbers(message.requested)}


def icmp6_of(message: icmp6.Message) -> Row:
    target = ip.text(message.target) if message.target else ""
    links = [link.hex(":") for link in (message.source_link, message.target_link) if link]
    return {
        "icmpv6.type": str(message.kind),
        "icmpv6.opt.linkaddr": ",".join(links),
        "icmpv6.nd.ns.target_address": target if message.kind == icmp6.NEIGHBOUR_SOLICITATION else "",
        "icmpv6.nd.na.target_address": target if message.kind == icmp6.NEIGHBOUR_ADVERTISEMENT else "",
        "icmpv6.nd.ra.router_lifetime": plain(message.router.lifetime if message.router else None),
    }


def syn_of(found: syn.Syn) -> Row:
    return {
        "ip.ttl" if found.version == 4 else "ipv6.hlim": str(found.ttl),
        "tcp.window_size_value": str(found.window),
        "tcp.option_kind": numbers(found.options),
        "tcp.options.mss_val": plain(found.mss),
        "tcp.options.wscale.shift": plain(found.scale),
    }


def ours(frame: Frame) -> tuple[str, Row]:
    """Which parser reads the packet, and what it says in the names of tshark's fields."""
    data, carried = frame.data, LINKS[frame.link](frame.data)
    packet = ip.parse(data, carried.start, carried.ethertype)
    body = Cursor(data, packet.start, packet.end)
    if packet.protocol == ip.TCP:
        assert tcp.parse(data, packet.start, packet.end).flags & (tcp.SYN | tcp.ACK) == tcp.SYN
        return "syn", syn_of(syn.parse(data, packet))
    if packet.protocol == ip.ICMP6:
        message = icmp6.parse(body)
        assert message is not None
        return "icmp6", icmp6_of(message)
    datagram = udp.parse(data, packet.start, packet.end)
    payload = Cursor(data, datagram.start, datagram.end)
    if datagram.dport in {67, 68}:
        return "dhcp4", dhcp4_of(dhcp4.parse(payload))
    return "dhcp6", dhcp6_of(dhcp6.parse(payload))


def without_end(codes: str) -> str:
    """Option codes without the end option, which tshark lists last, as 0 in some versions."""
    listed = codes.split(",")
    return ",".join(listed[:-1] if listed[-1] in {"0", "255"} else listed)


def ended_once(kinds: str) -> str:
    """TCP options with the end of the list once: tshark lists each octet of the padding behind it as another."""
    return re.sub(r"(,0)+\Z", ",0", kinds)


@pytest.mark.req("R11")
def test_every_packet_is_read_as_tshark_reads_it(sources: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    compared: Counter[str] = Counter()
    differences: list[tuple[str, int, str, str, str]] = []
    for source in sources:
        wanted = {int(row["frame.number"]): row for row in asked(source, FILTER, FIELDS)}
        with Capture(source) as frames:
            for number, frame in enumerate(frames, start=1):
                row = wanted.pop(number, None)
                if row is None:
                    continue
                parser, said = ours(frame)
                compared[parser] += 1
                row["dhcp.option.type"] = without_end(row["dhcp.option.type"])
                row["tcp.option_kind"] = ended_once(row["tcp.option_kind"])
                differences += [
                    (source.name, number, name, value, row[name]) for name, value in said.items() if value != row[name]
                ]
        assert not wanted, source
    assert differences == []
    assert compared["dhcp4"] > 200
    assert compared["syn"] > 500
    with capsys.disabled():
        print("\nread as tshark reads them:", ", ".join(f"{n} {parser}" for parser, n in sorted(compared.items())))  # noqa: T201 (the count is part of the proof)


SERVER_NAME_DIFFERENCES: dict[tuple[str, str], int] = {}
"""File and what differs: how many names, each with its reason. There are none."""


@pytest.mark.req("R11", "N8")
def test_every_server_name_is_read_as_tshark_reads_it(sources: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    total = 0
    differences: Counter[tuple[str, str]] = Counter()
    for source in sources:
        theirs: Counter[tuple[str, str, str]] = Counter()
        for row in asked(source, "tls.handshake.extensions_server_name", HELLO_FIELDS):
            src, sport = row["ip.src"] or row["ipv6.src"], row["tcp.srcport"] or row["udp.srcport"]
            theirs.update((src, sport, name) for name in row["tls.handshake.extensions_server_name"].split(","))
        read: Counter[tuple[str, str, str]] = Counter()
        dissector = Dissector()
        with Capture(source) as frames:
            for frame in frames:
                for fact in dissector.feed(frame):
                    hello = fact.message if isinstance(fact, MessageHeard) else None
                    if isinstance(fact, MessageHeard) and isinstance(hello, tls.ClientHello) and hello.sni:
                        read[fact.src or "", str(fact.sport), hello.sni] += 1
        total += (read & theirs).total()
        differences.update({(source.name, f"only tshark: {key}"): n for key, n in (theirs - read).items()})
        differences.update({(source.name, f"only ours: {key}"): n for key, n in (read - theirs).items()})
    with capsys.disabled():
        print(f"\nserver names read as tshark reads them: {total}; differences: {dict(differences)}")  # noqa: T201 (the count is part of the proof)
    assert differences == SERVER_NAME_DIFFERENCES
    assert total > 200
