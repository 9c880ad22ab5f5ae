"""Files that both ends read and write: TOML settings into a model, and atomic replacement."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

_Model = TypeVar("_Model", bound=BaseModel)


class FileError(ValueError):
    """A file that cannot be used; the text says what, where and what to do."""


def load_toml(path: Path, model: type[_Model], *, purpose: str) -> _Model:
    """Read a TOML file into `model`. Relative paths in it count from the file's folder.

    Raises:
        FileError: the file is missing, not TOML, or a value is wrong; each fault is named.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); give {purpose}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not valid TOML: {error}") from error
    try:
        return _anchored(model.model_validate(raw), path.resolve().parent)
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
        raise FileError(f"{path}: " + "; ".join(faults)) from error


def _anchored(section: _Model, folder: Path) -> _Model:
    def anchor(value: object) -> object:
        match value:
            case Path():
                return folder / value
            case BaseModel():
                return _anchored(value, folder)
            case tuple():
                return tuple(anchor(item) for item in value)
            case _:
                return value

    return section.model_copy(update={name: anchor(item) for name, item in section})


def replace(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` at `path` so that a reader, or a power cut, finds the old or the new file whole."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
