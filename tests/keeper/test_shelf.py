"""Names for filters: those that are here in plain, and a reason where they are not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from appliance.keeper.filtering import ListUnreadableError
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.shelf import Shelf
from appliance.keeper.supply import Supply
from appliance.settings import ListSource


def source(folder: Path, name: str, *, confidential: bool = False, category: str | None = None) -> ListSource:
    (folder / f"{name}.txt").write_text("bets.example\ncom\n? ?\n")
    return ListSource(
        id=name,
        version="1",
        title=name,
        severity="today",
        path=folder / f"{name}.txt",
        confidential=confidential,
        category=category,
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    library = Library(tmp_path / "lists", key_file=tmp_path / "lists.key")
    sources = [
        source(tmp_path, "own"),
        source(tmp_path, "secret", confidential=True),
        source(tmp_path, "help", category="excluded"),
    ]
    Supply(sources, library=library, lists=Lists(), chance=random.Random(1)).start(at=1.0, monotonic=0.0)  # noqa: S311 - jitter
    return Shelf(library, ["own", "secret", "help", "absent"])


def test_entries_without_faults(shelf: Shelf) -> None:
    assert [getattr(entry, "name", "") for entry in shelf.entries("own")] == ["bets.example"]
    assert set(shelf.versions()) == {"own", "secret", "help"}


@pytest.mark.req("R67")
def test_names_that_are_never_kept_are_never_refused(shelf: Shelf) -> None:
    assert shelf.free() == ("help",)


@pytest.mark.req("N16")
@pytest.mark.parametrize(
    ("list_id", "says"), [("absent", "not here"), ("secret", "only hashes"), ("other", "not here")]
)
def test_what_cannot_be_had_is_said(shelf: Shelf, list_id: str, says: str) -> None:
    with pytest.raises(ListUnreadableError, match=says):
        list(shelf.entries(list_id))


def test_a_plain_file_that_is_gone_is_said(shelf: Shelf, tmp_path: Path) -> None:
    for path in (tmp_path / "lists" / "own").glob("*.plain"):
        path.unlink()
    with pytest.raises(ListUnreadableError, match="cannot be read"):
        list(shelf.entries("own"))
