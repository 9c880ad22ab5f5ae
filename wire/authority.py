"""The authority document: what a court order, licence condition or consent lets a box collect.

Signed JSON, `{"document": {...}, "signatures": [{"issuer": key id, "signature": base64}]}`. The
signature (Ed25519) covers the canonical JSON of `document`. The box pins two issuers; one valid
signature is enough. A variation is a new document with the same id and a higher number.
The subject is a reference, never a name; so is everybody who consented.

What a document allows at a moment, for a device, is decided by `appliance.keeper.authority`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, model_validator

from wire import documents
from wire.base import Id, Revision, Standing, Time
from wire.documents import DocumentError, Part, check_size, from_json, from_toml, is_signed, key_ids
from wire.keys import key_id, public_text

MAX_DOCUMENT = 64 * 1024
STEP_DOWN_MONTHS = 6
FIRM_MONTHS = 24
"""A review that cannot be put off any more: two years after the first start (R62)."""
_CONTEXT = b"gatehouse/authority/v1\n"


AuthorityError = DocumentError
"""A document that does not count; the text says why and what to do."""


class DataClass(StrEnum):
    """What may be collected about a device."""

    PRESENCE = "presence"
    FINGERPRINT = "fingerprint"
    VOLUMES = "volumes"
    SIGNS = "signs"
    LIST_HITS = "list_hits"
    FULL_NAMES = "full_names"


FailClosed = Literal[True] | None
"""True: what the clause holds back stays held back when the box's software stops. Else it ends within a minute (R57)."""

Held = Literal[Standing.REGISTERED, Standing.UNKNOWN, Standing.REFUSED]
"""Standings that a clause may hold back: never the household's, its guests' or work devices."""

Unmasked = Literal[Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.UNKNOWN, Standing.REFUSED]
"""Standings of which a device may be unmasked: a registered one needs none, what runs the home is nobody's."""

UnmaskedClass = Literal[
    DataClass.PRESENCE, DataClass.FINGERPRINT, DataClass.VOLUMES, DataClass.LIST_HITS, DataClass.FULL_NAMES
]
"""What may be kept of an unmasked device. Not signs: they are weighed over a week, longer than a mask is off."""

MOST_UNMASKED_HOURS = 7 * 24

ClauseNumber = Annotated[str, Field(pattern=r"^[0-9A-Za-z().-]{1,20}$")]


class CollectClause(Part):
    """Lets the box collect these classes about devices of these standings."""

    number: ClauseNumber
    kind: Literal["collect"] = "collect"
    standings: tuple[Standing, ...] = Field(min_length=1)
    classes: tuple[DataClass, ...] = Field(min_length=1)


class ListsClause(Part):
    """Puts these lists in force for devices of these standings."""

    number: ClauseNumber
    kind: Literal["lists"] = "lists"
    standings: tuple[Standing, ...] = Field(min_length=1)
    lists: tuple[Id, ...] = Field(min_length=1, max_length=64)
    itemise: Literal[True] | None = None
    """Names on lists of adult sites are shown one by one; else as a trend only (R32)."""


class QuarantineClause(Part):
    """Lets the box hold devices of these standings to the LAN side until an officer decides."""

    number: ClauseNumber
    kind: Literal["quarantine"] = "quarantine"
    standings: tuple[Literal[Standing.UNKNOWN, Standing.REFUSED], ...] = Field(min_length=1)
    fail_closed: FailClosed = None


class BlockClause(Part):
    """Names and addresses on these lists are not reached by devices of these standings (R22)."""

    number: ClauseNumber
    kind: Literal["block"] = "block"
    standings: tuple[Held, ...] = Field(min_length=1)
    lists: tuple[Id, ...] = Field(min_length=1, max_length=64)
    fail_closed: FailClosed = None


