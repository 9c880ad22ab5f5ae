"""What is kept of lists, and that a kill at any moment leaves the old version or the new."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from appliance.keeper.lists import jobs
from appliance.keeper.lists.about import About
from appliance.keeper.lists.library import KEY_OCTETS, Kept, Library, read_kept
from appliance.keeper.lists.table import TableError
from wire.files import FileError

ABOUT = About(
    list_id="gambling", number=1, version="v1", title="Gambling", category="gambling", owner="Example Trust",
    severity="today", source="https://lists.example/g.txt", format="domains", reach=None, confidential=False,
)  # fmt: skip


def make(library: Library, body: bytes, version: str) -> Kept:
    """Compile a version; it is not in force yet."""
    about = msgspec.structs.replace(ABOUT, version=version)
    job = library.job(about, most=1000)
    read, write = os.pipe()
    os.write(write, body)
    os.close(write)
    result = jobs.run(job, read)
    os.close(read)
    assert not result.problem
    return Kept(about=about, made=result, stem=job.stem, published=1.0, renew_by=2.0, taken_at=1.5)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "lists", key_file=tmp_path / "lists.key")


def test_the_key_is_made_once_and_is_nobody_else_s(tmp_path: Path, library: Library) -> None:
    key = tmp_path / "lists.key"
    assert len(library.key) == KEY_OCTETS
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert Library(tmp_path / "lists", key_file=key).key == library.key
    key.write_bytes(b"cut")
    assert len(Library(tmp_path / "lists", key_file=key).key) == KEY_OCTETS


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "lists").write_text("a file")
    with pytest.raises(FileError, match="lists cannot be kept"):
        Library(tmp_path / "lists", key_file=tmp_path / "lists.key")


def test_the_version_taken_last_is_in_force(tmp_path: Path, library: Library) -> None:
    library.take(make(library, b"bets.example\n", "v1"))
    second = make(library, b"bets.example\nwagers.example\n", "v2")
    library.take(second)
    assert library.kept("gambling") == second
    assert read_kept(tmp_path / "lists", "gambling") == second
    assert len(library.open(second).table) == 2
    assert len(list((tmp_path / "lists" / "gambling").iterdir())) == 3
    assert [entry.name for entry in library.entries("gambling") if hasattr(entry, "name")] == [
        "bets.example",
        "wagers.example",
    ]


def test_left_overs_and_lists_of_nobody_go(tmp_path: Path, library: Library) -> None:
    library.take(make(library, b"bets.example\n", "v1"))
    make(library, b"half.example\n", "v2")  # compiled, and the process was killed
    (tmp_path / "lists" / "gambling" / ".kept.json.new").write_text("{")
    (tmp_path / "lists" / "gone").mkdir()
    (tmp_path / "lists" / "gone" / "x.table").touch()
    library.tidy({"gambling"})
    assert len(list((tmp_path / "lists" / "gambling").iterdir())) == 3
    assert not (tmp_path / "lists" / "gone").exists()


_KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_library import Library, make
from appliance.keeper.lists import library as under_test
folder, step = Path(sys.argv[1]), int(sys.argv[2])
library = Library(folder / "lists", key_file=folder / "lists.key")
count = 0
def watched(event, arguments):
    # Every file opened, renamed or removed is a moment at which the power may go.
    global count
    if event in ("open", "os.rename", "os.remove", "os.link") and str(folder) in str(arguments[0]):
        count += 1
        if count == step:
            os._exit(9)
sys.addaudithook(watched)
library.take(make(library, b"bets.example\\nwagers.example\\n", "v2"))
"""


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_version(tmp_path: Path, library: Library) -> None:
    library.take(make(library, b"bets.example\n", "v1"))
    program = _KILLED.format(tests=str(Path(__file__).parent))
    seen: list[tuple[str, int]] = []
    for step in range(1, 100):
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(step)], check=False, timeout=60)
        fresh = Library(tmp_path / "lists", key_file=tmp_path / "lists.key")
        fresh.tidy({"gambling"})
        kept = fresh.kept("gambling")
        assert kept is not None
        seen.append((kept.about.version, len(fresh.open(kept).table)))
        assert len(list((tmp_path / "lists" / "gambling").iterdir())) == 3, "nothing is left over"
        if done.returncode == 0:
            break
        assert done.returncode == 9
        if kept.about.version == "v2":
            fresh.take(make(fresh, b"bets.example\n", "v1"))
    assert set(seen) == {("v1", 1), ("v2", 2)}
    assert len(seen) > 4


def test_what_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path, library: Library) -> None:
    kept = make(library, b"bets.example\n", "v1")
    library.take(kept)
    (tmp_path / "lists" / "gambling" / f"{kept.stem}.table").unlink()
    with pytest.raises(TableError):
        library.open(kept)
    (tmp_path / "lists" / "gambling" / "kept.json").write_text('{"about": 3}')
    assert Library(tmp_path / "lists", key_file=tmp_path / "lists.key").kept("gambling") is None
    assert read_kept(tmp_path / "none", "gambling") is None
