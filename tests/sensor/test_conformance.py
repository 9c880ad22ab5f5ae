"""Captures that others made: read where they lie, never copied; skipped, with the reason, where they are absent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from appliance.sensor.dissect import Dissector
from appliance.sensor.facts import Kind, MessageHeard
from appliance.sensor.frame import Frame, Tap
from appliance.sensor.observe import Observer
from appliance.sensor.packet import tls
from appliance.sensor.packet.handshake import Handshake
from appliance.sensor.taps.capture import Capture

HELLOS = frozenset({Kind.TLS_CLIENT_HELLO, Kind.QUIC_CLIENT_HELLO})
MUTATED = 400
"""Packets of others' captures that are mutated."""


@pytest.fixture
def conformance(root: Path) -> Path:
    folder = root.parent / "shared" / "conformance" / "ja4"
    if not (folder / "expected.json").is_file():
        pytest.skip(f"the conformance captures are not here ({folder})")
    return folder


@pytest.fixture
def captures(root: Path) -> list[Path]:
    found = sorted((root.parent / "shared" / "captures").glob("**/*.pcap"))
    if not found:
        pytest.skip("the labelled captures are not here")
    return found


def hellos(path: Path) -> tuple[list[tuple[MessageHeard, tls.ClientHello]], Dissector]:
    """Every hello over TLS or QUIC, with the fact that tells of it."""
    dissector = Dissector()
    with Capture(path) as opened:
        return [
            (fact, fact.message)
            for frame in opened
            for fact in dissector.feed(frame)
            if isinstance(fact, MessageHeard) and isinstance(fact.message, tls.ClientHello) and fact.kind in HELLOS
        ], dissector


def test_server_name_of_every_hello(conformance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((conformance / "expected.json").read_text(encoding="utf-8"))
    checked = quic = again = 0
    for file, wanted in expected.items():
        found, dissector = hellos(conformance / file)
        ours = Counter((fact.src, fact.sport, fact.dst, fact.dport, fact.kind, hello.sni) for fact, hello in found)
        theirs = Counter(
            (
                item["src"],
                item["sport"],
                item["dst"],
                item["dport"],
                Kind.QUIC_CLIENT_HELLO if item["ja4"].startswith("q") else Kind.TLS_CLIENT_HELLO,
                item["sni"] or None,
            )
            for item in wanted
        )
        assert not theirs - ours, file
        # More than expected can only be second hellos (RFC 8446 section 4.1.4) of connections that are expected.
        assert set(ours) == set(theirs), file
        assert dissector.counters(Tap.FILE).unparsed == 0, file
        checked += theirs.total()
        quic += sum(count for key, count in theirs.items() if key[4] is Kind.QUIC_CLIENT_HELLO)
        again += (ours - theirs).total()
    assert checked > 0
    with capsys.disabled():
        print(f"\nserver names checked: {checked} hellos, {quic} of them QUIC; {again} second hellos besides")  # noqa: T201 (the count is part of the proof)


# One vector says 99 for a first ALPN of octets BA AD; the written description gives its hexadecimal ends.
BY_DESCRIPTION = {"t13d151699_8daaf6152771_e5627efa2ab1": "t13d1516bd_8daaf6152771_e5627efa2ab1"}


def test_ja4_of_every_hello(conformance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((conformance / "expected.json").read_text(encoding="utf-8"))
    equal = by_description = 0
    for file, wanted in expected.items():
        found, _ = hellos(conformance / file)
        ours = Counter((fact.src, fact.sport, fact.dst, fact.dport, hello.ja4) for fact, hello in found)
        for item in wanted:
            key = (item["src"], item["sport"], item["dst"], item["dport"])
            equal += ours[*key, item["ja4"]] > 0
            by_description += ours[*key, BY_DESCRIPTION.get(item["ja4"], "")] > 0
            ours[*key, BY_DESCRIPTION.get(item["ja4"], item["ja4"])] -= 1
        assert min(ours.values()) >= 0, file
    assert by_description == len(BY_DESCRIPTION)
    assert equal + by_description == sum(map(len, expected.values()))
    with capsys.disabled():
        print(f"\nJA4: {equal} equal to the vectors, {by_description} by the written description")  # noqa: T201 (the count is part of the proof)


def test_handshakes_are_told_in_these_captures_only_where_they_are(
    conformance: Path, captures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    told: Counter[tuple[str, str]] = Counter()
    frames = 0
    for path in [*captures, *sorted(conformance.glob("*.pcap*"))]:
        dissector = Dissector()
        with Capture(path) as opened:
            for frame in opened:
                frames += 1
                told.update(
                    (path.name, fact.message.protocol)
                    for fact in dissector.feed(frame)
                    if isinstance(fact, MessageHeard) and isinstance(fact.message, Handshake)
                )
    # An SSH session, whose two sides greet each other. No device of these captures uses a tunnel or a call.
    assert told == {("ssh2.pcapng", "ssh"): 2}
    with capsys.disabled():
        print(f"\nhandshakes told among {frames} frames: {dict(told)}")  # noqa: T201 (the count is part of the proof)


def test_real_devices_are_read_without_a_fault(captures: list[Path]) -> None:
    for path in captures:
        mac = (path.parent / "mac.txt").read_text(encoding="utf-8").strip().lower()
        dissector, announced = Dissector(), 0
        with Capture(path) as opened:
            for frame in opened:
                announced += sum(
                    isinstance(fact, MessageHeard) and fact.kind is Kind.DHCP4 and fact.mac == mac
                    for fact in dissector.feed(frame)
                )
        counters = dissector.counters(Tap.FILE)
        assert (counters.unparsed, counters.overflow) == (0, 0), path
        assert counters.frames > 0


def test_mutated_packets_of_real_devices(captures: list[Path], mutate: Callable[..., bytes]) -> None:
    random = Random(7)  # noqa: S311 (the same mutations every run)
    taken: list[Frame] = []
    for path in captures:
        with Capture(path) as opened:
            frames = list(opened)
        taken += random.sample(frames, min(len(frames), 1 + MUTATED // len(captures)))
    dissector, observer = Dissector(), Observer()
    for frame in taken:
        for _ in range(5):
            edits = [(random.randrange(1500), random.randrange(256)) for _ in range(random.randrange(1, 8))]
            data = mutate(frame.data, edits)[: random.choice((None, random.randrange(1, 200)))]
            changed = Frame(ts=frame.ts, tap=Tap.FILE, link=frame.link, data=data)
            for fact in dissector.feed(changed):
                observer.take(fact, 0.0)
    assert dissector.counters(Tap.FILE).frames == 5 * len(taken) >= MUTATED
