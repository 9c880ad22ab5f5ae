"""What the box knows about one device, for who holds it (N12, R76): shown only where it is proved which device it is.

Two things prove it: the device has joined now with the passphrase that is its own, which an access point says and
the bridge confirms; or an officer's one-time code for this device. A hardware address proves nothing: whoever has
copied one is told what everybody else is told, which is the same for every device, known or not.
A code is closed after `MAX_WRONG` wrong ones, works once, and ends when its officer said.
In: what joined, codes, what somebody asked. Out: sections of sentences about that device and no other.
Bounded: `MAX_JOINED` stations are remembered, in memory only; codes as in `store.household_side`.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from appliance.keeper import words
from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import Device
from appliance.keeper.devices.passphrases import Purpose
from appliance.keeper.household import own_words
from appliance.keeper.household.guests import Guests, sentence
from appliance.keeper.household.notices import Notices
from appliance.keeper.household.record import Record
from appliance.keeper.law.acts import Given
from appliance.keeper.store.household_side import Code
from appliance.messages import OwnSection, StationChanged
from appliance.notice import when
from wire.acts import IssueCode
from wire.base import Standing

MAX_WRONG = 5
MAX_JOINED = 1024
LONGEST_CODE = 7 * 86_400.0
"""A code that is good for longer than this is refused."""

SPAN_DAYS = 28
"""The own summary looks back so far (R76)."""

MAX_SPANS = 4096
"""Stays looked through: a phone that comes and goes six times an hour, for so long."""

_DAY = 86_400.0
_NO_CODE = sha256(b"no code").hexdigest()


class OwnPages:
    """Who may read which device's page, and what stands there."""

    def __init__(self, record: Record, *, notices: Notices, guests: Guests) -> None:
        self._record = record
        self._notices = notices
        self._guests = guests
        self._joined: OrderedDict[str, str | None] = OrderedDict()
        self.overflow = 0

    # --- what proves it ---------------------------------------------------------------------

    def station(self, heard: StationChanged) -> None:
        """An access point says who joined or left, and by which passphrase."""
        self._joined.pop(heard.mac, None)
        if not heard.joined:
            return
        if len(self._joined) >= MAX_JOINED:
            self._joined.popitem(last=False)
            self.overflow += 1
        self._joined[heard.mac] = heard.key_id

    def stations_lost(self) -> None:
        """Who reads the access point is gone: nobody is known to have joined."""
        self._joined.clear()

    def issue(self, order: IssueCode, given: Given) -> str | None:
        """An officer gives a code; None when done, else why not."""
        device = self._record.registry.by_id(order.device_id)
        expires = order.expires.timestamp()
        if given.scope is None:
            return "No authority is in force at the box, so it keeps nothing that could be shown."
        if device is None:
            return "The box does not know this device."
        if not given.at < expires <= given.at + LONGEST_CODE:
            return "A code ends within seven days."
        code = Code(device_id=order.device_id, sha256=order.code_sha256, expires=expires)
        if not self._record.store.household_side.put_code(code, given.at):
            return "Too many codes are open at this box. Wait until some of them were used."
        return None

    def proved(self, device: Device | None, mac: str | None, *, wireless: bool, code: str, at: float) -> bool:
        """Whether it is proved that who asks holds this device. A good code is used up by this."""
        keyed = wireless and device is not None and mac is not None and self._own_key(device, mac)
        return self._coded(device, code, at) or keyed

    def _own_key(self, device: Device, mac: str) -> bool:
        key_id = self._joined.get(mac)
        binding = None if key_id is None else self._record.store.kinship.passphrases().get(key_id)
        if binding is None or binding.purpose is not Purpose.DEVICE or binding.device_id != device.device_id:
            return False
        # Two at once with one passphrase: nobody can say which of them is the device.
        return sum(1 for other in self._joined.values() if other == key_id) == 1

    def _coded(self, device: Device | None, typed: str, at: float) -> bool:
        """Compared whether there is a code or not, so that the time it takes tells nothing."""
        side = self._record.store.household_side
        device_id = "" if device is None else device.device_id
        code = side.code(device_id)
        plain = "".join(letter for letter in typed if letter.isalnum())
        expected = _NO_CODE if code is None else code.sha256
        same = False
        for form in (typed.strip(), plain, plain.upper(), plain.lower()):
            found = sha256(f"{device_id}:{form}".encode()).hexdigest()
            same |= hmac.compare_digest(found, expected)
        if code is None or not typed:
            return False
        good = same and at < code.expires
        if good or code.wrong + 1 >= MAX_WRONG:
            side.remove_code(device_id)
        else:
            side.put_code(replace(code, wrong=code.wrong + 1), at)
        return good

    # --- what is shown ----------------------------------------------------------------------

    def sections(self, device: Device, scope: Scope | None, at: float) -> tuple[OwnSection, ...]:
        """All the box knows about this device, in words; nothing of any other."""
        made = [
            OwnSection(title="What it counts as", lines=self._standing(device)),
            OwnSection(title="What it looks like", lines=own_words.looks(device)),
            OwnSection(title="When it was here", lines=self._presence(device, at)),
            OwnSection(title="What is kept of it", lines=own_words.kept(device, scope)),
            OwnSection(title="What was found", lines=self._found(device)),
            OwnSection(title=f"The last {SPAN_DAYS} days in short", lines=self._short(device, at)),
            OwnSection(title="When it is erased", lines=own_words.erased(scope)),
        ]
        return tuple(section for section in made if section.lines)

    def _standing(self, device: Device) -> tuple[str, ...]:
        said = [
            f"It counts among the {words.DEVICES[device.standing]}.",
            f"The box first saw it on {when(device.first_seen)}.",
        ]
        if device.guest_until is not None:
            said.append(f"The visit is entered until {when(device.guest_until)}.")
        claim = self._guests.of(device.device_id)
        if claim is not None and device.standing is Standing.UNKNOWN:
            said.append(sentence(claim))
        if device.quarantined:
            said.append("It is kept from the internet until an officer has decided.")
        row = self._notices.row(device.device_id)
        if row is not None:
            said.append(
                f"It was led to the notice on {when(row.shown)}, and nobody on it has said yet that they have read it."
                if row.read is None
                else f"Somebody said on it that they had read the notice, on {when(row.read)}."
            )
        return tuple(said)

    def _presence(self, device: Device, at: float) -> tuple[str, ...]:
        spans = self._spans(device, at)
        if not spans:
            return ("No stay of the last weeks is kept.",)
        return (
            f"In the last {SPAN_DAYS} days it was here {_times(len(spans))}.",
            f"It was last seen on {when(device.last_seen)}.",
        )

    def _found(self, device: Device) -> tuple[str, ...]:
        found = self._record.store.findings.open_of(device.device_id)
        if not found:
            return ("Nothing about this device waits for an officer.",)
        return tuple(own_words.found(stored.finding) for stored in found[: own_words.MAX_FOUND])

    def _short(self, device: Device, at: float) -> tuple[str, ...]:
        """Good conduct is a fact like any other."""
        days = _covered(self._spans(device, at), at)
        if not days:
            return ()
        marked = _covered(self._record.store.findings.spans_of(device.device_id, since=at - SPAN_DAYS * _DAY), at)
        quiet = len(days - marked)
        return (
            f"It was here on {_days(len(days))}. On {_days(quiet)} of these nothing was found about it.",
            "You may show this page to your officer.",
        )

    def _spans(self, device: Device, at: float) -> tuple[tuple[float, float], ...]:
        spans = self._record.store.stays.spans(device.macs, most=MAX_SPANS)
        return tuple(span for span in spans if span[1] >= at - SPAN_DAYS * _DAY)


def _covered(spans: Iterable[tuple[float, float]], at: float) -> set[int]:
    """Days (UTC) of the last `SPAN_DAYS`, today among them, that spans touch."""
    today = int(at // _DAY)
    return {
        day
        for first, last in spans
        for day in range(max(int(first // _DAY), today - SPAN_DAYS + 1), min(int(last // _DAY), today) + 1)
    }


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _days(count: int) -> str:
    return "one day" if count == 1 else f"{count} days"
