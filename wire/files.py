"""Files that both ends read and write: TOML settings into a model and back, and atomic replacement."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
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
        os.fchmod(descriptor, mode)  # the process's umask would leave others unable to read what is theirs to read
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def toml_text(model: BaseModel, *, only_set: bool = False) -> str:
    """A model as a TOML file that `load_toml` reads again: tables, lists of tables, plain values; None is left out.

    Args:
        model: what to write.
        only_set: leave out what is as it is by default, so that who reads it need not know of it yet.
    """
    return "\n".join(_tables("", model.model_dump(mode="json", exclude_none=True, exclude_defaults=only_set))) + "\n"


def _tables(name: str, table: Mapping[str, object]) -> Iterator[str]:
    below: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, Mapping) or _of_tables(value):
            below.append((key, value))
        else:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in below:
        full = f"{name}.{_key(key)}" if name else _key(key)
        if isinstance(value, Mapping):
            yield ""
            yield f"[{full}]"
            yield from _tables(full, value)
        elif isinstance(value, list):
            for item in value:
                yield ""
                yield f"[[{full}]]"
                yield from _tables(full, item)


def _of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if plain else _value(key)


def _value(value: object) -> str:
    match value:
        case list():
            return f"[{', '.join(_value(item) for item in value)}]"
        case str():
            # What JSON escapes, TOML escapes alike; of what it does not, only DEL may not stand as it is.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            raise TypeError(f"no value of TOML: {type(value).__name__}")
