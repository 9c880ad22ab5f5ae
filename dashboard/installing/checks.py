"""The self-test of an installation: pass or fail from what the box said, and nothing else (R3).

In: the box's last status, when it was heard, its devices, a command and its answer, the time. Out: one verdict for each
of internet, Wi-Fi, recording, finding devices, delivery and clock. Pure. Nothing is passed because it cannot be
looked at: where no fact can show it, whoever fits the box has to say that they tried it, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dashboard.i18n import N_
from wire.box import BoxStatus
from wire.ledger import ClockState

GIVE_UP = 120.0
"""Seconds after which what has not passed has failed."""
FRESH = 150.0
"""Seconds within which the box must have been heard."""
SEEN_WITHIN = 900.0
"""A device that was there so short a time ago shows that devices are found."""
CLOCK_ERROR_MS = 2000
MOST_WAITING = 500
"""Records that may wait on the box for delivery while it works through what it saw before."""


class Verdict(StrEnum):
    """How a check went."""

    GOOD = "good"
    FAIL = "fail"
    WAIT = "wait"
    """Not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check."""

    key: str
    title: str
    verdict: Verdict
    detail: str
    """What it rests on, or what to do; a text to be translated."""
    values: Mapping[str, object]
    """For the places in `detail`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """The test alert: a command to the box and its answer back."""

    asked_at: float
    answered_at: float | None
    state: str
    detail: str

    @property
    def seconds(self) -> float | None:
        """There and back."""
        return None if self.answered_at is None else max(0.0, self.answered_at - self.asked_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known."""

    status: BoxStatus | None
    heard_at: float | None
    authority_id: str | None
    """Of the document of this installation; None where none was handed in."""
    last_seen: Sequence[float]
    """Of each device."""
    by_passphrase: bool
    """A device has joined with a passphrase of its own: it came over the box's Wi-Fi."""
    wifi_said: bool
    """Whoever fits the box has said that a telephone joined the Wi-Fi and opened a page."""
    carried: bool = False
    """The home has no internet: the box was given all it needs by a telephone, and cannot be heard here."""
    own_page: bool = False
    """Whoever fits such a box has said what the box's own page says: that it is ready, and sees the devices."""
    trouble: Mapping[str, str] = field(default_factory=dict)
    """By check (internet, wifi, recording): what the box said is wrong there and what to do, in the reader's language."""
    trip: Trip | None
    started_at: float
    now: float


_TITLES = {
    "internet": N_("Internet"),
    "wifi": N_("Wi-Fi"),
    "recording": N_("Recording"),
    "devices": N_("Finding devices"),
    "delivery": N_("Delivery to this service"),
    "clock": N_("Clock"),
}
DELIVERS = frozenset({"internet", "delivery"})
"""Checks that may fail where a box is in place and only its way here is not."""


def judge(facts: Facts) -> tuple[Check, ...]:
    """All checks."""
    return (_internet(facts), _wifi(facts), _recording(facts), _devices(facts), _delivery(facts), _clock(facts))


def passed(checks: Sequence[Check]) -> bool:
    """Whether all have passed."""
    return all(item.verdict is Verdict.GOOD for item in checks)


def finished(checks: Sequence[Check]) -> bool:
    """Whether none waits any more."""
    return all(item.verdict is not Verdict.WAIT for item in checks)


def only_delivery_fails(checks: Sequence[Check]) -> bool:
    """Whether the box is in place and only its way here failed: "installed, delivery pending" (R3)."""
    failed = {item.key for item in checks if item.verdict is Verdict.FAIL}
    return bool(failed) and finished(checks) and failed <= DELIVERS


_ON_ITS_PAGE = N_("You said that the box's own page shows it. It has not been heard here, so nobody else has seen it.")
_SAY_SO = N_("The box cannot be heard here. Look at its own page, and say below what it shows.")


def _check(facts: Facts, key: str, *, well: bool, good: str, bad: str, **values: object) -> Check:
    if not well and facts.carried and key not in DELIVERS and _said(facts) is None:
        # Nothing of it can be seen from here: it rests on what was read off the box, and is never more than pending.
        well, good, bad = facts.own_page, _ON_ITS_PAGE, _SAY_SO
    late = facts.now - facts.started_at >= GIVE_UP
    trouble = facts.trouble.get(key, "")
    if trouble:
        # A box that is heard has internet, whatever it said of it before.
        well = well and key == "internet"
        bad, values = "%(trouble)s", values | {"trouble": trouble}
    verdict = Verdict.GOOD if well else Verdict.FAIL if late or (trouble and key != "internet") else Verdict.WAIT
    return Check(key=key, title=_TITLES[key], verdict=verdict, detail=good if well else bad, values=values)


def _said(facts: Facts) -> BoxStatus | None:
    """The status, if it is of now; what a box said long ago shows nothing."""
    fresh = facts.heard_at is not None and facts.now - facts.heard_at <= FRESH
    return facts.status if fresh and facts.status is not None and facts.status.online else None


def _internet(facts: Facts) -> Check:
    return _check(
        facts,
        "internet",
        well=_said(facts) is not None,
        good=N_("The box was heard over the home's own internet connection."),
        bad=N_("The box has not been heard. Check its cable to the home's router, and that the router has internet."),
    )


def _wifi(facts: Facts) -> Check:
    return _check(
        facts,
        "wifi",
        well=facts.by_passphrase or facts.wifi_said,
        good=N_("A device joined the box's Wi-Fi with its own passphrase.")
        if facts.by_passphrase
        else N_("You said that a telephone joined the box's Wi-Fi and opened a page. The box itself cannot show it."),
        bad=N_("No device has joined with a passphrase of its own. Join a telephone, open a page, and say so below."),
    )


def _recording(facts: Facts) -> Check:
    said = _said(facts)
    ours = said is not None and facts.authority_id is not None and said.authority_id == facts.authority_id
    well = said is not None and said.recording and ours
    bad = N_("The box is not recording. Is the order confirmed by a second officer, and has its first day come?")
    if facts.authority_id is None:
        bad = N_("No signed order has been handed in, so the box may not record.")
    elif said is not None and said.recording:
        bad = N_("The box records under another document than the one handed in here.")
    return _check(facts, "recording", well=well, good=N_("The box records under this order."), bad=bad)


def _devices(facts: Facts) -> Check:
    number = sum(1 for at in facts.last_seen if facts.now - at <= SEEN_WITHIN)
    return _check(
        facts,
        "devices",
        well=number > 0,
        good=N_("Devices that were there in the last 15 minutes: %(number)s."),
        bad=N_("No device has been seen. Join one to the box's Wi-Fi, or plug one in, and open a page."),
        number=number,
    )


def _delivery(facts: Facts) -> Check:
    trip, said = facts.trip, _said(facts)
    # A box that refuses has answered: the alert was there and its answer is here. It looks round once in a quarter of
    # an hour at most, so a second test within that is refused, and still shows that the way works.
    back = trip is not None and trip.seconds is not None and trip.state in ("applied", "refused")
    waiting = said is not None and said.outbox > MOST_WAITING
    good = N_("A test alert went to the box and back in %(seconds)s seconds.")
    if trip is not None and trip.state == "refused":
        good = N_("A test alert went to the box and back in %(seconds)s seconds. The box answered: %(why)s")
    bad = N_("The test alert has not come back. It goes to the box and back by itself as soon as both can be reached.")
    if back and waiting:
        bad = N_("The test alert came back, and more than %(most)s records still wait on the box.")
    return _check(
        facts,
        "delivery",
        well=back and not waiting,
        good=good,
        bad=bad,
        most=MOST_WAITING,
        seconds="" if trip is None or trip.seconds is None else f"{trip.seconds:.1f}",
        why="" if trip is None else trip.detail,
    )


def _clock(facts: Facts) -> Check:
    said = _said(facts)
    error = None if said is None else said.clock_error_ms
    sure = said is not None and said.clock is ClockState.AUTHENTICATED
    return _check(
        facts,
        "clock",
        well=sure and (error is None or error <= CLOCK_ERROR_MS),
        good=N_("The box's time is vouched for by this service."),
        bad=N_("Nobody has vouched for the box's time yet. It asks by itself; wait a minute."),
    )


def as_stored(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """For the store: what was found when the test ended."""
    return [
        {"key": item.key, "verdict": str(item.verdict), "detail": item.detail, "values": dict(item.values)}
        for item in checks
    ]


def from_stored(held: Any) -> tuple[Check, ...]:
    """What was found when the test ended; what cannot be read any more is left out."""
    found = [item for item in held if isinstance(item, dict)] if isinstance(held, list) else []
    return tuple(
        Check(
            key=item["key"],
            title=_TITLES[item["key"]],
            verdict=Verdict(item["verdict"]),
            detail=str(item.get("detail", "")),
            values=dict(item.get("values", {})),
        )
        for item in found
        if item.get("key") in _TITLES and item.get("verdict") in set(Verdict)
    )
