"""Plain words for what is stored: dates, severity, standing, confidence, and foreign text made harmless.

Pure: strings and numbers in, strings out. Text that came from a network is bounded (`plain`) and
every character that cannot be seen, or that turns the line around, is written out.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, tzinfo

from dashboard.i18n import N_, _, ngettext, twelve_hours
from wire.base import Standing
from wire.findings import Grade, Severity
from wire.models import JoinedBy

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are never printed as they are: controls, bidi and other format marks, surrogates."""
_COMBINING = frozenset({"Mn", "Me"})
_MOST_MARKS = 2
"""Combining marks kept on one character; more only serve to paint over the neighbouring lines."""
_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)

SEVERITIES: tuple[str, ...] = tuple(Severity)
"""Worst first."""

_SEVERITY = {
    Severity.ACT_NOW: N_("Act now"),
    Severity.TODAY: N_("Today"),
    Severity.THIS_WEEK: N_("This week"),
    Severity.INFORMATION: N_("For information"),
}
_STANDING = {
    Standing.REGISTERED: N_("Registered"),
    Standing.HOUSEHOLD: N_("Household member"),
    Standing.GUEST: N_("Guest"),
    Standing.WORK: N_("Work device"),
    Standing.INFRASTRUCTURE: N_("Part of the home network"),
    Standing.UNKNOWN: N_("Not registered"),
    Standing.REFUSED: N_("Refused"),
}
CATEGORIES = {
    "phone": N_("phone"),
    "tablet": N_("tablet"),
    "laptop": N_("laptop"),
    "desktop": N_("desktop computer"),
    "tv": N_("television or television box"),
    "console": N_("games console"),
    "e-reader": N_("e-reader"),
    "wearable": N_("watch or other device that is worn"),
    "speaker": N_("speaker"),
    "camera": N_("camera"),
    "plug": N_("smart plug"),
    "printer": N_("printer"),
    "router": N_("router or Wi-Fi access point"),
    "iot-other": N_("other smart-home device"),
}
"""Kinds of device, as the wire says them, in words."""
_JOINED = {
    JoinedBy.KEY: N_("It joined the Wi-Fi with the passphrase that is this device's own"),
    JoinedBy.IDENTIFIER: N_("It showed an identifier that an officer has confirmed as this device's"),
    JoinedBy.PERSON: N_("An officer said that it is this device"),
}
_GRADES = {
    Grade.LOW: N_("A weak sign"),
    Grade.MEDIUM: N_("A clear sign"),
    Grade.HIGH: N_("A strong sign"),
}
# The yardstick that UK police and probation analysts already read: a word for a band of probability.
_YARDSTICK = (
    (0.95, N_("Almost certain")),
    (0.775, N_("Highly likely")),
    (0.525, N_("Likely")),
    (0.375, N_("A realistic possibility")),
    (0.225, N_("Unlikely")),
    (0.075, N_("Highly unlikely")),
    (0.0, N_("A remote chance")),
)


def plain(text: object, limit: int = 300) -> str:
    """Text from elsewhere, safe to print on one line: hidden characters written out as `[U+202E]`, at most `limit`."""
    kept: list[str] = []
    marks = 0
    for character in str(text)[: limit + 1]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _COMBINING else 0
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
    return f"{local.day} {_(_MONTHS[local.month - 1])} {local.year}"


def date_time(at: float, zone: tzinfo) -> str:
    """`14 January 2026, 21:04`, in the zone's time."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{date(at, zone)}, {_time(local)}"


def date_time_seconds(at: float, zone: tzinfo) -> str:
    """`14 January 2026, 21:04:09`."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{date(at, zone)}, {_time(local, seconds=True)}"


def _time(local: datetime, *, seconds: bool = False) -> str:
    # As the operator sets: 21:04, or 9:04pm.
    if not twelve_hours():
        return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    last = f"{local:%M:%S}" if seconds else f"{local:%M}"
    return f"{local.hour % 12 or 12}:{last}{'am' if local.hour < 12 else 'pm'}"


