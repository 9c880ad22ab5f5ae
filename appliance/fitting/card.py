"""Who a new box is: its id, its card for the stock, its label, and its request for all it needs.

In: keys, the operator's card, the moment. Out: `card.json` (public) and the label's file (the claim code and the
set-up Wi-Fi's passphrase: root only, gone when the box is enrolled). The label is written first: a cut between the
two leaves what the card is made from again. Bounded by `wire.claim` and `wire.enrolment`.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from datetime import UTC, datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import Field

from appliance.fitting.keys import Keys
from appliance.fitting.places import Places, keep
from firmware import layout
from wire.claim import (
    CODE_ALPHABET,
    CODE_LENGTH,
    LINK,
    MAX_CARD,
    BoxCard,
    Label,
    SignedCard,
    code_digest,
    label_of,
    parse_card,
    sign_card,
)
from wire.documents import DocumentError, Part, check_size, from_json
from wire.enrolment import EnrolmentRequest, OperatorCard, request_bytes
from wire.files import FileError
from wire.keys import key_id, public_text
from wire.wifi import Passphrase, Ssid

SITE_LETTERS = string.ascii_lowercase + string.digits
SETUP_KEY = "setup"
"""Id of the set-up Wi-Fi's passphrase in hostapd's file."""
CSR_FILE = f"{layout.KEYS}/tls.csr"
_GROUPS, _GROUP = 4, 4


class Sticker(Part):
    """What stands on the box's label, as its file holds it."""

    site: Annotated[str, Field(pattern=r"^box-[a-z0-9]{10}$")]
    code: Annotated[str, Field(pattern=rf"^[{CODE_ALPHABET}]{{{CODE_LENGTH}}}$")]
    wifi_name: Ssid
    wifi_passphrase: Passphrase


def new_sticker() -> Sticker:
    """A label that no other box has."""
    site = "box-" + "".join(secrets.choice(SITE_LETTERS) for _ in range(10))
    groups = ("".join(secrets.choice(CODE_ALPHABET.lower()) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return Sticker(
        site=site,
        code="".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH)),
        wifi_name=f"Gatehouse setup {site[-4:]}",
        wifi_passphrase="-".join(groups),
    )


def ensure(places: Places, keys: Keys, *, tenant: str, now: float) -> tuple[SignedCard, Sticker | None]:
    """The card and the label of this box; what is not there yet is made. `now` is Unix seconds.

    The label is None once the box was enrolled. Where the keys or the tenant are not those of the card that is there,
    both are made anew: the card would not hold.

    Raises:
        FileError: what is there cannot be read.
    """
    card, sticker = load_card(places), load_sticker(places)
    if card is not None and _holds(card, keys, tenant) and (places.enrolled or _belongs(sticker, card)):
        return card, None if places.enrolled else sticker
    if places.enrolled:
        raise FileError(f"{places.at(layout.CARD_FILE)}: is not this box's; enrol it anew")
    if sticker is None or card is not None:
        sticker = new_sticker()
        places.at(layout.CARD_FILE).unlink(missing_ok=True)
        keep(places.at(layout.LABEL_FILE), sticker.model_dump_json().encode() + b"\n")
    made = sign_card(
        BoxCard(
            tenant=tenant,
            site=sticker.site,
            verify_key=public_text(keys.signing),
            seal_key=public_text(keys.sealing),
            code_sha256=code_digest(sticker.site, sticker.code),
            made_at=datetime.fromtimestamp(int(now), UTC),
        ),
        keys.signing,
    )
    keep(places.at(layout.CARD_FILE), made.model_dump_json(indent=1).encode() + b"\n", mode=0o644)
    return made, sticker


def load_card(places: Places) -> SignedCard | None:
    """The card, as far as there is one whose signature holds."""
    try:
        raw = places.at(layout.CARD_FILE).read_bytes()
        parse_card(raw)
        check_size(raw, MAX_CARD, "card")
        return from_json(SignedCard, raw, within="card")
    except (OSError, DocumentError):
        return None


def load_sticker(places: Places) -> Sticker | None:
    """What stands on the label, as far as it is still there."""
    try:
        return Sticker.model_validate_json(places.at(layout.LABEL_FILE).read_bytes())
    except (OSError, ValueError):
        return None


def label(card: SignedCard, sticker: Sticker) -> Label:
    """The label's text and its parts."""
    return label_of(card.card, sticker.code)


def link(operator: OperatorCard, label_: Label) -> str:
    """What a telephone's camera opens."""
    return operator.dashboard_url + LINK + label_.text()


def csr_of(places: Places, card: SignedCard, keys: Keys) -> str:
    """The certificate request (PEM) of this box: always the same one, for an answer is bound to it.

    A telephone may bring the answer days later, after any number of starts.
    """
    path = places.at(CSR_FILE)
    try:
        kept = x509.load_pem_x509_csr(path.read_bytes())
        names = [str(item.value) for item in kept.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if kept.public_key() == keys.tls.public_key() and names == [card.card.site]:
            return kept.public_bytes(Encoding.PEM).decode()
    except (OSError, ValueError):
        pass
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, card.card.site)])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(keys.tls, hashes.SHA256())
    pem = made.public_bytes(Encoding.PEM)
    keep(path, pem, mode=0o644)
    return pem.decode()


def request(card: SignedCard, csr: str, keys: Keys, now: float) -> EnrolmentRequest:
    """Ask for all that this box needs; nothing in it is secret. `now` is Unix seconds."""
    at = datetime.fromtimestamp(round(now, 3), UTC)
    signature = base64.b64encode(keys.signing.sign(request_bytes(card, csr, at))).decode()
    return EnrolmentRequest(card=card, csr=csr, at=at, signature=signature)


def request_text(asked: EnrolmentRequest) -> str:
    """A request as it is sent, and as a telephone carries it."""
    return json.dumps(asked.model_dump(mode="json"), separators=(",", ":"))


def _holds(card: SignedCard, keys: Keys, tenant: str) -> bool:
    said = card.card
    return (said.verify_key, said.seal_key, said.tenant) == (
        public_text(keys.signing),
        public_text(keys.sealing),
        tenant,
    )


def _belongs(sticker: Sticker | None, card: SignedCard) -> bool:
    return sticker is not None and code_digest(sticker.site, sticker.code) == card.card.code_sha256


def fingerprint(card: SignedCard) -> str:
    """Of the signing key, as it stands on the label."""
    return key_id(card.card.verify_key)
