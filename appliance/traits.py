"""Traits: what a device lets be seen of itself, as far as it may help to tell what and which it is.

The vocabulary that the sensor speaks and the keeper understands. A trait is one value, text, of one
`Trait`; a device may have several values of a trait. No trait is a looked-up name.
Bounded: a value has at most `MAX_VALUE` characters; the sensor cuts what is longer.
"""

from __future__ import annotations

from enum import StrEnum

MAX_VALUE = 512
"""Characters of a value."""


class Sort(StrEnum):
    """What a trait is good for, and with that how it is kept."""

    HABIT = "habit"
    """How such devices speak; shared by all of a make. Tells what a device is, hardly which."""
    ANNOUNCED = "announced"
    """What the device calls itself; often a person's choice. A third party's is kept as a keyed hash."""
    IDENTIFIER = "identifier"
    """Made to be one device's own. Tells which; kept as a keyed hash where names are."""


class Trait(StrEnum):
    """Traits by protocol; the comment gives the form of the value."""

    DHCP4_PARAMETERS = "dhcp4-parameters"
    """Option 55, decimal, comma-separated, in the client's order."""
    DHCP4_OPTIONS = "dhcp4-options"
    """Codes of all options of a DISCOVER or REQUEST in order, decimal, comma-separated."""
    DHCP4_VENDOR_CLASS = "dhcp4-vendor-class"
    """Option 60."""
    DHCP4_USER_CLASS = "dhcp4-user-class"
    """Option 77."""
    DHCP4_ARCHITECTURE = "dhcp4-architecture"
    """Option 93 (RFC 4578), decimal, comma-separated."""
    DHCP4_HOST_NAME = "dhcp4-host-name"
    """Option 12, or the name in option 81."""
    DHCP4_CLIENT_ID = "dhcp4-client-id"
    """Option 61, hexadecimal; left out where it only repeats the hardware address (type 1)."""
    DHCP6_REQUESTED = "dhcp6-requested"
    """Option Request Option, decimal, comma-separated, in order."""
    DHCP6_OPTIONS = "dhcp6-options"
    """Codes of all top-level options of a client's message in order."""
    DHCP6_VENDOR_CLASS = "dhcp6-vendor-class"
    """Enterprise number, a colon, the first string of data."""
    DHCP6_DUID = "dhcp6-duid"
    """Client identifier, hexadecimal."""
    DHCP6_FQDN = "dhcp6-fqdn"
    """Option 39."""
    ND_ROUTER = "nd-router"
    """`advertises`: the device sends router advertisements."""
    IP6_INTERFACE_ID = "ip6-interface-id"
    """Lower 64 bits of a link-local source address, 16 hexadecimal digits."""
    MDNS_SERVICE = "mdns-service"
    """A service type that the device itself offers, such as `_ipp._tcp`."""
    MDNS_ASKED = "mdns-asked"
    """A service type that the device looks for."""
    MDNS_TXT = "mdns-txt"
    """Service type, a blank, `key=value`, of the keys that name a product (see `dnssd`)."""
    MDNS_INSTANCE = "mdns-instance"
    """Instance name of a service (the first label)."""
    MDNS_HOST = "mdns-host"
    """Host name under .local, without it."""
    MDNS_ID = "mdns-id"
    """`homekit:`, `cast:`, `airplay:`, `matter:` and the like, and the id of the service's TXT."""
    SSDP_SERVER = "ssdp-server"
    """SERVER of a NOTIFY or a response."""
    SSDP_TYPE = "ssdp-type"
    """NT or ST that the device offers: device and service types."""
    SSDP_ASKED = "ssdp-asked"
    """ST of an M-SEARCH."""
    SSDP_AGENT = "ssdp-agent"
    """USER-AGENT of an M-SEARCH."""
    SSDP_UUID = "ssdp-uuid"
    """The uuid of USN."""
    NBNS_NAME = "nbns-name"
    """A NetBIOS name that the device registers as its own (suffix 00 or 20), without padding."""
    LLMNR_NAME = "llmnr-name"
    """A name that the device answers for."""
    HTTP_USER_AGENT = "http-user-agent"
    TLS_JA3 = "tls-ja3"
    """Digest in hexadecimal."""
    TLS_JA4 = "tls-ja4"
    """Of TLS over TCP."""
    QUIC_JA4 = "quic-ja4"
    TCP_SYN = "tcp-syn"
    """See `syn`."""
    SSH_BANNER = "ssh-banner"
    """Software version part of a client's or server's identification (RFC 4253 section 4.2)."""
    PLATFORM = "platform"
    """From a closed table: whose service cloud the device reports to (see `classes`)."""
    WIFI_KEY = "wifi-key"
    """Which passphrase it joined with (hostapd's keyid)."""


_ANNOUNCED = frozenset(
    {
        Trait.DHCP4_HOST_NAME,
        Trait.DHCP6_FQDN,
        Trait.MDNS_INSTANCE,
        Trait.MDNS_HOST,
        Trait.NBNS_NAME,
        Trait.LLMNR_NAME,
    }
)
_IDENTIFIERS = frozenset(
    {
        Trait.DHCP4_CLIENT_ID,
        Trait.DHCP6_DUID,
        Trait.IP6_INTERFACE_ID,
        Trait.MDNS_ID,
        Trait.SSDP_UUID,
        Trait.WIFI_KEY,
    }
)


def sort(trait: Trait) -> Sort:
    """What kind of trait this is."""
    if trait in _ANNOUNCED:
        return Sort.ANNOUNCED
    return Sort.IDENTIFIER if trait in _IDENTIFIERS else Sort.HABIT
