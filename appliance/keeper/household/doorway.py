"""The household's own side (N12): what comes from the notice page, and what goes back to it.

In: forms and questions of the porch, the warden's word which device has an address, codes of officers. Out: answers
for the porch, requests for the server. Nothing follows of a request by itself: an officer decides. What somebody
wrote goes to the outbox and, sealed, to the ledger, nowhere else; which device an IP address is, is asked anew each time and not kept.

Without a valid authority, and while what is heard is sealed because nobody vouches for the time, a request carries no
device: then nothing is recorded about any.
Bounded: `MAX_PENDING` questions wait at a time, for `WAIT_SECONDS` each; in 24 hours `DAILY_DEVICE` requests of a
device and kind, and `DAILY` of all devices together that no officer has decided about: addresses are made up quickly,
and whoever does so must not take the family's way to complain. Who asks for more is told to use the telephone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance import messages as m
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device, moment
from appliance.keeper.household.guests import VISITORS, Guests
from appliance.keeper.household.notices import Notices
from appliance.keeper.household.own_page import OwnPages
from appliance.keeper.household.record import Record
from appliance.keeper.peers import Peer
from appliance.keeper.store.household_side import MAX_FORMS
from appliance.keeper.store.outbox import Priority
from appliance.settings import NoticeSettings
from wire.authority import DataClass
from wire.household import HouseholdRequest
from wire.ledger import RecordKind

MAX_PENDING = 32
WAIT_SECONDS = 1.0
DAILY = 32
DAILY_DEVICE = 3
PRUNE_SECONDS = 600.0

_FULL = "The box has taken as many forms as it can for today. Please use the contact on the page instead."
_LATER = "The box cannot take this right now. Please try again later, or use the contact on the page."
_CHANGED = "The notice has changed meanwhile. Please read it again."
_NOTHING = "The box keeps no records about devices at the moment, so there is nothing to tell it."

Send = Callable[[Peer, m.Message], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    asked: m.FormSent | m.OwnPageAsked
    due: float
    """When it is answered without the warden's word; monotonic seconds."""


