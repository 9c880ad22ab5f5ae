from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli import main, replay
from appliance.cli.replay import Tally
from appliance.keeper.devices.fingerprint import Hit, Rules, shipped
from appliance.messages import MAX_MASKED
from appliance.traits import Trait

LAPTOP = bytes.fromhex("00005e005310")


def pcap(*packets: bytes, link: int = 1) -> bytes:
    head = pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    records = (pack("<IIII", 1000 + at, 0, len(data), len(data)) + data for at, data in enumerate(packets))
    return head + b"".join(records)


def ethernet(payload: bytes, *, ethertype: int = 0x0800, source: bytes = LAPTOP) -> bytes:
    return bytes(6) + source + pack("!H", ethertype) + payload


def udp(payload: bytes, *, sport: int, dport: int) -> bytes:
    head = pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0) + bytes((192, 0, 2, 7, 192, 0, 2, 1))
    return head + pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


QUESTION = ethernet(
    udp(pack("!HHHHHH", 1, 256, 1, 0, 0, 0) + b"\x04news\x07example\0" + pack("!HH", 1, 1), sport=4000, dport=53)
)
ANSWER = ethernet(
    udp(pack("!HHHHHH", 1, 0x8180, 1, 0, 0, 0) + b"\x04news\x07example\0" + pack("!HH", 1, 1), sport=53, dport=4000),
    source=bytes.fromhex("00005e0053fe"),
)
ARP = ethernet(pack("!HHBBH", 1, 0x0800, 6, 4, 1) + LAPTOP + bytes(14), ethertype=0x0806)


def hello() -> bytes:
    body = pack("!H", 0x0303) + bytes(33) + pack("!HH", 2, 0x1301) + b"\x01\0"
    record = b"\x16\x03\x01" + pack("!HBBH", len(body) + 4, 1, 0, len(body)) + body
    segment = pack("!HHIIBBHHH", 4000, 443, 1, 1, 0x50, 0x18, 99, 0, 0) + record
    head = pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + bytes((192, 0, 2, 7, 192, 0, 2, 1))
    return ethernet(head + segment)


def discover(name: bytes, *, extra: bytes = b"", source: bytes = LAPTOP, client: bytes = LAPTOP) -> bytes:
    fixed = pack("!BBBBIHHIIII", 1, 1, 6, 0, 5, 0, 0, 0, 0, 0, 0) + client.ljust(16, b"\0") + bytes(192)
    options = b"\x63\x82\x53\x63\x35\x01\x01\x0c" + bytes((len(name),)) + name + extra + b"\xff"
    return ethernet(udp(fixed + options, sport=68, dport=67), source=source)


WINDOWS = b"\x3c\x08MSFT 5.0\x37\x0e\x01\x03\x06\x0f\x1f\x21\x2b\x2c\x2e\x2f\x77\x79\xf9\xfc"
"""Vendor class and parameters that Microsoft documents for its DHCP client."""


def offer() -> bytes:
    fixed = pack("!BBBBIHHIIII", 2, 1, 6, 0, 5, 0, 0, 0, 0, 0, 0) + LAPTOP.ljust(16, b"\0") + bytes(192)
    return ethernet(udp(fixed + b"\x63\x82\x53\x63\x35\x01\x02\x0c\x03box\xff", sport=67, dport=68))


