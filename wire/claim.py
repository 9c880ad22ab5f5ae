"""How a new box says who it is, and how whoever fits it claims it: two things, of which neither is enough alone.

1. The *card*, a signed document that the box makes when its keys are made: its id and public keys, and the digest of
   a one-time code. It is entered into the dashboard where boxes are kept in stock, and holds no secret.
2. The *label* on the box, a QR code and the same text: id, fingerprint of its signing key, the code itself.
   `LINK` + the label is what a phone's camera opens; it stands behind a `#`, so that no server's log gets it.

The signature (Ed25519, by the box's own key) proves that whoever made the card holds the key in it. It does not say
that the box is ours: stock is entered by people who have it in their hands, and the label's fingerprint must agree.
Pure. Bounded: a card has `MAX_CARD` octets, a label `MAX_LABEL` characters.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from wire import documents
from wire.base import Id, Time
from wire.documents import DocumentError, Part, check_size, from_json, is_signed
from wire.keys import key_id, public_text, seal_key, verify_key

MAX_CARD = 4 * 1024
MAX_LABEL = 160
LINK = "/install/claim#"
"""Path of the page that a label opens."""
CODE_LENGTH = 16
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No letter that is taken for a digit: a code may have to be copied by hand. 16 of 30 characters are 78 bits."""
_CONTEXT = b"gatehouse/claim/v1\n"
_LABEL = re.compile(rf"([a-z0-9-]{{1,63}})\.([0-9a-f]{{16}})\.([{CODE_ALPHABET}]{{{CODE_LENGTH}}})")


class BoxCard(Part):
    """What is said of a new box."""

    version: int = Field(default=1, ge=1, le=1)
    tenant: Id
    site: Id
    verify_key: str = Field(min_length=44, max_length=44)
    seal_key: str = Field(min_length=44, max_length=44)
    code_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """`code_digest` of the label's code."""
    made_at: Time


class SignedCard(Part):
    """A card with the box's signature, as it lies in a file."""

    card: BoxCard
    signature: str = Field(max_length=128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the box's label says."""

    site: str
    fingerprint: str
    code: str

    def text(self) -> str:
        """As it is printed, and as it follows `LINK`."""
        return f"{self.site}.{self.fingerprint}.{self.code}"


def code_digest(site: str, code: str) -> str:
    """What a card holds in the place of the code; bound to the box, so that it is of no use for another."""
    return hashlib.sha256(_CONTEXT + f"{site}:{code}".encode()).hexdigest()


def sign_card(card: BoxCard, key: Ed25519PrivateKey) -> SignedCard:
    """Sign a card with the box's own key."""
    message = documents.canonical(_CONTEXT, card)
    return SignedCard(card=card, signature=base64.b64encode(key.sign(message)).decode())


def label_of(card: BoxCard, code: str) -> Label:
    """The label that belongs to a card."""
    return Label(site=card.site, fingerprint=key_id(card.verify_key), code=code)


def parse_card(raw: bytes) -> BoxCard:
    """Read a card and check that its own key signed it.

    Raises:
        DocumentError: too large, not of the schema, a key that is none, or the signature does not hold.
    """
    check_size(raw, MAX_CARD, "card")
    signed = from_json(SignedCard, raw, within="card")
    card = signed.card
    try:
        key = verify_key(card.verify_key)
        seal_key(card.seal_key)
    except ValueError as error:
        raise DocumentError(f"the card's keys cannot be used: {error}") from None
    message = documents.canonical(_CONTEXT, card)
    if not is_signed(message, [(key_id(public_text(key)), signed.signature)], [key]):
        raise DocumentError("the signature does not hold: the box's own key did not sign this card as it stands")
    return card


def parse_label(text: str) -> Label | None:
    """Read what was scanned or typed: a label, with or without the address before it; None where it is none.

    Case, spaces and hyphens in the code do not matter.
    """
    if len(text) > MAX_LABEL + 200:
        return None
    inner = "".join(text.split()).rpartition("#")[2]
    site, _, rest = inner.partition(".")
    fingerprint, _, code = rest.partition(".")
    found = _LABEL.fullmatch(f"{site.lower()}.{fingerprint.lower()}.{code.upper().replace('-', '')}")
    return None if found is None else Label(site=found[1], fingerprint=found[2], code=found[3])
