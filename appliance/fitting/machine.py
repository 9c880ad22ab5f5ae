"""What the machine itself says: board, encryption, errors of the card, the certificate's end, what is kept. An edge: reads files.

Bounded: `MAX_FILE` octets of a file; of files on the data partition `MAX_COUNTED` are counted.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Literal

from cryptography import x509

from appliance.fitting.places import Places
from firmware import layout

IMAGE_FILE = f"{layout.PROGRAM}/image.json"
DATA_TOLD = "/run/gatehouse-data.json"
MAX_FILE = 64 * 1024
MAX_COUNTED = 100_000
KEY_NAMES = re.compile(r".*\.(pem|key|secret|psk)|tls\.csr")
_BOARD = re.compile(r"[a-z0-9-]{1,32}")


def board(path: Path) -> str | None:
    """What releases are made for here, as the image says; None where it does not."""
    name = _object(path).get("compatible")
    return name if isinstance(name, str) and _BOARD.fullmatch(name) else None


def encrypted(path: Path) -> Literal["board-key", "file-key", "none"]:
    """Where the key of the data partition lies, as what opened it says."""
    match _object(path).get("encrypted"):
        case "board-key":
            return "board-key"
        case "file-key":
            return "file-key"
        case _:
            return "none"


def card_errors(places: Places) -> int:
    """Errors that the data partition's file system has counted (ext4 keeps the number itself); 0 where it tells none."""
    try:
        device = places.at(layout.DATA).stat().st_dev
        name = os.path.realpath(places.at(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"))
        text = (places.at("/sys/fs/ext4") / Path(name).name / "errors_count").read_text(encoding="ascii")
        return min(int(text), 2**31 - 1)
    except (OSError, ValueError):
        return 0


def certificate_ends(places: Places) -> float | None:
    """When the certificate ends that serves the longest: the one of the enrolment, or the courier's renewed one."""
    ends = []
    for path in (layout.CERTIFICATE, f"{layout.STATE}/courier/tls.pem"):
        try:
            raw = places.at(path).read_bytes()[:MAX_FILE]
            ends.append(x509.load_pem_x509_certificate(raw).not_valid_after_utc.timestamp())
        except (OSError, ValueError):
            continue
    return max(ends, default=None)


def kept(places: Places) -> tuple[int, int]:
    """How many key files and how many files there are on the data partition."""
    keys = files = 0
    for _folder, _folders, names in os.walk(places.at(layout.DATA)):
        for name in names:
            files += 1
            keys += KEY_NAMES.fullmatch(name) is not None
            if files >= MAX_COUNTED:
                return keys, files
    return keys, files


def _object(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            read = json.loads(file.read(MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
