"""Typed messages between the processes of the box.

One tagged struct a message; `encode` packs several into one datagram of a Unix SEQPACKET socket, and
`decode` validates it. With `traits`, this module and `wire` are all that the rooms share.
Bounded: a datagram holds at most `MAX_DATAGRAM` bytes, a list field what its comment says.
Addresses are text: MACs as `aa:bb:cc:dd:ee:ff` in lower case, IP addresses in their canonical
form (RFC 5952 for IPv6). Times are Unix seconds; for a replayed capture, packet time.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from appliance.traits import MAX_VALUE, Trait

MAX_DATAGRAM = 128 * 1024
"""Largest datagram between two processes, in bytes; below the kernel's default send buffer."""

MAX_MASKED = 1024
"""Most MACs a collection mask may name; a household with more is refused, not truncated."""

Mac = Annotated[str, Meta(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")]
Moment = Annotated[float, Meta(ge=0, lt=7_258_118_400)]
"""Unix seconds, 1970 to 2199: the range of `wire.models.Time`."""
Tally = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A counter that `wire.models.Count` can carry."""


class MessageError(ValueError):
    """A datagram that is not a list of known messages, or is too large."""


class _Message(Struct, frozen=True, kw_only=True, tag_field="t", forbid_unknown_fields=True):
    """Common shape of all messages: immutable, by keyword, strict."""


# --- sensor -> keeper: observations ---
class Via(StrEnum):
    """What kind of frame showed a device to be there."""

    ARP = "arp"
    DHCP = "dhcp"
    ND = "nd"
    MDNS = "mdns"
    SSDP = "ssdp"
    NBNS = "nbns"
    LLMNR = "llmnr"
    DNS = "dns"
    FLOW = "flow"


class Side(StrEnum):
    """Which side of the router a frame was heard on."""

    LAN = "lan"
    WAN = "wan"


class Sighting(_Message, frozen=True, tag="sighting"):
    """A frame sent by a device. The sensor repeats one per (mac, ip, via) at most every few seconds."""

    ts: Moment
    mac: Mac
    via: Via
    side: Side = Side.LAN
    ip: str | None = None


class TraitSeen(_Message, frozen=True, tag="trait"):
    """Something a device let be seen of itself (see `appliance.traits`); never a looked-up name."""

    ts: Moment
    mac: Mac
    trait: Trait
    value: Annotated[str, Meta(min_length=0, max_length=MAX_VALUE)]
    """Empty where the device sent the field empty; a field not sent says nothing."""


class How(StrEnum):
    """Where a looked-up name was read."""

    DNS = "dns"
    TLS = "tls"
    QUIC = "quic"
    HTTP = "http"


class NameLookedUp(_Message, frozen=True, tag="name"):
    """A name a device asked for. Sent only for MACs that the collection mask names."""

    ts: Moment
    mac: Mac
    name: str
    """Lower case, no final dot, at most 253 characters (RFC 1035 section 2.3.4)."""
    how: How
    generation: int
    """Generation of the mask that let this name out of the sensor."""
    server: str | None = None
    """Address the client asked or connected to."""


class NameClassSeen(_Message, frozen=True, tag="name-class"):
    """A closed class instead of a name, for devices whose names may not be kept."""

    ts: Moment
    mac: Mac
    name_class: str
    """One of the shipped table: push, captive, time, update, resolver, relay."""


class TapReport(_Message, frozen=True, tag="tap"):
    """Cumulative counters of one tap since the sensor started; sent every few seconds."""

    ts: Moment
    tap: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
    messages: Tally
    octets: Tally
    lost: Tally
    """Times the kernel said ENOBUFS: frames were lost, how many is not known."""
    unparsed: Tally
    """Frames no parser could read."""
    overflow: Tally
    """What went over a bound and was counted instead of kept."""
    flows: Tally = 0
    """New flows begun: a TCP SYN, or the first datagram of a five-tuple."""


class SensorStarted(_Message, frozen=True, tag="sensor-started"):
    """The sensor holds taps since `ts`: said when it takes them, and to every new keeper."""

    ts: Moment
    taps: tuple[str, ...]


Observation = Sighting | TraitSeen | NameLookedUp | NameClassSeen | TapReport | SensorStarted

# --- keeper -> sensor -----------------------------------------------------------------------


class CollectionMask(_Message, frozen=True, tag="mask"):
    """Whose looked-up names may leave the sensor: whole state. Lapses `lease` seconds after it came (monotonic)."""

    generation: int
    names: tuple[str, ...]
    """MACs, at most MAX_MASKED."""
    lease: float


# --- warden -> sensor (with descriptors in the same datagram) --------------------------------


class TapsHanded(_Message, frozen=True, tag="taps"):
    """Descriptors of bound NFLOG sockets ride along (SCM_RIGHTS), in the order of `taps`."""

    taps: tuple[str, ...]


# --- warden -> keeper -----------------------------------------------------------------------


class NeighbourChanged(_Message, frozen=True, tag="neighbour"):
    """The kernel's neighbour table on the LAN changed (rtnetlink)."""

    ts: Moment
    mac: Mac
    ip: str
    reachable: bool


class LinkChanged(_Message, frozen=True, tag="link"):
    """A port of the router went up or down."""

    ts: Moment
    interface: str
    up: bool


class StationChanged(_Message, frozen=True, tag="station"):
    """hostapd: a station joined or left; `key_id` names the passphrase it used, if known."""

    ts: Moment
    mac: Mac
    joined: bool
    key_id: str | None = None


class DeviceVolume(_Message, frozen=True, tag="volume"):
    """Bytes forwarded for a device since the rules were loaded, from nftables counters."""

    ts: Moment
    mac: Mac
    up: int


class WardenState(_Message, frozen=True, tag="warden-state"):
    """Answer to `Enforcement`, and said once at start with generation 0."""

    ts: Moment
    generation: int
    applied: bool
    detail: str = ""


# --- keeper -> warden -----------------------------------------------------------------------


class Enforcement(_Message, frozen=True, tag="enforcement"):
    """Which devices are quarantined. Whole state, not a change: the warden makes it so."""

    generation: int
    quarantined: tuple[str, ...]
    """MACs, at most MAX_MASKED."""


# --- keeper <-> courier ---------------------------------------------------------------------


class BrokerState(_Message, frozen=True, tag="broker"):
    """Courier: the session with the broker came or went."""

    connected: bool
    detail: str = ""


class Credit(_Message, frozen=True, tag="credit"):
    """Courier: it can take this many more outbound messages."""

    count: int


class Outbound(_Message, frozen=True, tag="outbound"):
    """Keeper: publish this. The body is signed and sealed; the courier cannot read it."""

    topic: str
    body: bytes


class Inbound(_Message, frozen=True, tag="inbound"):
    """Courier: this came from the broker. It is acknowledged there after `InboundDone`."""

    token: int
    topic: str
    body: bytes


class InboundDone(_Message, frozen=True, tag="inbound-done"):
    """Keeper: the message with this token is committed (or refused for good)."""

    token: int


# --- probe <-> keeper --------------------------------------------------------------------------


class ProbeKind(StrEnum):
    """What the active probe can do."""

    SWEEP = "sweep"
    """ARP and neighbour solicitations: who is there."""
    SERVICES = "services"
    """One mDNS and one SSDP question: what is offered."""
    DHCP = "dhcp"
    """One DHCPDISCOVER: does anybody else hand out addresses."""


class ProbeRequest(_Message, frozen=True, tag="probe-request"):
    """Probe: may I, and what is wanted? Said once, after connecting."""

    kind: ProbeKind | None = None
    """None: whatever was asked for or is due."""


class ProbeLeave(_Message, frozen=True, tag="probe-leave"):
    """Keeper: what the probe may do now; nothing when `kinds` is empty, `why` says why."""

    kinds: tuple[ProbeKind, ...] = ()
    why: str = ""
    refused: bool = False
    """It may not; otherwise nothing is wanted or due."""


class ProbeAnswer(_Message, frozen=True, tag="probe-answer"):
    """Probe: somebody answered (`dhcp`: a server that is not this box)."""

    ts: Moment
    mac: Mac
    kind: ProbeKind
    ip: str | None = None


class ProbeDone(_Message, frozen=True, tag="probe-done"):
    """Probe: this kind is over."""

    ts: Moment
    kind: ProbeKind
    sent: Tally
    answers: Tally


# --- porch, command line <-> keeper -----------------------------------------------------------


class NoticeRequest(_Message, frozen=True, tag="notice-request"):
    """Porch: what does the notice page have to say?"""


class Notice(_Message, frozen=True, tag="notice"):
    """What a household may read about the box. No device and no person is named."""

    recording: bool
    kind: str | None
    """order, licence_condition or consent; None without an authority."""
    kept: tuple[str, ...]
    """Plain sentences: what is kept, of which devices."""
    until: float | None


class StatusRequest(_Message, frozen=True, tag="status-request"):
    """Command line: how is the box?"""


class Status(_Message, frozen=True, tag="status"):
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


Message = (
    Sighting
    | TraitSeen
    | NameLookedUp
    | NameClassSeen
    | TapReport
    | SensorStarted
    | CollectionMask
    | TapsHanded
    | NeighbourChanged
    | LinkChanged
    | StationChanged
    | DeviceVolume
    | WardenState
    | Enforcement
    | BrokerState
    | Credit
    | Outbound
    | Inbound
    | InboundDone
    | ProbeRequest
    | ProbeLeave
    | ProbeAnswer
    | ProbeDone
    | NoticeRequest
    | Notice
    | StatusRequest
    | Status
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Message])


def encode(messages: Iterable[Message]) -> bytes:
    """Pack messages into one datagram.

    Raises:
        MessageError: larger than `MAX_DATAGRAM`.
    """
    datagram = _encoder.encode(list(messages))
    if len(datagram) > MAX_DATAGRAM:
        raise MessageError(f"datagram of {len(datagram)} bytes, the most is {MAX_DATAGRAM}")
    return datagram


def decode(datagram: bytes) -> list[Message]:
    """Unpack and validate a datagram.

    Raises:
        MessageError: not a list of known messages.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise MessageError(f"datagram of {len(datagram)} bytes, the most is {MAX_DATAGRAM}")
    try:
        return _decoder.decode(datagram)
    except msgspec.DecodeError as error:
        raise MessageError(str(error)) from error