class Doorway:
    """Takes what comes from the notice page in. Callers hold the store's transaction."""

    def __init__(self, record: Record, settings: NoticeSettings | None, *, send: Send) -> None:
        self._record = record
        self._send = send
        self.notices = Notices(record, settings)
        self.guests = Guests(record)
        self.own = OwnPages(record, notices=self.notices, guests=self.guests)
        self._pending: dict[int, _Pending] = {}
        self._token = 0
        self._prune_due = float("-inf")
        self.refused = 0
        """Forms that went over a bound, and questions that found no room."""

    def overflow(self) -> int:
        """All that went over a bound, since start."""
        side = self._record.store.household_side
        return self.refused + self.notices.overflow + self.own.overflow + side.overflow

    # --- the porch --------------------------------------------------------------------------

    def asked(self, message: m.FormSent | m.OwnPageAsked, monotonic: float) -> None:
        """Something came from the page: first ask which device has that address."""
        if len(self._pending) >= MAX_PENDING:
            self.refused += 1
            self._answer(message, refusal=_LATER)
            return
        self._token += 1
        self._pending[self._token] = _Pending(asked=message, due=monotonic + WAIT_SECONDS)
        self._send(Peer.WARDEN, m.WhoIs(token=self._token, ip=message.client))

    def this_is(self, answer: m.ThisIs, scope: Scope | None, at: float) -> None:
        """The warden says which device it is."""
        pending = self._pending.pop(answer.token, None)
        if pending is not None:
            self._settle(pending.asked, answer, scope, at)

    def porch_gone(self) -> None:
        """Nobody waits for an answer any more."""
        self._pending.clear()

    # --- time -------------------------------------------------------------------------------

    def tick(self, scope: Scope | None, *, recording: Scope | None, at: float, monotonic: float) -> None:
        """Answer who has waited long enough, let go who was shown enough, tell the warden what is new.

        `recording` is the scope by which devices are recorded: None also while what is heard is sealed.
        """
        for token, pending in list(self._pending.items()):
            if monotonic >= pending.due:
                del self._pending[token]
                self._settle(pending.asked, m.ThisIs(token=token), recording, at)
        self.notices.settle(scope, at)
        if recording is not None:
            self.guests.tick(at)
        if at >= self._prune_due:
            self._prune_due = at + PRUNE_SECONDS
            self._prune()
        if self.notices.news:
            self.notices.news = False
            self.tell_warden(at)

    def tell_warden(self, at: float) -> None:
        """Who is led to the notice: also for a warden that has just come."""
        self._send(Peer.WARDEN, self.notices.due(at))

    def _prune(self) -> None:
        side = self._record.store.household_side
        known = self.notices.devices() | {claim.device_id for claim in side.claims()}
        for device_id in known:
            if self._record.registry.by_id(device_id) is None:
                self.notices.forget(device_id)
                self.guests.forget(device_id)
                side.forget(device_id)

    # --- answers ----------------------------------------------------------------------------

    def _settle(self, asked: m.FormSent | m.OwnPageAsked, answer: m.ThisIs, scope: Scope | None, at: float) -> None:
        mac = answer.mac
        device = None if mac is None or scope is None else self._record.registry.by_mac(mac)
        code = asked.code if isinstance(asked, m.OwnPageAsked) else ""
        proved = self.own.proved(device, mac, wireless=answer.wireless, code=code, at=at)
        if isinstance(asked, m.OwnPageAsked):
            shown = self.own.sections(device, scope, at) if proved and device is not None else ()
            if shown and device is not None:
                self._record.store.ledger.note(
                    RecordKind.HOUSEHOLD,
                    {"event": "own-page-shown", "device": device.device_id},
                    data_class=DataClass.PRESENCE.value,
                    macs=(*device.macs, device.device_id),
                    device_id=device.device_id,
                )
            self._send(Peer.PORCH, m.OwnPage(ticket=asked.ticket, sections=shown))
        else:
            self._answer(asked, refusal=self._take(asked, device, proved=proved, scope=scope, at=at))

    def _take(
        self, form: m.FormSent, device: Device | None, *, proved: bool, scope: Scope | None, at: float
    ) -> str | None:
        device_id = None if device is None else device.device_id
        if form.kind is m.FormKind.NOTICE_READ:
            return self._read(form, device, proved=proved, at=at)
        refusal = _lacking(form, scope) or self._room(form.kind, device, at)
        if refusal is not None:
            return refusal
        until = None if form.seconds is None else at + form.seconds
        text = form.text
        if form.kind is m.FormKind.GUEST and form.visitor is not None and until is not None:
            text = VISITORS[form.visitor].capitalize()
            if device is not None and not self.guests.say(device, form.visitor, until, at):
                self.refused += 1  # the officers hear of it all the same, only not beside the finding
        self._report(form.kind, device_id, proved=proved, text=text, until=until, notice=None, at=at)
        return None

    def _read(self, form: m.FormSent, device: Device | None, *, proved: bool, at: float) -> str | None:
        if form.notice is None or form.notice != self.notices.digest:
            return _CHANGED
        if device is None:
            return None  # whose device it is the box does not know: it can prove nothing, and writes nothing down
        if not self._any_room(device, at):
            return _LATER
        if self.notices.read(device, at):
            self._report(form.kind, device.device_id, proved=proved, text="", until=None, notice=form.notice, at=at)
        return None

    def _room(self, kind: m.FormKind, device: Device | None, at: float) -> str | None:
        """None where one more may come, else why not."""
        sent = [form for form in self._record.store.household_side.forms(at) if form[1] != m.FormKind.NOTICE_READ]
        full = sent.count((None if device is None else device.device_id, kind.value)) >= DAILY_DEVICE
        if not _decided(device):
            by_id = self._record.registry.by_id
            full |= sum(1 for device_id, _kind in sent if device_id is None or not _decided(by_id(device_id))) >= DAILY
        if full:
            self.refused += 1
            return _FULL
        return None if self._any_room(device, at) else _LATER

    def _any_room(self, device: Device | None, at: float) -> bool:
        """Half of all room is for devices that an officer has decided about."""
        most = MAX_FORMS if _decided(device) else MAX_FORMS // 2
        if len(self._record.store.household_side.forms(at)) >= most:
            self.refused += 1
            return False
        return True

    def _report(
        self,
        kind: m.FormKind,
        device_id: str | None,
        *,
        proved: bool,
        text: str,
        until: float | None,
        notice: str | None,
        at: float,
    ) -> None:
        self._record.store.household_side.put_form(kind.value, device_id, at)
        request = HouseholdRequest(
            request_id=self._record.ids.arrangement(),
            kind=kind.value,
            device_id=device_id,
            proved=proved,
            text=text,
            until=None if until is None else moment(until),
            notice=notice,
            at=moment(at),
        )
        self._record.send(request, subject=request.request_id, priority=Priority.RESULT, at=at)

    def _answer(self, asked: m.FormSent | m.OwnPageAsked, *, refusal: str | None) -> None:
        if isinstance(asked, m.OwnPageAsked):
            self._send(Peer.PORCH, m.OwnPage(ticket=asked.ticket))
        else:
            self._send(Peer.PORCH, m.FormAnswered(ticket=asked.ticket, taken=refusal is None, why=refusal or ""))


def _decided(device: Device | None) -> bool:
    return device is not None and device.on_the_register


def _lacking(form: m.FormSent, scope: Scope | None) -> str | None:
    """What a form lacks, in words; None where it is whole."""
    match form.kind:
        case m.FormKind.GUEST if scope is None:
            return _NOTHING
        case m.FormKind.GUEST if form.visitor is None or form.seconds is None:
            return _LATER
        case m.FormKind.CORRECTION | m.FormKind.COMPLAINT if not form.text.strip():
            return "Please write what it is about."
    return None
