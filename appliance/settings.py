"""The box's own settings: `box.toml` in, one frozen `BoxSettings` out.

What the router is (interfaces, prefixes, lists of resolvers) is `household.toml` and belongs to
`firmware`; this file says where the processes find each other, their keys and the broker.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from wire.files import load_toml

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]
"""A topic level: lower-case letters, digits, hyphen."""

Role = Annotated[str, Field(pattern=r"^(warden|sensor|keeper|courier|porch|probe|resolver)$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Broker(_Section):
    """Where the courier connects, with what certificate (PEM paths)."""

    host: str
    port: int = Field(default=8883, ge=1, le=65535)
    ca: Path
    certificate: Path
    key: Path


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
    """A list of names in force at this box."""

    id: Name
    version: str = Field(max_length=64)
    title: str = Field(max_length=120)
    severity: str = Field(pattern=r"^(act_now|today|this_week|information)$")
    path: Path
    """Plain text: one domain a line, `#` starts a comment."""


class NoticeSettings(_Section):
    """What the household reads on the notice page; texts and numbers are the operator's."""

    operator: str = Field(max_length=120)
    contact: str = Field(max_length=300)
    complaints: str = Field(max_length=300)
    help_lines: tuple[str, ...] = Field(default=(), max_length=8)


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
    uids: dict[Role, Annotated[int, Field(ge=0, lt=2**32 - 1)]] = Field(default_factory=dict)
    """uid per process where the box gives each its own; empty in an unprivileged lab."""
    heartbeat_seconds: float = Field(default=60.0, gt=0, le=600)

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
