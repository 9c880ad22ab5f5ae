"""What officers type: fields out of a form, and a decision or what is wrong with each field.

In: a form's fields, and what the page knows of the device. Out: a `Decision`, or pairs of an element's
id and a sentence. Nothing is sent or stored here. Bounded: every text has a most; an id of an address
that the device does not have is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.commands import TOKEN, Decision
from dashboard.pages import words
from dashboard.pages.typed import INCOMPLETE, Errors, reason_errors, text_errors, tidy, until, whole
from wire.base import Correction, Standing
from wire.orders import AnswerProposal, BindPassphrase, CorrectDevice, Order, RunProbe, SetStanding, SplitDevice

STANDINGS = (Standing.REGISTERED, Standing.HOUSEHOLD, Standing.GUEST, Standing.WORK, Standing.INFRASTRUCTURE)
"""What an officer may make of a device."""
PURPOSES: tuple[Literal["device", "guest", "household"], ...] = ("device", "guest", "household")
LOOKS: tuple[Literal["sweep", "services", "dhcp"], ...] = ("sweep", "services", "dhcp")
MOST_LABEL = 80
MOST_SYSTEM = 40
MOST_NAME = 80
MOST_KEY = 64
GUEST_DAYS = 14
MOST_GUEST_DAYS = 90
_DAYS = f"Days must be a whole number from 1 to {MOST_GUEST_DAYS}"
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standed:
    """Whose device it is, as typed."""

    token: str
    standing: str
    label: str
    days: str
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Standed:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            standing=form.get("standing", ""),
            label=tidy(form.get("label", "")),
            days=form.get("days", "").strip(),
            reason=tidy(form.get("reason", "")),
        )

    def check(self, device_id: str) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong."""
        days = whole(self.days, MOST_GUEST_DAYS) if self.standing == Standing.GUEST else None
        errors: list[tuple[str, str]] = []
        if self.standing not in STANDINGS:
            errors.append(("standing", "Select whose device this is"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("standing", INCOMPLETE))
        if self.standing == Standing.GUEST and days is None:
            errors.append(("days", _DAYS))
        errors += text_errors("label", "Label", self.label, MOST_LABEL)
        errors += reason_errors("reason", self.reason)
        if errors:
            return None, tuple(errors)
        standing, label = Standing(self.standing), self.label or None

        def order(at: float) -> Order:
            return SetStanding(device_id=device_id, standing=standing, label=label, guest_until=until(at, days))

        return Decision(token=self.token, order=order, reason=self.reason, device_id=device_id), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a device is, as typed; what is empty is left to the box."""

    token: str
    category: str
    os_family: str
    vendor: str
    model: str
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Corrected:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            category=form.get("category", ""),
            os_family=tidy(form.get("os_family", "")),
            vendor=tidy(form.get("vendor", "")),
            model=tidy(form.get("model", "")),
            reason=tidy(form.get("reason", "")),
        )

    def check(self, device_id: str) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong."""
        errors: list[tuple[str, str]] = []
        if self.category and self.category not in words.CATEGORIES:
            errors.append(("correct-category", "Select a kind of device from the list"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("correct-category", INCOMPLETE))
        errors += text_errors("correct-os", "System", self.os_family, MOST_SYSTEM)
        errors += text_errors("correct-vendor", "Maker", self.vendor, MOST_NAME)
        errors += text_errors("correct-model", "Model", self.model, MOST_NAME)
        errors += reason_errors("correct-reason", self.reason)
        if errors:
            return None, tuple(errors)
        said = Correction(
            category=self.category or None,
            os_family=self.os_family or None,
            vendor=self.vendor or None,
            model=self.model or None,
        )
        order = CorrectDevice(device_id=device_id, correction=said)
        return Decision(token=self.token, order=lambda _: order, reason=self.reason, device_id=device_id), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """Addresses to take out of a device, as ticked."""

    token: str
    macs: tuple[str, ...]
    reason: str
    confirmed: bool
    """Sent from the page that says what it means."""

    @classmethod
    def read(cls, form: Mapping[str, str], macs: Sequence[str]) -> Parted:
        """Take the fields out of a form; `macs` are all values of its boxes."""
        return cls(
            token=form.get("token", ""),
            macs=tuple(dict.fromkeys(macs)),
            reason=tidy(form.get("reason", "")),
            confirmed=form.get("confirmed") == "1",
        )

    def check(self, device_id: str, known: Sequence[str]) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong; `known` are the device's addresses."""
        errors: list[tuple[str, str]] = []
        if not self.macs or not set(self.macs) <= set(known):
            errors.append(("split-macs", "Select the addresses that are another device"))
        elif len(self.macs) == len(set(known)):
            errors.append(("split-macs", "Leave at least one address that stays"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("split-macs", INCOMPLETE))
        errors += reason_errors("split-reason", self.reason)
        if errors:
            return None, tuple(errors)
        order = SplitDevice(device_id=device_id, macs=self.macs)
        return Decision(token=self.token, order=lambda _: order, reason=self.reason, device_id=device_id), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a Wi-Fi passphrase is for, as typed."""

    token: str
    key_id: str
    purpose: str
    days: str
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Bound:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            key_id=form.get("key_id", "").strip(),
            purpose=form.get("purpose", ""),
            days=form.get("days", "").strip(),
            reason=tidy(form.get("reason", "")),
        )

    def check(self, device_id: str) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong."""
        days = whole(self.days, MOST_GUEST_DAYS) if self.purpose == "guest" else None
        purpose = next((item for item in PURPOSES if item == self.purpose), None)
        errors: list[tuple[str, str]] = []
        if not self.key_id:
            errors.append(("key-id", "Enter the reference of the passphrase"))
        elif len(self.key_id) > MOST_KEY or not set(self.key_id) <= _KEY_CHARACTERS:
            errors.append(
                ("key-id", f"Reference must be {MOST_KEY} letters, digits, dots, dashes or underscores or fewer")
            )
        if purpose is None:
            errors.append(("key-purpose", "Select what the passphrase is for"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("key-purpose", INCOMPLETE))
        if purpose == "guest" and days is None:
            errors.append(("key-days", _DAYS))
        errors += reason_errors("key-reason", self.reason)
        if errors or purpose is None:
            return None, tuple(errors)
        key_id, whose, named = self.key_id, device_id if purpose == "device" else None, purpose

        def order(at: float) -> Order:
            return BindPassphrase(key_id=key_id, purpose=named, device_id=whose, until=until(at, days))

        return Decision(token=self.token, order=order, reason=self.reason, device_id=device_id), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Whether two devices are one, as chosen."""

    token: str
    answer: str
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Answered:
        """Take the fields out of a form."""
        return cls(token=form.get("token", ""), answer=form.get("answer", ""), reason=tidy(form.get("reason", "")))

    def check(self, proposal_id: str, device_id: str) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong; `device_id` is the device that would stay."""
        errors: list[tuple[str, str]] = []
        if self.answer not in {"confirm", "refuse"}:
            errors.append(("answer", "Select whether they are one device"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("answer", INCOMPLETE))
        errors += reason_errors("answer-reason", self.reason)
        if errors:
            return None, tuple(errors)
        order = AnswerProposal(proposal_id=proposal_id, confirm=self.answer == "confirm")
        decision = Decision(
            token=self.token,
            order=lambda _: order,
            reason=self.reason,
            device_id=device_id,
            proposal_id=proposal_id,
        )
        return decision, ()


def look_round(form: Mapping[str, str]) -> Decision | None:
    """The decision to look round once; None for a form that none of our pages made."""
    kind = next((item for item in LOOKS if item == form.get("kind")), None)
    token = form.get("token", "")
    if kind is None or not TOKEN.fullmatch(token):
        return None
    order = RunProbe(kind=kind)
    return Decision(token=token, order=lambda _: order, reason="", device_id=None)
