"""Sentences about findings, devices and boxes. A finding speaks of a device, never of a person (R52).

Pure: stored rows in, plain words out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dashboard.i18n import N_, _, ngettext
from dashboard.pages import kinds, kinds_box, kinds_signs, words
from dashboard.pages.brief import BriefStatus
from dashboard.pages.contexts import SeverityMark
from dashboard.pages.kinds import Answer, Kind
from wire.base import Correction, Standing
from wire.box import Arrangements, BoxStatus, GapCause
from wire.findings import FURTHER_SIGNS, Finding, FindingKind
from wire.models import LooksLike, Presence, PresenceState, Visibility

_Model = TypeVar("_Model", bound=BaseModel)

SILENT_SECONDS = 180.0
"""A box not heard of for longer is not reporting (R19)."""

_CANNOT_SEE = (
    N_("Devices that use their own mobile data instead of this home's internet."),
    N_("Devices that use other Wi-Fi: a neighbour's, a café's, work's, or another phone's hotspot."),
    N_("What is stored on a device, or done on it without the internet."),
    N_("What a page, picture, message or call contains. At most the box sees the name of a service."),
    N_("Who is holding a device. The box knows devices, not people."),
    N_("Anything that passed while the box had no power or was not connected."),
)

LOOK = kinds.LOOK
_THE_BOX = N_("The box itself, or the home's network")
_KINDS: Mapping[str, Kind] = {
    kind.value: said for table in (kinds.DEVICES, kinds_signs.SIGNS, kinds_box.BOX) for kind, said in table.items()
}
_PRESENCE = {
    PresenceState.HERE: N_("Here since {at}"),
    PresenceState.ASLEEP: N_("Quiet since {at}"),
    PresenceState.FLAPPING: N_("Comes and goes, since {at}"),
    PresenceState.LEFT: N_("Left {at}"),
}
_PROPOSAL_STATES = {
    "open": N_("Waits for an answer"),
    "confirmed": N_("An officer said that they are one device"),
    "refused": N_("An officer said that they are two devices"),
    "withdrawn": N_("The box does not think so any more"),
}
_HOW = {
    "exact": N_("The whole name is on the list"),
    "subtree": N_("The name, or the name it belongs to, is on the list"),
    "subdomain": N_("The name it belongs to is on the list"),
    "subdomains": N_("The name it belongs to is on the list"),
}


def cannot_see() -> tuple[str, ...]:
    """What a box in the network cannot see (R20)."""
    return tuple(_(item) for item in _CANNOT_SEE)


def the_box() -> str:
    """What a finding of no device is about."""
    return _(_THE_BOX)


def mark(severity: str) -> SeverityMark:
    """A severity as word and shape."""
    return SeverityMark(key=words.severity_key(severity), text=words.severity(severity))


def looks(value: dict[str, Any] | None) -> LooksLike | None:
    """What a device looks like, as stored; None if unknown or not readable."""
    return None if value is None else _read(LooksLike, value)


def payload(value: dict[str, Any]) -> Finding | None:
    """A finding's payload; None if it is of a form this version does not know."""
    return _read(Finding, value)


def status(value: dict[str, Any] | None) -> BoxStatus | None:
    """A box's status payload; None if there is none."""
    return None if value is None else _read(BoxStatus, value)


def arrangements(value: dict[str, Any]) -> Arrangements | None:
    """What is arranged with a box, as stored; None if it is of a form this version does not know."""
    return _read(Arrangements, value)


def visibility(value: dict[str, Any] | None) -> str:
    """How much of what a device did the box could put a name to (N10); empty if the box has not said."""
    said = None if value is None else _read(Visibility, value)
    if said is None:
        return ""
    on = words.date(said.day.timestamp(), UTC)
    if not said.connections:
        return _("It made no connections on %(day)s", day=on)
    number = f"{said.connections:,}"
    text: str = ngettext(
        "The box could put a name to %(share)s of %(number)s connection on %(day)s",
        "The box could put a name to %(share)s of %(number)s connections on %(day)s",
        said.connections,
        share=_share(said.named),
        number=number,
        day=on,
    )
    if said.octets_named is not None:
        text += _(", and to %(share)s of what they carried", share=_share(said.octets_named))
    return text


def _share(value: float) -> str:
    # Rounded down: all of it is said only where it is so.
    return f"{int(value * 100 + 1e-9)}%"


def device(label: str | None, looks_like: LooksLike | None, device_id: str) -> str:
    """A device in a few words: its label, else what it looks like, else its reference."""
    if label:
        return words.plain(label, 80)
    if looks_like is not None and looks_like.text.strip():
        return _("Looks like: %(what)s", what=words.plain(looks_like.text, 120))
    return _("Nothing known yet of device %(reference)s", reference=words.plain(device_id, 12))


def finding(kind: str, standing: str | None, number: int = 1) -> str:
    """What was seen, one sentence; `number` findings of the same kind."""
    words_of = _KINDS.get(kind)
    if words_of is None:
        text = _("The box reported: %(kind)s", kind=words.plain(kind, 40))
        return text + (", " + _("%(number)s findings", number=f"{number:,}") if number > 1 else "")
    who = _whose(standing)
    text = _(words_of.many if number > 1 else words_of.one)
    return text.format(n=f"{number:,}", who=who, whom=who[0].lower() + who[1:])


