"""`gatehouse replay FILE`: a capture file in, what the box would read from it out.

The frames go through the dissector of the live box, with packet time, and what devices show of
themselves through its rules for what they are. Nothing is stored and no authority is needed; on an
enrolled box it is refused, for there it would be a way round the authority.
Signals of traffic, which the box tells only where its authority lets it, are printed for every sender.
Bounded: one frame at a time, `MAX_DEVICES` devices counted, `MAX_HITS` hits of rules for each; signals of the first
`MAX_MASKED` senders, as on the box.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from appliance.keeper.devices.fingerprint import MAX_HITS, Hit, Rules, Verdict, shipped
from appliance.messages import MAX_MASKED, ActivitySeen, CollectionMask, Observation, SignalSeen
from appliance.sensor.answers import Answers
from appliance.sensor.dissect import Dissector, sender
from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.frame import Frame, Tap
from appliance.sensor.home import Home
from appliance.sensor.lines import SCHEMA_VERSION, line, signal_line
from appliance.sensor.packet import dns, tls
from appliance.sensor.signals.activity import WINDOW_SECONDS
from appliance.sensor.signals.desk import Desk
from appliance.sensor.taps.capture import Capture, CaptureError, NotACaptureError
from appliance.sensor.traits_of import Seen, traits_of
from appliance.traits import Trait

MAX_DEVICES = 65536
"""Devices told apart; frames of more are counted together in the summary."""
_REMEMBERED = 4096
"""Values whose hits are remembered: devices repeat themselves."""

_ENROLLED = Path("/etc/gatehouse/box.toml")
_ENROLLED_VARIABLE = "GATEHOUSE_CONFIG"
_PROGRESS_STEP = 1 << 20
_ASKING = frozenset({Kind.DNS, Kind.MDNS})


@dataclass(slots=True, kw_only=True)
class Device:
    """What a capture shows of one sender."""

    first_seen: float
    last_seen: float
    frames: int = 0
    host_name: str | None = None
    """As announced by DHCP, the last one."""
    questions: int = 0
    """DNS questions."""
    hellos: int = 0
    """TLS, QUIC and DTLS hellos."""
    hits: set[Hit] = field(default_factory=set)
    """Of rules for what it is."""


class Tally:
    """Devices of a capture."""

    def __init__(self, rules: Rules) -> None:
        self.devices: dict[str, Device] = {}
        self.uncounted = 0
        """Frames and traits of devices over `MAX_DEVICES`, and hits over `MAX_HITS`."""
        self._rules = rules
        self._hits = lru_cache(maxsize=_REMEMBERED)(rules.hits)

    def add(self, frame: Frame, facts: list[Fact]) -> None:
        """Count a frame for its sender, and what it said for whoever said it: a frame may carry another's words."""
        mac = sender(frame)
        if mac is not None and (device := self._device(mac, frame.ts)) is not None:
            device.frames += 1
        for fact in facts:
            for seen in traits_of(fact):
                self._learn(seen, frame.ts)
            if fact.mac is not None and isinstance(fact, MessageHeard):
                self._count(fact.mac, fact)

    def _count(self, mac: str, fact: MessageHeard) -> None:
        match fact.message:
            case dns.Message(response=False) as message if fact.kind in _ASKING:
                if (device := self._device(mac, fact.ts)) is not None:
                    device.questions += len(message.questions)
            case tls.ClientHello():
                if (device := self._device(mac, fact.ts)) is not None:
                    device.hellos += 1
            case _:
                pass

    def verdict(self, mac: str) -> Verdict:
        """What a device appears to be."""
        return self._rules.judge([*self._rules.of_address(mac), *self.devices[mac].hits])

    def _device(self, mac: str, ts: float) -> Device | None:
        device = self.devices.get(mac)
        if device is None:
            if len(self.devices) >= MAX_DEVICES:
                self.uncounted += 1
                return None
            device = self.devices[mac] = Device(first_seen=ts, last_seen=ts)
        device.first_seen = min(device.first_seen, ts)
        device.last_seen = max(device.last_seen, ts)
        return device

    def _learn(self, seen: Seen, ts: float) -> None:
        mac, trait, value = seen
        hits = self._hits(trait, value)
        named = trait is Trait.DHCP4_HOST_NAME and value
        if not (hits or named) or (device := self._device(mac, ts)) is None:
            return
        if named:
            device.host_name = value
        device.hits.update(hits)
        if len(device.hits) > MAX_HITS:
            self.uncounted += len(device.hits) - MAX_HITS
            device.hits = set(self._rules.strongest(device.hits))


