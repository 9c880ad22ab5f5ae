"""The box's own settings: `box.toml` in, one frozen `BoxSettings` out.

What the router is (interfaces, prefixes, lists of resolvers) is `household.toml` and belongs to
`firmware`; this file says where the processes find each other, their keys and the broker.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wire.files import load_toml
from wire.lists import ListFormat, ListReach, Url
from wire.release import Board

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]
"""A topic level: lower-case letters, digits, hyphen."""

Role = Annotated[str, Field(pattern=r"^(warden|sensor|keeper|courier|porch|probe|resolver)$")]


RESERVED_LISTS = frozenset({"watch", "watch-excluded", "detection-test"})
"""Ids of lists that the box makes itself: the household's own entries, and the name it tests itself by."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Broker(_Section):
    """Where the courier connects, with what certificate (PEM paths)."""

    host: str
    port: int = Field(default=8883, ge=1, le=65535)
    ca: Path
    certificate: Path
    key: Path
    renew_url: str | None = Field(default=None, pattern=r"^https://[^\s/?#]+$", max_length=300)
    """Where the next certificate comes from, as `https://host:port`; None: the operator brings it."""


class Keys(_Section):
    """Keys of the box and those it pins. Private keys are PEM paths, public keys raw base64."""

    signing_key: Path
    """Ed25519, born on the box."""
    sealing_key: Path
    """X25519, born on the box."""
    server_verify: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Ed25519 keys that may sign receipts and commands."""
    server_seal: str
    """X25519 key that events are sealed to."""


class AuthoritySettings(_Section):
    """Which authority documents count."""

    path: Path
    issuers: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Ed25519 keys of the two pinned issuers, raw base64."""


class ListSource(_Section):
    """A list of names for this box: a file that lies here, or one that is fetched and kept up to date."""

    id: Name
    path: Path | None = None
    """The file. What it is, is said beside it: version, title, severity."""
    manifest: Url | None = None
    """Where the signed manifest is (see `wire.lists`); it says the rest."""
    publishers: tuple[str, ...] = Field(default=(), max_length=2)
    """Ed25519 keys that may sign the manifest, raw base64."""
    ca: Path | None = None
    """PEM of the only certificate authority to trust for this list's server; None trusts the system's."""
    max_octets: int = Field(default=512 * 1024 * 1024, ge=1, le=1024 * 1024 * 1024)
    check_hours: float = Field(default=24.0, ge=0.01, le=31 * 24)
    """Between two looks for a newer version."""
    version: str | None = Field(default=None, max_length=64)
    title: str | None = Field(default=None, max_length=120)
    severity: str | None = Field(default=None, pattern=r"^(act_now|today|this_week|information)$")
    format: ListFormat = "domains"
    reach: ListReach | None = None
    category: str | None = Field(default=None, max_length=40)
    owner: str | None = Field(default=None, max_length=120)
    stale_days: float | None = Field(default=None, gt=0, le=3660)
    """Of a file: older than this it is said to be out of date. None: never."""
    confidential: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> ListSource:
        if (self.path is None) == (self.manifest is None):
            raise ValueError("give either path (a file here) or manifest (the address of a signed manifest)")
        if self.path is not None and not (self.version and self.title and self.severity):
            raise ValueError("a list that is a file needs version, title and severity")
        if self.path is not None and (self.publishers or self.ca):
            raise ValueError("publishers and ca are for a list with a manifest")
        if self.manifest is not None and not self.publishers:
            raise ValueError("a list with a manifest needs publishers, the keys that may sign it")
        own = (self.version, self.title, self.severity, self.reach, self.category, self.owner, self.stale_days)
        if self.manifest is not None and (any(own) or self.confidential or self.format != "domains"):
            raise ValueError("of a list with a manifest, the manifest says what it is; leave that out here")
        return self


class DetectionTestSettings(_Section):
    """The harmless name by which the box tests itself (R33)."""

    name: str = Field(default="detection-test.gatehouse.invalid", min_length=3, max_length=253)
    """One that nobody else asks for: under `.invalid` or `.test` (RFC 6761), or the operator's own."""
    every_days: float = Field(default=30.0, ge=0.01, le=90)


