"""Puts the operator's settings on a card, or on an image before it is written to cards, and reads them back.

`operator.toml` is checked as the box will check it (`wire.enrolment.OperatorCard`) and goes onto the common FAT
partition by mtools: nothing is mounted. Nothing in it may be secret, as every box of an operator carries the same.
"""

from __future__ import annotations

import re
import struct
import tempfile
import tomllib
from pathlib import Path

from pydantic import ValidationError

from imaging.run import Refused, tool
from wire.enrolment import OperatorCard

NAME = "gatehouse/operator.toml"
MOST = 64 * 1024
_SECTOR = 512
_FAT = frozenset({0x0B, 0x0C})
_PRIVATE = re.compile(rb"PRIVATE KEY")


def check(raw: bytes) -> OperatorCard:
    """The settings, if a box would take them.

    Raises:
        Refused: too large, secret, no TOML, or a value is wrong; says which.
    """
    if len(raw) > MOST:
        raise Refused(f"the operator's file has {len(raw)} octets; the most is {MOST}.")
    if _PRIVATE.search(raw):
        raise Refused(
            "there is a private key in the operator's file. Every card would carry it: take it out, and replace it."
        )
    try:
        return OperatorCard.model_validate(tomllib.loads(raw.decode()))
    except UnicodeDecodeError:
        raise Refused("the operator's file is not a text (UTF-8).") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the operator's file is not TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"the operator's file: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None


def common_offset(medium: Path) -> int:
    """Where the first partition of a card or an image begins, in octets.

    Raises:
        Refused: there is no partition table, or its first is not FAT: this is not a box's card.
    """
    with medium.open("rb") as file:
        first = file.read(_SECTOR)
    if len(first) < _SECTOR or first[510:] != b"\x55\xaa" or first[450] not in _FAT:
        raise Refused(f"{medium} is not a card of this image: its first partition is not FAT.")
    (start,) = struct.unpack_from("<I", first, 454)
    return int(start) * _SECTOR


def write(medium: Path, settings: Path) -> OperatorCard:
    """Put the operator's settings on a card (a device) or an image, and read them back.

    A block map beside an image has sums of its blocks, and is made anew: with the old one the image would be refused as
    damaged when it is written to a card.

    Raises:
        Refused: they are not usable, the medium is none of ours, or what was read back differs.
    """
    raw = settings.read_bytes()
    card = check(raw)
    where = f"{medium}@@{common_offset(medium)}"
    quiet = {"MTOOLS_SKIP_CHECK": "1"}
    tool("mmd", "-D", "s", "-i", where, "::gatehouse", extra=quiet, accept=(0, 1))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "operator.toml"
        copy.write_bytes(raw)
        tool("mcopy", "-o", "-i", where, copy, f"::{NAME}", extra=quiet)
        back = Path(folder) / "back"
        tool("mcopy", "-n", "-i", where, f"::{NAME}", back, extra=quiet)
        if back.read_bytes() != raw:
            raise Refused(f"{medium}: what was read back is not what was written. The card is broken: take another.")
    blocks = medium.with_name(f"{medium.name}.bmap")
    if medium.is_file() and blocks.is_file():
        tool("bmaptool", "create", "-o", blocks, medium)
    return card
