"""Old or new, never some of each: whoever looks, and whenever everything is killed."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.placing import FOLDER, KEPT, Placing, digest

OLD = {"/etc/a.conf": "old a\n", "/etc/b.d/b.conf": "old b\n", "/etc/gone.conf": "only before\n"}
NEW = {"/etc/a.conf": "new a\n", "/etc/b.d/b.conf": "new b\n", "/etc/c/d/e.conf": "only after\n"}
PATHS = sorted({*OLD, *NEW})


class Killed(BaseException):
    """As a SIGKILL: nothing catches it."""


def killer(at: int) -> Iterator[None]:
    """Nothing for `at` steps, then the end."""
    for _ in range(at):
        yield
    raise Killed


def placing(root: Path, at: int | None = None) -> Placing:
    steps = killer(at) if at is not None else None
    return Placing(root, lambda path: 0o600 if path.endswith("a.conf") else 0o644, step=lambda: next(steps) if steps else None)  # fmt: skip


def seen(root: Path) -> dict[str, str]:
    """What a program finds under those paths."""
    return {path: (root / path[1:]).read_text() for path in PATHS if (root / path[1:]).exists()}


def brought(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = root / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def test_what_is_put_is_found_with_its_rights(tmp_path: Path) -> None:
    placed = placing(tmp_path)
    name = placed.put(NEW)
    assert seen(tmp_path) == NEW
    assert placed.current() == name == digest(NEW)
    assert placed.files() == NEW
    assert (tmp_path / "etc/a.conf").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "etc/c/d/e.conf").stat().st_mode & 0o777 == 0o644
    assert not (tmp_path / "etc/a.conf").readlink().is_absolute()


def test_a_tree_that_is_moved_is_still_right(tmp_path: Path) -> None:
    placing(tmp_path / "one").put(NEW)
    (tmp_path / "one").rename(tmp_path / "two")
    assert seen(tmp_path / "two") == NEW


def test_what_goes_leaves_no_link_behind(tmp_path: Path) -> None:
    placed = placing(tmp_path)
    placed.put(OLD)
    placed.put(NEW)
    assert seen(tmp_path) == NEW
    assert not (tmp_path / "etc/gone.conf").is_symlink()


def test_a_file_of_the_image_comes_back_when_a_home_has_none_of_that_name(tmp_path: Path) -> None:
    brought(tmp_path, {"/etc/c/d/e.conf": "of the image\n"})
    placed = placing(tmp_path)
    placed.put(NEW)
    assert seen(tmp_path) == NEW
    placed.put(OLD)
    assert seen(tmp_path) == OLD | {"/etc/c/d/e.conf": "of the image\n"}


def test_a_link_of_somebody_else_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/a.conf").symlink_to("../run/nowhere")
    placing(tmp_path).put(NEW)
    assert seen(tmp_path) == NEW


def test_few_sets_are_kept(tmp_path: Path) -> None:
    placed = placing(tmp_path)
    for number in range(3 * KEPT):
        placed.put({"/etc/a.conf": f"{number}\n"})
    sets = list((tmp_path / FOLDER[1:] / "sets").iterdir())
    assert len(sets) == KEPT
    assert placed.files() == {"/etc/a.conf": f"{3 * KEPT - 1}\n"}


def test_a_set_that_is_kept_comes_back_and_one_that_is_not_changes_nothing(tmp_path: Path) -> None:
    placed = placing(tmp_path)
    old = placed.put(OLD)
    placed.put(NEW)
    with pytest.raises(FileNotFoundError):
        placed.back("0123456789abcdef")
    assert seen(tmp_path) == NEW
    placed.back(old)
    assert seen(tmp_path) == OLD


@pytest.mark.req("R57")
@pytest.mark.parametrize("start", ["of-ours", "of-the-image", "partly"])
def test_killed_at_each_step_what_is_found_is_old_or_new(tmp_path: Path, start: str) -> None:
    """A real process is killed (SIGKILL) before each change that it makes to the file system, one after the other."""
    found: list[dict[str, str]] = []
    for at in range(200):
        root = tmp_path / str(at)
        before = OLD
        if start == "of-ours":
            placing(root).put(OLD)
        elif start == "of-the-image":
            brought(root, OLD)
        else:
            placing(root).put({"/etc/a.conf": OLD["/etc/a.conf"]})
            brought(root, {path: text for path, text in OLD.items() if path != "/etc/a.conf"})
        if ended(root, at):
            found.append(seen(root))
            break
        now = seen(root)
        # A file that a household lacks is the image's, where the image brought one.
        after = NEW if start == "of-ours" else NEW | {"/etc/gone.conf": now.get("/etc/gone.conf", "")}
        assert now in (before, NEW, after), f"killed before step {at}: {now}"
        found.append(now)
        placing(root).put(NEW)
        assert all(seen(root)[path] == text for path, text in NEW.items()), "and the next one puts all right"
        shutil.rmtree(root)
    assert len(found) > 10
    assert found[0] == OLD
    assert all(found[-1][path] == text for path, text in NEW.items())


def ended(root: Path, at: int) -> bool:
    """Whether a process that is killed before its step number `at` came to its end before that."""
    child = os.fork()
    if child == 0:
        count = 0

        def step() -> None:
            nonlocal count
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

        Placing(root, lambda _path: 0o644, step=step).put(NEW)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return not os.WIFSIGNALED(status)


def test_a_reader_beside_it_never_finds_some_of_each(tmp_path: Path) -> None:
    """At each step of going from one set to the other, and after it."""
    placing(tmp_path).put(OLD)
    states: list[dict[str, str]] = []
    Placing(tmp_path, lambda _path: 0o644, step=lambda: states.append(seen(tmp_path))).put(NEW)
    states.append(seen(tmp_path))
    assert [state for state in states if state not in (OLD, NEW)] == []
    assert states[0] == OLD
    assert states[-1] == NEW
    assert states == sorted(states, key=lambda state: state == NEW), "never back"


_FILES = st.dictionaries(
    st.sampled_from(["/etc/a", "/etc/b/c", "/etc/b/d", "/etc/e/f/g"]), st.text(max_size=20), max_size=4
)


@settings(deadline=None, max_examples=30)  # it writes to a disk
@given(sets=st.lists(_FILES, min_size=1, max_size=6), image=_FILES)
def test_whatever_was_there_the_last_set_is_what_is_found(
    tmp_path_factory: pytest.TempPathFactory, sets: list[dict[str, str]], image: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("root")
    for path, text in image.items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_text(text, newline="")
    placed = placing(root)
    for files in sets:
        placed.put(files)
        for path, text in files.items():
            assert (root / path[1:]).read_bytes().decode() == text
        untouched = {path: text for path, text in image.items() if path not in files}
        for path, text in untouched.items():
            assert (root / path[1:]).read_bytes().decode() == text, "what the image brought"


def test_names_of_sets_tell_paths_from_texts() -> None:
    assert digest({"/a": "b", "/c": "d"}) == digest({"/c": "d", "/a": "b"})
    assert digest({"/a": "b"}) != digest({"/ab": ""})
