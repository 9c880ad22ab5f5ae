"""Plain words for what is stored: dates, severity, standing, confidence, and foreign text made harmless.

Pure: strings and numbers in, strings out. Text that came from a network is bounded (`plain`) and
every character that cannot be seen, or that turns the line around, is written out.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, tzinfo

from wire.base import Standing
from wire.findings import Grade, Severity
from wire.models import JoinedBy

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are never printed as they are: controls, bidi and other format marks, surrogates."""
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 2
"""Combining marks kept on one character; more only serve to paint over the neighbouring lines."""
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

SEVERITIES: tuple[str, ...] = tuple(Severity)
"""Worst first."""

_SEVERITY = {
    Severity.ACT_NOW: "Act now",
    Severity.TODAY: "Today",
    Severity.THIS_WEEK: "This week",
    Severity.INFORMATION: "For information",
}
_STANDING = {
    Standing.REGISTERED: "Registered",
    Standing.HOUSEHOLD: "Household member",
    Standing.GUEST: "Guest",
    Standing.WORK: "Work device",
    Standing.INFRASTRUCTURE: "Part of the home network",
    Standing.UNKNOWN: "Not registered",
    Standing.REFUSED: "Refused",
}
CATEGORIES = {
    "phone": "phone",
    "tablet": "tablet",
    "laptop": "laptop",
    "desktop": "desktop computer",
    "tv": "television or television box",
    "console": "games console",
    "e-reader": "e-reader",
    "wearable": "watch or other device that is worn",
    "speaker": "speaker",
    "camera": "camera",
    "plug": "smart plug",
    "printer": "printer",
    "router": "router or Wi-Fi access point",
    "iot-other": "other smart-home device",
}
"""Kinds of device, as the wire says them, in words."""
_JOINED = {
    JoinedBy.KEY: "It joined the Wi-Fi with the passphrase that is this device's own",
    JoinedBy.IDENTIFIER: "It showed an identifier that an officer has confirmed as this device's",
    JoinedBy.PERSON: "An officer said that it is this device",
}
_GRADES = {
    Grade.LOW: "A weak sign",
    Grade.MEDIUM: "A clear sign",
    Grade.HIGH: "A strong sign",
}
# The yardstick that UK police and probation analysts already read: a word for a band of probability.
_YARDSTICK = (
    (0.95, "Almost certain"),
    (0.775, "Highly likely"),
    (0.525, "Likely"),
    (0.375, "A realistic possibility"),
    (0.225, "Unlikely"),
    (0.075, "Highly unlikely"),
    (0.0, "A remote chance"),
)


def plain(text: object, limit: int = 300) -> str:
    """Text from elsewhere, safe to print on one line: hidden characters written out as `[U+202E]`, at most `limit`."""
    kept: list[str] = []
    marks = 0
    for character in str(text)[: limit + 1]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if category in _HIDDEN:
            kept.append(f"[U+{ord(character):04X}]")
        elif marks <= _MOST_MARKS:
            kept.append(character)
    whole = "".join(kept)
    return whole if len(whole) <= limit else whole[:limit] + "…"


def defang(name: object) -> str:
    """A logged name so written that nothing takes it for a link (R42): `example[.]test`."""
    return plain(name, 253).replace(":", "[:]").replace(".", "[.]").replace("@", "[at]")


def date(at: float, zone: tzinfo) -> str:
    """`14 January 2026`."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def date_time(at: float, zone: tzinfo) -> str:
    """`14 January 2026, 21:04`, in the zone's time."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{date(at, zone)}, {local:%H:%M}"


def date_time_seconds(at: float, zone: tzinfo) -> str:
    """`14 January 2026, 21:04:09`."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{date(at, zone)}, {local:%H:%M:%S}"


def machine(at: float) -> str:
    """The same moment for `<time datetime>`, to the millisecond (the most that HTML allows)."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def zone_words(at: float, zone: tzinfo, name: str) -> str:
    """How the page says which time it keeps: `UK time (GMT)`."""
    abbreviation = datetime.fromtimestamp(at, UTC).astimezone(zone).tzname() or "UTC"
    place = "UK time" if name == "Europe/London" else f"{name} time"
    return f"{place} ({abbreviation})"


def severity(value: str) -> str:
    """The severity in words; an unknown one of a newer box is shown as it is."""
    return _SEVERITY[Severity(value)] if value in SEVERITIES else plain(value, 20)


def severity_key(value: str) -> str:
    """Name of the severity's shape; an unknown one takes the quietest."""
    return value.replace("_", "-") if value in SEVERITIES else "information"


def severity_rank(value: str) -> int:
    """0 for the worst; unknown severities come last."""
    return SEVERITIES.index(value) if value in SEVERITIES else len(SEVERITIES)


def standing(value: str) -> str:
    """The standing in words."""
    return _STANDING[Standing(value)] if value in tuple(Standing) else plain(value, 20)


def category(value: str) -> str:
    """The kind of device in words; an unknown one of a newer box is shown as it is."""
    return CATEGORIES.get(value) or plain(value, 20)


def address_kind(*, made_up: bool, rotating: bool | None) -> str:
    """Where a hardware address comes from, in words."""
    if not made_up:
        return "Maker's address"
    if rotating is None:
        return "Made-up address"
    return "Made-up address, changes" if rotating else "Made-up address, keeps it"


def joined(by: JoinedBy | None) -> str:
    """Why an address counts as a device's; empty for the one that the device was first known by."""
    return "" if by is None else _JOINED[by]


def time_or_date(at: float, now: float, zone: tzinfo) -> str:
    """`21:04` for a moment of today, else `14 January 2026, 21:04`."""
    if date(at, zone) != date(now, zone):
        return date_time(at, zone)
    return f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%H:%M}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `3 hours 5 minutes`."""
    minutes = round(max(0.0, seconds) / 60)
    if minutes < 1:
        return "less than a minute"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    named = [
        count(number, one, f"{one}s") for number, one in ((days, "day"), (hours, "hour"), (minutes, "minute")) if number
    ]
    return " ".join(named[:2])


def confidence(value: float) -> str:
    """Probability as the yardstick's word and a round figure: `Highly likely (about 85%)`."""
    word = next((word for least, word in _YARDSTICK if value >= least), _YARDSTICK[-1][1])
    figure = int(max(0.0, min(1.0, value)) * 20 + 0.5) * 5
    # What falls just short of the highest word has no figure of it.
    return f"{word} (about {figure if value >= _YARDSTICK[0][0] else min(figure, 90)}%)"


def grade(value: str) -> str:
    """How strong a sign is, in words."""
    return _GRADES[Grade(value)] if value in tuple(Grade) else plain(value, 20)


def agree(signals: int) -> str:
    """How many independent signals agree; one alone is said so (S5)."""
    return f"{signals:,} independent signals agree" if signals > 1 else "It rests on one signal alone"


def count(number: int, one: str, many: str) -> str:
    """`1 device`, `3 devices`."""
    return f"{number:,} {one if number == 1 else many}"
