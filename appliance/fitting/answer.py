"""What an enrolment says, as the files that a box runs from. Pure: an answer in, `Planned` files out.

In: the answer's octets (hostile until opened), the keys, the operator's card, the household as it is. Out: each file's
path, content, owner and mode, in the order in which they are put in place; the box's settings are the last, because
whoever starts the watching processes looks for them. The way out in it is not among them: it is tried like one that is
entered at the box, before all this (`appliance.fitting.holding`). Bounded by `wire.enrolment.MAX_ANSWER`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID
from pydantic import TypeAdapter, ValidationError

from appliance.fitting.keys import Keys
from appliance.settings import AuthoritySettings, BoxSettings, Broker, ListSource, NoticeSettings, SoftwareSettings
from appliance.settings import Keys as KeySettings
from firmware import layout
from firmware.household import Household, as_toml
from wire import authority
from wire.documents import DocumentError
from wire.enrolment import Enrolment, EnrolmentError, Network, OperatorCard, open_
from wire.files import toml_text
from wire.keys import KeyFileError, seal_key, verify_key
from wire.wifi import HOUSEHOLD_KEY, SealedPassphrase, SealError, open_passphrase

PASSPHRASES_FILE = f"{layout.CONFIG}/passphrases.json"
"""As they came, sealed to the box's key: the keeper takes them in."""
_SEALED = TypeAdapter(tuple[SealedPassphrase, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One file that an enrolment puts in place."""

    path: str
    """As on the box."""
    content: bytes
    owner: str | None = None
    """A process of `layout.UIDS`; None: root."""
    mode: int = 0o644


def read(raw: bytes, *, keys: Keys, operator: OperatorCard, site: str, csr: str, now: float) -> Enrolment:
    """The enrolment, if it is for this box and what it last asked for. `now` is Unix seconds.

    Raises:
        EnrolmentError: it does not count; the text says why.
    """
    pinned = [verify_key(text) for text in operator.server_verify]
    said = open_(raw, recipient=keys.sealing, pinned=pinned)
    if (said.tenant, said.site) != (operator.tenant, site):
        raise EnrolmentError("it is for another box")
    if said.request_key != hashlib.sha256(csr.encode()).hexdigest():
        raise EnrolmentError("it answers another request than the one that this box made")
    _check_certificate(said, keys, operator, site, now)
    try:
        seal_key(said.server_seal)
        for each in said.lists:
            for text in each.publishers:
                verify_key(text)
            if each.ca is not None:
                x509.load_pem_x509_certificate(each.ca.encode())
        if said.authority is not None:
            signed = authority.parse_signed(said.authority.encode())
            authority.verify(signed, [verify_key(text) for text in operator.issuers])
    except KeyFileError:
        raise EnrolmentError("a key in it cannot be used") from None
    except DocumentError:
        raise EnrolmentError("no issuer that this box knows signed the authority in it") from None
    except ValueError:
        raise EnrolmentError("a certificate in it cannot be read") from None
    return said


def _check_certificate(said: Enrolment, keys: Keys, operator: OperatorCard, site: str, now: float) -> None:
    # The clock of a new box may be wrong: the signed moment of the answer is a floor of it.
    moment = max(datetime.fromtimestamp(now, UTC), said.at)
    try:
        ours = x509.load_pem_x509_certificate(said.certificate.encode())
        ours.verify_directly_issued_by(x509.load_pem_x509_certificate(operator.ca.encode()))
        names = [item.value for item in ours.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (ValueError, TypeError, InvalidSignature):
        raise EnrolmentError("its certificate is not one of the authority that this box knows") from None
    if ours.public_key() != keys.tls.public_key() or names != [site]:
        raise EnrolmentError("its certificate is another's")
    if ours.not_valid_after_utc <= moment:
        raise EnrolmentError("its certificate is past already: ask for a new answer")


def files(
    said: Enrolment,
    *,
    keys: Keys,
    operator: OperatorCard,
    house: Household,
    board: str | None = None,
) -> tuple[Planned, ...]:
    """All files of an enrolment that was read.

    Args:
        said: the enrolment.
        keys: the box's.
        operator: the operator's card.
        house: the household as it is.
        board: what releases are made for here; None: it takes none.

    Raises:
        EnrolmentError: a passphrase in it was not sealed for this box, or a value fits no settings.
    """
    try:
        return tuple(_files(said, keys, operator, house, board))
    except SealError as error:
        raise EnrolmentError(str(error)) from None
    except ValidationError as error:
        raise EnrolmentError(f"it does not fit this version of the box ({error.error_count()} values)") from None


def _files(
    said: Enrolment, keys: Keys, operator: OperatorCard, house: Household, board: str | None
) -> Iterator[Planned]:
    yield Planned(path=layout.CERTIFICATE, content=said.certificate.encode())
    yield Planned(path=layout.AUTHORITY_CERTIFICATE, content=operator.ca.encode())
    for each in said.lists:
        if each.ca is not None:
            yield Planned(path=_list_ca(each.list_id), content=each.ca.encode())
    if said.authority is not None:
        yield Planned(path=layout.AUTHORITY_FILE, content=said.authority.encode(), owner="keeper", mode=0o600)
    if said.network is not None:
        yield from _network(said.network, said.site, keys, house)
    yield Planned(path=layout.BOX_FILE, content=toml_text(settings(said, operator, board)).encode())


def _network(network: Network, site: str, keys: Keys, house: Household) -> Iterator[Planned]:
    if network.passphrases:
        yield Planned(
            path=PASSPHRASES_FILE,
            content=_SEALED.dump_json(network.passphrases, exclude_none=True),
            owner="keeper",
            mode=0o600,
        )
        lines = [
            f"keyid={each.key_id} 00:00:00:00:00:00 "
            f"{open_passphrase(each.sealed, site=site, key_id=each.key_id, recipient=keys.sealing)}\n"
            for each in sorted(network.passphrases, key=lambda item: item.key_id != HOUSEHOLD_KEY)
        ]
        content = "".join(lines).encode("ascii")
        yield Planned(path=layout.PASSPHRASE_FILE, content=content, owner="warden", mode=0o600)
    yield Planned(path=layout.HOUSEHOLD_FILE, content=as_toml(joined(house, network)).encode())


def joined(house: Household, network: Network) -> Household:
    """The household file with the network's name and security in it; all else as it is.

    A new passphrase list without the household's own name would let nobody in by habit, so the name goes with it.

    Raises:
        ValidationError: together they are no household.
    """
    document = house.model_dump(mode="json", exclude_none=True)
    if "wifi" in document:
        document["wifi"].update(
            ssid=network.ssid, country=network.country, security=network.security, isolation=network.isolation
        )
    return Household.model_validate(document)


def settings(said: Enrolment, operator: OperatorCard, board: str | None = None) -> BoxSettings:
    """`box.toml`.

    Raises:
        ValidationError: a value is none of the box's settings.
    """
    return BoxSettings(
        tenant=said.tenant,
        site=said.site,
        state_dir=Path(layout.STATE),
        run_dir=Path(layout.RUN),
        household=Path(layout.HOUSEHOLD_FILE),
        broker=Broker(
            host=said.broker.host,
            port=said.broker.port,
            renew_url=said.broker.renew_url,
            ca=Path(layout.AUTHORITY_CERTIFICATE),
            certificate=Path(layout.CERTIFICATE),
            key=Path(layout.TLS_KEY),
        ),
        keys=KeySettings(
            signing_key=Path(layout.SIGNING_KEY),
            sealing_key=Path(layout.SEALING_KEY),
            server_verify=operator.server_verify,
            server_seal=said.server_seal,
        ),
        authority=AuthoritySettings(path=Path(layout.AUTHORITY_FILE), issuers=operator.issuers),
        notice=NoticeSettings(
            operator=said.notice.operator,
            contact=said.notice.contact,
            complaints=said.notice.complaints,
            help_lines=said.notice.help_lines,
        ),
        lists=tuple(
            ListSource(
                id=each.list_id,
                manifest=each.manifest,
                publishers=each.publishers,
                ca=None if each.ca is None else Path(_list_ca(each.list_id)),
            )
            for each in said.lists
        ),
        software=None if board is None else SoftwareSettings(release_keys=operator.release_keys, board=board),
        uids={role: uid for role, uid in layout.UIDS.items() if role != "fitting"},
    )


def _list_ca(list_id: str) -> str:
    return f"{layout.CONFIG}/list-{list_id}-ca.pem"
