"""Forms for acts about law and household, one table an act: its fields, and how an order is made of what was typed.

In: a form's fields. Out: a `Decision`, or what is wrong and where. Pure; nothing is sent or stored here.
Bounded: every text, number of days and choice has a most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from pydantic import ValidationError

from dashboard.commands import TOKEN, Decision
from dashboard.pages import typed
from dashboard.pages.typed import DAY, INCOMPLETE, Errors, text_errors, tidy
from wire.acts import (
    BuildBundle,
    EndHold,
    EndUnmask,
    EraseRecords,
    IssueCode,
    PauseRecording,
    ResumeRecording,
    SetHold,
    Unmask,
    WithdrawConsent,
)
from wire.authority import MOST_UNMASKED_HOURS
from wire.orders import Order

MOST_REASON = 300
MOST_DAYS_BACK = 400
MOST_HOLD_DAYS = 183
MOST_PAUSE_DAYS = 90
MOST_CODE_HOURS = 48
_REASON = "Enter the reason for your decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a form's order is made of."""

    form: Mapping[str, str]
    zone: tzinfo
    now: float
    device_id: str | None
    devices: Mapping[str, str]
    """Names of the devices that may be chosen, by their references."""
    secret: bytes = b""
    """The service's own, of which one-time codes are made."""
    errors: list[tuple[str, str]] = field(default_factory=list)

    def wrong(self, name: str, text: str) -> None:
        """Note what is wrong with a field."""
        self.errors.append((name, text))

    def text(self, name: str) -> str:
        """A typed text, tidy and in one line."""
        return " ".join(tidy(self.form.get(name, "")).split())

    @property
    def reason(self) -> str:
        """Why; asked for in every form."""
        return self.text("reason")

    def day(self, name: str, what: str, *, end: bool = False, needed: bool = True) -> datetime | None:
        """The beginning (or end) of a typed day; None with a note where there is none."""
        raw = self.text(name)
        if not raw and not needed:
            return None
        found = typed.day(raw)
        if found is None:
            self.wrong(name, f"Enter {what}, such as 31/1/2026")
            return None
        return typed.end(found, self.zone) if end else typed.begin(found, self.zone)

    def whole(self, name: str, what: str, most: int) -> int:
        """A whole number of days or hours; 1 with a note where there is none."""
        found = typed.whole(self.text(name), most)
        if found is None:
            self.wrong(name, f"{what} must be a whole number from 1 to {most}")
        return found or 1

    def after(self, seconds: float) -> datetime:
        """So long after now."""
        return datetime.fromtimestamp(self.now + seconds, UTC)

    def device(self) -> str | None:
        """A chosen device; None for all."""
        chosen = self.text("device")
        if chosen and chosen not in self.devices:
            self.wrong("device", "Select a device of this household")
            return None
        return chosen or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One form."""

    key: str
    heading: str
    says: str
    """What it does, for who is about to do it."""
    button: str
    fields: tuple[tuple[str, str, str, str], ...]
    """Name, kind (text, area, day, number, device, tick, purpose), label, hint."""
    make: Callable[[Given], Order | None]
    """The order; None (and notes of what is wrong) where the fields do not hold."""
    two: bool = False
    breakable: bool = False


def check(spec: Spec, given: Given) -> tuple[Decision | None, Errors]:
    """The decision, or what is wrong."""
    token = given.form.get("token", "")
    if not given.reason:
        given.wrong("reason", _REASON)
    given.errors.extend(text_errors("reason", "Reason", given.reason, MOST_REASON))
    if not TOKEN.fullmatch(token):
        given.wrong("reason", INCOMPLETE)
    try:
        order = None if given.errors else spec.make(given)
    except ValidationError:
        order = None  # a hidden field that none of our pages made
    prefix = f"{spec.key}-"
    if order is None or given.errors:
        return None, tuple((prefix + name, text) for name, text in given.errors) or ((prefix + "reason", INCOMPLETE),)
    return (
        Decision(
            token=token,
            # A form sent twice is the order as it was at first, whatever the time is now.
            order=lambda at: spec.make(replace(given, now=at)) or order,
            reason=given.reason,
            device_id=given.device_id or getattr(order, "device_id", None),
            break_glass=spec.breakable and given.form.get("emergency") == "yes",
        ),
        (),
    )


def reference(prefix: str, token: str) -> str:
    """The id of what a form makes: it follows from the form's own, so that a form sent twice makes one."""
    return f"{prefix}-{hashlib.sha256(token.encode()).hexdigest()[:16]}"


