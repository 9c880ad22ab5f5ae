"""What the notice says, as text: settings and the keeper's `Notice` in, headings and sentences out.

The porch shows it and the keeper proves it: both make it with this module, so that the digest of what somebody read
is the digest of what was shown. The words are for everybody in the household, without network terms. They say what
is kept and what is not, never how anything is detected, and ask nobody to watch or report anybody (R58).
Pure. Bounded: `MAX_LINES` lines of at most `MAX_LINE` characters are proved.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from appliance.messages import Notice
from appliance.settings import NoticeSettings

MAX_LINES = 64
MAX_LINE = 300

BASES = {
    "order": "a court order",
    "licence_condition": "a licence condition",
    "consent": "a written consent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, then paragraphs, then a list."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    panel: bool = False
    """Set off from the rest."""


def sections(notice: Notice | None, settings: NoticeSettings, language: str = "en") -> tuple[Section, ...]:
    """The notice; without the keeper's word, what holds whatever it says."""
    return LANGUAGES.get(language, _english)(notice, settings)


def lines(shown: tuple[Section, ...]) -> tuple[str, ...]:
    """The notice as lines, for the payload that proves what was shown."""
    whole = [text for section in shown for text in (section.title, *section.paragraphs, *section.items)]
    cut = [text[start : start + MAX_LINE] for text in whole for start in range(0, max(len(text), 1), MAX_LINE)]
    return tuple(cut[:MAX_LINES])


def digest(shown: tuple[Section, ...]) -> str:
    """SHA-256 over the lines, in UTF-8, with a line feed between."""
    return hashlib.sha256("\n".join(lines(shown)).encode()).hexdigest()


def when(moment: float) -> str:
    """Unix seconds as `14 January 2026 at 09:05 (UTC)`; the box does not know the reader's time zone."""
    then = dt.datetime.fromtimestamp(moment, tz=dt.UTC)
    return f"{then.day} {then:%B %Y} at {then:%H:%M} (UTC)"


def _english(notice: Notice | None, settings: NoticeSettings) -> tuple[Section, ...]:
    shown = [
        Section(
            title="About the box on this internet connection",
            paragraphs=(
                f"This home\u2019s internet goes through a box that belongs to {settings.operator}.",
                "It is there openly: everybody who uses this connection may know about it and read this page.",
            ),
        ),
        Section(title="What it is doing now", paragraphs=(_state(notice),), panel=True),
    ]
    if notice is not None and notice.kept:
        shown.append(Section(title="What it keeps, and of which devices", items=notice.kept))
    shown += [
        Section(
            title="What it cannot see",
            items=(
                "What is on a page, in a message, in a picture or in a call.",
                "Passwords, and what is typed or searched for.",
                "Which person is using a device.",
                "Anything that is kept on a device, or done without the internet.",
                "Anything done over a connection other than this one.",
            ),
        ),
        Section(
            title="If you live here or are visiting",
            paragraphs=(
                "Your internet should work as usual. The box may note that your device was here.",
                "It does not keep the names of the sites you visit unless this page says so.",
                "Nobody in this home is asked to watch or to report anybody else.",
            ),
        ),
        Section(title="Who to ask", paragraphs=(settings.contact,)),
        Section(title="How to complain, or to have something put right", paragraphs=(settings.complaints,)),
    ]
    if settings.help_lines:
        shown.append(Section(title="Help you can ask for in confidence", items=settings.help_lines))
    return tuple(shown)


def _state(notice: Notice | None) -> str:
    if notice is None:
        return (
            "Details are not available right now. Please look again in a few minutes, or ask: the contact is below. "
            "What else this page says holds all the same."
        )
    if not notice.recording:
        return "The box is keeping no records about devices."
    basis = BASES.get(notice.kind or "")
    until = "" if notice.until is None else f", until {when(notice.until)}"
    return f"The box is keeping records{f' under {basis}' if basis else ''}{until}. Then it stops by itself."


LANGUAGES: dict[str, Callable[[Notice | None, NoticeSettings], tuple[Section, ...]]] = {"en": _english}
"""By language tag. Another language is another function here and in the porch's own words."""
