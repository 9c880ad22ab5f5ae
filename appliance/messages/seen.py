"""What sensor and warden saw, as the keeper is told: observations, and how well they could see."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from appliance import signals
from appliance.messages.base import BaseMessage, Mac, Moment, Tally
from appliance.signals import Signal
from appliance.traits import MAX_VALUE, Trait


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


class Sighting(BaseMessage, frozen=True, tag="sighting"):
    """A frame sent by a device. The sensor repeats one per (mac, ip, via) at most every few seconds."""

    ts: Moment
    mac: Mac
    via: Via
    side: Side = Side.LAN
    ip: str | None = None


class TraitSeen(BaseMessage, frozen=True, tag="trait"):
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
    ANSWER = "answer"
    """In the answer to its question: an alias (CNAME) or the target of a service record (SVCB, HTTPS)."""


class NameLookedUp(BaseMessage, frozen=True, tag="name"):
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
    asked: str | None = None
    """With `How.ANSWER`: the name whose question led here."""


class NameClassSeen(BaseMessage, frozen=True, tag="name-class"):
    """A closed class instead of a name, for devices whose names may not be kept."""

    ts: Moment
    mac: Mac
    name_class: str
    """One of the shipped table: push, captive, time, update, resolver, relay."""


class SignalSeen(BaseMessage, frozen=True, tag="signal"):
    """Something of a device's traffic (see `appliance.signals`). Sent only where the mask lets it out.

    The first of a kind is said at once; repeats are counted and said together.
    """

    ts: Moment
    """Of the last frame it counts."""
    since: Moment
    """Of the first frame it counts."""
    mac: Mac
    signal: Signal
    value: Annotated[str, Meta(max_length=signals.MAX_VALUE)]
    generation: int
    """Of the mask that let it out."""
    count: Annotated[int, Meta(ge=1, le=2**53 - 1)] = 1
    server: str | None = None
    port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    octets: Tally | None = None
    """Both ways, where it is about how much was moved."""


class ActivitySeen(BaseMessage, frozen=True, tag="activity"):
    """What a device did between `since` and `ts`, in counts; silent times are not told."""

    ts: Moment
    since: Moment
    mac: Mac
    generation: int
    flows: Tally
    """Connections begun."""
    unnamed: Tally
    """Of them, to addresses that no answer of the DNS and no hello named."""
    octets: Tally
    """Both ways, through the router."""
    unnamed_octets: Tally
    classes: dict[str, int]
    """Look-ups by closed class (see `NameClassSeen`)."""
    others: Tally
    """Look-ups of no class: what a person does shows here."""


class TapReport(BaseMessage, frozen=True, tag="tap"):
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


class SensorStarted(BaseMessage, frozen=True, tag="sensor-started"):
    """The sensor holds taps since `ts`: said when it takes them, and to every new keeper."""

    ts: Moment
    taps: tuple[str, ...]


class RulesOverflow(BaseMessage, frozen=True, tag="rules-overflow"):
    """Warden: packets that the rules let pass by, or dropped, because they went over a rate or a size."""

    ts: Moment
    packets: dict[str, Tally]
    """By counter of `firmware.names`, since the rules were loaded; those at 0 are left out."""
    at_limit: Tally = 0
    """Devices that had as many connections at once as one may, in the last minutes."""


class NeighbourChanged(BaseMessage, frozen=True, tag="neighbour"):
    """The kernel's neighbour table on the LAN changed (rtnetlink)."""

    ts: Moment
    mac: Mac
    ip: str
    reachable: bool


class LinkChanged(BaseMessage, frozen=True, tag="link"):
    """A port of the router went up or down."""

    ts: Moment
    interface: str
    up: bool


class StationChanged(BaseMessage, frozen=True, tag="station"):
    """hostapd: a station joined or left; `key_id` names the passphrase it used, if known."""

    ts: Moment
    mac: Mac
    joined: bool
    key_id: str | None = None


class PassphraseGuessed(BaseMessage, frozen=True, tag="guessed"):
    """hostapd: somebody tried passphrases that are none of this Wi-Fi's. Said at most every few seconds, counted."""

    ts: Moment
    """Of the last try it counts."""
    since: Moment
    """Of the first try it counts."""
    mac: Mac | None
    """None: addresses that found no room of their own, together."""
    count: Tally
    addresses: Tally = 1
    """How many senders, as far as they could be told apart."""


class WifiSeen(BaseMessage, frozen=True, tag="wifi-seen"):
    """Warden: how the access point is, when that changes and every few minutes."""

    ts: Moment
    up: bool
    ssid: Annotated[str, Meta(max_length=32)] = ""
    stations: Tally = 0
    passphrases: Tally = 0
    """That let somebody in at this moment."""
    detail: Annotated[str, Meta(max_length=300)] = ""
    """What is not as it should be, for an engineer."""


class DeviceVolume(BaseMessage, frozen=True, tag="volume"):
    """Bytes forwarded for a device since the rules were loaded, from nftables counters."""

    ts: Moment
    mac: Mac
    up: int