def together(cause: str | None, kind: str, number: int) -> str:
    """Why findings, the first of them of `kind`, are shown as one item; empty for a single one."""
    if number < 2:
        return ""
    if cause is not None and cause.startswith(FURTHER_SIGNS):
        return _("%(number)s further signs of one day", number=f"{number:,}")
    if kind == FindingKind.LISTED_NAME:
        return _("%(number)s names on one list", number=f"{number:,}")
    return _("%(number)s signs, one cause", number=f"{number:,}")


def others(cause: str | None) -> str:
    """Title over the other findings that are shown as one item with a finding."""
    if cause is not None and cause.startswith(FURTHER_SIGNS):
        return _("Other further signs of that day")
    return _("Other findings of the same cause")


def why(kind: str, clause: str) -> str:
    """Why it matters, under which clause."""
    under = _("clause %(number)s", number=words.plain(clause, 40)) if clause else _("the authority")
    words_of = _KINDS.get(kind)
    if words_of is None:
        return _("Reported under %(clause)s.", clause=under)
    return _(words_of.why).format(under=under)


def action(kind: str) -> str:
    """Words of the link to an open finding."""
    words_of = _KINDS.get(kind)
    return _(LOOK if words_of is None else words_of.action)


def stays(kind: str) -> str:
    """What to do about an open finding that no decision about a device closes; empty for one that does."""
    answer = _answer(kind)
    if answer is Answer.WAIT:
        return _("The box closes this by itself when it is over. “Last seen” shows whether it still is so.")
    if answer is Answer.QUIET:
        return _(
            "Read it and decide. If it is not relevant here, say so on this page and it closes. “Last seen” shows "
            "whether there is anything new."
        )
    return ""


def quiets(kind: str) -> bool:
    """Whether an officer can say that it is not relevant here (R30)."""
    return _answer(kind) is Answer.QUIET


def mends_itself(kind: str) -> bool:
    """Whether nothing can be decided about it: the box closes it when it is over."""
    return _answer(kind) is Answer.WAIT


def registers(kind: str) -> bool:
    """Whether saying whose device it is answers the finding."""
    return _answer(kind) in {Answer.REGISTER, Answer.KEY}


def speaks_of_passphrase(kind: str) -> bool:
    """Whether saying what the Wi-Fi passphrase is for answers the finding."""
    return _answer(kind) is Answer.KEY


def innocent(kind: str) -> tuple[str, ...]:
    """What else often explains a finding of this kind, beside what the box itself says."""
    words_of = _KINDS.get(kind)
    return () if words_of is None else tuple(_(item) for item in words_of.innocent)


def _answer(kind: str) -> Answer:
    words_of = _KINDS.get(kind)
    return Answer.QUIET if words_of is None else words_of.answer


def presence(value: dict[str, Any] | None, now: float, zone: tzinfo) -> tuple[str, str]:
    """Whether a device is there, in words, and the state's name; both empty if the box has not said."""
    said = None if value is None else _read(Presence, value)
    if said is None:
        return "", ""
    at = words.time_or_date(said.since.timestamp(), now, zone)
    return _(_PRESENCE[said.state]).format(at=at), said.state.value


def correction(value: dict[str, Any] | None) -> Correction:
    """What a person said a device is; empty if nothing, or not readable."""
    return (None if value is None else _read(Correction, value)) or Correction()


def proposal(probability: float) -> str:
    """The question of a proposal, with its probability in full."""
    return _("The box thinks these two may be one device (%(share)s)", share=f"{probability:.0%}")


def question(probability: float, number: int) -> str:
    """The question of one proposal, or of several in a household."""
    if number > 1:
        return _("%(number)s pairs of devices may each be one device", number=f"{number:,}")
    return _("Two devices may be one. %(sure)s", sure=words.confidence(probability))


def proposal_state(state: str) -> str:
    """What became of a proposal."""
    return _(_PROPOSAL_STATES[state]) if state in _PROPOSAL_STATES else words.plain(state, 20)


def how(value: str) -> str:
    """How a name matched a list."""
    return _(_HOW[value]) if value in _HOW else words.plain(value, 16)


def reporting(heard_at: float | None, said: BoxStatus | BriefStatus | None, now: float) -> tuple[bool, str]:
    """Whether a box reports, and that in a sentence."""
    if heard_at is None:
        return False, _("The box has never reported")
    if said is not None and not said.online:
        return False, _("The box lost its connection")
    if now - heard_at > SILENT_SECONDS:
        return False, _("The box has stopped reporting")
    return True, _("The box is reporting")


def blind(cause: GapCause) -> str:
    """Why a box could not see, one sentence."""
    match cause:
        case GapCause.SENSOR_AWAY:
            return _("The part of the box that listens had stopped")
        case GapCause.KEEPER_AWAY:
            return _("The box was switched off, or the part that records had stopped")
        case GapCause.TAPS_ANEW:
            return _("The box began to listen anew; how long it did not is not known")


def problem(heard_at: float | None, said: BoxStatus | BriefStatus | None, now: float) -> str:
    """What is wrong with a box, one sentence; empty if nothing is."""
    well, sentence = reporting(heard_at, said, now)
    if not well:
        return sentence
    if said is not None and not said.recording:
        text = _("The box reports, but records nothing about devices")
        return text + (f": {words.plain(said.authority)}" if said.authority else "")
    return ""


def _whose(standing: str | None) -> str:
    match standing:
        case Standing.REGISTERED:
            return _("A registered device")
        case Standing.UNKNOWN | Standing.REFUSED:
            return _("A device that is not registered")
    return _("A device")


def _read(model: type[_Model], value: dict[str, Any]) -> _Model | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
