"""The unsigned authority document of an installation: answers in, a document out; and what comes back signed.

The key that signs never comes near this service: the document is saved, signed elsewhere (`gatehouse authority sign`)
and handed in. What comes back must be what was prepared, so that nobody signs one thing and installs another.
Pure but for `read_signed`, which is given the keys of those who may issue. Bounded as `wire.authority`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from dashboard.i18n import N_
from dashboard.pages.typed import begin, end
from dashboard.store.installs import Adult
from wire.acts import MAX_AUTHORITY_TEXT
from wire.authority import (
    Authority,
    AuthorityError,
    BlockClause,
    Clause,
    CollectClause,
    Consent,
    DataClass,
    ListsClause,
    QuarantineClause,
    RegisterClause,
    UnmaskClause,
    parse_signed,
    verify,
)
from wire.base import Standing

KINDS: tuple[tuple[str, str], ...] = (
    ("order", N_("A court order")),
    ("licence_condition", N_("A licence condition")),
    ("consent", N_("Written consent of every adult it names")),
)
PURPOSES: tuple[tuple[str, str], ...] = (("prevent", N_("To prevent")), ("detect", N_("To find out afterwards")))
LONGEST_DAYS = 5 * 366
UNMASK_HOURS = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model clause that can be chosen; `docs/clauses.md` has the words for the order itself."""

    key: str
    title: str
    hint: str
    needs_lists: bool = False


MODELS: tuple[Model, ...] = (
    Model(
        key="register",
        title=N_("Devices must be registered"),
        hint=N_("A device that nobody has registered is shown to you. Model clause 1."),
    ),
    Model(
        key="signs",
        title=N_("No going round the box, no concealment"),
        hint=N_("Signs of it are recorded for registered devices only. Model clauses 2 and 3."),
    ),
    Model(
        key="lists",
        title=N_("Named kinds of sites or services"),
        hint=N_("Only names that are on these lists are recorded, of registered devices. Model clause 4."),
        needs_lists=True,
    ),
    Model(
        key="full",
        title=N_("A record of all sites of registered devices"),
        hint=N_("Only where a list is not enough, for as short a time as will do. Model clause 5."),
    ),
    Model(
        key="block",
        title=N_("The same lists are not reached"),
        hint=N_("From registered devices; never from those of others in the home. Model clause 6."),
        needs_lists=True,
    ),
    Model(
        key="quarantine",
        title=N_("Unregistered devices are held off the internet"),
        hint=N_("Until you decide. It lets go by itself when the box fails. Model clause 7."),
    ),
    Model(
        key="unmask",
        title=N_("Looking at one device more closely"),
        hint=N_("Two officers together, for at most 72 hours, with recorded reasons. Model clause 8."),
    ),
)


def starts(day: date, zone: tzinfo) -> datetime:
    """The moment at which recording may begin."""
    return begin(day, zone)


def unsigned(
    answers: Mapping[str, Any],
    adults: Iterable[Adult],
    *,
    tenant: str,
    site: str,
    number: int,
    zone: tzinfo,
    now: float,
) -> Authority:
    """The document as it is to be signed.

    Args:
        answers: as the page saved them (`kind`, `reference`, `purpose`, `responsible`, `basis`, `first`, `last`,
            `review`, `clauses`, `lists`, `authority_id`).
        adults: who was told or agreed before it was prepared; by opaque ids.
        tenant: whose.
        site: for which box.
        number: 1, or one more than the document before.
        zone: of the days.
        now: when it is prepared, Unix seconds.

    Raises:
        ValueError: no such document can be; the text says why.
    """
    consents = tuple(
        Consent(
            id=item.adult_id,
            role=cast("Literal['subject', 'adult']", item.role),
            kind=cast("Literal['consent', 'notice']", item.kind),
            given_at=datetime.fromtimestamp(item.given_at, UTC),
            confirm_by=None if item.confirm_by is None else datetime.fromtimestamp(item.confirm_by, UTC),
        )
        for item in adults
        if item.signed != "declined" or item.kind == "notice"
    )
    first, last, review = (date.fromisoformat(answers[name]) for name in ("first", "last", "review"))
    try:
        return Authority(
            id=answers["authority_id"],
            number=number,
            kind=answers["kind"],
            reference=answers["reference"],
            purpose=answers["purpose"],
            tenant=tenant,
            site=site,
            responsible_officer=answers["responsible"],
            issued_at=datetime.fromtimestamp(int(now), UTC),
            not_before=begin(first, zone),
            not_after=end(last, zone),
            review_date=begin(review, zone),
            clauses=clauses(answers["clauses"], answers["lists"]),
            legal_basis=answers["basis"] or None,
            consents=consents or None,
        )
    except ValidationError as error:
        raise ValueError("; ".join(item["msg"] for item in error.errors()[:3])) from None


def clauses(chosen: Sequence[str], lists: Sequence[str]) -> tuple[Clause, ...]:
    """Clauses of the document: presence of all devices always, as without it nothing can be shown at all."""
    classes = [DataClass.VOLUMES]
    classes += [DataClass.SIGNS] if "signs" in chosen else []
    classes += [DataClass.LIST_HITS] if "lists" in chosen else []
    classes += [DataClass.FULL_NAMES] if "full" in chosen else []
    mine: tuple[Literal[Standing.REGISTERED]] = (Standing.REGISTERED,)
    made: list[Clause] = [
        CollectClause(number="1", standings=tuple(Standing), classes=(DataClass.PRESENCE, DataClass.FINGERPRINT))
    ]
    if len(classes) > 1:
        made.append(CollectClause(number="2", standings=mine, classes=tuple(classes)))
    if "register" in chosen:
        made.append(RegisterClause(number="3"))
    if "lists" in chosen:
        made.append(ListsClause(number="4", standings=mine, lists=tuple(lists)))
    if "block" in chosen:
        made.append(BlockClause(number="6", standings=mine, lists=tuple(lists)))
    if "quarantine" in chosen:
        made.append(QuarantineClause(number="7", standings=(Standing.UNKNOWN,)))
    if "unmask" in chosen:
        made.append(
            UnmaskClause(
                number="8",
                standings=(Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.UNKNOWN),
                classes=(DataClass.PRESENCE, DataClass.FINGERPRINT, DataClass.VOLUMES, DataClass.LIST_HITS),
                most_hours=UNMASK_HOURS,
            )
        )
    return tuple(made)


def read_signed(  # noqa: PLR0911 - one return a fault reads best
    raw: bytes, issuers: Sequence[Ed25519PublicKey], prepared: Authority, *, now: float
) -> Authority | str:
    """What was handed in, or what is wrong with it.

    It must be signed by one who may issue, and say what was prepared: same case, box, dates and clauses. The day on
    which it was issued may differ, as it may have been written out again.
    """
    if not raw.strip():
        return N_("Select the signed document, or paste it")
    if len(raw) > MAX_AUTHORITY_TEXT:
        return N_("The document is too long to be one")
    try:
        raw.decode()
        found = verify(parse_signed(raw), issuers)
    except (AuthorityError, ValueError):
        return N_("This is not a document signed by one of those who may issue one. Have it signed again")
    if (found.tenant, found.site) != (prepared.tenant, prepared.site):
        return N_("The document is for another box")
    if found.model_copy(update={"issued_at": prepared.issued_at}) != prepared:
        return N_("The document says something else than was prepared here. Save it again and have that one signed")
    if found.not_after.timestamp() <= now:
        return N_("The document's last day is over")
    return found
