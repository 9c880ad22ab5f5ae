"""A claimed box gets all that it needs: one `EnrolmentRequest` in, one sealed `Enrolment` or a plain word out.

What counts: the box is in stock with just these keys, the request is signed with them, its code was claimed, it is not
revoked, and it has not been heard yet: the answer may have been lost on its way, so until then it is given again. From
when the box was heard, a second box with the same card gets nothing, unless the card was entered again.
Before the answer leaves, the broker lets the box in. Bounded: a request as `asking.read` bounds it; in an hour `MOST_ANSWERS` answers
a box, and `MOST_WAITING` times the word that it is not claimed yet, which writes nothing. Of boxes that are not in stock
nothing is written or remembered.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, insert, select, update

from dashboard.broker.control import ControlError
from dashboard.enrol.asking import Answer, Outcome, UnansweredError, read
from dashboard.enrol.issuing import SKEW, Issuer, RenewalRefusedError, issue, readable
from dashboard.enrol.line import open_uplink
from dashboard.enrol.share import Share
from dashboard.store import law
from dashboard.store import wifi as stored
from dashboard.store.engine import reading
from dashboard.store.queries import write_audit
from dashboard.store.schema import box_access, box_stock
from dashboard.store.schema import site as site_table
from wire import enrolment
from wire.claim import BoxCard
from wire.enrolment import (
    BrokerAt,
    Enrolment,
    EnrolmentError,
    EnrolmentRequest,
    ListAt,
    Network,
    NoticeTexts,
    Uplink,
)
from wire.keys import seal_key
from wire.wifi import Country, SealedPassphrase

MOST_ANSWERS = 12
MOST_WAITING = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is the same for all boxes."""

    tenant: str
    broker: BrokerAt
    server_seal: str
    notice: NoticeTexts
    country: Country
    lists: tuple[ListAt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Keys of the desk, and its way to the broker."""

    issuer: Issuer
    signer: Ed25519PrivateKey
    opener: X25519PrivateKey | None
    """Opens what a provider gave."""
    admit: Callable[[str], None]
    """Lets a box in at the broker; again does no harm. Raises `ControlError`."""


class Enroller:
    """Answers requests; several threads may ask."""

    def __init__(self, engine: Engine, offer: Offer, hands: Hands) -> None:
        self._engine = engine
        self._offer = offer
        self._hands = hands
        self._lock = threading.Lock()
        self.share = Share()

    def answer(self, raw: bytes, now: float, *, carried: bool = False) -> Answer:
        """What a request yields. `now` is Unix seconds.

        Args:
            raw: hostile octets.
            now: the moment.
            carried: somebody who is signed in brought it; such a box has had no way to the time yet.
        """
        try:
            return self._answer(raw, now, carried=carried)
        except UnansweredError as error:
            if error.site:
                with self._engine.begin() as connection:
                    self._audit(connection, error.site, str(error), "refused", now)
            return Answer(outcome=error.outcome, says=str(error))

    def _answer(self, raw: bytes, now: float, *, carried: bool) -> Answer:
        request, card = read(raw, tenant=self._offer.tenant)
        site = card.site
        with reading(self._engine).connect() as connection:
            stock = connection.execute(select(box_stock).where(box_stock.c.site == site)).mappings().one_or_none()
            known = connection.execute(select(site_table).where(site_table.c.site == site)).mappings().one_or_none()
            access = connection.execute(select(box_access).where(box_access.c.site == site)).mappings().one_or_none()
        if stock is None or (stock["tenant"], stock["verify_key"], stock["seal_key"]) != (
            card.tenant,
            card.verify_key,
            card.seal_key,
        ):
            raise UnansweredError(Outcome.REFUSED, "this box is not in stock here")
        self._take(site, "waits", MOST_WAITING, now)
        if not carried and abs(request.at.timestamp() - now) > SKEW.total_seconds():
            raise UnansweredError(Outcome.REFUSED, "it was made at another time: the box's clock is wrong")
        if stock["claimed_at"] is None or known is None:
            return Answer(outcome=Outcome.WAITING, says="waiting to be claimed")
        self._take(site, "answers", MOST_ANSWERS, now)
        _judge(known, access, card)
        try:
            csr = readable(request.csr, site=site)
        except RenewalRefusedError as error:
            raise UnansweredError(Outcome.REFUSED, str(error), site=site) from None
        try:
            self._hands.admit(site)
        except ControlError:
            raise UnansweredError(Outcome.LATER, "the broker cannot be told at the moment; try again") from None
        return self._give(request, csr, card, now)

    def _give(
        self, request: EnrolmentRequest, csr: x509.CertificateSigningRequest, card: BoxCard, now: float
    ) -> Answer:
        moment, offer = datetime.fromtimestamp(now, UTC), self._offer
        with self._engine.begin() as connection:
            try:
                given = Enrolment(
                    tenant=offer.tenant,
                    site=card.site,
                    request_key=hashlib.sha256(request.csr.encode()).hexdigest(),
                    certificate=issue(csr, site=card.site, issuer=self._hands.issuer, now=moment).decode(),
                    broker=offer.broker,
                    server_seal=offer.server_seal,
                    notice=offer.notice,
                    network=self._network(connection, card.site, now),
                    authority=authority_of(connection, card.site),
                    lists=offer.lists,
                    at=moment,
                )
                sealed = enrolment.seal(given, signer=self._hands.signer, recipient=seal_key(card.seal_key))
            except (EnrolmentError, ValidationError):  # what is stored here, not what the box asked
                raise UnansweredError(Outcome.LATER, "there is more for this box than fits", site=card.site) from None
            _note(connection, card.site, now)
            self._audit(connection, card.site, "", "done", now)
        return Answer(outcome=Outcome.DONE, says="the box is enrolled", sealed=sealed)

    def _network(self, connection: Connection, site: str, now: float) -> Network | None:
        held = stored.wifi_of(connection, site)
        if held is None:
            return None
        keys = tuple(
            SealedPassphrase.model_validate(
                {
                    "key_id": key.key_id,
                    "sealed": key.sealed,
                    "purpose": key.purpose,
                    "until": None if key.until is None else datetime.fromtimestamp(key.until, UTC),
                }
            )
            for key in stored.keys_of(connection, site)
            if key.sealed is not None and (key.until is None or key.until > now)
        )
        return Network.model_validate(
            {
                "ssid": held.ssid,
                "country": self._offer.country,
                "security": held.security,
                "isolation": held.isolation,
                "uplink": self._uplink(held, site),
                "passphrases": keys,
            }
        )

    def _uplink(self, held: stored.Wifi, site: str) -> Uplink:
        given: dict[str, Any] = {}
        if held.uplink_sealed is not None and self._hands.opener is not None:
            given = open_uplink(held.uplink_sealed, site=site, recipient=self._hands.opener)
        try:
            return Uplink.model_validate({"kind": held.uplink} | given)
        except ValidationError:  # a box would take nothing of an answer with half a line in it
            why = "what was entered for the home's line cannot be used; enter it again"
            raise UnansweredError(Outcome.REFUSED, why, site=site) from None  # whoever fits it reads why

    def _take(self, site: str, kind: str, most: int, now: float) -> None:
        with self._lock:
            if not self.share.take(site, kind, most=most, now=now):
                raise UnansweredError(Outcome.BUSY, "too many requests; try again in an hour")

    @staticmethod
    def _audit(connection: Connection, site: str, why: str, outcome: str, now: float) -> None:
        subject = f"{site}: {why}"[:160] if why else site
        write_audit(connection, at=now, account_id=None, action="enrol-box", subject=subject, outcome=outcome)


def _judge(known: Any, access: Any, card: BoxCard) -> None:
    if known["tenant"] != card.tenant or (known["verify_key"], known["seal_key"]) != (card.verify_key, card.seal_key):
        raise UnansweredError(Outcome.REFUSED, "the home has another box", site=card.site)
    if known["revoked_at"] is not None:
        raise UnansweredError(Outcome.REFUSED, "the box was revoked", site=card.site)
    reopened = None if access is None else access["reopened_at"]
    if known["heard_at"] is not None and (reopened is None or known["heard_at"] > reopened):
        raise UnansweredError(Outcome.REFUSED, "the box is at work already", site=card.site)


def authority_of(connection: Connection, site: str) -> str | None:
    """The signed document that two people gave this box last, unless a consent was withdrawn since."""
    for item in law.acts_of(connection, site, ("set-authority", "withdraw-consent")):
        action, document = item.body.get("action"), item.body.get("document")
        if action == "withdraw-consent":
            return None
        agreed = item.second is not None and item.state in ("waiting", "sent", "unsent", "unanswered", "applied")
        if agreed and isinstance(document, str):
            return document
    return None


def _note(connection: Connection, site: str, now: float) -> None:
    mine = box_access.c.site == site
    if not connection.execute(
        update(box_access).where(mine).values(answers=box_access.c.answers + 1, answered_at=now, cut_at=None)
    ).rowcount:
        connection.execute(insert(box_access).values(site=site, answers=1, answered_at=now))
