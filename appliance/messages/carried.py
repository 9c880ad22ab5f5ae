"""Keeper and courier: what goes to the broker and what comes from it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from appliance.messages.base import BaseMessage, Tally


class BrokerState(BaseMessage, frozen=True, tag="broker"):
    """Courier: the session with the broker came or went."""

    connected: bool
    detail: str = ""


class Credit(BaseMessage, frozen=True, tag="credit"):
    """Courier: it can take this many more outbound messages."""

    count: int


class Outbound(BaseMessage, frozen=True, tag="outbound"):
    """Keeper: publish this. The body is signed and sealed; the courier cannot read it."""

    topic: str
    body: bytes


class Inbound(BaseMessage, frozen=True, tag="inbound"):
    """Courier: this came from the broker. It is acknowledged there after `InboundDone`."""

    token: int
    topic: str
    body: bytes


class InboundDone(BaseMessage, frozen=True, tag="inbound-done"):
    """Keeper: the message with this token is committed (or refused for good)."""

    token: int


class ListWanted(BaseMessage, frozen=True, tag="list-wanted"):
    """Keeper: fetch this."""

    list_id: Annotated[str, Meta(max_length=63)]
    url: Annotated[str, Meta(max_length=2048)]
    etag: Annotated[str, Meta(max_length=256)] | None
    most: Tally
    """Octets; more is not a list but a fault."""


class ListFetched(BaseMessage, frozen=True, tag="list-fetched"):
    """Courier: what became of it. A descriptor of the file rides along when `outcome` is `new` (SCM_RIGHTS)."""

    list_id: Annotated[str, Meta(max_length=63)]
    url: Annotated[str, Meta(max_length=2048)]
    outcome: Literal["new", "same", "failed"]
    etag: Annotated[str, Meta(max_length=256)] | None = None
    detail: Annotated[str, Meta(max_length=300)] = ""


class ReleaseWanted(BaseMessage, frozen=True, tag="release-wanted"):
    """Keeper: fetch the file of this release of the box's software; said again, it goes on where it was cut off."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    url: Annotated[str, Meta(max_length=2048)]
    size: Tally
    """Octets; neither more nor less is the file."""


class ReleaseFetched(BaseMessage, frozen=True, tag="release-fetched"):
    """Courier: how far it is. When it is `whole`, the file lies in the courier's folder under its hash."""

    sha256: Annotated[str, Meta(max_length=64)]
    outcome: Literal["on-its-way", "whole", "failed"]
    octets: Tally = 0
    detail: Annotated[str, Meta(max_length=300)] = ""


class RenewalWanted(BaseMessage, frozen=True, tag="renewal-wanted"):
    """Courier: sign this request for the box's next certificate; its key was born here."""

    csr: Annotated[str, Meta(max_length=4096)]
    """PKCS #10, PEM."""


class RenewalSigned(BaseMessage, frozen=True, tag="renewal-signed"):
    """Keeper: the request as it goes to the authority (`wire.renewal.RenewalRequest`)."""

    request: Annotated[bytes, Meta(max_length=8192)]