@pytest.fixture(autouse=True)
def _not_enrolled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(replay, "_ENROLLED", tmp_path / "no-box.toml")
    monkeypatch.delenv("GATEHOUSE_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")  # so that no cell is folded


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Replays a file of the given content."""

    def runner(content: bytes, *options: str) -> Result:
        path = tmp_path / "household.pcap"
        path.write_bytes(content)
        return CliRunner().invoke(main, ["replay", *options, str(path)])

    return runner


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(text) for text in result.stdout.splitlines()]


def test_json_lines(run: Callable[..., Result]) -> None:
    result = run(pcap(ARP, QUESTION, ANSWER), "--json")
    assert result.exit_code == 0
    said = [item for item in lines(result) if item["kind"] not in {"signal", "activity"}]
    assert said[0] == {"kind": "schema", "version": 1}
    assert [item["kind"] for item in said] == ["schema", "arp", "dns", "dns", "device", "device", "summary"]
    assert said[2]["qname"] == "news.example"
    assert set(said[4]) == {
        *("kind", "mac", "locally_administered", "category", "os_family", "vendor", "model", "text"),
        *("text_confidence", "confidence", "reasons", "conflicts", "first_seen", "last_seen", "frames"),
    }
    assert (said[4]["mac"], said[4]["locally_administered"]) == ("00:00:5e:00:53:10", False)
    assert (said[4]["first_seen"], said[4]["last_seen"], said[4]["frames"]) == (1000.0, 1001.0, 2)
    assert 0 <= said[4]["confidence"] < 1
    assert (said[-1]["complete"], said[-1]["frames"], said[-1]["unparsed"]) == (True, 3, 0)


@pytest.mark.req("R18")
def test_signals_are_told_where_they_are_seen(run: Callable[..., Result]) -> None:
    said = lines(run(pcap(ARP, QUESTION, ANSWER), "--json"))
    signals = [item for item in said if item["kind"] == "signal"]
    # A capture says nothing of the household's networks, and the resolver's address is not a private one.
    assert [(item["signal"], item["value"], item["count"]) for item in signals] == [("other-resolver", "udp", 1)]
    assert set(signals[0]) == {*("kind", "ts", "since", "mac", "signal", "value", "count", "server", "port", "octets")}
    assert (signals[0]["mac"], signals[0]["port"]) == ("00:00:5e:00:53:10", 53)
    (activity,) = [item for item in said if item["kind"] == "activity"]
    assert (activity["flows"], activity["unnamed"], activity["others"], activity["classes"]) == (0, 0, 1, {})
    assert said[-1]["unasked"] == 1, "the answer comes from the asker's own address: nobody asked that"


def devices(result: Result) -> dict[str, dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return {item["mac"]: item for item in lines(result) if item["kind"] == "device"}


@pytest.mark.req("R11", "R12")
def test_what_a_device_looks_like(run: Callable[..., Result]) -> None:
    said = devices(run(pcap(discover(b"study", extra=WINDOWS)), "--json"))["00:00:5e:00:53:10"]
    assert said["os_family"] == "Windows"
    assert said["text"]
    assert 0 < said["confidence"] < 1
    assert said["reasons"]
    row = next(text for text in run(pcap(discover(b"study", extra=WINDOWS))).stdout.splitlines() if "00:00:5e" in text)
    assert "Windows" in row
    assert "%" in row


@pytest.mark.req("R52")
def test_reasons_do_not_quote_what_a_device_calls_itself(run: Callable[..., Result]) -> None:
    said = devices(run(pcap(discover(b"Canarys-iPhone", extra=WINDOWS)), "--json"))["00:00:5e:00:53:10"]
    assert said["reasons"]
    assert "canary" not in json.dumps([said["reasons"], said["conflicts"], said["text"], said["model"]]).lower()


def test_of_a_silent_device_nothing_is_claimed(run: Callable[..., Result]) -> None:
    unknown = bytes.fromhex("020000000009")
    said = devices(run(pcap(ethernet(ARP[14:], ethertype=0x0806, source=unknown)), "--json"))["02:00:00:00:00:09"]
    assert said["locally_administered"]
    assert (said["category"], said["os_family"], said["vendor"], said["model"], said["text"]) == (None,) * 5
    assert said["confidence"] == 0
    assert "cannot tell" in run(pcap(ethernet(ARP[14:], ethertype=0x0806, source=unknown))).stdout


def test_a_device_behind_a_repeater_is_told_by_its_own_words(run: Callable[..., Result]) -> None:
    content = pcap(discover(b"study", extra=WINDOWS, client=bytes.fromhex("020000000009")))
    said = devices(run(content, "--json"))
    assert (said["02:00:00:00:00:09"]["os_family"], said["02:00:00:00:00:09"]["frames"]) == ("Windows", 0)
    assert (said["00:00:5e:00:53:10"]["os_family"], said["00:00:5e:00:53:10"]["frames"]) == (None, 1)


def test_words_in_a_tunnel_are_of_the_device_inside(run: Callable[..., Result]) -> None:
    inside = ethernet(QUESTION[14:], source=bytes.fromhex("020000000009"))
    tunnelled = ethernet(udp(b"\x08" + bytes(7) + inside, sport=50000, dport=4789))
    table = run(pcap(tunnelled)).stdout
    rows = {row.split()[0]: row.split()[-3:] for row in table.splitlines() if row.strip().count(":") > 5}
    assert rows == {"00:00:5e:00:53:10": ["1", "0", "0"], "02:00:00:00:00:09": ["0", "1", "0"]}


def test_a_name_said_through_a_repeater_is_not_the_repeaters(run: Callable[..., Result]) -> None:
    table = run(pcap(discover(b"study", client=bytes.fromhex("020000000009")))).stdout
    (row,) = (row for row in table.splitlines() if "study" in row)
    assert "02:00:00:00:00:09" in row


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    file = tmp_path / "capture.pcap"
    file.write_bytes(pcap(ARP))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [Path(sys.executable).with_name("gatehouse"), "replay", "--json", file],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
    assert "cannot be written" in done.stderr


def test_hits_of_a_device_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_HITS", 3)
    rules = shipped()
    monkeypatch.setattr(Rules, "strongest", lambda _, hits, most=3: tuple(sorted(hits, key=repr))[:most])
    tally = Tally(rules)
    monkeypatch.setattr(tally, "_hits", lambda _, value: (Hit(value),))
    for number in range(7):
        tally._learn(("00:00:5e:00:53:10", Trait.DHCP4_VENDOR_CLASS, f"rule-{number}"), 1.0)
    assert len(tally.devices["00:00:5e:00:53:10"].hits) == 3
    assert tally.uncounted == 4


def test_the_same_file_gives_the_same_lines(run: Callable[..., Result]) -> None:
    content = pcap(ARP, QUESTION, discover(b"tv"))
    assert run(content, "--json").stdout == run(content, "--json").stdout


def test_a_table_of_devices(run: Callable[..., Result]) -> None:
    result = run(pcap(QUESTION, discover(b"[red]tv[/red]"), discover(b""), offer(), ANSWER))
    assert result.exit_code == 0
    assert "00:00:5e:00:53:10" in result.stdout
    assert "[red]tv" in result.stdout.replace(" ", ""), "what a device calls itself is no markup"
    assert "5 frames" in result.stdout
    assert "0 could not be read" in result.stdout


def test_hellos_are_counted(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_PROGRESS_STEP", 1)
    content = pcap(hello())
    assert [item["kind"] for item in lines(run(content, "--json"))][1] == "tls_client_hello"
    row = next(text for text in run(content).stdout.splitlines() if "00:00:5e:00:53:10" in text)
    assert row.split()[-3:] == ["1", "0", "1"]


def test_a_device_cannot_speak_to_the_terminal(run: Callable[..., Result]) -> None:
    result = run(pcap(discover(b"\x1b[2Jtv\x07")))
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_truncated_file_gives_what_was_whole(run: Callable[..., Result], options: tuple[str, ...]) -> None:
    result = run(pcap(ARP, QUESTION)[:-5], *options)
    assert result.exit_code == 1
    assert "00:00:5e:00:53:10" in result.stdout
    assert "truncated" in result.stderr
    assert "household.pcap" in result.stderr
    if options:
        assert lines(result)[-1]["complete"] is False
        assert [item["kind"] for item in lines(result)] == ["schema", "arp", "device", "summary"]


def test_a_damaged_file(run: Callable[..., Result]) -> None:
    result = run(pcap(ARP) + b"\xff" * 16)
    assert result.exit_code == 1
    assert "damaged at offset" in result.stderr


@pytest.mark.parametrize("content", [b"", b"this is no capture", pcap(link=127)])
def test_what_is_no_capture(run: Callable[..., Result], content: bytes) -> None:
    result = run(content)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "household.pcap" in result.stderr


def test_a_pcapng_of_foreign_interfaces_only(run: Callable[..., Result]) -> None:
    section = pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    radio = pack("<IIHHII", 1, 20, 127, 0, 0, 20) + pack("<IIIIIIII", 6, 32, 0, 0, 0, 0, 0, 32)
    result = run(section + radio)
    assert result.exit_code == 2
    assert "link type 127" in result.stderr


@pytest.mark.parametrize("name", ["absent.pcap", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(main, ["replay", str(tmp_path / name)])
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_wrong_use() -> None:
    assert CliRunner().invoke(main, ["replay"]).exit_code == 2
    assert CliRunner().invoke(main, ["replay", "--loud", "x"]).exit_code == 2


def test_help_names_the_exit_codes() -> None:
    result = CliRunner().invoke(main, ["replay", "--help"])
    assert result.exit_code == 0
    assert "Stores nothing" in result.stdout
    assert "enrolled" in result.stdout


@pytest.mark.req("R53")
@pytest.mark.parametrize("by", ["place", "variable"])
def test_refused_on_an_enrolled_box(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str
) -> None:
    settings = tmp_path / "box.toml"
    if by == "place":
        monkeypatch.setattr(replay, "_ENROLLED", settings)
    else:
        monkeypatch.setenv("GATEHOUSE_CONFIG", str(settings))
    assert run(pcap(QUESTION), "--json").exit_code == 0
    settings.write_text("")
    result = run(pcap(QUESTION), "--json")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "enrolled" in result.stderr


def test_stores_nothing(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(pcap(ARP, QUESTION))
    assert [path.name for path in tmp_path.iterdir()] == ["household.pcap"]


def test_devices_are_bounded(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_DEVICES", 4)
    packets = [ethernet(b"", ethertype=0x88CC, source=pack("!HI", 0x0200, number)) for number in range(7)]
    said = lines(run(pcap(*packets), "--json"))
    assert sum(item["kind"] == "device" for item in said) == 4
    assert said[-1]["overflow"] == 3


def test_a_capture_without_hardware_addresses(run: Callable[..., Result]) -> None:
    said = lines(run(pcap(QUESTION[14:], link=101), "--json"))
    assert [item["kind"] for item in said] == ["schema", "dns", "summary"]
    assert said[1]["src_mac"] is None


def test_a_time_beyond_the_calendar(run: Callable[..., Result]) -> None:
    section = pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = pack("<IIHHIHHB3xI", 1, 28, 1, 0, 0, 9, 1, 0, 28)
    packet = pack("<IIIIIII", 6, 32 + 60, 0, 0xFFFFFFFF, 0, 60, 60) + QUESTION.ljust(60, b"\0")[:60] + pack("<I", 92)
    result = run(section + interface + packet)
    assert result.exit_code == 0, result.output
    assert "calendar" in result.stdout


def test_signals_are_of_so_many_senders_as_a_box_watches(run: Callable[..., Result]) -> None:
    senders = [b"\x02\0\x5e\x10" + number.to_bytes(2, "big") for number in range(MAX_MASKED + 7)]
    said = lines(run(pcap(*(QUESTION[:6] + mac + QUESTION[12:] for mac in senders)), "--json"))
    told = [item["mac"] for item in said if item["kind"] == "signal"]
    assert told == [mac.hex(":") for mac in senders[:MAX_MASKED]]
    assert said[-1]["overflow"] >= 7
