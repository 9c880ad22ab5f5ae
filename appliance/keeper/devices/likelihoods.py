"""The numbers behind "same device, new address": how much each kind of evidence is worth, and why.

A likelihood ratio says how many times likelier a thing is to be seen if both addresses are one
device than if they are two. No public data set gives these for households, so each number is a
reasoned bound, chosen low, and its comment says from what; `docs/identity.md` tells the reader so.
Constants only.
"""

from __future__ import annotations

from types import MappingProxyType

from appliance.traits import Trait

ROTATION_SHARE = 0.15
"""Of new made-up addresses in a household, those that are a known device's next one.

Phones make up one address per network and keep it: Android since 10 (developers' options aside), iOS
as long as the network is one it trusts. Changing ones are a choice (iOS "rotating", Windows "change
daily"), so most new addresses are new devices. Shared out among the devices that are away.
"""

DEFAULT_RIVALS = 4
"""Devices that are away, where the caller does not say how many."""

# --- identifiers ------------------------------------------------------------------------------

IDENTIFIER = 5000.0
"""The same identifier of at least 48 random bits. Chance is out of the question (2**-48): this is for
copied disk images, makers that give all units one number, and imitation."""
IDENTIFIER_MORE = 3.0
"""Each further one, at most two: what copies one identifier mostly copies all."""
IDENTIFIER_SURE = 0.8
"""From how distinctive on a value counts as an identifier."""

OTHER_IDENTIFIER = MappingProxyType(
    {
        # RFC 8415 11: a DUID is to stay over changes of address, but clients with privacy in mind make a
        # new one with each (RFC 7844 4.3), so that another one says little.
        Trait.DHCP6_DUID: 0.5,
        Trait.DHCP4_CLIENT_ID: 0.5,
        # HomeKit, Cast and AirPlay ids stay until the device is reset.
        Trait.MDNS_ID: 0.2,
        Trait.SSDP_UUID: 0.3,
        # RFC 7217 5: made from a secret, the network and often the address itself.
        Trait.IP6_INTERFACE_ID: 0.9,
    }
)
"""Both have one of a sort, and none is the same."""

SAME_KEY = 3.0
"""One Wi-Fi passphrase that the box was not told about: a household has few, and several may share one."""
OTHER_KEY = 0.1
"""A device keeps the passphrase it was once given."""

# --- announced names ----------------------------------------------------------------------------

NAME = 15.0
"""The same name, if nobody else would choose it; less as it is less distinctive. Two people of one name,
and families that name all phones alike, are why it is no more."""
OTHER_NAME = 0.15
"""Both give a name of their own and none is the same: people seldom rename a device."""
NAME_OF_ITS_OWN = 0.5
"""From how distinctive on a name is one of its own."""

# --- what kind of device -------------------------------------------------------------------------

SAME_KIND = 2.5
"""All habits the same. Two units of one model with one system are alike in all of these together, and half
of British phones are of one maker: so the whole group counts once."""
OTHER_KIND = 0.2
"""No habit the same: systems are updated, but not all at once."""
CATEGORY_CONTRADICTS = 0.02
CATEGORY_DIFFERS = 0.3
"""Kinds that are easily taken for each other, such as phone and tablet."""
SYSTEM_CONTRADICTS = 0.05
"""Not 0: computers with two systems."""
VENDOR_CONTRADICTS = 0.1
"""Not less: one device shows the brand here and the maker of its radio there."""

KINDRED = (frozenset({"phone", "tablet", "e-reader"}), frozenset({"laptop", "desktop"}))
"""Categories that are easily taken for each other."""

HABITS = MappingProxyType(
    {
        Trait.DHCP4_PARAMETERS: 1.0,
        Trait.DHCP4_OPTIONS: 0.5,
        Trait.DHCP4_VENDOR_CLASS: 1.0,
        Trait.DHCP6_REQUESTED: 0.5,
        Trait.DHCP6_OPTIONS: 0.5,
        Trait.DHCP6_VENDOR_CLASS: 0.5,
        Trait.MDNS_SERVICE: 1.0,
        Trait.MDNS_ASKED: 0.3,
        Trait.MDNS_TXT: 1.5,
        Trait.SSDP_SERVER: 0.5,
        Trait.SSDP_TYPE: 0.5,
        Trait.SSDP_AGENT: 0.5,
        Trait.HTTP_USER_AGENT: 0.5,
        Trait.TLS_JA4: 1.0,
        Trait.QUIC_JA4: 0.5,
        Trait.TCP_SYN: 0.5,
        Trait.PLATFORM: 0.5,
        # No TLS_JA3: browsers shuffle the order it is made of with every connection.
    }
)
"""Weights within the group; habits that follow from one another weigh less."""
HABITS_FULL = 3.0
"""Sum of weights from which on the group counts in full."""

# --- timing --------------------------------------------------------------------------------------

GRACE_SECONDS = 120.0
"""Being there at once up to here is not counted: frames still on their way, clocks read coarsely."""

GAPS = (
    # A device that changes its address joins anew at once. By chance a given new device comes within
    # two minutes of a given other one's leaving about once in a hundred times; but doors open for two,
    # and after a power cut all come at once, so it is worth far less than that hundred. Within seconds
    # nobody walks through a door.
    (15.0, 8.0),
    (120.0, 4.0),
    # Away for a short while and back under a new address.
    (3600.0, 1.5),
    # A working day, a night.
    (14 * 3600.0, 1.0),
    (7 * 86400.0, 0.8),
)
"""Seconds between the last sign of the one and the first of the other, and what that is worth."""
LONG_GAP = 0.4
"""Longer: it may have been given away, and it had many chances to be seen."""
HANDOVER_SECONDS = GAPS[1][0]

# --- names habitually asked for ----------------------------------------------------------------------

ASKED_ALIKE = 8.0
"""All of the rarer names are the same. One person's two devices, and a household's, share many."""
ASKED_UNLIKE = 0.5
ASKED_AT_LEAST = 5
"""Rarer names that both must have asked for before they are compared."""
ASKED_MANY = 20
"""As many of each and hardly one in common speaks against."""

# --- bounds of the answer ------------------------------------------------------------------------------

CAP_IDENTIFIER = 0.97
"""Never surer: an identifier can be copied."""
CAP_BEHAVIOUR = 0.85
"""Without an identifier."""
CAP_NAMES = 0.45
"""Names and kind alone: never enough for a proposal, however alike (R47)."""
FLOOR = 0.01
