"""What a box asks when it enrols, read and proved; and what it is told. Pure, so that pages may read requests too.

In: hostile octets. Out: a request whose card and signature hold, or a refusal in a plain sentence that quotes nothing.
Bounded: `wire.enrolment.MAX_REQUEST` octets.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from pydantic import ValidationError

from wire.claim import BoxCard, parse_card
from wire.documents import DocumentError
from wire.enrolment import MAX_REQUEST, EnrolmentRequest, request_bytes
from wire.keys import KeyFileError, verify_key


class Outcome(StrEnum):
    """What became of a request."""

    DONE = "done"
    WAITING = "unclaimed"
    REFUSED = "refused"
    BUSY = "busy"
    """Asked too often."""
    LATER = "later"
    """Something here does not work at the moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a box is told."""

    outcome: Outcome
    says: str
    """In a plain sentence; quotes nothing of the request."""
    sealed: bytes = b""


class UnansweredError(Exception):
    """No answer; carries what is said instead."""

    def __init__(self, outcome: Outcome, says: str, *, site: str = "") -> None:
        super().__init__(says)
        self.outcome = outcome
        self.site = site
        """Where this is to be written down."""


def read(raw: bytes, *, tenant: str) -> tuple[EnrolmentRequest, BoxCard]:
    """A request whose card and signature hold.

    Raises:
        UnansweredError: too large, none, of another operator, or not signed with the keys of its card.
    """
    if len(raw) > MAX_REQUEST:
        raise UnansweredError(Outcome.REFUSED, "the request is too large")
    try:
        request = EnrolmentRequest.model_validate_json(raw)
        card = parse_card(request.card.model_dump_json().encode())
        signature = base64.b64decode(request.signature, validate=True)
        verify_key(card.verify_key).verify(signature, request_bytes(request.card, request.csr, request.at))
    except (ValidationError, DocumentError, KeyFileError, ValueError):
        raise UnansweredError(Outcome.REFUSED, "it is no request of a box") from None
    except InvalidSignature:
        raise UnansweredError(Outcome.REFUSED, "it is not signed with the key of its card") from None
    if card.tenant != tenant:
        raise UnansweredError(Outcome.REFUSED, "the box is another operator's")
    return request, card
