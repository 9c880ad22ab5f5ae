"""Puts an enrolment in place, all of it or none: a cut at any moment leaves a box that was never enrolled, or one that is.

In: planned files. Out: those files in their places, the label gone. They are written beside (`STAGED`), the folder is
given its name when all are on the disk, and from then on it is only carried through, at the next start if need be.
Bounded: `MOST_FILES`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.fitting.answer import Planned
from appliance.fitting.places import Places, folder, give, sync
from firmware import layout
from wire.files import replace

STAGED = f"{layout.CONFIG}/.enrolment"
_WRITING = f"{layout.CONFIG}/.enrolment.new"
_ORDER = "order.json"
MOST_FILES = 64


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: str
    owner: str | None
    mode: int


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[_Step, ...]


def take(places: Places, files: Sequence[Planned], *, at_step: Callable[[str], None] = lambda _step: None) -> None:
    """Put these files in place; the last of them makes the box an enrolled one. `at_step` is told of each step.

    Raises:
        OSError: the disk does not take them. Nothing has changed then, or all is carried through by the next try.
        ValueError: more than `MOST_FILES`.
    """
    if len(files) > MOST_FILES:
        raise ValueError(f"an enrolment of {len(files)} files, the most is {MOST_FILES}")
    writing, staged = places.at(_WRITING), places.at(STAGED)
    resume(places)
    folder(writing, mode=0o700)
    steps = []
    for number, planned in enumerate(files):
        at_step(f"write {planned.path}")
        replace(writing / str(number), planned.content, mode=0o600)
        steps.append(_Step(name=str(number), path=planned.path, owner=planned.owner, mode=planned.mode))
    at_step("write the order")
    replace(writing / _ORDER, _Order(steps=tuple(steps)).model_dump_json().encode(), mode=0o600)
    at_step("name it")
    writing.rename(staged)
    sync(staged.parent)
    resume(places, at_step=at_step)


def resume(places: Places, *, at_step: Callable[[str], None] = lambda _step: None) -> bool:
    """Carry through what was staged whole, throw away what was not; whether there was anything to carry through."""
    shutil.rmtree(places.at(_WRITING), ignore_errors=True)
    staged = places.at(STAGED)
    if not staged.exists():
        _forget_label(places)
        return False
    try:
        order = _Order.model_validate_json((staged / _ORDER).read_bytes())
    except (OSError, ValidationError):  # it is taken apart from the end: everything is in place already
        order = _Order(steps=())
    for step in order.steps:
        source, target = staged / step.name, places.at(step.path)
        if source.exists():
            at_step(f"place {step.path}")
            folder_ = target.parent
            if not folder_.exists():
                folder(folder_)
            give(source, step.owner)
            source.chmod(step.mode)
            source.replace(target)
            sync(folder_)
    at_step("forget the label")
    _forget_label(places)
    at_step("clear up")
    shutil.rmtree(staged)
    sync(staged.parent)
    return True


def _forget_label(places: Places) -> None:
    """The claim code and the set-up passphrase are of no more use, so they are kept nowhere."""
    if places.enrolled:
        erase(places, layout.LABEL_FILE)


def erase(places: Places, path: str) -> bool:
    """Write over a file, then remove it; whether there was one.

    What a flash card really keeps of it is its own affair: what protects that is the encrypted partition.
    """
    file = places.at(path)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        size = os.fstat(descriptor).st_size
        written = 0
        while written < size:
            written += os.write(descriptor, os.urandom(min(size - written, 1 << 16)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    file.unlink(missing_ok=True)
    sync(file.parent)
    return True