def code_of(secret: bytes, token: str) -> str:
    """A one-time code that follows from the form's token and the service's secret: 60 bits, in letters read out easily.

    It is made again for the page that shows it, and is kept nowhere.
    """
    alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = int.from_bytes(hashlib.sha256(b"gatehouse/one-time-code/v1\n" + secret + token.encode()).digest())
    letters = []
    for _ in range(12):
        number, place = divmod(number, len(alphabet))
        letters.append(alphabet[place])
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 12, 4))


def _pause(given: Given) -> Order | None:
    until = given.day("until", "the last day of the pause", end=True, needed=False)
    if until is not None and not given.now < until.timestamp() <= given.now + MOST_PAUSE_DAYS * DAY:
        given.wrong("until", f"The last day must be within the next {MOST_PAUSE_DAYS} days")
    return PauseRecording(until=until, reason=given.reason)


def _resume(given: Given) -> Order | None:
    return ResumeRecording(reason=given.reason)


def _withdraw(given: Given) -> Order | None:
    consent = given.text("consent").lower()
    if consent and not all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in consent):
        given.wrong("consent", "Enter the reference as the document has it: small letters, digits and hyphens")
        return None
    return WithdrawConsent(consent=consent[:64] or None, reason=given.reason)


def _hold(given: Given) -> Order | None:
    since = given.day("since", "the first day")
    until = given.day("until", "the last day", end=True)
    days = given.whole("days", "Days", MOST_HOLD_DAYS)
    device = given.device()
    if since is None or until is None:
        return None
    if since >= until:
        given.wrong("until", "The last day must not be before the first")
    if since.timestamp() < given.now - MOST_DAYS_BACK * DAY:
        given.wrong("since", f"The first day must be within the last {MOST_DAYS_BACK} days")
    return SetHold(
        hold_id=reference("hold", given.form.get("token", "")),
        since=since,
        until=until,
        device_id=device,
        review=given.after(days * DAY),
        reason=given.reason,
    )


def _end_hold(given: Given) -> Order | None:
    return EndHold(hold_id=given.text("reference")) if given.text("reference") else None


def _unmask(given: Given) -> Order | None:
    hours = given.whole("hours", "Hours", MOST_UNMASKED_HOURS)
    if given.device_id is None:
        return None
    return Unmask(device_id=given.device_id, until=given.after(hours * 3600), reason=given.reason)


def _end_unmask(given: Given) -> Order | None:
    return EndUnmask(device_id=given.device_id) if given.device_id else None


def _erase(given: Given) -> Order | None:
    since = given.day("since", "the first day", needed=False)
    until = given.day("until", "the last day", end=True, needed=False)
    if since is not None and until is not None and since >= until:
        given.wrong("until", "The last day must not be before the first")
    if given.device_id is None:
        return None
    return EraseRecords(device_id=given.device_id, since=since, until=until, reason=given.reason)


def _bundle(given: Given) -> Order | None:
    since = given.day("since", "the first day")
    until = given.day("until", "the last day", end=True)
    device = given.device()
    purpose = given.text("purpose")
    if purpose not in {"evidence", "access"}:
        given.wrong("purpose", "Select what the records are for")
    if purpose == "access" and device is None:
        given.wrong("device", "Select whose device it is")
    if since is not None and until is not None and since >= until:
        given.wrong("until", "The last day must not be before the first")
    if since is None or until is None or given.errors:
        return None
    latest = min(until, given.after(0))
    if since >= latest:
        given.wrong("since", "The first day must not be in the future")
        return None
    return BuildBundle(
        bundle_id=reference("bundle", given.form.get("token", "")),
        purpose="evidence" if purpose == "evidence" else "access",
        since=since,
        until=latest,
        device_ids=(device,) if device else (),
        reason=given.reason,
    )


