"""Typed messages between the processes of the box.

One tagged struct a message; `encode` packs several into one datagram of a Unix SEQPACKET socket, and
`decode` validates it. With `traits` and `signals`, this package and `wire` are all that the rooms share.
Bounded: a datagram holds at most `MAX_DATAGRAM` bytes, a list field what its comment says.
Addresses are text: MACs as `aa:bb:cc:dd:ee:ff` in lower case, IP addresses in their canonical
form (RFC 5952 for IPv6). Times are Unix seconds; for a replayed capture, packet time.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from appliance.messages.asked import (
    ListAccept,
    ListAnswered,
    ListState,
    Notice,
    NoticeRequest,
    ProbeAnswer,
    ProbeDone,
    ProbeKind,
    ProbeLeave,
    ProbeRequest,
    ProbeTest,
    Status,
    StatusRequest,
)
from appliance.messages.base import (
    MAX_DATAGRAM,
    MAX_FILTERS,
    MAX_MASKED,
    MAX_REFUSED,
    Mac,
    MessageError,
    Moment,
    Tally,
)
from appliance.messages.carried import (
    BrokerState,
    Credit,
    Inbound,
    InboundDone,
    ListFetched,
    ListWanted,
    Outbound,
    ReleaseFetched,
    ReleaseWanted,
    RenewalSigned,
    RenewalWanted,
)
from appliance.messages.said import (
    MAX_CODE,
    MAX_SAID,
    MAX_UNREAD,
    UNREAD_SECONDS,
    FormAnswered,
    FormKind,
    FormSent,
    NoticeDue,
    OwnPage,
    OwnPageAsked,
    OwnSection,
    ThisIs,
    Unread,
    Visitor,
    WhoIs,
)
from appliance.messages.seen import (
    ActivitySeen,
    DeviceVolume,
    How,
    LinkChanged,
    NameClassSeen,
    NameLookedUp,
    NeighbourChanged,
    PassphraseGuessed,
    RulesOverflow,
    SensorStarted,
    Side,
    Sighting,
    SignalSeen,
    StationChanged,
    TapReport,
    TraitSeen,
    Via,
    WifiSeen,
)
from appliance.messages.told import (
    MAX_KEY_ID,
    MAX_PASSPHRASES,
    MAX_TALKS,
    CollectionMask,
    Enforcement,
    Filter,
    FilterPlan,
    NearbyCounted,
    Passphrase,
    ResolverState,
    Talk,
    TalksCounted,
    TapsHanded,
    WardenState,
    WifiAsked,
    WifiKept,
    WifiPassphrases,
)

Observation = (
    Sighting | TraitSeen | NameLookedUp | NameClassSeen | SignalSeen | ActivitySeen | TapReport | SensorStarted
)
"""What the sensor tells the keeper."""

Message = (
    Sighting
    | TraitSeen
    | NameLookedUp
    | NameClassSeen
    | SignalSeen
    | ActivitySeen
    | TapReport
    | SensorStarted
    | NeighbourChanged
    | RulesOverflow
    | LinkChanged
    | StationChanged
    | PassphraseGuessed
    | WifiSeen
    | DeviceVolume
    | CollectionMask
    | TapsHanded
    | TalksCounted
    | Enforcement
    | WardenState
    | NearbyCounted
    | WifiPassphrases
    | WifiAsked
    | WifiKept
    | FilterPlan
    | ResolverState
    | BrokerState
    | Credit
    | Outbound
    | Inbound
    | InboundDone
    | ListWanted
    | ListFetched
    | ReleaseWanted
    | ReleaseFetched
    | RenewalWanted
    | RenewalSigned
    | ProbeRequest
    | ProbeLeave
    | ProbeAnswer
    | ProbeDone
    | NoticeRequest
    | Notice
    | StatusRequest
    | Status
    | ListAccept
    | ListAnswered
    | FormSent
    | FormAnswered
    | OwnPageAsked
    | OwnPage
    | WhoIs
    | ThisIs
    | NoticeDue
)

__all__ = [
    "MAX_CODE",
    "MAX_DATAGRAM",
    "MAX_FILTERS",
    "MAX_KEY_ID",
    "MAX_MASKED",
    "MAX_PASSPHRASES",
    "MAX_REFUSED",
    "MAX_SAID",
    "MAX_TALKS",
    "MAX_UNREAD",
    "UNREAD_SECONDS",
    "ActivitySeen",
    "BrokerState",
    "CollectionMask",
    "Credit",
    "DeviceVolume",
    "Enforcement",
    "Filter",
    "FilterPlan",
    "FormAnswered",
    "FormKind",
    "FormSent",
    "How",
    "Inbound",
    "InboundDone",
    "LinkChanged",
    "ListAccept",
    "ListAnswered",
    "ListFetched",
    "ListState",
    "ListWanted",
    "Mac",
    "Message",
    "MessageError",
    "Moment",
    "NameClassSeen",
    "NameLookedUp",
    "NearbyCounted",
    "NeighbourChanged",
    "Notice",
    "NoticeDue",
    "NoticeRequest",
    "Observation",
    "Outbound",
    "OwnPage",
    "OwnPageAsked",
    "OwnSection",
    "Passphrase",
    "PassphraseGuessed",
    "ProbeAnswer",
    "ProbeDone",
    "ProbeKind",
    "ProbeLeave",
    "ProbeRequest",
    "ProbeTest",
    "ReleaseFetched",
    "ReleaseWanted",
    "RenewalSigned",
    "RenewalWanted",
    "ResolverState",
    "RulesOverflow",
    "SensorStarted",
    "Side",
    "Sighting",
    "SignalSeen",
    "StationChanged",
    "Status",
    "StatusRequest",
    "Talk",
    "TalksCounted",
    "Tally",
    "TapReport",
    "TapsHanded",
    "ThisIs",
    "TraitSeen",
    "Unread",
    "Via",
    "Visitor",
    "WardenState",
    "WhoIs",
    "WifiAsked",
    "WifiKept",
    "WifiPassphrases",
    "WifiSeen",
    "decode",
    "encode",
]

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
