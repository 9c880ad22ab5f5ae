"""Arrangements as rows of a page, and the forms that add one. Stored rows in, contexts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dashboard import commands
from dashboard.pages import sentences, words
from dashboard.pages.contexts import Choice
from dashboard.pages.contexts_arranged import Arranged, AwayForm, WatchForm
from dashboard.pages.desk import Desk
from dashboard.pages.forms_arranged import SEVERITIES, WATCH_DAYS, Awayed, Watched
from dashboard.pages.rows import device_name
from dashboard.pages.typed import Errors
from dashboard.store.devices import StoredDevice
from wire.box import Away, Quieted, Watch
from wire.findings import Severity

_HOME = "The whole home"
_KINDS = {
    "find": ("Report it when it is asked for", "Only where the authority lets lists be used for the device."),
    "exclude": ("Never keep that it is asked for", "For a solicitor, a doctor, a helpline: it is not logged at all."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Makes rows of what a box said is arranged with it."""

    at_desk: Desk
    known: Mapping[str, StoredDevice]
    """Devices by their references."""
    people: Mapping[str, str]
    """Names of accounts by their references."""
    new_token: Callable[[], str]

    def quieted(self, item: Quieted) -> Arranged:
        """A rule that is quiet (R30)."""
        subject = f", only for {words.defang(item.subject)}" if item.subject else ""
        until = item.until.timestamp() if item.until else None
        return Arranged(
            reference=item.quiet_id,
            text=f"Not shown: {sentences.finding(item.rule, None)}",
            detail=self._whose(item.device_id) + subject,
            why=words.plain(item.reason),
            by=self._by(item.by),
            at=self.at_desk.moment(item.at.timestamp()),
            ends=self.at_desk.moment_or_none(until),
            over=(past := until is not None and until <= self.at_desk.now()),
            past=past,
            count=words.count(item.count, "finding kept quiet", "findings kept quiet"),
            token=self.new_token(),
        )

    def away(self, item: Away) -> Arranged:
        """A time in which silence is expected (R15)."""
        # It ends as a day begins; what an officer said is the day before.
        first = words.date(item.starts.timestamp(), self.at_desk.zone)
        last = words.date(item.ends.timestamp() - 1, self.at_desk.zone)
        return Arranged(
            reference=item.away_id,
            text=f"Away from {first} to {last}",
            detail=self._whose(item.device_id),
            why=words.plain(item.reason),
            by=self._by(item.by),
            at=None,
            ends=None,
            over=not item.starts.timestamp() <= self.at_desk.now() < item.ends.timestamp(),
            past=item.ends.timestamp() <= self.at_desk.now(),
            count="",
            token=self.new_token(),
        )

    def watch(self, item: Watch) -> Arranged:
        """An entry of the household's own (R35, R67)."""
        name = words.defang(item.name) + (" and what belongs to it" if item.below else "")
        expires = item.expires.timestamp()
        return Arranged(
            reference=item.watch_id,
            text=f"Never kept: {name}" if item.excluded else f"Reported: {name}",
            detail="" if item.excluded else words.severity(item.severity),
            why=words.plain(item.reason),
            by=self._by(item.by),
            at=self.at_desk.moment(item.at.timestamp()),
            ends=self.at_desk.moment(expires),
            over=(past := expires <= self.at_desk.now()),
            past=past,
            count="",
            token=self.new_token(),
        )

    def _whose(self, device_id: str | None) -> str:
        return _HOME if device_id is None else device_name(self.known.get(device_id), device_id)

    def _by(self, account_id: str) -> str:
        return words.plain(self.people.get(account_id, f"account {account_id}"), 120)


def away_form(target: str, registered: Iterable[StoredDevice], typed: Awayed | None, errors: Errors) -> AwayForm:
    """The form that says that nobody, or one device, will be at home."""
    chosen = typed.device if typed else ""
    named = [("", "Everybody in the home"), *((row.device_id, device_name(row, row.device_id)) for row in registered)]
    return AwayForm(
        opened=bool(errors),
        target=target,
        token=commands.new_token(),
        reason=typed.reason if typed else "",
        errors=errors,
        starts=typed.starts if typed else "",
        ends=typed.ends if typed else "",
        devices=tuple(Choice(value=value, text=text, hint="", checked=value == chosen) for value, text in named),
    )


def watch_form(target: str, typed: Watched | None, errors: Errors) -> WatchForm:
    """The form that adds an entry of the household's own."""
    severity = typed.severity if typed else Severity.TODAY
    return WatchForm(
        opened=bool(errors),
        target=target,
        token=commands.new_token(),
        reason=typed.reason if typed else "",
        errors=errors,
        name=typed.name if typed else "",
        kinds=tuple(
            Choice(value=value, text=text, hint=hint, checked=typed is not None and value == typed.kind)
            for value, (text, hint) in _KINDS.items()
        ),
        below=typed.below if typed else True,
        severities=tuple(
            Choice(value=item, text=words.severity(item), hint="", checked=item == severity) for item in SEVERITIES
        ),
        days=typed.days if typed else str(WATCH_DAYS),
    )