class StorageSettings(_Section):
    """How much of the disk the keeper may take, in MiB."""

    share_mib: int = Field(default=8192, ge=64, le=1024 * 1024)
    """The database; when it is full, what matters least makes way."""
    outbox_mib: int = Field(default=1024, ge=8, le=64 * 1024)
    """Of it, what waits for the server."""
    ballast_mib: int = Field(default=32, ge=16, le=1024)
    """A file that is given up when the disk is full, so that it can be mended; several times the database's own log."""
    key_file: Path | None = None
    """What wraps the keys of all that is kept sealed; `vault.key` beside the database where nothing is said.

    It is replaced whenever keys are destroyed: its folder has to be the keeper's to write, on a medium of its own if
    it is to be worth more than the place beside the database.
    """


class SoftwareSettings(_Section):
    """Which releases of its own software a box takes, and when it starts anew for one (R4)."""

    release_keys: tuple[str, ...] = Field(min_length=1, max_length=2)
    """Ed25519 keys that may sign releases, raw base64."""
    board: Board
    """What a bundle must be made for."""
    version_file: Path = Path("/usr/lib/gatehouse/VERSION")
    """One line: the version that runs. Part of the system partition, so it changes with it."""
    state: Path = Path("/var/lib/gatehouse/state/upkeep")
    """Root's folder on the data partition: how far an update is, and the version below which nothing is taken."""
    quiet_from: int = Field(default=2, ge=0, le=23)
    """Hour (local time) from which the household does not mind a minute without internet."""
    quiet_until: int = Field(default=5, ge=1, le=24)
    prove_minutes: float = Field(default=10.0, ge=0.01, le=25)
    """So long a new version has to be well after its first start; then the box goes back to the one before. Less than
    gatehouse-health.service may run."""

    @model_validator(mode="after")
    def _a_stretch(self) -> SoftwareSettings:
        if self.quiet_from >= self.quiet_until:
            raise ValueError("quiet_from must be before quiet_until")
        return self


class NoticeSettings(_Section):
    """What the household reads on the notice page; texts and numbers are the operator's."""

    operator: str = Field(max_length=120)
    contact: str = Field(max_length=300)
    complaints: str = Field(max_length=300)
    help_lines: tuple[str, ...] = Field(default=(), max_length=8)
    own_name: str = Field(default="gatehouse.home.arpa", pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$", max_length=253)
    """Name of the box in the household: `gatehouse` and the household's domain."""


class BoxSettings(_Section):
    """All of `box.toml`."""

    tenant: Name
    site: Name
    state_dir: Path
    run_dir: Path
    household: Path
    """`household.toml`, what the router is; read by the warden."""
    broker: Broker
    keys: Keys
    authority: AuthoritySettings
    notice: NoticeSettings
    lists: tuple[ListSource, ...] = Field(default=(), max_length=64)
    detection_test: DetectionTestSettings = Field(default_factory=DetectionTestSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    software: SoftwareSettings | None = None
    """None: this box takes no releases (the lab)."""
    uids: dict[Role, Annotated[int, Field(ge=0, lt=2**32 - 1)]] = Field(default_factory=dict)
    """uid per process where the box gives each its own; empty in an unprivileged lab."""
    heartbeat_seconds: float = Field(default=60.0, gt=0, le=600)

    @model_validator(mode="after")
    def _lists_told_apart(self) -> BoxSettings:
        ids = [item.id for item in self.lists]
        if len(set(ids)) != len(ids):
            raise ValueError("two lists have the same id")
        if taken := RESERVED_LISTS & set(ids):
            raise ValueError(f"{', '.join(sorted(taken))}: the box itself has a list of that id")
        return self

    def allowed_uids(self, role: str) -> frozenset[int]:
        """Uids from which a connection of process `role` is admitted; root may always look."""
        return frozenset({0, self.uids.get(role, os.getuid())})

    @property
    def database(self) -> Path:
        """The keeper's SQLite file."""
        return self.state_dir / "keeper" / "keeper.db"

    @property
    def warden_socket(self) -> Path:
        """Where the sensor fetches its taps."""
        return self.run_dir / "warden" / "sensor.sock"

    def keeper_socket(self, peer: str) -> Path:
        """Where process `peer` (sensor, warden, courier, porch, status) finds the keeper."""
        return self.run_dir / "keeper" / f"{peer}.sock"


def load(path: Path) -> BoxSettings:
    """Read and check a settings file.

    Raises:
        FileError: the file is missing, not TOML, or a value is wrong.
    """
    return load_toml(path, BoxSettings, purpose="the box's settings file")
