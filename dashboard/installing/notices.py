"""The notice that everybody at the address is given, in their language: a document's clauses in, sentences out.

It says what the box itself says on its own page (R59): what is kept of which devices, until when, what cannot be seen,
whom to ask, how to complain; and that nobody is asked to watch or report anybody (R58, S8). The sentences lie in
`dashboard/translations/notices`, a file a language; each language says whether a person has read it through, and
English always stands beside it. Never how anything is detected. Bounded: `MOST_FILE` octets a file.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wire.authority import Authority, BlockClause, CollectClause, DataClass, QuarantineClause
from wire.base import Standing

MOST_FILE = 64 * 1024
FOLDER = Path(__file__).parents[1] / "translations" / "notices"
LANGUAGES = ("en", "cy", "pl", "ro", "pa", "ur", "bn", "ar", "so", "pt")
"""Order in which they are offered: English, then those most spoken at home in England and Wales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice in one language."""

    language: str
    direction: str
    """ltr or rtl."""
    machine_made: bool
    """No person has read it through yet."""
    title: str
    sections: tuple[Section, ...]
    receipt: str
    """The sentence under which somebody signs."""
    consent: str
    """The sentence under which somebody agrees."""
    sha256: str
    """Of all of it, so that what was given can be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Whose box it is, and whom to ask."""

    name: str
    contact: str
    complaints: str
    help_lines: tuple[str, ...]


def names() -> tuple[tuple[str, str], ...]:
    """Codes of the languages and their own names."""
    return tuple((code, words(code)["name"]) for code in LANGUAGES)


@cache
def words(language: str) -> Mapping[str, Any]:
    """Sentences of a language; English for one that there is none of."""
    path = FOLDER / f"{language if language in LANGUAGES else 'en'}.toml"
    with path.open("rb") as file:
        return tomllib.loads(file.read(MOST_FILE).decode())


def notice(document: Authority | None, operator: Operator, language: str, *, day: Callable[[float], str]) -> Notice:
    """The notice.

    Args:
        document: what the box may keep; None where there is no order yet.
        operator: whose box.
        language: code; English for an unknown one.
        day: a moment as a date of the reader.
    """
    said = words(language)
    sections = [
        Section(title=said["about_title"], paragraphs=tuple(_filled(text, operator) for text in said["about"])),
        Section(title=said["now_title"], paragraphs=(_basis(said, document, day),)),
    ]
    kept = () if document is None else _kept(said, document)
    if kept:
        sections.append(Section(title=said["kept_title"], items=kept))
    sections += [
        Section(title=said["cannot_title"], items=tuple(said["cannot"])),
        Section(title=said["living_title"], paragraphs=tuple(said["living"])),
        Section(title=said["partner_title"], paragraphs=tuple(said["partner"])),
        Section(title=said["ask_title"], paragraphs=(operator.contact, said["box_page"])),
        Section(title=said["complain_title"], paragraphs=(operator.complaints,)),
    ]
    if operator.help_lines:
        sections.append(Section(title=said["help_title"], items=operator.help_lines))
    lines = [text for item in sections for text in (item.title, *item.paragraphs, *item.items)]
    return Notice(
        language=language if language in LANGUAGES else "en",
        direction=said["direction"],
        machine_made=said["machine_made"],
        title=said["title"],
        sections=tuple(sections),
        receipt=said["receipt"],
        consent=said["consent"],
        sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def _basis(said: Mapping[str, Any], document: Authority | None, day: Callable[[float], str]) -> str:
    if document is None:
        return str(said["nothing"])
    # The last moment is midnight after the last day; the day before is what people call the end.
    until = day(document.not_after.timestamp() - 1)
    text: str = said["basis"][document.kind]
    return text.replace("{since}", day(document.not_before.timestamp())).replace("{until}", until)


def _kept(said: Mapping[str, Any], document: Authority) -> tuple[str, ...]:
    what: dict[Standing, list[DataClass]] = {}
    lines = []
    for clause in document.clauses:
        match clause:
            case CollectClause():
                for standing in clause.standings:
                    held = what.setdefault(standing, [])
                    held += [one for one in clause.classes if one not in held]
            case QuarantineClause():
                lines.append(said["held"])
            case BlockClause():
                lines.append(said["blocked"])
            case _:
                pass
    groups: dict[tuple[DataClass, ...], list[Standing]] = {}
    for standing in Standing:
        if standing in what:
            groups.setdefault(tuple(one for one in DataClass if one in what[standing]), []).append(standing)
    comma = said["comma"]
    told = [
        said["kept"]
        .replace("{whose}", comma.join(said["whose"][one] for one in standings))
        .replace("{what}", comma.join(said["what"][one] for one in classes))
        for classes, standings in groups.items()
    ]
    return (*told, *lines)


def _filled(text: str, operator: Operator) -> str:
    return text.replace("{operator}", operator.name)
