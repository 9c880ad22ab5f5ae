"""Signed documents: canonical bytes, signatures of pinned keys, and faults in words.

What authority documents and manifests of lists have in common. A document is a pydantic model; what is signed
(Ed25519) is a line that says what kind of document it is, and the canonical JSON of the model. Bounded: see
`check_size`; at most `TOLD` faults of a document are told.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterable, Sequence
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from wire.keys import key_id, public_text

TOLD = 5


class DocumentError(ValueError):
    """A document that does not count; the text says why and what to do."""


class Part(BaseModel):
    """Common shape of documents and their parts: frozen, and nothing in them that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_P = TypeVar("_P", bound=Part)


def canonical(context: bytes, document: Part) -> bytes:
    """The bytes that are signed. What is not said is left out, so that a later version's new fields change nothing."""
    plain = document.model_dump(mode="json", exclude_none=True)
    return context + json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def check_size(raw: bytes, most: int, what: str) -> None:
    """Hold a document to its bound.

    Raises:
        DocumentError: it is larger.
    """
    if len(raw) > most:
        raise DocumentError(f"{what} of {len(raw)} bytes, the most is {most}")


def from_json(model: type[_P], raw: bytes, *, within: str) -> _P:
    """Read a document; `within` is the field that holds it in a signed one, and its name in what is said of faults.

    Raises:
        DocumentError: not JSON, or not of the schema; each fault is named.
    """
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise DocumentError(_faults(error, within)) from None


def from_toml(model: type[_P], raw: bytes, *, within: str) -> _P:
    """Read a document written as TOML. Times carry their offset, e.g. `2026-01-31T09:00:00Z`.

    Raises:
        DocumentError: not TOML, or not of the schema; each fault is named.
    """
    try:
        plain = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"not valid TOML: {error}") from None
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise DocumentError(_faults(error, within)) from None


def is_signed(message: bytes, signatures: Iterable[tuple[str, str]], pinned: Sequence[Ed25519PublicKey]) -> bool:
    """Whether one of the signatures (key id, base64) is a pinned key's over `message`."""
    keys = {key_id(public_text(key)): key for key in pinned}
    for signer, signature in signatures:
        key = keys.get(signer)
        if key is None:
            continue
        try:
            key.verify(base64.b64decode(signature), message)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def key_ids(pinned: Sequence[Ed25519PublicKey]) -> str:
    """The ids of pinned keys, for what is said of a signature that does not hold."""
    return ", ".join(sorted(key_id(public_text(key)) for key in pinned))


def _faults(error: ValidationError, within: str) -> str:
    """The first faults, each as `field: what is wrong`; parts of a list are counted from 0."""
    return "; ".join(_fault(item, within) for item in error.errors()[:TOLD])


def _fault(item: ErrorDetails, within: str) -> str:
    parts = [str(part) for part in item["loc"]]
    if parts[:1] == [within]:
        parts = parts[1:]
    place = ".".join(parts) or within
    context = item.get("ctx", {})
    if item["type"] == "union_tag_invalid":
        known = context.get("expected_tags", "").replace("'", "")
        return f"{place}: unknown kind {context.get('tag')!r}; known are {known}"
    return f"{place}: {item['msg']}"