class Signals:
    """Signals and activity of the senders of a capture."""

    def __init__(self) -> None:
        self._desk = Desk(Home())
        self._answers = Answers()
        self._senders: set[str] = set()
        self._unheard = 0
        self._last: float | None = None

    @property
    def overflow(self) -> int:
        """What went over a bound."""
        return self._desk.overflow + self._answers.overflow + self._unheard

    @property
    def unasked(self) -> int:
        """Answers of the DNS that pair with no question."""
        return self._answers.unasked

    def take(self, fact: Fact) -> list[Observation]:
        """What a fact shows, and what is due at its time."""
        self._last = fact.ts
        if fact.mac is not None and fact.mac not in self._senders:
            if len(self._senders) < MAX_MASKED:
                self._hear(fact.mac)
            else:
                self._unheard += 1
        told = self._desk.take(fact, 0.0)
        answer = self._answers.take(fact)
        return told if answer is None else told + self._desk.take(answer, 0.0)

    def _hear(self, mac: str) -> None:
        self._senders.add(mac)
        everyone = CollectionMask(generation=0, names=(), signs=tuple(self._senders), network=True, lease=math.inf)
        self._desk.set_mask(everyone, 0.0)

    def rest(self) -> list[Observation]:
        """What is still counted when the capture ends."""
        return [] if self._last is None else self._desk.tick(self._last + WINDOW_SECONDS, 0.0)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, as docs/replay.md says.")
def replay(file: Path, *, as_json: bool) -> None:
    """Show what a capture FILE (pcap or pcapng) would tell the box. Stores nothing.

    Exit codes: 0 as wished, 1 the file is truncated or damaged (what was whole is printed),
    2 it cannot be read or is no capture, 3 refused because this box is enrolled, 4 the lines cannot be written.
    """
    if (enrolled := _enrolment()) is not None:
        _fail(3, f"refused: this box is enrolled ({enrolled} exists); replay a capture on another machine")
    try:
        capture = Capture(file)
    except CaptureError as error:
        _fail(2, str(error))
    except OSError as error:
        _fail(2, f"{file}: cannot be read ({error.strerror})")
    with capture:
        try:
            code = _play(capture, as_json=as_json)
        except BrokenPipeError:
            raise  # whoever read the lines has enough of them
        except OSError as error:
            # What is left in the buffer would be tried again at the end, with an error of its own.
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            _fail(4, f"the lines cannot be written ({error.strerror})")
    sys.exit(code)


def _enrolment() -> Path | None:
    """The settings file that makes this an enrolled box, if there is one."""
    named = os.environ.get(_ENROLLED_VARIABLE)
    candidates = (_ENROLLED, *((Path(named),) if named else ()))
    return next((path for path in candidates if path.exists()), None)


