"""The data part that a box built, taken apart: compressed text in, files out.

Bounded: `wire.bundles.MAX_DATA` octets when unpacked; whatever the octets are, only `BundleError` is raised.
"""

from __future__ import annotations

import base64
import binascii
import zlib

from wire.bundles import FILES, MAX_DATA

_SIGNATURE = 64
_END = ord("\n")


class BundleError(ValueError):
    """A data part that cannot be used; the text says why and repeats nothing of it."""


def unpack(packed: bytes, *, most: int = MAX_DATA) -> dict[str, bytes]:
    """Files of a data part by name.

    Raises:
        BundleError: not a data part, cut off, or larger than `most` octets.
    """
    text = _inflate(packed, most)
    found: dict[str, list[bytes]] = {letter: [] for letter in FILES}
    start = 0
    while start < len(text):
        end = text.find(b"\n", start)
        letter = text[start : start + 1].decode("ascii", "replace")
        if end < 0 or letter not in found:
            raise BundleError("a line is cut off, or of no file that a bundle has")
        found[letter].append(text[start + 1 : end + 1])
        start = end + 1
    if len(found["B"]) != 1 or len(found["S"]) != 1:
        raise BundleError("the box's own statement is missing, or there are two")
    files = {FILES[letter]: b"".join(lines) for letter, lines in found.items()}
    files["box.json"] = files["box.json"].removesuffix(b"\n")
    try:
        files["box.sig"] = base64.b64decode(files["box.sig"].removesuffix(b"\n"), validate=True)
    except binascii.Error:
        raise BundleError("the box's signature is not base64") from None
    if len(files["box.sig"]) != _SIGNATURE:
        raise BundleError("the box's signature has not its length")
    return files


def _inflate(packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, most + 1)
    except zlib.error:
        raise BundleError("it is not compressed as a data part is") from None
    if len(text) > most:
        raise BundleError(f"it holds more than {most} octets")
    if not unpacker.eof or unpacker.unused_data:
        raise BundleError("it is cut off, or something was added to it")
    return text
