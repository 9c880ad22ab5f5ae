"""Findings as they travel: what was seen of a device or of the box, by which rule, how sure."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from wire.base import Confidence, Count, Id, Payload, Revision, Text, Time

FURTHER_SIGNS = "further-signs-"
"""So begins the cause of what goes over a day's budget of items (R28): told as one, though nothing else joins it."""

MAX_RECORDS = 32
"""Most records that a finding names."""


class Severity(StrEnum):
    """How soon an officer should look. Only `act_now` interrupts anyone (R27)."""

    ACT_NOW = "act_now"
    TODAY = "today"
    THIS_WEEK = "this_week"
    INFORMATION = "information"


class FindingKind(StrEnum):
    """What was found. A finding speaks of a device, never of a person."""

    UNREGISTERED_DEVICE = "unregistered-device"
    LISTED_NAME = "listed-name"
    SAME_DEVICE = "same-device"
    """A new address is probably that of a device on the register; the proposal is beside it (N8)."""
    CLASS_CHANGED = "class-changed"
    """A known address begins to speak like another kind of device."""
    KEY_SHARED = "passphrase-shared"
    """A passphrase that is one device's own is in use by two at once (N9)."""
    KEY_ENDED = "passphrase-ended"
    """A guest's passphrase is in use past its date (N9)."""
    PASSPHRASE_GUESSED = "passphrases-tried"  # noqa: S105 - a kind of finding
    """Passphrases that are none of the Wi-Fi's are being tried, over and over (N9)."""
    VISIT_OVER = "visit-over"
    """A guest's device is still there after the visit was to end (R23)."""
    # --- signs (R18): what traffic may mean, graded, never asserted
    ENCRYPTED_DNS = "encrypted-dns"
    """Names were asked for where the box cannot read them."""
    OTHER_RESOLVER = "other-resolver"
    """Plain questions to a resolver that is not the box; the box answered them."""
    RELAY = "private-relay"
    """A relay service that hides names and addresses was asked for."""
    TUNNEL = "tunnel"
    """Traffic that looks like a tunnel (VPN, SSH); the reasons say like which."""
    TOR = "tor"
    """Traffic that looks like Tor."""
    PROXY = "proxy"
    """A proxy was asked to connect onwards."""
    DNS_TUNNEL = "dns-tunnel"
    """Questions for names that look like data carried in them."""
    UNKNOWN_PROTOCOL = "unknown-protocol"
    """Connections that look like noise from their first packet on."""
    HIDDEN_NAMES = "hidden-names"
    """A large share goes to addresses that nothing named, or hellos hide their names (N10)."""
    DEVICE_BEHIND = "device-behind"
    """Something else seems to use the internet through this device (N11)."""
    SECOND_ROUTER = "second-router"
    """A device offers itself as a router."""
    OTHER_DHCP = "other-dhcp-server"
    """A device hands out addresses."""
    UPSTREAM_DEVICE = "upstream-device"
    """A device on the provider's side of the box (N11)."""
    SILENT_DEVICE = "silent-device"
    """A registered device is quiet against its own baseline (R14, N5)."""
    TREND = "trend"
    """Use has changed against the device's own baseline, or a category of sites has (R16, R32)."""
    UNSEEN_USE = "unseen-use"
    """Signs that another device is used than the one declared (N6)."""
    AGENT_DISAGREES = "agent-disagrees"
    """What software on the device says of its use and what the box saw do not agree (N7)."""
    # --- the box itself (R19, N15)
    POWER_LOST = "power-lost"
    WAN_LOST = "internet-lost"
    CABLE_MOVED = "cable-moved"
    BOX_RESET = "box-reset"
    SETTINGS_CHANGED = "settings-changed"
    CLOCK_CHANGED = "clock-changed"
    STORAGE_CHANGED = "storage-changed"
    # --- law and ledger (R53, R54, R62, N3, N4)
    TIME_UNAUTHENTICATED = "time-unauthenticated"
    """The box reaches the internet and nobody vouches for its time."""
    AUTHORITY_ENDING = "authority-ending"
    """The authority ends soon, or has ended."""
    AUTHORITY_CHANGED = "authority-changed"
    """Another document, a pause or a withdrawal took effect."""
    REVIEW_DUE = "review-due"
    """It is time to ask whether as much is still needed (R62, N18)."""
    BREAK_GLASS = "break-glass"
    """One person opened in an emergency what takes two."""
    MANY_ADDRESSES = "many-new-addresses"
    """Far more new addresses at once than a household has devices; not each is a finding."""
    RECORDS_DROPPED = "records-dropped"
    """Something was not recorded or could not be kept; how much is said (N4)."""
    STORAGE_FULL = "storage-full"
    """The box's storage is nearly full."""
    BOX_SILENT = "box-silent"
    """The server has not heard of the box (N15). Raised by the server."""
    LEDGER_CONFLICT = "ledger-conflict"
    """Two accounts of the same time: a box was copied or set back, or a message was altered. Raised by the server."""
    # --- lists
    LIST_STALE = "list-stale"
    """A list has not been renewed for longer than its owner says (R31)."""
    LIST_REFUSED = "list-refused"
    """A new version of a list was not taken; the one before is in force."""
    TEST_MISSED = "detection-test-missed"
    """The monthly test name was asked for and not found, or was not asked for (R33)."""


