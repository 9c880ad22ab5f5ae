"""`gatehouse replay FILE`: a capture file in, what the box would read from it out.

The frames go through the dissector of the live box, with packet time. Nothing is stored and no
authority is needed; on an enrolled box it is refused, for there it would be a way round the authority.
Bounded: one frame at a time, `MAX_DEVICES` senders counted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from appliance.sensor.dissect import Dissector, sender
from appliance.sensor.facts import Fact, Kind, MessageHeard
from appliance.sensor.frame import Frame, Tap
from appliance.sensor.lines import SCHEMA_VERSION, line
from appliance.sensor.packet import dhcp4, dns, tls
from appliance.sensor.taps.capture import Capture, CaptureError, NotACaptureError

MAX_DEVICES = 65536
"""Senders told apart; frames of more are counted together in the summary."""

_ENROLLED = Path("/etc/gatehouse/box.toml")
_ENROLLED_VARIABLE = "GATEHOUSE_CONFIG"
_PROGRESS_STEP = 1 << 20


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
    """TLS and QUIC hellos."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Devices of a capture."""

    devices: dict[str, Device] = field(default_factory=dict)
    uncounted: int = 0
    """Frames of senders over `MAX_DEVICES`."""

    def add(self, frame: Frame, facts: list[Fact]) -> None:
        """Count a frame and what it said for its sender."""
        mac = sender(frame)
        if mac is None:
            return
        device = self.devices.get(mac)
        if device is None:
            if len(self.devices) >= MAX_DEVICES:
                self.uncounted += 1
                return
            device = self.devices[mac] = Device(first_seen=frame.ts, last_seen=frame.ts)
        device.frames += 1
        device.first_seen = min(device.first_seen, frame.ts)
        device.last_seen = max(device.last_seen, frame.ts)
        for fact in facts:
            match fact:
                case MessageHeard(message=dhcp4.Message(from_client=True) as message):
                    device.host_name = message.host_name or device.host_name
                case MessageHeard(kind=Kind.DNS | Kind.MDNS, message=dns.Message(response=False) as message):
                    device.questions += len(message.questions)
                case MessageHeard(message=tls.ClientHello()):
                    device.hellos += 1
                case _:
                    pass


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, as docs/replay.md says.")
def replay(file: Path, *, as_json: bool) -> None:
    """Show what a capture FILE (pcap or pcapng) would tell the box. Stores nothing.

    Exit codes: 0 as wished, 1 the file is truncated or damaged (what was whole is printed),
    2 it cannot be read or is no capture, 3 refused because this box is enrolled.
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
        code = _play(capture, as_json=as_json)
    sys.exit(code)


def _enrolment() -> Path | None:
    """The settings file that makes this an enrolled box, if there is one."""
    named = os.environ.get(_ENROLLED_VARIABLE)
    candidates = (_ENROLLED, *((Path(named),) if named else ()))
    return next((path for path in candidates if path.exists()), None)


def _play(capture: Capture, *, as_json: bool) -> int:
    """Print a capture; gives the exit code."""
    dissector, tally = Dissector(), Tally()
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
    except CaptureError as error:
        fault = error
    summary = _summary(capture, dissector, tally, complete=fault is None)
    if as_json:
        for mac, device in tally.devices.items():
            own = {"first_seen": device.first_seen, "last_seen": device.last_seen, "frames": device.frames}
            _print({"kind": "device", "mac": mac} | own)
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


def _summary(capture: Capture, dissector: Dissector, tally: Tally, *, complete: bool) -> dict[str, Any]:
    counters = dissector.counters(Tap.FILE)
    return {
        "kind": "summary",
        "complete": complete,
        "frames": counters.frames,
        "octets": counters.octets,
        "flows": counters.flows,
        "unparsed": counters.unparsed,
        "overflow": counters.overflow + tally.uncounted,
        "skipped": capture.skipped,
    }


def _print(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, separators=(",", ":")))


def _draw(tally: Tally, summary: dict[str, Any]) -> None:
    table = Table(title="Devices in this capture (times in UTC)", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("Address", no_wrap=True, min_width=17)
    table.add_column("Calls itself", overflow="fold")
    for heading in ("First seen", "Last seen"):
        table.add_column(heading, min_width=10)
    for heading in ("Frames", "Questions", "Hellos"):
        table.add_column(heading, justify="right", no_wrap=True)
    for mac, device in sorted(tally.devices.items(), key=lambda item: item[1].first_seen):
        table.add_row(
            mac,
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
