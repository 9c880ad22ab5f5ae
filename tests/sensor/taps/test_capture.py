from __future__ import annotations

from pathlib import Path
from struct import pack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.sensor.frame import Frame, LinkType, Tap
from appliance.sensor.taps import capture
from appliance.sensor.taps.capture import Capture, CaptureError, NotACaptureError


def pcap(*packets: bytes, order: str = "<", nano: bool = False, link: int = 1, seconds: int = 1000) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    head = pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return head + b"".join(pack(f"{order}IIII", seconds, 250_000, len(data), len(data)) + data for data in packets)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    return pack(f"{order}II", kind, len(body) + 12) + body + pack(f"{order}I", len(body) + 12)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link: int = 1, *, options: bytes = b"", snap: int = 0, order: str = "<") -> bytes:
    return block(1, pack(f"{order}HHI", link, 0, snap) + options, order)


def enhanced(data: bytes, *, stamp: int = 0, number: int = 0, order: str = "<", captured: int | None = None) -> bytes:
    length = len(data) if captured is None else captured
    return block(6, pack(f"{order}IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, length, len(data)) + data, order)


def simple(data: bytes, *, original: int | None = None) -> bytes:
    return block(3, pack("<I", len(data) if original is None else original) + data)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads a capture: gives its frames and the error at its end, if any."""

    def reader(content: bytes) -> tuple[list[Frame], CaptureError | None]:
        path = tmp_path / "file.pcap"
        path.write_bytes(content)
        frames: list[Frame] = []
        with Capture(path) as opened:
            try:
                frames.extend(opened)
            except CaptureError as error:
                return frames, error
            assert opened.position == opened.size == len(content)
        return frames, None

    return reader


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nano", "ts"), [(False, 1000.25), (True, 1000.00025)])
def test_pcap(read: Any, order: str, ts: float, *, nano: bool) -> None:
    frames, error = read(pcap(b"one", b"", b"three", order=order, nano=nano))
    assert error is None
    assert [frame.data for frame in frames] == [b"one", b"", b"three"]
    assert frames[0].ts == pytest.approx(ts)
    assert (frames[0].tap, frames[0].link) == (Tap.FILE, LinkType.ETHERNET)


@pytest.mark.parametrize(
    ("number", "link"),
    [
        (0, LinkType.NULL),
        (1, LinkType.ETHERNET),
        (12, LinkType.RAW_IP),
        (14, LinkType.RAW_IP),
        (101, LinkType.RAW_IP),
        (108, LinkType.NULL),
        (113, LinkType.SLL),
        (228, LinkType.RAW_IP),
        (229, LinkType.RAW_IP),
        (276, LinkType.SLL2),
    ],
)
def test_link_types(read: Any, number: int, link: LinkType) -> None:
    checksum = 0x10000000  # the upper half speaks of frame check sequences
    for content in (pcap(b"x", link=number | checksum), section() + interface(number) + enhanced(b"x")):
        assert read(content)[0][0].link is link


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(read: Any, order: str) -> None:
    content = section(order) + interface(order=order) + enhanced(b"one", stamp=1_500_000, order=order)
    frames, error = read(content + enhanced(b"three", stamp=2_000_000, order=order))
    assert error is None
    assert [(frame.ts, frame.data) for frame in frames] == [(1.5, b"one"), (2.0, b"three")]


@pytest.mark.parametrize(
    ("options", "ts"),
    [
        (option(9, b"\x03"), 5000.0),
        (option(9, b"\x8a"), 5_000_000 / 1024),
        (option(14, pack("<q", -3)), 2.0),
        (option(2, b"name") + option(9, b"\x03") + option(14, pack("<q", 7)) + option(0, b""), 5007.0),
        (option(0, b"") + option(9, b"\x03"), 5.0),
        (option(9, b"xx") + option(14, b"x"), 5.0),
    ],
)
def test_time_resolution_and_offset(read: Any, options: bytes, ts: float) -> None:
    frames, _ = read(section() + interface(options=options) + enhanced(b"x", stamp=5_000_000))
    assert frames[0].ts == pytest.approx(ts)


def test_several_interfaces_and_sections(read: Any) -> None:
    first = section() + interface(1) + interface(101) + enhanced(b"a") + enhanced(b"b", number=1)
    second = section(">") + interface(113, order=">") + enhanced(b"c", order=">")
    frames, error = read(first + second)
    assert error is None
    assert [frame.link for frame in frames] == [LinkType.ETHERNET, LinkType.RAW_IP, LinkType.SLL]


def test_simple_packets_count_as_heard_with_the_one_before(read: Any) -> None:
    frames, error = read(section() + interface(snap=4) + enhanced(b"a", stamp=9_000_000) + simple(b"bcde", original=99))
    assert error is None
    assert [(frame.ts, frame.data) for frame in frames] == [(9.0, b"a"), (9.0, b"bcde")]


def test_simple_packets_without_snap_length(read: Any) -> None:
    assert [frame.data for frame in read(section() + interface() + simple(b"bcde"))[0]] == [b"bcde"]


def test_other_blocks_are_passed_over(read: Any) -> None:
    secrets = block(10, bytes(200_000))
    frames, error = read(section() + block(5, b"stats") + interface() + secrets + enhanced(b"x"))
    assert error is None
    assert len(frames) == 1


def test_packets_of_a_foreign_interface_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "mixed.pcapng"
    path.write_bytes(section() + interface(127) + interface(1) + enhanced(b"radio") + enhanced(b"x", number=1))
    with Capture(path) as opened:
        assert [frame.data for frame in opened] == [b"x"]
        assert opened.skipped == 1


def test_only_foreign_interfaces(read: Any) -> None:
    frames, error = read(section() + interface(127) + enhanced(b"radio"))
    assert frames == []
    assert isinstance(error, NotACaptureError)
    assert "127" in str(error)


def test_cut_anywhere_gives_what_was_whole_and_one_error(read: Any, tmp_path: Path) -> None:
    for content in (pcap(b"one", b"three"), section() + interface() + enhanced(b"one") + enhanced(b"three")):
        whole = {0: 0, len(content): 2}
        for end in range(len(content)):
            try:
                frames, error = read(content[:end])
            except NotACaptureError:
                assert end < 40, "only while not even the first header is whole"
                continue
            assert [frame.data for frame in frames] == [b"one", b"three"][: len(frames)]
            if error is None:
                whole[end] = len(frames)
            else:
                assert "truncated" in str(error)
                assert "offset" in str(error)
                assert str(tmp_path / "file.pcap") in str(error)
        assert set(whole.values()) == {0, 1, 2}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ab",
        b"\x1f\x8b\x08\x00 compressed",
        pcap(link=127),
        pcap()[:20],
        section()[:9],
        b"\x0a\x0d\x0d\x0a" + bytes(40),
    ],
)
def test_what_is_no_capture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(NotACaptureError, match="other"):
        Capture(path)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (pack("<IIII", 1, 1, capture.MAX_PACKET + 1, 1), "a packet of"),
        (pack("<IIII", 1, 1, 0xFFFFFFFF, 1), "a packet of"),
    ],
)
def test_damaged_pcap(read: Any, damage: bytes, what: str) -> None:
    frames, error = read(pcap(b"one") + damage)
    assert len(frames) == 1
    assert error is not None
    assert what in str(error)
    assert "offset 43" in str(error)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (pack("<II", 6, 13), "a block of 13"),
        (pack("<II", 6, 8), "a block of 8"),
        (pack("<II", 6, capture.MAX_HEADER + 4), "a block of"),
        (pack("<II", 77, 0xFFFFFFFC), "a block of"),
        (pack("<II", 77, 13), "a block of 13"),
        (enhanced(b"x")[:-4] + b"\xff\0\0\0", "lengths differ"),
        (enhanced(b"x", number=1), "nothing describes"),
        (enhanced(b"x", captured=90), "shorter"),
        (enhanced(b"x", captured=capture.MAX_PACKET + 1), "a packet of"),
        (block(6, b"x"), "shorter"),
        (interface(options=pack("<HH", 9, 50)), "shorter"),
        (interface() * capture.MAX_INTERFACES, "interfaces"),
        (pack("<III", 0x0A0D0D0A, 28, 0), "byte-order"),
    ],
)
def test_damaged_pcapng(read: Any, damage: bytes, what: str) -> None:
    frames, error = read(section() + interface() + enhanced(b"one") + damage)
    assert len(frames) == 1
    assert error is not None
    assert what in str(error)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bad-disk.pcap"
    path.write_bytes(pcap(b"one"))
    with Capture(path) as opened:

        class Broken:
            def read(self, _count: int) -> bytes:
                raise OSError(5, "Input/output error")

        monkeypatch.setattr(opened, "_file", Broken())
        with pytest.raises(CaptureError, match=r"bad-disk\.pcap: cannot be read at offset 24"):
            list(opened)
        monkeypatch.undo()


def test_the_file_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    path.write_bytes(pcap(*[bytes(1000)] * 100))
    with Capture(path) as opened:
        next(iter(opened))
        assert opened.position == 24 + 16 + 1000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    tail=st.binary(max_size=80),
    which=st.booleans(),
)
def test_mutations(read: Any, mutate: Any, edits: list[tuple[int, int]], tail: bytes, *, which: bool) -> None:
    content = pcap(b"one", b"three") if which else section() + interface() + enhanced(b"one") + simple(b"three")
    try:
        frames, _ = read(mutate(content, edits) + tail)
    except NotACaptureError:
        return
    assert sum(len(frame.data) for frame in frames) <= len(content) + len(tail)