class Grade(StrEnum):
    """How strongly a sign points to what it may mean."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Rule(Payload):
    """Which rule made a finding, and under which clause of the authority (R29)."""

    id: Id
    version: str = Field(max_length=64)
    authority_id: Id
    authority_number: Revision
    clause: str = Field(max_length=40)


class ListHit(Payload):
    """What matched, on which list (R29, N16)."""

    name: str | None = Field(default=None, max_length=253)
    """None where the list is confidential: then only `entry` tells what matched."""
    how: str = Field(max_length=16)
    list_id: Id
    list_version: str = Field(max_length=64)
    list_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    entry: str = Field(max_length=253)
    """As the list writes it; of a confidential list `keyed:` and the keyed hash of the entry."""
    category: str | None = Field(default=None, max_length=40)
    owner: str | None = Field(default=None, max_length=120)
    source: str | None = Field(default=None, max_length=300)
    """Where the list came from."""
    asked: str | None = Field(default=None, max_length=253)
    """The name the device asked for, where it was the answer that led to `name`."""
    shown: str | None = Field(default=None, max_length=253)
    """`name` in letters, where it is written in punycode; letters of several scripts are said so in the reasons."""


class Finding(Payload):
    """A finding as it stands at `revision`; a higher revision replaces a lower (R11, R26, R29)."""

    finding_id: Id
    revision: Revision
    kind: FindingKind
    severity: Severity
    device_id: Id | None = None
    """None for a finding about the box itself or its network."""
    state: Literal["open", "closed"]
    closed_because: Text | None = None
    first_seen: Time
    """Time of the first frame that supports the finding."""
    last_seen: Time
    raised_at: Time
    """When the keeper committed it."""
    count: int = Field(ge=1, le=2**31 - 1)
    rule: Rule
    confidence: Confidence
    reasons: tuple[Text, ...] = Field(max_length=16)
    alternatives: tuple[Text, ...] = Field(max_length=16)
    """What else could explain it."""
    hit: ListHit | None = None
    key_id: str | None = Field(default=None, max_length=64)
    """The Wi-Fi passphrase that a finding about one is about (N9); what it is for can be said by it."""
    grade: Grade | None = None
    """Of a sign."""
    cause: str | None = Field(default=None, max_length=64)
    """Findings of a household with one cause belong together and are shown as one item."""
    records: tuple[Id, ...] | None = Field(default=None, max_length=MAX_RECORDS)
    """Ids of the box's records that support it; the newest, where there are more."""
    signals: Count | None = None
    """How many independent signals agree (S5)."""