def _code(given: Given) -> Order | None:
    # Only the hash of the code travels.
    code = code_of(given.secret, given.form.get("token", ""))
    hours = given.whole("hours", "Hours", MOST_CODE_HOURS)
    if given.device_id is None:
        return None
    digest = hashlib.sha256(f"{given.device_id}:{code}".encode()).hexdigest()
    return IssueCode(device_id=given.device_id, code_sha256=digest, expires=given.after(hours * 3600))


_WHY = ("reason", "area", "Reason", "It is kept with your decision. Do not use anyone's name.")
_DAYS = (("since", "day", "First day", ""), ("until", "day", "Last day", ""))

PAUSE = Spec(
    key="pause",
    heading="Pause recording",
    says="The box records nothing about devices until the pause is over. Gaps in the records will show it.",
    button="Pause recording",
    fields=(
        ("until", "day", "Last day of the pause (optional)", "Leave empty to pause until an officer ends it."),
        _WHY,
    ),
    make=_pause,
)
RESUME = Spec(
    key="resume",
    heading="Go on recording before a pause is over",
    says="Another officer must agree.",
    button="Ask to go on recording",
    fields=(_WHY,),
    make=_resume,
    two=True,
)
WITHDRAW = Spec(
    key="withdraw",
    heading="Note that a consent was withdrawn",
    says="Recording stops at once, and only a new signed document can let it go on.",
    button="Stop recording",
    fields=(
        (
            "consent",
            "text",
            "Reference of the consent (optional)",
            "As the document has it. Empty: the document itself.",
        ),
        _WHY,
    ),
    make=_withdraw,
)
HOLD = Spec(
    key="hold",
    heading="Keep records of a case longer",
    says="Only what is still on the box can be kept. Another officer must agree.",
    button="Ask to keep the records",
    fields=(
        *_DAYS,
        ("device", "device", "Whose records?", ""),
        ("days", "number", "Keep them for how many days?", f"At most {MOST_HOLD_DAYS}. It can be set anew after that."),
        _WHY,
    ),
    make=_hold,
    two=True,
)
END_HOLD = Spec(
    key="end-hold",
    heading="End the keeping of records",
    says="",
    button="End it",
    fields=(("reference", "hidden", "", ""), _WHY),
    make=_end_hold,
)
UNMASK = Spec(
    key="unmask",
    heading="Look at this device as at a registered one",
    says="The box then records of it what the document allows of a registered device, for a while. "
    "Another officer must agree.",
    button="Ask to look",
    fields=(("hours", "number", "For how many hours?", f"At most {MOST_UNMASKED_HOURS}."), _WHY),
    make=_unmask,
    two=True,
    breakable=True,
)
END_UNMASK = Spec(
    key="end-unmask",
    heading="Stop looking at this device as at a registered one",
    says="",
    button="Stop",
    fields=(_WHY,),
    make=_end_unmask,
)
ERASE = Spec(
    key="erase",
    heading="Erase the records of this device",
    says="What should not have been recorded is erased on the box and here. It cannot be undone. Another officer must "
    "agree.",
    button="Ask to erase",
    fields=(
        ("since", "day", "First day (optional)", "Empty: from the first record on."),
        ("until", "day", "Last day (optional)", "Empty: up to now."),
        _WHY,
    ),
    make=_erase,
    two=True,
)
BUNDLE = Spec(
    key="bundle",
    heading="Collect records to hand out",
    says="For a court, or for a person who asks what is known about their own device. Another officer must agree.",
    button="Ask to collect",
    fields=(
        ("purpose", "purpose", "What are the records for?", ""),
        *_DAYS,
        ("device", "device", "Which device?", ""),
        _WHY,
    ),
    make=_bundle,
    two=True,
    breakable=True,
)
CODE = Spec(
    key="code",
    heading="Give out a code for this device's own page",
    says="With the code, and at home, a person can read what the box knows about this device. It works once. "
    "Be sure that you give it to whoever uses the device.",
    button="Make a code",
    fields=(("hours", "number", "For how many hours does it work?", f"At most {MOST_CODE_HOURS}."), _WHY),
    make=_code,
)
OF_HOME = {spec.key: spec for spec in (PAUSE, RESUME, WITHDRAW, HOLD, END_HOLD, BUNDLE)}
OF_DEVICE = {spec.key: spec for spec in (UNMASK, END_UNMASK, ERASE, CODE)}
