"""Wi-Fi passphrases and their cards: chance in, a passphrase and its QR code out. Nothing here is stored.

A passphrase is one device's own (N9): the box tells devices apart by it. `WIFI:` is the form that the cameras of
telephones read; special characters are escaped, and a passphrase is made of letters that are not mistaken for others.
"""

from __future__ import annotations

import io
import secrets

import segno

PASSPHRASE_GROUPS = 4
GROUP = 5
MOST_NAME = 32
"""Octets of a Wi-Fi name (IEEE 802.11, 9.4.2.2)."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def make_passphrase() -> str:
    """A fresh one: 20 of 31 characters in groups, 99 bits."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(GROUP)) for _ in range(PASSPHRASE_GROUPS))
    return "-".join(groups)


def wifi_uri(name: str, passphrase: str) -> str:
    """What the QR code holds. WPA3 devices take `WPA` too."""
    return f"WIFI:T:WPA;S:{_escaped(name)};P:{_escaped(passphrase)};;"


def qr_svg(text: str, *, title: str) -> str:
    """A QR code as inline SVG without style attributes; black on white, also in dark mode, or cameras cannot read it."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        dark="#000",
        light="#fff",
        border=4,
        title=title,
        svgclass="gh-qr",
        lineclass=None,
    )
    return out.getvalue().decode().replace("<svg ", '<svg role="img" ', 1)


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in '\\;,:"' else character for character in text)
