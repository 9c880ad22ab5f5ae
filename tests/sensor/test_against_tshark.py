"""Our readings of real devices' packets beside tshark's: every difference is listed, with its reason, or fails."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.sensor.frame import LinkType
from appliance.sensor.packet import dhcp4, dhcp6, ethernet, icmp6, ip, names, syn, tcp, udp
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


@pytest.fixture(scope="module")
def captures(root: Path) -> list[Path]:
    if shutil.which("tshark") is None or shutil.which("mergecap") is None:
        pytest.skip("tshark is not installed")
    found = sorted((root.parent / "shared" / "captures").glob("**/*.pcap"))
    if not found:
        pytest.skip("the labelled captures are not here")
    return found


@pytest.fixture(scope="module")
def theirs(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """What tshark says of every packet in question; all captures in one run."""
    merged = tmp_path_factory.mktemp("merged") / "all.pcap"
    subprocess.run(["mergecap", "-a", "-F", "pcap", "-w", merged, *captures], check=True)
    arguments = [argument for field in FIELDS for argument in ("-e", field)]
    said = subprocess.run(
        ["tshark", "-n", "-r", merged, "-Y", FILTER, "-T", "fields", "-E", "separator=/t", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in said.stdout.splitlines()]


def frames(captures: list[Path]) -> Iterator[bytes]:
    for path in captures:
        with Capture(path) as opened:
            for frame in opened:
                assert frame.link is LinkType.ETHERNET
                yield frame.data


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


def ours(data: bytes) -> tuple[str, Row]:
    """Which parser reads the packet, and what it says in the names of tshark's fields."""
    carried = ethernet.ethernet(data)
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


@pytest.mark.req("R11")
def test_every_packet_is_read_as_tshark_reads_it(
    captures: list[Path], theirs: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {int(row["frame.number"]): row for row in theirs}
    compared: Counter[str] = Counter()
    differences: list[tuple[int, str, str, str]] = []
    for number, data in enumerate(frames(captures), start=1):
        row = wanted.get(number)
        if row is None:
            continue
        parser, said = ours(data)
        compared[parser] += 1
        row["dhcp.option.type"] = without_end(row["dhcp.option.type"])
        differences += [(number, name, value, row[name]) for name, value in said.items() if value != row[name]]
    assert differences == []
    assert compared.total() == len(theirs) > 0
    with capsys.disabled():
        print("\nread as tshark reads them:", ", ".join(f"{n} {parser}" for parser, n in sorted(compared.items())))  # noqa: T201 (the count is part of the proof)
