"""The desk from its settings: keys and certificates read, what boxes are given put together, the broker's ways in.

In: `DashboardSettings` of the desk's own file. Out: an `Enroller` and its `Broker`, or `FileError` in a plain line.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Engine

from dashboard.broker.control import Control, cut_off, let_site_in
from dashboard.enrol.enrolling import Enroller, Hands, Offer
from dashboard.enrol.following import Broker
from dashboard.enrol.issuing import Issuer
from dashboard.settings import DashboardSettings, EnrolBox
from wire.enrolment import BrokerAt, ListAt, NoticeTexts
from wire.files import FileError
from wire.keys import KeyFileError, read_sealing, read_signing, seal_key
from wire.tls import client_context


def control_of(settings: DashboardSettings) -> Control | None:
    """The way to the broker's access rules, where the settings give one.

    Raises:
        FileError: a certificate or key that cannot be used.
    """
    given = settings.control
    if given is None:
        return None
    context = client_context(ca=given.ca, certificate=given.certificate, key=given.key)
    return Control(host=given.host, port=given.port, name=given.name, context=context)


def broker_of(settings: DashboardSettings) -> Broker | None:
    """The same as the desk uses it."""
    control = control_of(settings)
    if control is None:
        return None
    return Broker(
        let_in=lambda site: let_site_in(control, tenant=settings.tenant, site=site),
        cut_off=lambda site: cut_off(control, tenant=settings.tenant, site=site),
    )


def enroller_of(settings: DashboardSettings, engine: Engine, issuer: Issuer, broker: Broker | None) -> Enroller | None:
    """The part that enrols new boxes; None where the settings have no [enrol.box].

    Raises:
        FileError: a key that cannot be used, or no way to the broker.
    """
    given = None if settings.enrol is None else settings.enrol.box
    if given is None:
        return None
    if broker is None:
        raise FileError(
            "[enrol.box]: the settings have no [control] section, and a new box must be let in at the broker"
        )
    try:
        hands = Hands(
            issuer=issuer,
            signer=read_signing(given.signing_key),
            opener=None if given.opening_key is None else read_sealing(given.opening_key),
            admit=broker.let_in,
        )
    except KeyFileError as error:
        raise FileError(f"[enrol.box]: {error}") from error
    return Enroller(engine, offer_of(settings, given), hands)


def offer_of(settings: DashboardSettings, given: EnrolBox) -> Offer:
    """What is the same for all boxes.

    Raises:
        FileError: a value that no box would take.
    """
    said = settings.help
    try:
        seal_key(given.server_seal)
        return Offer(
            tenant=settings.tenant,
            broker=BrokerAt(host=given.broker.host, port=given.broker.port, renew_url=given.broker.renew_url),
            server_seal=given.server_seal,
            notice=NoticeTexts(
                operator=settings.operator,
                contact=said.contact or settings.operator,
                complaints=said.complaints or settings.operator,
                help_lines=tuple(f"{line.text}: {line.contact}" for line in said.lines),
            ),
            country="GB" if settings.boxes is None else settings.boxes.country,
            lists=tuple(
                ListAt(
                    list_id=one.list_id,
                    manifest=one.manifest,
                    publishers=one.publishers,
                    ca=None if one.ca is None else _text(one.ca),
                )
                for one in given.lists
            ),
        )
    except (ValidationError, KeyFileError) as error:
        raise FileError(f"[enrol.box]: it cannot be given to a box ({' '.join(str(error).split())})") from error


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read ({error})") from error
