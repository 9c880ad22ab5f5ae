"""The closed tables of names: all that may be said of a name that may not be kept.

Enters: a name in its one spelling. Leaves: what it is for, one of `CLASSES`; or whose service cloud
a device reports to, one of `PLATFORMS` (the value of `Trait.PLATFORM`); or None.
Bounded: the tables are shipped. A suffix matches whole labels: itself and the names below it; of
several that match, the longest counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta

_TABLE: dict[str, tuple[str, ...]] = {
    "push": (
        "push.apple.com",
        "mtalk.google.com",
        "fcm.googleapis.com",
        "wns.windows.com",
        "notify.windows.com",
        "push.services.mozilla.com",
    ),
    "captive": (
        "captive.apple.com",
        "connectivitycheck.gstatic.com",
        "connectivitycheck.android.com",
        "msftconnecttest.com",
        "msftncsi.com",
        "detectportal.firefox.com",
        "nmcheck.gnome.org",
        "connectivity-check.ubuntu.com",
        "network-test.debian.org",
    ),
    "time": (
        "pool.ntp.org",
        "time.apple.com",
        "time.google.com",
        "time.android.com",
        "time.windows.com",
        "time.cloudflare.com",
        "time.nist.gov",
        "ntp.ubuntu.com",
    ),
    "update": (
        "swscan.apple.com",
        "mesu.apple.com",
        "gdmf.apple.com",
        "updates.cdn-apple.com",
        "windowsupdate.com",
        "update.microsoft.com",
        "update.googleapis.com",
        "security.debian.org",
        "security.ubuntu.com",
    ),
    "resolver": (
        "dns.google",
        "cloudflare-dns.com",
        "one.one.one.one",
        "dns.quad9.net",
        "dns.nextdns.io",
        "doh.opendns.com",
        "dns.adguard-dns.com",
        "resolver.arpa",  # RFC 9462: which encrypted resolver stands for this one?
        "use-application-dns.net",  # asked by a browser before it turns to a resolver of its own
    ),
    "relay": ("mask.icloud.com", "mask-h2.icloud.com", "mask-api.icloud.com"),
}

CLASSES = frozenset(_TABLE)
"""All classes there are."""


class Platform(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `platforms.toml`."""

    value: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=40)]
    source: Annotated[str, Meta(min_length=20, max_length=200)]
    """Where it is written that such devices ask for these names."""
    shared: Annotated[str, Meta(max_length=200)]
    """Who else asks for them; empty: hardly anybody."""
    names: Annotated[tuple[str, ...], Meta(min_length=1, max_length=32)]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str
    platform: Annotated[tuple[Platform, ...], Meta(min_length=1, max_length=256)]


@cache
def platforms() -> tuple[Platform, ...]:
    """The shipped table of platforms, in its order.

    Raises:
        msgspec.MsgspecError: the file is not as it should be: a fault of ours.
    """
    text = (resources.files("appliance.sensor") / "platforms.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).platform


_CLASS_OF = {suffix: name_class for name_class, suffixes in _TABLE.items() for suffix in suffixes}
_PLATFORM_OF = {suffix: entry.value for entry in platforms() for suffix in entry.names}
_MOST_LABELS = max(suffix.count(".") for suffix in (*_CLASS_OF, *_PLATFORM_OF)) + 1

PLATFORMS = frozenset(_PLATFORM_OF.values())
"""All values that `platform` gives."""


def name_class(name: str) -> str | None:
    """The class of a name (lower case, no final dot), or None."""
    return _find(_CLASS_OF, name)


def platform(name: str) -> str | None:
    """Whose service cloud a device that asks for a name (lower case, no final dot) reports to, or None."""
    return _find(_PLATFORM_OF, name)


def _find(table: Mapping[str, str], name: str) -> str | None:
    labels = name.rsplit(".", _MOST_LABELS)[-_MOST_LABELS:]
    for first in range(len(labels)):
        found = table.get(".".join(labels[first:]))
        if found is not None:
            return found
    return None