class AllowOnlyClause(Part):
    """Devices of these standings reach names on these lists and no others."""

    number: ClauseNumber
    kind: Literal["allow-only"] = "allow-only"
    standings: tuple[Held, ...] = Field(min_length=1)
    lists: tuple[Id, ...] = Field(min_length=1, max_length=64)
    fail_closed: FailClosed = None


class SafeSearchClause(Part):
    """Search engines and video sites answer devices of these standings in their strict mode."""

    number: ClauseNumber
    kind: Literal["safe-search"] = "safe-search"
    standings: tuple[Held, ...] = Field(min_length=1)
    fail_closed: FailClosed = None


class AnswersClause(Part):
    """How the box answers questions by which devices of these standings look for a way round its resolver."""

    number: ClauseNumber
    kind: Literal["answers"] = "answers"
    standings: tuple[Held, ...] = Field(min_length=1)
    refuse: tuple[Literal["canary", "relay", "discovery"], ...] = Field(min_length=1)
    fail_closed: FailClosed = None


class NearbyClause(Part):
    """Lets the box count phones that are near and never join (R21). Nothing is kept of one phone."""

    number: ClauseNumber
    kind: Literal["nearby"] = "nearby"


class RegisterClause(Part):
    """Asks for devices to be registered: an unregistered one is a finding under this clause."""

    number: ClauseNumber
    kind: Literal["register"] = "register"


class UnmaskClause(Part):
    """Lets two officers treat one device of these standings as registered for a time, as far as `classes` goes (N2)."""

    number: ClauseNumber
    kind: Literal["unmask"] = "unmask"
    standings: tuple[Unmasked, ...] = Field(min_length=1)
    classes: tuple[UnmaskedClass, ...] = Field(min_length=1)
    most_hours: int = Field(ge=1, le=MOST_UNMASKED_HOURS)
    """At most so long at a time."""


Clause = Annotated[
    CollectClause
    | ListsClause
    | QuarantineClause
    | BlockClause
    | AllowOnlyClause
    | SafeSearchClause
    | AnswersClause
    | NearbyClause
    | RegisterClause
    | UnmaskClause,
    Field(discriminator="kind"),
]


class Consent(Part):
    """What one adult of the household was told, or agreed to (R60). The person is an opaque reference."""

    id: Id
    role: Literal["subject", "adult"]
    kind: Literal["consent", "notice"]
    """`consent`: the authority rests on it. `notice`: the person was told, and nothing rests on it."""
    given_at: Time
    confirm_by: Time | None = None
    """A consent that is not confirmed by then lapses; a confirmed one stands in a document with a higher number."""
    withdrawn_at: Time | None = None

    def lapses(self) -> Time | None:
        """When it ends, as far as the document says; None: with the document."""
        ends = [each for each in (self.confirm_by, self.withdrawn_at) if each is not None]
        return min(ends, default=None)


class Keep(Part):
    """How long records of a data class are kept (R64)."""

    data_class: DataClass | Literal["box"]
    """`box`: what is about no device."""
    days: int = Field(ge=1, le=3660)


class Pause(Part):
    """A time in which nothing is recorded."""

    starts: Time
    ends: Time

    @model_validator(mode="after")
    def _ordered(self) -> Pause:
        if not self.starts < self.ends:
            raise ValueError("a pause must end after it starts")
        return self


