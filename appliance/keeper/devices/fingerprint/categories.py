"""The kinds of device there are, which of them are near each other, and their words.

A closed table; imports nothing of ours.
"""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """What a device is for. None in a verdict means: cannot tell."""

    PHONE = "phone"
    TABLET = "tablet"
    LAPTOP = "laptop"
    DESKTOP = "desktop"
    TV = "tv"
    """A television, or a box or stick that plays on one."""
    CONSOLE = "console"
    E_READER = "e-reader"
    WEARABLE = "wearable"
    SPEAKER = "speaker"
    CAMERA = "camera"
    PLUG = "plug"
    PRINTER = "printer"
    ROUTER = "router"
    """Also access points, repeaters and switches: what carries others' traffic."""
    IOT_OTHER = "iot-other"
    """Lamps and their bridges, scales, sensors, kitchen machines, thermostats and the like."""


PRIOR: dict[Category, float] = {
    Category.PHONE: 0.20,
    Category.TABLET: 0.07,
    Category.LAPTOP: 0.11,
    Category.DESKTOP: 0.06,
    Category.TV: 0.10,
    Category.CONSOLE: 0.04,
    Category.E_READER: 0.02,
    Category.WEARABLE: 0.03,
    Category.SPEAKER: 0.07,
    Category.CAMERA: 0.05,
    Category.PLUG: 0.05,
    Category.PRINTER: 0.05,
    Category.ROUTER: 0.04,
    Category.IOT_OTHER: 0.11,
}
"""How common each is in a home, before anything is heard: an assumption, only there to share out doubt."""

WORDS: dict[Category, str] = {
    Category.PHONE: "phone",
    Category.TABLET: "tablet",
    Category.LAPTOP: "laptop",
    Category.DESKTOP: "desktop computer",
    Category.TV: "television or television box",
    Category.CONSOLE: "games console",
    Category.E_READER: "e-reader",
    Category.WEARABLE: "watch or other device that is worn",
    Category.SPEAKER: "speaker",
    Category.CAMERA: "camera",
    Category.PLUG: "smart plug",
    Category.PRINTER: "printer",
    Category.ROUTER: "router or Wi-Fi access point",
    Category.IOT_OTHER: "smart-home device",
}

GROUPS: tuple[tuple[str, frozenset[Category]], ...] = (
    ("phone or tablet", frozenset({Category.PHONE, Category.TABLET})),
    ("computer", frozenset({Category.LAPTOP, Category.DESKTOP})),
    ("television, speaker or other player", frozenset({Category.TV, Category.SPEAKER})),
    ("phone, tablet or watch", frozenset({Category.PHONE, Category.TABLET, Category.WEARABLE})),
    ("tablet or e-reader", frozenset({Category.TABLET, Category.E_READER})),
    ("phone, tablet or computer", frozenset({Category.PHONE, Category.TABLET, Category.LAPTOP, Category.DESKTOP})),
    (
        "smart-home device",
        frozenset({Category.CAMERA, Category.PLUG, Category.IOT_OTHER}),
    ),
    (
        "device for the home, such as a television, speaker, camera or plug",
        frozenset({Category.CAMERA, Category.PLUG, Category.IOT_OTHER, Category.SPEAKER, Category.TV}),
    ),
)
"""What may be said when one category is not sure but these together are; the narrower first."""

_NEAR: frozenset[frozenset[Category]] = frozenset(
    {
        frozenset({Category.PHONE, Category.TABLET}),
        frozenset({Category.PHONE, Category.WEARABLE}),
        frozenset({Category.TABLET, Category.E_READER}),
        frozenset({Category.TABLET, Category.LAPTOP}),
        frozenset({Category.LAPTOP, Category.DESKTOP}),
        frozenset({Category.TV, Category.SPEAKER}),
        frozenset({Category.TV, Category.CONSOLE}),
        frozenset({Category.SPEAKER, Category.IOT_OTHER}),
        frozenset({Category.CAMERA, Category.IOT_OTHER}),
        frozenset({Category.PLUG, Category.IOT_OTHER}),
        frozenset({Category.ROUTER, Category.IOT_OTHER}),
        # A computer or a phone may share its connection and then speaks as a router too.
        frozenset({Category.ROUTER, Category.DESKTOP}),
        frozenset({Category.ROUTER, Category.LAPTOP}),
        frozenset({Category.ROUTER, Category.PHONE}),
    }
)


def compatible(one: Category, other: Category) -> bool:
    """Whether a single honest device may appear as both."""
    return one is other or frozenset({one, other}) in _NEAR


UNDERNEATH: dict[str, str] = {
    "Android": "Linux",
    "ChromeOS": "Linux",
    "Fire OS": "Android",
    "HarmonyOS": "Android",
    "Tizen": "Linux",
    "webOS": "Linux",
    "Roku OS": "Linux",
    "iPadOS": "iOS",
    "watchOS": "iOS",
    "tvOS": "iOS",
    "Xbox": "Windows",
}
"""An operating system and what it is built on: evidence of the lower one does not speak against the upper."""

OS_FAMILIES: frozenset[str] = frozenset(
    {*UNDERNEATH, *UNDERNEATH.values(), "macOS", "embedded", "PlayStation", "Nintendo", "BSD"}
)
"""All that may be said of an operating system; `embedded`: a small system of a device's own."""

_HANDHELD = frozenset({Category.PHONE, Category.TABLET, Category.WEARABLE})
_COMPUTERS = frozenset({Category.LAPTOP, Category.DESKTOP})
_PLAYERS = frozenset({Category.TV, Category.SPEAKER})

RUNS_ON: dict[str, frozenset[Category]] = {
    "iOS": _HANDHELD | _PLAYERS,
    "iPadOS": _HANDHELD,
    "watchOS": _HANDHELD,
    "tvOS": _PLAYERS,
    "macOS": _COMPUTERS,
    "Windows": _COMPUTERS | {Category.TABLET, Category.CONSOLE},
    "ChromeOS": _COMPUTERS | {Category.TABLET},
    "Android": _HANDHELD | _PLAYERS | {Category.E_READER, Category.CONSOLE, Category.LAPTOP},
    "HarmonyOS": _HANDHELD | _PLAYERS | {Category.LAPTOP},
    "Fire OS": _HANDHELD | _PLAYERS | {Category.E_READER},
    "Roku OS": _PLAYERS,
    "Xbox": frozenset({Category.CONSOLE}),
    "PlayStation": frozenset({Category.CONSOLE}),
    "Nintendo": frozenset({Category.CONSOLE}),
    "embedded": frozenset(Category) - _HANDHELD - _COMPUTERS - {Category.TV},
}
"""Where a system is found in ordinary homes; one that is not listed is found everywhere. The systems of Apple
share one way of asking for an address."""
