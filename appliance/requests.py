"""What the keeper asks of root: one small file a request, one a reply.

The keeper has no right to change the box. Where an order needs one, it writes `requests/NAME.json` into the run
directory; a path unit starts `gatehouse serve-request NAME` as root, which takes the file, believes nothing of it until
it is checked again, acts, and writes `answers/NAME.json` for the keeper to read. Both are memory: what was under way
when the power went is asked for again by whoever wanted it.

Bounded: one request and one answer of a name at a time, `MAX_REQUEST` and `MAX_ANSWER` octets. A file is replaced
whole. Reading follows no symbolic link and takes nothing but a regular file of the owner that is expected, because the
folder belongs to a process that reads what comes from the network.
"""

from __future__ import annotations

import os
import stat
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from wire.base import Id, Text
from wire.documents import Part
from wire.files import replace
from wire.release import SignedRelease
from wire.wifi import Security, Ssid

MAX_REQUEST = 16 * 1024
MAX_ANSWER = 4 * 1024

_Unix = Annotated[float, Field(ge=0, lt=2**33)]


class RequestName(StrEnum):
    """What may be asked for; the name of the file and of the unit."""

    TAKE_RELEASE = "take-release"
    SET_NETWORK = "set-network"
    WIPE = "wipe"


class _Asked(Part):
    request_id: Id
    """The answer bears it."""
    at: _Unix


class TakeReleaseRequest(_Asked):
    """Install this release; its file is where the courier put it."""

    name: Literal[RequestName.TAKE_RELEASE] = RequestName.TAKE_RELEASE
    signed: SignedRelease
    """Root checks the signature, the dates and the version itself."""


class SetNetworkRequest(_Asked):
    """The household's Wi-Fi is to be so."""

    name: Literal[RequestName.SET_NETWORK] = RequestName.SET_NETWORK
    ssid: Ssid
    security: Security = "wpa2"
    isolation: bool = False


class WipeRequest(_Asked):
    """Destroy the household's keys and records."""

    name: Literal[RequestName.WIPE] = RequestName.WIPE
    removal_id: Id


Request = Annotated[TakeReleaseRequest | SetNetworkRequest | WipeRequest, Field(discriminator="name")]
_REQUEST: TypeAdapter[TakeReleaseRequest | SetNetworkRequest | WipeRequest] = TypeAdapter(Request)


class Answer(Part):
    """What became of a request."""

    request_id: Id
    name: RequestName
    outcome: Literal["done", "refused", "failed"]
    """What was refused is refused for good; what failed may be asked for again."""
    detail: Text = ""
    """Why not, in plain words."""
    at: _Unix


class RequestError(ValueError):
    """A request or an answer that cannot be used; the text says why."""


class RefusedError(Exception):
    """Raised by who serves a request: it may not be done, and why in plain words."""


class LaterError(Exception):
    """Raised by who serves a request: not now, and why in plain words; it may be asked for again."""


def requests_folder(run_dir: Path) -> Path:
    """Where requests lie; the keeper's folder."""
    return run_dir / "requests"


def answers_folder(run_dir: Path) -> Path:
    """Where answers lie; root's folder, which the keeper can read."""
    return run_dir / "answers"


def ask(run_dir: Path, request: TakeReleaseRequest | SetNetworkRequest | WipeRequest) -> None:
    """Put a request where its unit sees it; an older one of the name that nobody took is replaced.

    Raises:
        OSError: it cannot be written.
        RequestError: larger than `MAX_REQUEST`.
    """
    body = request.model_dump_json(exclude_none=True).encode()
    if len(body) > MAX_REQUEST:
        raise RequestError(f"a request of {len(body)} octets, the most is {MAX_REQUEST}")
    folder = requests_folder(run_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(folder / f"{request.name.value}.json", body, mode=0o600)


def take(
    run_dir: Path, name: RequestName, *, owners: frozenset[int]
) -> TakeReleaseRequest | SetNetworkRequest | WipeRequest | None:
    """The request of a name, taken away with it: whatever becomes of it, it is not served twice. None: there is none.

    `owners` are the uids that may ask.

    Raises:
        RequestError: not a plain file of theirs, too large, or not of the form; it is gone all the same.
    """
    path = requests_folder(run_dir) / f"{name.value}.json"
    try:
        raw = _bounded(path, most=MAX_REQUEST, owners=owners)
    finally:
        path.unlink(missing_ok=True)
    if raw is None:
        return None
    try:
        request = _REQUEST.validate_json(raw)
    except ValidationError as error:
        raise RequestError(f"it is not of the form: {error.error_count()} faults") from None
    if request.name is not name:
        raise RequestError(f"it asks for {request.name.value}")
    return request


def reply(run_dir: Path, answer: Answer) -> None:
    """Write what became of a request.

    Raises:
        OSError: it cannot be written.
    """
    folder = answers_folder(run_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    replace(folder / f"{answer.name.value}.json", answer.model_dump_json().encode(), mode=0o644)


def answered(run_dir: Path, name: RequestName, *, owners: frozenset[int] = frozenset({0})) -> Answer | None:
    """The last answer of a name; None where there is none that counts."""
    try:
        raw = _bounded(answers_folder(run_dir) / f"{name.value}.json", most=MAX_ANSWER, owners=owners)
        answer = None if raw is None else Answer.model_validate_json(raw)
    except (RequestError, ValidationError):
        return None
    return answer if answer is not None and answer.name is name else None


def _bounded(path: Path, *, most: int, owners: frozenset[int]) -> bytes | None:
    """A small file's octets; None where there is no file.

    Raises:
        RequestError: it is no plain file of one of the owners, too large, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror})") from error
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid not in owners:
            raise RequestError(f"{path}: not a file of who may ask")
        try:
            raw = file.read(most + 1)
        except OSError as error:
            raise RequestError(f"{path}: cannot be read ({error.strerror})") from error
    if len(raw) > most:
        raise RequestError(f"{path}: more than {most} octets")
    return raw