class Authority(Part):
    """One version of an authority."""

    version: Literal[1] = 1
    id: Id
    number: Revision
    """1 for the first issue, one more for each variation."""
    kind: Literal["order", "licence_condition", "consent"]
    reference: str = Field(max_length=80)
    """The court's or agency's reference; opaque, no name."""
    purpose: Literal["prevent", "detect"]
    tenant: Id
    site: Id
    responsible_officer: str = Field(max_length=80)
    """A reference or role, not a name."""
    issued_at: Time
    not_before: Time
    not_after: Time
    review_date: Time
    clauses: tuple[Clause, ...] = Field(min_length=1, max_length=64)
    # --- what a later version of this document added: optional, so that older ones keep their bytes
    legal_basis: str | None = Field(default=None, max_length=200)
    """The power it rests on, such as an act and section (R53); no name."""
    surveillance: str | None = Field(default=None, max_length=80)
    """Reference of a directed surveillance authorisation, where there is one (R53)."""
    consents: tuple[Consent, ...] | None = Field(default=None, min_length=1, max_length=32)
    """Each adult of the household (R60). Those of kind `consent` are all needed; an authority by consent needs one
    of every adult it names, and names at least one."""
    retention: tuple[Keep, ...] | None = Field(default=None, min_length=1, max_length=len(DataClass) + 1)
    pauses: tuple[Pause, ...] | None = Field(default=None, min_length=1, max_length=64)
    withdrawn_at: Time | None = None
    """From this moment on nothing is recorded: the authority itself was withdrawn."""
    step_down_months: int | None = Field(default=None, ge=1, le=24)
    """How often to ask whether less would do (R62, N18); `STEP_DOWN_MONTHS` where it is not said."""

    @model_validator(mode="after")
    def _ordered(self) -> Authority:
        if not self.not_before < self.not_after:
            raise ValueError("not_after must be later than not_before")
        people = [consent.id for consent in self.consents or ()]
        if len(set(people)) != len(people):
            raise ValueError("two consents have the same id")
        kept = [keep.data_class for keep in self.retention or ()]
        if len(set(kept)) != len(kept):
            raise ValueError("a data class is kept for two times")
        numbers = [clause.number for clause in self.clauses]
        if len(set(numbers)) != len(numbers):
            raise ValueError("two clauses have the same number")
        return self


class Signature(Part):
    """One issuer's signature."""

    issuer: str = Field(pattern=r"^[0-9a-f]{16}$")
    signature: str = Field(max_length=128)


class SignedAuthority(Part):
    """A document with its signatures, as it lies in a file."""

    document: Authority
    signatures: tuple[Signature, ...] = Field(min_length=1, max_length=4)


def canonical(document: Authority) -> bytes:
    """The bytes that are signed."""
    return documents.canonical(_CONTEXT, document)


def sign(document: Authority, issuer: Ed25519PrivateKey) -> SignedAuthority:
    """Sign a document with an issuer's offline key."""
    signature = Signature(
        issuer=key_id(public_text(issuer)), signature=base64.b64encode(issuer.sign(canonical(document))).decode()
    )
    return SignedAuthority(document=document, signatures=(signature,))


def parse_document(raw: bytes) -> Authority:
    """Read an unsigned document.

    Raises:
        AuthorityError: too large, not JSON, or not of the schema; each fault is named.
    """
    check_size(raw, MAX_DOCUMENT, "document")
    return from_json(Authority, raw, within="document")


def parse_toml(raw: bytes) -> Authority:
    """Read an unsigned document written as TOML. Times carry their offset, e.g. `2026-01-31T09:00:00Z`.

    Raises:
        AuthorityError: too large, not TOML, or not of the schema; each fault is named.
    """
    check_size(raw, MAX_DOCUMENT, "document")
    return from_toml(Authority, raw, within="document")


def parse_signed(raw: bytes) -> SignedAuthority:
    """Read a signed document without checking its signature.

    Raises:
        AuthorityError: as `parse_document`.
    """
    check_size(raw, MAX_DOCUMENT, "document")
    return from_json(SignedAuthority, raw, within="document")


def verify(signed: SignedAuthority, issuers: Sequence[Ed25519PublicKey]) -> Authority:
    """The document, if a pinned issuer signed it.

    Raises:
        AuthorityError: no signature of a pinned issuer holds.
    """
    signatures = ((item.issuer, item.signature) for item in signed.signatures)
    if is_signed(canonical(signed.document), signatures, issuers):
        return signed.document
    raise AuthorityError(
        "the signature does not hold: no pinned issuer "
        f"({key_ids(issuers)}) signed this document as it stands; have it signed again"
    )
