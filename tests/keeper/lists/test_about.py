"""What is said of a list: by its manifest, or by the settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from appliance.keeper.lists.about import of_file, of_manifest
from appliance.settings import ListSource
from wire.findings import Severity
from wire.lists import Manifest


def test_a_manifest_says_it_all() -> None:
    manifest = Manifest(
        list_id="adult", number=7, version="v7", title="Adult sites", category="adult", severity=Severity.THIS_WEEK,
        owner="Example Trust", format="hosts", reach="exact", url="https://lists.example/a", sha256="0" * 64, octets=1,
        entries=1, published=datetime(2026, 1, 1, tzinfo=UTC), renew_by=datetime(2026, 2, 1, tzinfo=UTC),
    )  # fmt: skip
    about = of_manifest(manifest)
    assert (about.number, about.category, about.severity) == (7, "adult", "this_week")
    assert (about.format, about.reach, about.confidential) == ("hosts", "exact", False)


def test_of_a_file_the_settings_say_it_and_its_folder_is_nobody_s_business() -> None:
    source = ListSource(id="own", version="1", title="Own", severity="today", path=Path("/etc/gatehouse/own.txt"))
    about = of_file(source)
    assert (about.number, about.source, about.category) == (None, "own.txt", None)
