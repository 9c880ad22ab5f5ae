"""What is said of a list beside its entries: by its manifest, or for a local file by the settings. Pure."""

from __future__ import annotations

from pathlib import Path

import msgspec

from appliance.settings import ListSource
from wire.lists import Manifest

_MAX_SOURCE = 300


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of a list is."""

    list_id: str
    number: int | None
    """None of a local file: those have none."""
    version: str
    title: str
    category: str | None
    owner: str | None
    severity: str
    source: str
    """Where it came from: an address, or the name of a file."""
    format: str
    reach: str | None
    confidential: bool


def of_manifest(manifest: Manifest) -> About:
    """What a manifest says of a list."""
    return About(
        list_id=manifest.list_id,
        number=manifest.number,
        version=manifest.version,
        title=manifest.title,
        category=manifest.category,
        owner=manifest.owner,
        severity=manifest.severity.value,
        source=manifest.url[:_MAX_SOURCE],
        format=manifest.format,
        reach=manifest.reach,
        confidential=bool(manifest.confidential),
    )


def of_file(source: ListSource) -> About:
    """What the settings say of a local file."""
    return About(
        list_id=source.id,
        number=None,
        version=source.version or "",
        title=source.title or source.id,
        category=source.category,
        owner=source.owner,
        severity=source.severity or "information",
        source=Path(source.path or "").name[:_MAX_SOURCE],
        format=source.format,
        reach=source.reach,
        confidential=source.confidential,
    )
