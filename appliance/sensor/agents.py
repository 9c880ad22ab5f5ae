"""User-Agents without the applications that people choose.

Enters: the text of a User-Agent. Leaves: what it says of the device and its system, perhaps nothing. The
name of an application says what a person does, so it leaves no more than a looked-up name does, see
`observe`. Bounded: linear in the text; `_CACHED` answers remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CACHED = 1024
_TOKEN = re.compile(r"\([^()]*\)|[^\s()]+")
_BUNDLE = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+){2,}|build:.*", re.IGNORECASE)
"""In a comment: an application's identifier (`com.example.app`), or its build."""
_NUMBER = re.compile(r"[0-9.]+")
_VERSION = re.compile(r"[-,][0-9].*")
_MODEL = re.compile(
    r"(?:appletv|audioaccessory|imac|ipad|iphone|ipod|mac(?:book(?:air|pro)?|mini|pro)?|watch)[0-9]{1,2},[0-9]{1,2}"
    r"|d(?:cs|sp|ch)-[a-z]?[0-9]{2,4}[a-z0-9]{0,3}"
)
"""Apple's and D-Link's model numbers, lower case."""

_SYSTEMS = """
    android androiddownloadmanager apt apt-http captivenetworksupport cfnetwork cros dalvik darwin debian
    ios ipad iphone ipod linux mac macintosh macos microsoft microsoft-cryptoapi microsoft-delivery-optimization
    ncsi networkmanager os snapd systemd tvos ubuntu watchos windows windows-update-agent winhttp wininet x
"""
"""Systems, and what they ask for by themselves."""
_BROWSERS = """
    applewebkit chrome chromium crios edg edga edge edgios firefox fxios gecko google khtml like mobile mozilla opr
    safari samsungbrowser silk trident version
"""
"""Browsers and what they are made of: every device has one."""
_LIBRARIES = """
    applecoremedia axios build curl exoplayerlib libcurl libupnp lwip okhttp portable python-requests python-urllib scale
    sdk upnp useragent user-agent webkit wget
"""
_DEVICES = """
    amazon apple appletv arduino asus belkin bose bravia brother canon d-link dlink dlnadoc edimax epson
    esp32 esp8266 esp8266httpclient fitbit fritz!box garmin hbbtv home homeassistant hp hue kasa kindle kobo lg lge
    netcast netgear nest nifm nintendo nintendobrowser nx panasonic philips playstation playstation4 playstation5
    ps4 ps5 quest ring roku samsung sharp shelly smart-tv smarttv sonos sony synology tapo tizen tp-link tplink tuya
    ubiquiti viera web0s webos wemo withings xbox xiaomi
"""
"""Devices and their makers."""
_KEPT = frozenset(f"{_SYSTEMS} {_BROWSERS} {_LIBRARIES} {_DEVICES}".split())
"""First parts of product tokens that stay, lower case; all else is taken for an application."""


@lru_cache(maxsize=_CACHED)
def without_applications(agent: str) -> str:
    """What stays of a User-Agent; empty where it names an application and nothing else."""
    kept = []
    for token in _TOKEN.findall(agent):
        if token.startswith("("):
            parts = [part.strip() for part in token[1:-1].split(";")]
            spoken = [
                _without_products(part) for part in parts if _NUMBER.fullmatch(part) or not _BUNDLE.fullmatch(part)
            ]
            if comment := "; ".join(filter(None, spoken)):
                kept.append(f"({comment})")
        elif _is_known(token):
            kept.append(token)
    return " ".join(kept)


def _without_products(part: str) -> str:
    """A part of a comment without products of a version (`Name/1.2`) that are taken for applications."""
    if "/" not in part:
        return part
    return " ".join(
        word for word in part.split() if "/" not in word or _is_known(word) or _NUMBER.fullmatch(word.partition("/")[0])
    )


def _is_known(product: str) -> bool:
    first = product.partition("/")[0].strip(",;[]").lower()
    # A version may follow a hyphen or a comma as well (`CaptiveNetworkSupport-443`, `[watchOS,10.1,...`).
    return first in _KEPT or _MODEL.fullmatch(first) is not None or _VERSION.sub("", first) in _KEPT
