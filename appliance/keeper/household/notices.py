"""Who is shown the notice, and who has read it (R59, R60).

In: signs of life of devices, the authority in force, the word that somebody has read it. Out: `NoticeDue` for the
warden, and for the server the text of each notice once, and that it was read. A device is led to the notice when it
is first seen under an authority, when the text has changed, and where the authority rests on consent again after
`CONFIRM_SECONDS`; each time until somebody on it says that they have read it, or for a minute. Being led there is what
is recorded: whether the device asked meanwhile, and showed it to anybody, nobody knows until somebody says so.
Bounded: `MAX_UNREAD` addresses at a time; one that finds no room is not held up, is counted, and is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance import messages as m
from appliance import notice as text
from appliance.keeper import words
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.household.record import Record
from appliance.keeper.store.household_side import Shown
from appliance.keeper.store.outbox import Priority
from appliance.settings import NoticeSettings
from wire.authority import Authority, DataClass
from wire.base import Standing
from wire.household import Notice
from wire.ledger import RecordKind

CONFIRM_SECONDS = 90 * 86_400.0
"""Where the authority is a consent, everybody is asked again after so long (R60)."""


@dataclass(slots=True)
class _Led:
    device_id: str
    until: float


class Notices:
    """The notice as it now is, and who is led to it."""

    def __init__(self, record: Record, settings: NoticeSettings | None) -> None:
        """Without `settings` there is no page to show, and nobody is led anywhere."""
        self._record = record
        self._settings = settings
        self._shown = {row.device_id: row for row in record.store.household_side.shown()}
        self._led: dict[str, _Led] = {}
        self._authority: Authority | None = None
        self._digest: str | None = None
        self.news = False
        """Who is led there has changed; whoever tells the warden takes it back."""
        self.overflow = 0

    @property
    def digest(self) -> str | None:
        """Of the notice under the authority in force; None without one."""
        return self._digest

    def settle(self, scope: Scope | None, at: float) -> None:
        """Bring the text in line with the authority, and tell the server of a new one."""
        for mac in [mac for mac, led in self._led.items() if led.until <= at]:
            del self._led[mac]  # the kernel has let it go by itself
        authority = None if scope is None else scope.authority
        if authority == self._authority or self._settings is None:
            return
        self._authority = authority
        if scope is None:
            self._digest = None
            self.news = self.news or bool(self._led)
            self._led.clear()
            return
        shown = text.sections(words.notice(scope), self._settings)
        self._digest = text.digest(shown)
        if not self._record.store.household_side.told(self._digest):
            self._record.store.household_side.put_told(self._digest, at)
            payload = Notice(sha256=self._digest, lines=text.lines(shown), at=moment(at))
            self._record.send(payload, subject=self._digest, priority=Priority.RESULT, at=at)

    def seen(self, mac: str, scope: Scope | None, at: float) -> None:
        """A sign of life of an address: is there something for it to read?"""
        if scope is None or self._digest is None or mac in self._led:
            return
        device = self._record.registry.by_mac(mac)
        if device is None or not self._due(device, scope, at):
            return
        if len(self._led) >= m.MAX_UNREAD:
            self.overflow += 1
            return
        row = self._shown.get(device.device_id)
        if row is None or not self._same_minute(row, at):
            row = Shown(device_id=device.device_id, sha256=self._digest, shown=at)
            self._put(row)
            self._record.store.ledger.note(
                RecordKind.HOUSEHOLD,
                {"event": "led-to-notice", "notice": self._digest, "device": device.device_id},
                data_class=DataClass.PRESENCE.value,
                macs=(*device.macs, device.device_id),
                device_id=device.device_id,
            )
        self._led[mac] = _Led(device_id=device.device_id, until=row.shown + m.UNREAD_SECONDS)
        self.news = True

    def read(self, device: Device, at: float) -> bool:
        """Somebody says on this device that they have read the notice as it is; whether that is news."""
        if self._digest is None:
            return False
        row = self._shown.get(device.device_id)
        before = row is not None and row.sha256 == self._digest and row.read is not None
        if before and row is not None and row.read is not None and not self._old(row.read, at):
            self._let_go(device.device_id)
            return False
        self._put(Shown(device_id=device.device_id, sha256=self._digest, shown=row.shown if row else at, read=at))
        self._let_go(device.device_id)
        return True

    def due(self, at: float) -> m.NoticeDue:
        """Who is led to the notice at this moment, and for how long still."""
        return m.NoticeDue(
            devices=tuple(
                m.Unread(mac=mac, seconds=min(led.until - at, m.UNREAD_SECONDS))
                for mac, led in self._led.items()
                if led.until > at
            )
        )

    def row(self, device_id: str) -> Shown | None:
        """When this device was shown which notice."""
        return self._shown.get(device_id)

    def devices(self) -> set[str]:
        """All devices that were led to a notice."""
        return set(self._shown)

    def forget(self, device_id: str) -> None:
        """The box knows no such device any more."""
        self._shown.pop(device_id, None)
        self._let_go(device_id)

    def _due(self, device: Device, scope: Scope, at: float) -> bool:
        if device.standing is Standing.INFRASTRUCTURE or DataClass.PRESENCE not in scope.classes(device.standing):
            return False
        row = self._shown.get(device.device_id)
        if row is None or row.sha256 != self._digest:
            return True
        if self._old(row.shown if row.read is None else row.read, at):
            return True
        return self._same_minute(row, at)  # another address of it, or this process has started anew

    def _old(self, since: float, at: float) -> bool:
        return self._authority is not None and self._authority.kind == "consent" and at - since >= CONFIRM_SECONDS

    def _same_minute(self, row: Shown, at: float) -> bool:
        return row.sha256 == self._digest and row.read is None and row.shown <= at < row.shown + m.UNREAD_SECONDS

    def _let_go(self, device_id: str) -> None:
        for mac in [mac for mac, led in self._led.items() if led.device_id == device_id]:
            del self._led[mac]
            self.news = True

    def _put(self, row: Shown) -> None:
        self._shown[row.device_id] = row
        self._record.store.household_side.put_shown(row)
