"""One list file into a compiled table: what is to be done in, what came of it out.

In: a `Job` and a descriptor of the file. Out: `Result`, with `<stem>.table` and, unless the list is
confidential, `<stem>.plain` in the job's folder. Nothing names them until the library takes them.

Whoever handed the descriptor may still write to the file. So it is read once, into a copy of our own; hash and
length are of that copy, and so is the table, which is read back and checked here, beside the keeper's work. The copy of a confidential list has no name on the disk.
Bounded: `most` octets; memory as `compiling` says.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from appliance.keeper.lists.compiling import Tally, compile_table
from appliance.keeper.lists.entries import Reach, Why
from appliance.keeper.lists.formats import Format, parse
from appliance.keeper.lists.table import TableError, open_table

_CHUNK = 1 << 20
REACHES = {"exact": Reach.EXACT, "subtree": Reach.SUBTREE, None: None}
"""Of plain lines, as manifests say it."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to make of a file."""

    list_id: str
    folder: str
    stem: str
    key: bytes
    format: str
    reach: str | None
    """Of plain lines: exact or subtree; None as the format means it."""
    confidential: bool
    most: int
    sha256: str | None
    """What the file must be, hexadecimal; None where nobody said."""
    octets: int | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it."""

    problem: str = ""
    """Why there is no table; empty where there is one."""
    refused: bool = False
    """The file itself is at fault, not the disk."""
    sha256: str = ""
    octets: int = 0
    entries: int = 0
    networks: int = 0
    duplicates: int = 0
    overflow: int = 0
    faults: dict[str, int] = {}
    lines: dict[str, list[int]] = {}


def table_path(folder: Path, stem: str) -> Path:
    """Where the table of a job is."""
    return folder / f"{stem}.table"


def plain_path(folder: Path, stem: str) -> Path:
    """Where the plain file of a job is."""
    return folder / f"{stem}.plain"


def run(job: Job, descriptor: int) -> Result:
    """Do it. The descriptor stays the caller's; its position moves. Never raises for what is in the file."""
    folder = Path(job.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _copy(job, folder) as copy:
            return _made(job, folder, copy, descriptor)
    except OSError as error:
        discard(folder, job.stem)
        return Result(problem=f"it could not be stored ({error.strerror or error}); the disk may be full")


def discard(folder: Path, stem: str) -> None:
    """Remove what a job made."""
    for path in (table_path(folder, stem), plain_path(folder, stem)):
        with contextlib.suppress(OSError):  # the next start removes what is left
            path.unlink()


def _copy(job: Job, folder: Path) -> BinaryIO:
    if job.confidential:
        return tempfile.TemporaryFile(dir=folder)
    descriptor = os.open(plain_path(folder, job.stem), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "w+b")


def _made(job: Job, folder: Path, copy: BinaryIO, descriptor: int) -> Result:
    hashed, octets = hashlib.sha256(), 0
    while chunk := os.read(descriptor, _CHUNK):
        octets += len(chunk)
        if octets > job.most:
            return _refused(job, folder, f"it has more than {job.most:,} octets")
        hashed.update(chunk)
        copy.write(chunk)
    if (job.octets is not None and octets != job.octets) or job.sha256 not in {None, hashed.hexdigest()}:
        return _refused(job, folder, "the file is not the one that its manifest is about (length or hash differ)")
    copy.flush()
    os.fsync(copy.fileno())
    copy.seek(0)
    path = table_path(folder, job.stem)
    tally = compile_table(
        parse(copy, Format(job.format), plain=REACHES[job.reach]),
        path,
        key=job.key,
        source=hashed.digest(),
        confidential=job.confidential,
    )
    if not tally.entries and not tally.networks and any(tally.faults.values()):
        return _refused(job, folder, f"no line of it can be used; is it a list in the format {job.format}?")
    try:
        open_table(path, job.key)
    except TableError as error:
        discard(folder, job.stem)
        return Result(problem=f"what was written could not be read back ({error})")
    return _result(tally, hashed.hexdigest(), octets)


def _result(tally: Tally, sha256: str, octets: int) -> Result:
    return Result(
        sha256=sha256,
        octets=octets,
        entries=tally.entries,
        networks=tally.networks,
        duplicates=tally.duplicates,
        overflow=tally.overflow,
        faults={why.value: count for why, count in tally.faults.items() if count},
        lines={why.value: lines for why, lines in tally.lines.items() if lines},
    )


def _refused(job: Job, folder: Path, why: str) -> Result:
    discard(folder, job.stem)
    return Result(problem=why, refused=True)


BAD_LINES = (Why.MALFORMED, Why.PUBLIC_SUFFIX, Why.TOO_WIDE)
"""Faults that whoever writes the list should mend."""
UNSUPPORTED = (Why.UNSUPPORTED, Why.URL)
"""What names of the DNS cannot tell; no fault of the list."""
