"""The closed table of name classes: all that may be said of a name that may not be kept.

Enters: a name in its one spelling. Leaves: one of `CLASSES`, or None. Bounded: the table is shipped.
A suffix matches whole labels: itself and the names below it.
"""

from __future__ import annotations

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

_SUFFIXES = {suffix: name_class for name_class, suffixes in _TABLE.items() for suffix in suffixes}
_MOST_LABELS = max(suffix.count(".") for suffix in _SUFFIXES) + 1


def name_class(name: str) -> str | None:
    """The class of a name (lower case, no final dot), or None."""
    labels = name.rsplit(".", _MOST_LABELS)[-_MOST_LABELS:]
    for first in range(len(labels)):
        found = _SUFFIXES.get(".".join(labels[first:]))
        if found is not None:
            return found
    return None
