"""Probe, porch and command line: what they ask the keeper, and its answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.messages.base import BaseMessage, Mac, Moment, Tally
from appliance.messages.seen import TapReport


class ProbeKind(StrEnum):
    """What the active probe can do."""

    SWEEP = "sweep"
    """ARP and neighbour solicitations: who is there."""
    SERVICES = "services"
    """One mDNS and one SSDP question: what is offered."""
    DHCP = "dhcp"
    """One DHCPDISCOVER: does anybody else hand out addresses."""
    TEST = "test"
    """A question for a harmless name, as a device would ask it: is it found? (R33)"""


class ProbeTest(msgspec.Struct, frozen=True, kw_only=True):
    """The question of the detection test."""

    mac: Mac
    """To ask from; no device has it."""
    name: Annotated[str, Meta(max_length=253)]


class ProbeRequest(BaseMessage, frozen=True, tag="probe-request"):
    """Probe: may I, and what is wanted? Said once, after connecting."""

    kind: ProbeKind | None = None
    """None: whatever was asked for or is due."""


class ProbeLeave(BaseMessage, frozen=True, tag="probe-leave"):
    """Keeper: what the probe may do now; nothing when `kinds` is empty, `why` says why."""

    kinds: tuple[ProbeKind, ...] = ()
    why: str = ""
    refused: bool = False
    """It may not; otherwise nothing is wanted or due."""
    test: ProbeTest | None = None
    """With `ProbeKind.TEST`."""


class ProbeAnswer(BaseMessage, frozen=True, tag="probe-answer"):
    """Probe: somebody answered (`dhcp`: a server that is not this box)."""

    ts: Moment
    mac: Mac
    kind: ProbeKind
    ip: str | None = None


class ProbeDone(BaseMessage, frozen=True, tag="probe-done"):
    """Probe: this kind is over."""

    ts: Moment
    kind: ProbeKind
    sent: Tally
    answers: Tally


class NoticeRequest(BaseMessage, frozen=True, tag="notice-request"):
    """Porch: what does the notice page have to say?"""


class Notice(BaseMessage, frozen=True, tag="notice"):
    """What a household may read about the box. No device and no person is named."""

    recording: bool
    kind: str | None
    """order, licence_condition or consent; None without an authority."""
    kept: tuple[str, ...]
    """Plain sentences: what is kept, of which devices."""
    until: float | None


class StatusRequest(BaseMessage, frozen=True, tag="status-request"):
    """Command line: how is the box?"""


class ListState(msgspec.Struct, frozen=True, kw_only=True):
    """A list in use, or wanted, as an engineer is told. Times are Unix seconds."""

    list_id: str
    title: str
    version: str | None
    """None while there is none."""
    entries: int = 0
    published: float | None = None
    taken_at: float | None = None
    stale: bool = False
    malformed: int = 0
    malformed_lines: tuple[int, ...] = ()
    unsupported: int = 0
    problem: str = ""


class ListAccept(BaseMessage, frozen=True, tag="list-accept"):
    """Command line: take this version, although it was refused for having lost many entries."""

    list_id: Annotated[str, Meta(max_length=63)]
    version: Annotated[str, Meta(max_length=64)]


class ListAnswered(BaseMessage, frozen=True, tag="list-answered"):
    """Keeper: why not; empty when it will be tried."""

    refusal: str = ""


class Status(BaseMessage, frozen=True, tag="status"):
    """State of the keeper, for an engineer. Counts only."""

    recording: bool
    authority: str
    """One plain sentence: valid until when, or why not."""
    devices: int
    open_findings: int
    outbox: int
    broker_connected: bool
    sensor_connected: bool
    warden_connected: bool
    mask_generation: int
    taps: tuple[TapReport, ...]
    lists: tuple[ListState, ...] = ()
    test: str = ""
    """One plain sentence: when detection was last tested, and how that went. Empty where nothing is tested."""
    test_missed: bool = False
