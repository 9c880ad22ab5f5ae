"""What officers type about arrangements: a finding that is not relevant, away times, a household's own entries.

As `forms`: fields in, a `Decision` or what is wrong out; nothing is sent or stored here. Bounded: texts,
days and names each have a most.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from dashboard.commands import TOKEN, Decision
from dashboard.pages import typed
from dashboard.pages.typed import INCOMPLETE, Errors, reason_errors, text_errors, tidy, whole
from wire.findings import Severity
from wire.orders import AddWatch, EndAway, EndQuiet, EndWatch, Order, QuietRule, SetAway

MOST_WHY = 300
"""Characters of a reason that travels to the box."""
MOST_DETAIL = 200
SUBJECT, DEVICE, HOME = "subject", "device", "home"
WHYS = {
    "needed": "Work, school or health care needs it",
    "by-itself": "A device or an app does this by itself",
    "agreed": "It was agreed",
    "mistaken": "The box was mistaken",
    "other": "Another reason",
}
ENDS = {"7": "7 days", "30": "30 days", "90": "90 days", "": "Until an officer lets it speak again"}
SEVERITIES = (Severity.ACT_NOW, Severity.TODAY, Severity.THIS_WEEK, Severity.INFORMATION)
MOST_AWAY_DAYS = 90
LATE_DAYS = 7
"""So long ago an away time may have begun."""
AHEAD_DAYS = 365
"""So far off it may begin."""
MOST_WATCH_DAYS = 365
WATCH_DAYS = 90
_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?")
_ID = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Irrelevant:
    """That a finding is not relevant here, as chosen."""

    token: str
    scope: str
    why: str
    ends: str
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Irrelevant:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            scope=form.get("scope", ""),
            why=form.get("why", ""),
            ends=form.get("ends", "unsaid"),
            reason=tidy(form.get("reason", "")),
        )

    def check(self, *, rule: str, finding_id: str, device_id: str | None) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong; `device_id` is the finding's, None for one about the box."""
        errors: list[tuple[str, str]] = []
        scopes = {SUBJECT, HOME} | ({DEVICE} if device_id is not None else set())
        if self.scope not in scopes:
            errors.append(("quiet-scope", "Select what is not relevant here"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("quiet-scope", INCOMPLETE))
        if self.why not in WHYS:
            errors.append(("quiet-why", "Select why it is not relevant"))
        if self.why == "other" and not self.reason:
            errors.append(("quiet-reason", "Say what the other reason is"))
        if self.ends not in ENDS:
            errors.append(("quiet-ends", "Select for how long"))
        errors += text_errors("quiet-reason", "Text", self.reason.replace("\n", " "), MOST_DETAIL)
        if errors:
            return None, tuple(errors)
        why = WHYS[self.why] + (f": {self.reason}" if self.reason else "")
        days = int(self.ends) if self.ends else None
        narrow = self.scope == SUBJECT
        whose = None if self.scope == HOME else device_id

        def order(at: float) -> Order:
            return QuietRule(
                rule=rule,
                device_id=whose,
                finding_id=finding_id,
                narrow=narrow,
                reason=why.replace("\n", " "),
                until=typed.until(at, days),
            )

        return Decision(token=self.token, order=order, reason=why, device_id=whose, finding_id=finding_id), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Awayed:
    """Days on which everybody, or one device, will be away, as typed."""

    token: str
    starts: str
    ends: str
    device: str
    """Reference of a device; empty for everybody."""
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Awayed:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            starts=form.get("starts", "").strip(),
            ends=form.get("ends", "").strip(),
            device=form.get("device", ""),
            reason=tidy(form.get("reason", "")),
        )

    def check(self, known: Collection[str], *, now: float, zone: tzinfo) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong; `known` are the devices that may be away, `zone` is that of the days."""
        first, last = typed.day(self.starts), typed.day(self.ends)
        errors = self._day_errors(now, zone)
        if self.device and self.device not in known:
            errors.append(("away-device", "Select who will be away"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("away-starts", INCOMPLETE))
        errors += reason_errors("away-reason", self.reason, MOST_WHY)
        if errors or first is None or last is None:
            return None, tuple(errors)
        whose = self.device or None
        order = SetAway(
            starts=typed.begin(first, zone),
            ends=typed.end(last, zone),
            device_id=whose,
            reason=self.reason.replace("\n", " "),
        )
        return Decision(token=self.token, order=lambda _: order, reason=self.reason, device_id=None), ()

    def _day_errors(self, now: float, zone: tzinfo) -> list[tuple[str, str]]:
        first, last = typed.day(self.starts), typed.day(self.ends)
        errors: list[tuple[str, str]] = []
        if first is None:
            errors.append(("away-starts", "Enter the first day, such as 2026-01-31"))
        if last is None:
            errors.append(("away-ends", "Enter the last day, such as 2026-02-07"))
        if first is not None and last is not None:
            if last < first:
                errors.append(("away-ends", "The last day must not be before the first"))
            elif last - first >= timedelta(days=MOST_AWAY_DAYS):
                errors.append(("away-ends", f"An away time must be {MOST_AWAY_DAYS} days or fewer"))
            elif typed.end(last, zone).timestamp() <= now:
                errors.append(("away-ends", "The last day is over already"))
            if typed.begin(first, zone).timestamp() <= now - LATE_DAYS * typed.DAY:
                errors.append(("away-starts", f"The first day must be {LATE_DAYS} days ago or later"))
            elif typed.begin(first, zone).timestamp() > now + AHEAD_DAYS * typed.DAY:
                errors.append(("away-starts", "The first day must be within a year from now"))
        return errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An entry of the household's own, as typed."""

    token: str
    name: str
    kind: str
    below: bool
    severity: str
    days: str
    reason: str

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Watched:
        """Take the fields out of a form."""
        return cls(
            token=form.get("token", ""),
            name=tidy(form.get("name", "")).rstrip("."),
            kind=form.get("kind", ""),
            below=form.get("below") == "1",
            severity=form.get("severity", ""),
            days=form.get("days", "").strip(),
            reason=tidy(form.get("reason", "")),
        )

    def check(self) -> tuple[Decision | None, Errors]:
        """The decision, or what is wrong."""
        days = whole(self.days, MOST_WATCH_DAYS)
        severity = next((item for item in SEVERITIES if item == self.severity), None)
        errors: list[tuple[str, str]] = []
        if not is_name(self.name):
            errors.append(("watch-name", "Enter a name such as example.org, with nothing before or after it"))
        elif not TOKEN.fullmatch(self.token):
            errors.append(("watch-name", INCOMPLETE))
        if self.kind not in {"find", "exclude"}:
            errors.append(("watch-kind", "Select what the box is to do"))
        if self.kind == "find" and severity is None:
            errors.append(("watch-severity", "Select how soon to look"))
        if days is None:
            errors.append(("watch-days", f"Days must be a whole number from 1 to {MOST_WATCH_DAYS}"))
        errors += reason_errors("watch-reason", self.reason, MOST_WHY)
        if errors or days is None:
            return None, tuple(errors)
        excluded = self.kind == "exclude"
        name, below, whole_days = self.name.lower(), self.below, days
        soon = Severity.INFORMATION if excluded or severity is None else severity

        def order(at: float) -> Order:
            return AddWatch(
                name=name,
                below=below,
                excluded=excluded,
                severity=soon,
                reason=self.reason.replace("\n", " "),
                expires=typed.after(at, whole_days),
            )

        return Decision(token=self.token, order=order, reason=self.reason, device_id=None), ()


def is_name(text: str) -> bool:
    """Whether it is a name of two parts or more, in letters of any script; the box says whether it takes it."""
    parts = text.split(".")
    # What ends in a number is an address: no name is looked up like that (RFC 3696, 2), so it would never be found.
    named = len(text) <= 253 and len(parts) > 1 and not parts[-1].isdecimal()
    return named and all(_LABEL.fullmatch(part) for part in parts)


def ended(kind: str, form: Mapping[str, str]) -> Decision | None:
    """The decision that an arrangement (`quiet`, `away` or `watch`) ends; None for a form that none of our pages made."""
    reference, token = form.get("reference", ""), form.get("token", "")
    if not _ID.fullmatch(reference) or not TOKEN.fullmatch(token):
        return None
    orders: dict[str, Order] = {
        "quiet": EndQuiet(quiet_id=reference),
        "away": EndAway(away_id=reference),
        "watch": EndWatch(watch_id=reference),
    }
    order = orders.get(kind)
    return None if order is None else Decision(token=token, order=lambda _: order, reason="", device_id=None)
