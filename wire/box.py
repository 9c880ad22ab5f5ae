"""The box's own state as it travels: health, gaps, lists, and what officers arranged with it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from wire.base import Count, Id, Payload, Revision, Text, Time
from wire.findings import Severity
from wire.ledger import ClockState
from wire.release import SoftwareState


class ProcessHealth(Payload):
    """One peer of the keeper as the keeper sees it."""

    name: Id
    connected: bool


class TapHealth(Payload):
    """Counters of one tap since the sensor started."""

    name: Id
    messages: Count
    octets: Count
    lost: Count
    unparsed: Count
    overflow: Count


class GapCause(StrEnum):
    """Why the box could not see."""

    SENSOR_AWAY = "sensor-away"
    """The process that listens was not there."""
    KEEPER_AWAY = "keeper-away"
    """The process that records was not there, or the box had no power."""
    TAPS_ANEW = "taps-anew"
    """The listening points were opened anew; how long that took is not known."""


class Gap(Payload):
    """A time in which the box may not have seen what there was (N4)."""

    started: Time
    ended: Time | None = None
    """None while it lasts."""
    cause: GapCause


class ListHealth(Payload):
    """A list in use, or wanted, at a box (R31)."""

    list_id: Id
    title: Text
    version: str | None = Field(default=None, max_length=64)
    """None while there is none."""
    entries: Count = 0
    published: Time | None = None
    taken_at: Time | None = None
    """When this version came into use."""
    stale: bool = False
    """Older than its owner says it should be."""
    malformed: Count = 0
    """Lines that are no entry."""
    malformed_lines: tuple[Count, ...] = Field(default=(), max_length=8)
    """Numbers of the first of them, from 1."""
    unsupported: Count = 0
    problem: Text | None = None
    """Why a newer version was not taken, or none is there."""


class DetectionTest(Payload):
    """The monthly test that detection works (R33)."""

    due: Time
    passed_at: Time | None = None
    detail: Text = ""


class Held(Payload):
    """A case hold in force (N17)."""

    hold_id: Id
    review: Time
    """It ends then unless it is set anew."""
    device_id: Id | None = None
    """None: records of all devices."""


class Keeping(Payload):
    """How the box gets rid of what is due (R64, N17)."""

    purged_at: Time | None = None
    """When the last purge was complete; None where none was yet."""
    lost_keys: Count = 0
    """Keys that no key file opens any more: what they sealed cannot be read."""
    holds: tuple[Held, ...] = Field(default=(), max_length=64)


class Storage(Payload):
    """How full the box's own disk is, and whether it is well (R9)."""

    size: Count
    """Octets of the data partition."""
    free: Count
    encrypted: Literal["board-key", "file-key", "none"] = "none"
    """Where what opens it lies: in the board's own memory, on the same card (worth little), or it is not encrypted."""
    errors: Count = 0
    """Read and write errors that the kernel told of since boot."""


class UplinkState(Payload):
    """How the box reaches the internet, and what is wrong where it does not."""

    kind: Literal["dhcp", "pppoe", "modem"] = "dhcp"
    cable: bool | None = None
    address: bool | None = None
    """The box was given one."""
    names: bool | None = None
    """Names are answered."""
    upstream_wifi: bool | None = None
    """The router before the box still has a Wi-Fi of its own, which nobody watches."""
    login: bool | None = None
    """The provider takes the line's name and password; None where it asks for none, or has said nothing lately."""


class WifiState(Payload):
    """The access point."""

    up: bool
    ssid: str = Field(default="", max_length=32)
    stations: Count = 0
    passphrases: Count = 0


class Removed(Payload):
    """The last word of a box that was wiped."""

    removal_id: Id
    at: Time
    keys_destroyed: Count
    files_removed: Count


class Change(Payload):
    """What became of an order that the keeper follows only in part: root, who may change the box, does the rest."""

    about: Id
    """The order's `command_id`; of a wipe, its `removal_id`."""
    action: Literal["set-network", "wipe-box"]
    outcome: Literal["under-way", "done", "refused", "failed"]
    """`refused` is for good, `failed` may be ordered again; in both, what was before is in force."""
    detail: Text = ""
    """Why not, in plain words."""
    at: Time


class BoxStatus(Payload):
    """Health of a box, kept even without an authority. `online` false is the last will."""

    online: bool
    at: Time
    recording: bool = False
    authority: Text = ""
    outbox: Count = 0
    processes: tuple[ProcessHealth, ...] = Field(default=(), max_length=16)
    taps: tuple[TapHealth, ...] = Field(default=(), max_length=16)
    gaps: tuple[Gap, ...] | None = Field(default=None, max_length=16)
    """The latest, newest first; None where the box does not say."""
    lists: tuple[ListHealth, ...] | None = Field(default=None, max_length=64)
    """Lists in use or wanted (R31); None where the box does not say."""
    test: DetectionTest | None = None
    """None where no list is in force, or the box does not say."""
    # --- the law of the matter; None where the box does not say
    authority_id: Id | None = None
    authority_number: Revision | None = None
    authority_ends: Time | None = None
    review: Time | None = None
    paused_until: Time | None = None
    """The last moment there is (31 December 2199): until told otherwise."""
    clock: ClockState | None = None
    clock_error_ms: Count | None = None
    """Bound of the error of the box's time; None where nothing bounds it."""
    sealed: Count | None = None
    """Observations that nobody can read until the time is known."""
    unmasked_until: Time | None = None
    """When the last mask that is off is put on again; None while all are on."""
    keeping: Keeping | None = None
    """None where the box does not say."""
    # --- the machine; None where the box does not say
    software: SoftwareState | None = None
    storage: Storage | None = None
    uplink: UplinkState | None = None
    wifi: WifiState | None = None
    certificate_ends: Time | None = None
    booted_at: Time | None = None
    boots: Count | None = None
    """How often this box was started since it was enrolled (N15)."""
    removed: Removed | None = None
    changes: tuple[Change, ...] | None = Field(default=None, max_length=2)
    """The last one of each action, as long as the box keeps it; none are told before the first order."""
    at_limit: Count | None = None
    """Devices that have as many connections at once as one device may."""


class Quieted(Payload):
    """A rule that an officer found not relevant at this home (R30)."""

    quiet_id: Id
    rule: Id
    device_id: Id | None = None
    """None: for the whole home."""
    subject: str | None = Field(default=None, max_length=300)
    """Only for this entry, service or server; None for all of the rule."""
    reason: Text
    by: Id
    at: Time
    until: Time | None = None
    count: Count = 0
    """Findings that it kept quiet."""


class Away(Payload):
    """A time for which an officer was told that nobody, or one device, is at home (R15)."""

    away_id: Id
    starts: Time
    ends: Time
    device_id: Id | None = None
    reason: Text
    by: Id


class Watch(Payload):
    """A household's own entry: to be found, or never to be kept (R35, R67)."""

    watch_id: Id
    name: str = Field(max_length=253)
    below: bool = True
    """Names below it too."""
    excluded: bool = False
    """True: look-ups of it are not kept at all."""
    severity: Severity = Severity.TODAY
    reason: Text
    by: Id
    at: Time
    expires: Time


class Arrangements(Payload):
    """What officers have arranged with a box, whole, as it stands at `revision`."""

    revision: Revision
    quieted: tuple[Quieted, ...] = Field(default=(), max_length=256)
    away: tuple[Away, ...] = Field(default=(), max_length=64)
    watch: tuple[Watch, ...] = Field(default=(), max_length=256)
