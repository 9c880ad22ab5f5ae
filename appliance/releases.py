"""What a box says to a release of its own software: whether it takes it, and how far it is (R4).

Keeper and root both judge a statement with `refusal`, each for itself. `Record` is what root writes down on the data
partition after every step of an update, and the keeper only reads; `Running` is what both find out of the machine.
Bounded: `MAX_RECORD` octets of a file are read. What is not there, or no such file, says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, ValidationError

from appliance.settings import SoftwareSettings
from wire.base import Text
from wire.documents import DocumentError, Part
from wire.release import Release, SignedRelease, SoftwareState, Stage, Version, parts, verify

MAX_RECORD = 32 * 1024
RECORD, PROGRAMS = "update.json", "programs.json"
"""In the folder `[software] state` of the box's settings: the record, and which programs are older than they may be."""
NO_VERSION = "0000.0.0"
"""Where nothing says what runs: older than any release."""
AHEAD_SECONDS = 24 * 3600.0
"""A statement may be issued so far ahead of the box's clock."""
UNDER_WAY: frozenset[Stage] = frozenset({"checking", "writing", "restarting", "proving"})
"""Stages in which no other release is taken."""

_VERSION = re.compile(r"[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,4}")
_Unix = Annotated[float, Field(ge=0, lt=2**33)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs now."""

    version: str
    slot: str
    """A or B; empty where there is none."""
    board: str
    boot: str = ""
    """Id of this run of the machine."""


class Record(Part):
    """How far an update is, as it is written down. What is not known to an older version must not stop it."""

    schema_version: Literal[1] = 1
    stage: Stage = "idle"
    signed: SignedRelease | None = None
    from_version: Version | None = None
    from_slot: str = Field(default="", max_length=8)
    before: tuple[Annotated[str, Field(max_length=40)], ...] = Field(default=(), max_length=32)
    """What was well before; see `appliance.upkeep.vitals`."""
    since: _Unix = 0.0
    """When this stage began."""
    boot: str = Field(default="", max_length=64)
    """Run of the machine in which the last restart was asked for, or the new version was last begun to be proved."""
    tries: int = Field(default=0, ge=0, le=1000)
    verdict: Literal["", "well", "unwell"] = ""
    marked: bool = False
    """The boot loader was told of the verdict."""
    percent: int | None = Field(default=None, ge=0, le=100)
    detail: Text = ""
    floor: Version | None = None
    """No release below this is taken any more."""

    @property
    def release(self) -> Release | None:
        """The release that it is about."""
        return None if self.signed is None else self.signed.release


def refusal(
    signed: SignedRelease, *, pinned: Sequence[Ed25519PublicKey], running: Running, record: Record, at: float
) -> str | None:
    """Why a release is not taken, in plain words; None where it is. `at`: Unix seconds."""
    try:
        release = verify(signed, pinned)
    except DocumentError:
        return "No key that this box knows signed the release as it stands."
    if release.board != running.board:
        return f"The release is made for {release.board}, this box is {running.board}."
    if release.expires.timestamp() <= at:
        return "The release has expired; a newer statement is needed."
    if release.issued.timestamp() > at + AHEAD_SECONDS:
        return "The release says that it was issued in the future; the box's clock or the statement is wrong."
    return _of_versions(release, running, record)


def _of_versions(release: Release, running: Running, record: Record) -> str | None:
    version = parts(release.version)
    if parts(release.floor) > version:
        return "The release contradicts itself: its own version is below what it calls the lowest."
    if record.floor is not None and version < parts(record.floor):
        return f"Version {release.version} is below {record.floor}, the lowest that this box may still take."
    if version <= parts(running.version):
        return f"The box runs version {running.version}; version {release.version} is not newer."
    pending = record.release
    if pending is not None and record.stage in {*UNDER_WAY, "waiting"} and version < parts(pending.version):
        return f"Version {pending.version}, which is newer, is on its way already."
    return None


def busy(record: Record) -> str | None:
    """Why no release can be taken just now, in plain words; None where one can."""
    pending = record.release
    if pending is None or record.stage not in UNDER_WAY:
        return None
    return f"The box is busy with version {pending.version}; try again later."


def read_record(folder: Path) -> Record:
    """What root wrote down; an empty record where there is nothing that counts."""
    try:
        with (folder / RECORD).open("rb") as file:
            raw = file.read(MAX_RECORD + 1)
        return Record.model_validate_json(raw) if len(raw) <= MAX_RECORD else Record()
    except (OSError, ValidationError):
        return Record()


class Programs(Part):
    """Programs of others that are older than they may be, as the last start found them."""

    outdated: tuple[Annotated[str, Field(max_length=120)], ...] = Field(default=(), max_length=8)


def read_programs(folder: Path) -> Programs:
    """What the last start found; nothing where it wrote nothing down."""
    try:
        with (folder / PROGRAMS).open("rb") as file:
            return Programs.model_validate_json(file.read(MAX_RECORD))
    except (OSError, ValidationError):
        return Programs()


def read_running(settings: SoftwareSettings, *, root: Path = Path("/")) -> Running:
    """What runs, by the version's file and the kernel; `root` is where `proc` is."""
    version = _line(settings.version_file)
    return Running(
        version=version if _VERSION.fullmatch(version) else NO_VERSION,
        slot=slot(root),
        board=settings.board,
        boot=_line(root / "proc/sys/kernel/random/boot_id")[:64],
    )


def slot(root: Path = Path("/")) -> str:
    """Which system partition runs, as the boot loader told the kernel; empty where it told nothing."""
    words = _line(root / "proc/cmdline").split()
    return next((word.partition("=")[2][:8] for word in words if word.startswith("rauc.slot=")), "")


def _line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_RECORD).decode(errors="replace").strip()
    except OSError:
        return ""


def told(record: Record, running: Running, programs: Programs) -> SoftwareState:
    """The record as the server is told."""
    release = record.release
    return SoftwareState(
        version=running.version,
        slot=running.slot,
        board=running.board,
        wanted=None if release is None else release.version,
        stage=record.stage,
        percent=record.percent if record.stage in {"fetching", "writing"} else None,
        detail=record.detail,
        since=datetime.fromtimestamp(record.since, UTC) if record.since else None,
        outdated=programs.outdated,
    )
