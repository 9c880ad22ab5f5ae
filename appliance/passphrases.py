"""The file of passphrases that hostapd reads (`wpa_psk_file`), written and read back. Pure.

In: passphrases with what they are for and until when. Out: lines of hostapd, with a line of ours before each that is not
one device's own. Whoever writes the file first knows only hostapd's lines; those are read too. Bounded: `MAX_PASSPHRASES`
entries, `MAX_FILE` characters, lines of `_LINE` (hostapd 2.10 reads 127 octets at a time, and stops at what it cannot read:
nobody could join any more). What is read as nonsense is left out and counted, never raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from appliance.messages import MAX_PASSPHRASES, Passphrase

HOUSEHOLD = "household"
"""Id of the passphrase that everybody in the home has."""
SET_UP = "setup"
"""Id of the one on the label, for the time before a box is anybody's."""
MAX_FILE = 32 * 1024
_LINE = 126
_HEAD = re.compile(r"# written=([0-9]{1,10})")
_NOTE = re.compile(r"# purpose=(device|guest|household)(?: ends=([0-9]{1,10}))?")
_ENTRY = re.compile(r"keyid=(?P<key_id>\S+) 00:00:00:00:00:00 (?P<passphrase>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PassphraseFile:
    """What a file says."""

    keys: tuple[Passphrase, ...] = ()
    written: float = 0.0
    """Unix seconds when it was written; 0 where it does not say."""
    unread: int = 0
    """Lines that are none of these."""


def ordered(keys: Iterable[Passphrase]) -> tuple[Passphrase, ...]:
    """That of the household first, the others by their ids."""
    return tuple(sorted(keys, key=lambda each: (each.key_id != HOUSEHOLD, each.key_id)))


def render(keys: Sequence[Passphrase], *, written: float) -> str:
    """The file.

    Raises:
        ValueError: more than `MAX_PASSPHRASES`, or a line that hostapd would not read.
    """
    if len(keys) > MAX_PASSPHRASES:
        raise ValueError(f"{len(keys)} passphrases, the most is {MAX_PASSPHRASES}")
    lines = [f"# written={written:.0f}"]
    for each in ordered(keys):
        until = "" if each.ends is None else f" ends={each.ends:.0f}"
        entry = f"keyid={each.key_id} 00:00:00:00:00:00 {each.passphrase}"
        if len(entry) > _LINE:
            raise ValueError(f"the entry of {each.key_id} is longer than hostapd reads")
        lines += [f"# purpose={each.purpose}{until}", entry]
    return "\n".join(lines) + "\n"


def read(text: str) -> PassphraseFile:
    """What a file says, whoever wrote it."""
    keys: dict[str, Passphrase] = {}
    written, unread = 0.0, 0
    note: re.Match[str] | None = None
    for line in text[:MAX_FILE].split("\n"):
        if head := _HEAD.fullmatch(line):
            written = float(head[1])
        elif said := _NOTE.fullmatch(line):
            note = said
            continue
        elif line and not line.startswith("#"):
            entry = _entry(line, note)
            if entry is None or (entry.key_id not in keys and len(keys) >= MAX_PASSPHRASES):
                unread += 1
            else:
                keys[entry.key_id] = entry
        note = None
    return PassphraseFile(keys=ordered(keys.values()), written=written, unread=unread)


def _entry(line: str, note: re.Match[str] | None) -> Passphrase | None:
    found = _ENTRY.fullmatch(line)
    if found is None:
        return None
    own = "household" if found["key_id"] == HOUSEHOLD else "device"
    try:
        return msgspec.convert(
            {
                "key_id": found["key_id"],
                "passphrase": found["passphrase"],
                "purpose": own if note is None else note[1],
                "ends": None if note is None or note[2] is None else float(note[2]),
            },
            Passphrase,
        )
    except msgspec.ValidationError:
        return None