def machine(at: float) -> str:
    """The same moment for `<time datetime>`, to the millisecond (the most that HTML allows)."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def zone_words(at: float, zone: tzinfo, name: str) -> str:
    """How the page says which time it keeps: `UK time (GMT)`."""
    abbreviation = datetime.fromtimestamp(at, UTC).astimezone(zone).tzname() or "UTC"
    return f"{zone_name(name)} ({abbreviation})"


def zone_name(name: str) -> str:
    """The zone itself, summer and winter: `UK time`."""
    return _("UK time") if name == "Europe/London" else _("%(place)s time", place=name)


def severity(value: str) -> str:
    """The severity in words; an unknown one of a newer box is shown as it is."""
    return _(_SEVERITY[Severity(value)]) if value in SEVERITIES else plain(value, 20)


def severity_key(value: str) -> str:
    """Name of the severity's shape; an unknown one takes the quietest."""
    return value.replace("_", "-") if value in SEVERITIES else "information"


def severity_rank(value: str) -> int:
    """0 for the worst; unknown severities come last."""
    return SEVERITIES.index(value) if value in SEVERITIES else len(SEVERITIES)


def standing(value: str) -> str:
    """The standing in words."""
    return _(_STANDING[Standing(value)]) if value in tuple(Standing) else plain(value, 20)


def category(value: str) -> str:
    """The kind of device in words; an unknown one of a newer box is shown as it is."""
    return _(CATEGORIES[value]) if value in CATEGORIES else plain(value, 20)


def address_kind(*, made_up: bool, rotating: bool | None) -> str:
    """Where a hardware address comes from, in words."""
    if not made_up:
        return _("Maker's address")
    if rotating is None:
        return _("Made-up address")
    return _("Made-up address, changes") if rotating else _("Made-up address, keeps it")


def joined(by: JoinedBy | None) -> str:
    """Why an address counts as a device's; empty for the one that the device was first known by."""
    return "" if by is None else _(_JOINED[by])


def time_or_date(at: float, now: float, zone: tzinfo) -> str:
    """`21:04` for a moment of today, else `14 January 2026, 21:04`."""
    if date(at, zone) != date(now, zone):
        return date_time(at, zone)
    return _time(datetime.fromtimestamp(at, UTC).astimezone(zone))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `3 hours 5 minutes`."""
    minutes = round(max(0.0, seconds) / 60)
    if minutes < 1:
        return _("less than a minute")
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    named = [
        text
        for number, text in (
            (days, ngettext("%(num)d day", "%(num)d days", days)),
            (hours, ngettext("%(num)d hour", "%(num)d hours", hours)),
            (minutes, ngettext("%(num)d minute", "%(num)d minutes", minutes)),
        )
        if number
    ]
    return " ".join(named[:2])


def confidence(value: float) -> str:
    """Probability as the yardstick's word and a round figure: `Highly likely (about 85%)`."""
    word = next((word for least, word in _YARDSTICK if value >= least), _YARDSTICK[-1][1])
    figure = int(max(0.0, min(1.0, value)) * 20 + 0.5) * 5
    # What falls just short of the highest word has no figure of it.
    figure = figure if value >= _YARDSTICK[0][0] else min(figure, 90)
    return _("%(word)s (about %(figure)s%%)", word=_(word), figure=figure)


def grade(value: str) -> str:
    """How strong a sign is, in words."""
    return _(_GRADES[Grade(value)]) if value in tuple(Grade) else plain(value, 20)


def agree(signals: int) -> str:
    """How many independent signals agree; one alone is said so (S5)."""
    if signals < 2:
        return _("It rests on one signal alone")
    return _("%(number)s independent signals agree", number=f"{signals:,}")


def count(number: int, one: str, many: str) -> str:
    """`1 device`, `3 devices`."""
    return f"{number:,} {one if number == 1 else many}"