def _play(capture: Capture, *, as_json: bool) -> int:
    """Print a capture; gives the exit code."""
    dissector, tally, signals = Dissector(), Tally(shipped()), Signals()
    fault: CaptureError | None = None
    if as_json:
        _print({"kind": "schema", "version": SCHEMA_VERSION})
    try:
        for frame in _watched(capture):
            facts = dissector.feed(frame)
            tally.add(frame, facts)
            if as_json:
                for fact in facts:
                    _print(line(fact))
                    _tell(signals.take(fact))
    except CaptureError as error:
        fault = error
    summary = _summary(capture, dissector, tally, signals, complete=fault is None)
    if as_json:
        _tell(signals.rest())
        for mac, device in tally.devices.items():
            _print(_line(mac, device, tally.verdict(mac)))
        _print(summary)
    elif not isinstance(fault, NotACaptureError):
        _draw(tally, summary)
    if fault is None:
        return 0
    click.echo(f"gatehouse replay: {fault}", err=True)
    return 2 if isinstance(fault, NotACaptureError) else 1


def _watched(capture: Capture) -> Iterator[Frame]:
    """The capture's frames, with a progress bar on a terminal's stderr."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(capture.path.name, total=capture.size or None)
        drawn = 0
        for frame in capture:
            yield frame
            if capture.position - drawn >= _PROGRESS_STEP:
                drawn = capture.position
                progress.update(bar, completed=drawn)


def _tell(observations: list[Observation]) -> None:
    for told in observations:
        if isinstance(told, SignalSeen | ActivitySeen):
            _print(signal_line(told))


def _summary(
    capture: Capture, dissector: Dissector, tally: Tally, signals: Signals, *, complete: bool
) -> dict[str, Any]:
    counters = dissector.counters(Tap.FILE)
    return {
        "kind": "summary",
        "complete": complete,
        "frames": counters.frames,
        "octets": counters.octets,
        "flows": counters.flows,
        "unparsed": counters.unparsed,
        "overflow": counters.overflow + tally.uncounted + signals.overflow,
        "unasked": signals.unasked,
        "skipped": capture.skipped,
    }


def _line(mac: str, device: Device, verdict: Verdict) -> dict[str, Any]:
    return {
        "kind": "device",
        "mac": mac,
        "locally_administered": int(mac[1], 16) & 2 != 0,
        "category": verdict.category,
        "os_family": verdict.os_family,
        "vendor": verdict.vendor,
        "model": verdict.model,
        "text": verdict.text or None,
        "text_confidence": round(verdict.text_confidence, 4),
        "confidence": round(verdict.confidence, 4),
        "reasons": list(verdict.reasons),
        "conflicts": list(verdict.conflicts),
        "first_seen": device.first_seen,
        "last_seen": device.last_seen,
        "frames": device.frames,
    }


def _print(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, separators=(",", ":")))


def _draw(tally: Tally, summary: dict[str, Any]) -> None:
    table = Table(title="Devices in this capture (times in UTC)", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("Address", no_wrap=True, min_width=17)
    table.add_column("Looks like", overflow="fold")
    table.add_column("Sure", justify="right", no_wrap=True)
    table.add_column("Calls itself", overflow="fold")
    for heading in ("First seen", "Last seen"):
        table.add_column(heading, min_width=10)
    for heading in ("Frames", "Questions", "Hellos"):
        table.add_column(heading, justify="right", no_wrap=True)
    for mac, device in sorted(tally.devices.items(), key=lambda item: item[1].first_seen):
        verdict = tally.verdict(mac)
        table.add_row(
            mac,
            Text(verdict.text or "cannot tell"),
            f"{verdict.text_confidence:.0%}" if verdict.text_confidence else "",
            Text(device.host_name or ""),  # a device's own words are never markup
            _moment(device.first_seen),
            _moment(device.last_seen),
            str(device.frames),
            str(device.questions),
            str(device.hellos),
        )
    console = Console()
    console.print(table)
    console.print(
        f"{summary['frames']} frames, {summary['octets']} octets, {summary['flows']} new flows; "
        f"{summary['unparsed']} could not be read, {summary['overflow']} over a bound, {summary['skipped']} passed over."
    )


def _moment(ts: float) -> str:
    try:
        return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar"  # a time stamp of a file may be anything


def _fail(code: int, sentence: str) -> NoReturn:
    click.echo(f"gatehouse replay: {sentence}", err=True)
    sys.exit(code)
