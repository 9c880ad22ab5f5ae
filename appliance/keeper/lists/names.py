"""Domain names in one form, so that two spellings of one name compare equal; and as people would read them.

In: text of a list or of a question. Out: lower-case A-labels without a final dot, or None for what
is no name; for people, the letters of A-labels, and a remark where letters could deceive.
Bounded: 253 characters, 127 labels of at most 63 (RFC 1035 section 2.3.4).
"""

from __future__ import annotations

import re
import unicodedata

import idna

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
MAX_NAME = 253

_LATIN_TWINS = frozenset("асԁеһіјӏорԛѕԝхуѵүαινορτυωх")
"""Letters of other scripts that are drawn like Latin ones; enough to remark on, no complete table."""

_TOGETHER = (frozenset({"CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO"}), frozenset({"CJK", "HANGUL"}))
"""Scripts that one language writes side by side."""


def normalise(text: str) -> str | None:
    """The one form of a name; labels in other scripts become A-labels (RFC 5891, UTS 46)."""
    name = text.strip().rstrip(".").lower()
    if not name or len(name) > 4 * MAX_NAME:
        return None
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            return None
    if len(name) > MAX_NAME or _NAME.fullmatch(name) is None:
        return None
    return name


def shown(name: str) -> str | None:
    """A name in letters where it is written in A-labels (RFC 5890 section 2.3.2.1); None where it is not.

    An A-label that does not decode to printable text stays as it is.
    """
    if "xn--" not in name:
        return None
    labels = [_letters(label) for label in name.split(".")]
    letters = ".".join(labels)
    return letters if letters != name and len(letters) <= MAX_NAME else None


def _letters(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        # Not `idna.decode`: it refuses labels that no registry should give out, and those are the ones to show.
        text = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    text = unicodedata.normalize("NFC", text)
    # Marks of direction and other invisible characters would make the text on a page lie.
    return text if text and text.isprintable() and "." not in text else label


def scripts(text: str) -> tuple[str, ...]:
    """Scripts of the letters, in alphabetical order, such as `Cyrillic`, `Latin`; digits and marks have none."""
    found = set()
    for letter in text:
        if unicodedata.category(letter)[0] == "L":
            found.add(unicodedata.name(letter, "UNKNOWN").split()[0].partition("-")[0])
    return tuple(script.upper() if script == "CJK" else script.capitalize() for script in sorted(found))


def remark(name: str) -> str | None:
    """A sentence about a name whose letters could be taken for others; None where there is nothing to say."""
    letters = shown(name)
    if letters is None:
        return None
    for label in letters.split("."):
        used = scripts(label)
        if len(used) > 1 and not any({item.upper() for item in used} <= together for together in _TOGETHER):
            return f"Its letters are of more than one script: {' and '.join((', '.join(used[:-1]), used[-1]))}."
        if label and not label.isascii() and all(item in _LATIN_TWINS or item in "-0123456789" for item in label):
            return f"Its letters are {used[0] if used else 'foreign'} ones that look like Latin letters."
    return None
