"""What the keeper tells sensor and warden to do, what the warden hands the sensor, and the answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from appliance.messages.base import MAX_FILTERS, MAX_REFUSED, BaseMessage, Mac, Moment, Tally

MAX_TALKS = 512
"""Most talks in one message."""

MAX_PASSPHRASES = 64
"""Equal to `wire.wifi.MOST_PASSPHRASES`."""
MAX_KEY_ID = 31
"""Most characters of a passphrase's id: hostapd 2.10 takes no longer one."""


class CollectionMask(BaseMessage, frozen=True, tag="mask"):
    """Of whom what may leave the sensor: whole state. Lapses `lease` seconds after it came (monotonic)."""

    generation: int
    names: tuple[str, ...]
    """MACs whose looked-up names may leave, at most MAX_MASKED."""
    lease: float
    signs: tuple[str, ...] = ()
    """MACs whose signals and activity may leave, at most MAX_MASKED."""
    network: bool = False
    """Whether signals about the network itself (`signals.NETWORK`) may leave, whoever sends them."""


class TapsHanded(BaseMessage, frozen=True, tag="taps"):
    """Descriptors of bound NFLOG sockets ride along (SCM_RIGHTS), in the order of `taps`."""

    taps: tuple[str, ...]


class Talk(msgspec.Struct, frozen=True, array_like=True):
    """What a device exchanged with one port of one address since the last report."""

    mac: Mac
    server: str
    protocol: int
    """6 TCP, 17 UDP."""
    port: Annotated[int, Meta(ge=0, le=65535)]
    up: Tally
    """Octets from the device."""
    down: Tally


class TalksCounted(BaseMessage, frozen=True, tag="talks"):
    """Warden to sensor: who exchanged how much with whom since the last report. It never reaches the keeper."""

    ts: Moment
    seconds: float
    """Since the last report."""
    talks: Annotated[tuple[Talk, ...], Meta(max_length=MAX_TALKS)]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Devices whose questions go to one filtering resolver, and the addresses they do not reach.

    Standings may be under different clauses, so there may be `MAX_FILTERS` of them.
    """

    number: Annotated[int, Meta(ge=1, le=MAX_FILTERS)]
    """Which one; the filtering resolver listens on a port for each."""
    macs: tuple[Mac, ...]
    refused: Annotated[tuple[str, ...], Meta(max_length=MAX_REFUSED)] = ()
    """Addresses and networks."""


class Enforcement(BaseMessage, frozen=True, tag="enforcement"):
    """Which devices are held back or filtered. Whole state, not a change: the warden makes it so.

    What is not `closed` ends by itself when this message has not come again for `lease` seconds (R57).
    """

    generation: int
    quarantined: tuple[str, ...]
    """MACs, at most MAX_MASKED."""
    filters: Annotated[tuple[Filter, ...], Meta(max_length=MAX_FILTERS)] = ()
    """At most MAX_MASKED MACs in all."""
    closed: tuple[str, ...] = ()
    """Those of `quarantined` that stay held when the box's software stops."""
    filtered_closed: tuple[str, ...] = ()
    """Those of `filters` that stay filtered then."""
    known: tuple[str, ...] = ()
    """MACs on the register, at most MAX_MASKED: addresses are kept for them."""
    nearby: bool = False
    """Phones that are near and never join may be counted (R21)."""
    lease: Annotated[float, Meta(ge=1, le=600)] = 45.0
    ends: Moment | None = None
    """When the authority ends, and with it what is closed, whether or not this is said again; None: nothing is."""

    @property
    def filtered(self) -> tuple[str, ...]:
        """MACs of all filters."""
        return tuple(mac for each in self.filters for mac in each.macs)


class Passphrase(msgspec.Struct, frozen=True, kw_only=True):
    """A passphrase of the Wi-Fi, readable: between keeper and warden only, and in the file that hostapd reads."""

    key_id: Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._-]{{1,{MAX_KEY_ID}}}\Z")]
    passphrase: Annotated[str, Meta(pattern=r"^[\x20-\x7e]{8,63}\Z")]
    purpose: Literal["device", "guest", "household"]
    ends: Moment | None = None
    """Lets nobody in from then on."""

    def __repr__(self) -> str:
        """Without the passphrase: it must not get into a log."""
        return f"Passphrase({self.key_id!r}, {self.purpose!r}, ends={self.ends!r})"


class WifiPassphrases(BaseMessage, frozen=True, tag="wifi-passphrases"):
    """Keeper to warden: all passphrases of the Wi-Fi. Whole state; none at all is never said."""

    at: Moment
    """The keeper's moment: by it those with an end are taken out."""
    keys: Annotated[tuple[Passphrase, ...], Meta(min_length=1, max_length=MAX_PASSPHRASES)]


class WifiAsked(BaseMessage, frozen=True, tag="wifi-asked"):
    """Keeper to warden: it knows of no passphrase; which are in force?"""


class WifiKept(BaseMessage, frozen=True, tag="wifi-kept"):
    """Warden: those that hostapd reads, as they were left at enrolment or by the keeper before."""

    keys: Annotated[tuple[Passphrase, ...], Meta(max_length=MAX_PASSPHRASES)]


class FilterPlan(BaseMessage, frozen=True, tag="filter-plan"):
    """Keeper to resolver: what is to be refused. Whole state; `path` is read anew when `generation` is another."""

    generation: int
    path: Annotated[str, Meta(max_length=512)] | None
    """The plan (`appliance.plan`), readable for the resolver; None where nothing is filtered."""


class ResolverState(BaseMessage, frozen=True, tag="resolver-state"):
    """Resolver to keeper, every few seconds and when it changes."""

    generation: int
    """Of the plan in force; 0 while there is none."""
    ready: tuple[Annotated[int, Meta(ge=1, le=MAX_FILTERS)], ...]
    """Filters that answer."""
    detail: Annotated[str, Meta(max_length=1000)] = ""
    """What is not as it should be, in plain words."""


class NearbyCounted(BaseMessage, frozen=True, tag="nearby"):
    """Warden to keeper: senders of Wi-Fi probe requests in an hour that did not join. No address is kept."""

    ts: Moment
    since: Moment
    count: Tally


class WardenState(BaseMessage, frozen=True, tag="warden-state"):
    """Answer to `Enforcement`, and said once at start with generation 0."""

    ts: Moment
    generation: int
    applied: bool
    detail: str = ""
