"""The way of a new box as scripts: what is seen and what comes, and what is shown and done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import pytest

from appliance.fitting import card as cards
from appliance.fitting import first, holding
from appliance.fitting.channel import Brought, Line, Reported
from appliance.fitting.holding import Hands, Holder, Own
from appliance.fitting.looks import Way
from appliance.fitting.uplink import Desk
from appliance.fresh import Problem, Seen
from firmware import layout
from firmware.household import Household, load
from wire.enrolment import EnrolmentRequest, Uplink, request_bytes

WELL = Seen(port=True, cable=True, address=True, same_network=False, gateway=True, time=True)


@dataclass(slots=True)
class Machine:
    """What a script says of the machine, and what was done to it."""

    seen: Seen = WELL
    way: Way = field(default_factory=lambda: Way(router="00:00:5e:00:53:01"))
    wifi: bool | None = False
    applied: int = 0
    scans: int = 0
    then: Callable[[], object] = lambda: None
    """What follows of applying."""

    def look(self, _house: Household, _now: float, _earliest: float) -> tuple[Seen, Way]:
        return self.seen, self.way

    def scan(self, _house: Household, _way: Way) -> bool | None:
        self.scans += 1
        return self.wifi

    def apply(self) -> None:
        self.applied += 1
        self.then()

    @property
    def hands(self) -> Hands:
        return Hands(look=self.look, scan=self.scan, apply=self.apply)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def holder(box: Any, machine: Machine) -> Holder:
    sticker = cards.load_sticker(box.places)
    assert sticker is not None
    own = Own(keys=box.keys, operator=box.operator, card=box.card, sticker=sticker, csr=box.csr, board="gatehouse-qemu")
    return Holder(box.places, own, machine.hands, monotonic=0.0)


@pytest.mark.req("R9")
def test_from_no_cable_to_enrolled(holder: Holder, machine: Machine, box: Any, service: Any, now: float) -> None:
    machine.seen, machine.way = Seen(port=True, cable=False, time=True), Way()
    holder.tick(now, 0.0)
    assert holder.fresh(now, 0.0).problem is Problem.NO_CABLE
    machine.seen = WELL
    holder.tick(now, 5.0)
    holder.reported(Reported(names=False), 6.0)
    assert holder.fresh(now, 6.0).problem is Problem.NO_NAMES
    holder.reported(Reported(names=True, desk=Desk.REFUSED, says="not in stock"), 16.0)
    shown = holder.show(now, 16.0)
    assert (shown.problem, shown.says, shown.stage) == ("not-known", "not in stock", "asking")
    holder.reported(Reported(desk=Desk.WAITING), 30.0)
    shown = holder.show(now, 30.0)
    assert (shown.problem, shown.says, shown.stage) == ("", "", "unclaimed")
    assert holder.brought(Brought(answer=service.answer(box).decode()), now)
    shown = holder.show(now, 31.0)
    assert (shown.stage, shown.label, shown.request, shown.wifi_passphrase) == ("enrolled", "", "", "")
    assert not holder.brought(Brought(answer=service.answer(box).decode()), now), "once is enough"


def test_the_request_is_signed_anew_and_asks_for_the_same(holder: Holder, box: Any, now: float) -> None:
    holder.tick(now, 0.0)
    one = EnrolmentRequest.model_validate_json(holder.show(now, 0.0).request)
    holder.tick(now + 1, 1.0)
    assert EnrolmentRequest.model_validate_json(holder.show(now, 1.0).request) == one
    later = holding.REQUEST_SECONDS
    holder.tick(now + later, later)
    other = EnrolmentRequest.model_validate_json(holder.show(now, later).request)
    assert other.at > one.at
    assert (other.csr, other.card) == (one.csr, one.card) == (box.csr, box.card)
    assert other.signature != one.signature
    assert request_bytes(one.card, one.csr, one.at) != request_bytes(other.card, other.csr, other.at)


@pytest.mark.req("R10")
def test_an_answer_by_hand_that_does_not_count_is_told_to_who_brought_it(
    holder: Holder, box: Any, service: Any, now: float
) -> None:
    assert holder.fresh(now, 0.0).problem is None, "before the first look nothing is known"
    assert not holder.brought(Brought(answer="A" * 100, by_hand=True), now)
    assert "cannot be used" in holder.show(now, 0.0).told
    assert holder.fresh(now, 0.0).problem is None, "what somebody brings says nothing of the service"
    assert not holder.brought(Brought(answer="A" * 100), now)
    assert holder.fresh(now, 0.0).problem is Problem.BAD_ANSWER
    holder.reported(Reported(desk=Desk.ANSWERED), 1.0)
    assert holder.fresh(now, 1.0).problem is Problem.BAD_ANSWER, "the same answer again is no news"
    assert holder.brought(Brought(answer=service.answer(box).decode(), by_hand=True), now)
    assert holder.show(now, 1.0).told == ""


@pytest.mark.req("R5")
def test_where_the_router_before_uses_our_range_another_is_taken(holder: Holder, machine: Machine, now: float) -> None:
    before = holder.house.lan.network
    machine.seen = WELL.model_copy(update={"same_network": True})
    machine.way = Way(networks=(before,), router="00:00:5e:00:53:01")
    holder.tick(now, 0.0)
    assert not holder.house.lan.network.overlaps(before)
    assert machine.applied == 1
    assert holder.fresh(now, 0.0).problem is Problem.SAME_NETWORK
    machine.way = Way(networks=(IPv4Network("0.0.0.0/0"),), router="00:00:5e:00:53:01")
    for second in range(5, 100, 5):
        holder.tick(now, float(second))
    assert machine.applied == 1, "it does not chase about"


@pytest.mark.req("R8")
def test_a_wifi_of_the_router_before_is_said_and_looked_for_seldom(
    holder: Holder, machine: Machine, now: float
) -> None:
    machine.wifi = True
    for second in range(0, 1200, 5):
        holder.tick(now, float(second))
    assert holder.show(now, 1200.0).upstream_wifi
    assert machine.scans == 2
    machine.way = Way()
    holder.tick(now, 5000.0)
    assert machine.scans == 2, "without a router there is nothing to compare"


def test_what_was_heard_by_another_cable_is_forgotten(holder: Holder, machine: Machine, now: float) -> None:
    holder.tick(now, 0.0)
    holder.reported(Reported(names=False, desk=Desk.UNREACHABLE), 1.0)
    assert holder.fresh(now, 1.0).problem is Problem.NO_NAMES
    machine.seen = Seen(port=True, cable=False, time=True)
    holder.tick(now, 5.0)
    machine.seen = WELL
    holder.tick(now, 10.0)
    assert holder.fresh(now, 10.0).problem is None


def test_names_that_were_answered_long_ago_say_nothing_of_now(holder: Holder, now: float) -> None:
    holder.tick(now, 0.0)
    holder.reported(Reported(names=False), 0.0)
    assert holder.fresh(now, holding.NAMES_STALE + 1).seen.names is None


def test_a_disk_that_takes_nothing_is_told(
    holder: Holder, box: Any, service: Any, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(holding.taking, "take", full)
    assert not holder.brought(Brought(answer=service.answer(box).decode(), by_hand=True), now)
    assert "Use another box" in holder.show(now, 0.0).told


# --- the provider's line ------------------------------------------------------------------------------

OFFLINE = Seen(port=True, cable=True, address=False, time=True)
REFUSED = OFFLINE.model_copy(update={"login": False})
RIGHT = Line(kind="pppoe", user="line-2@provider.example", password="the-right-word")


class Lines:
    """A provider that takes one password, and what `gatehouse apply` makes of it."""

    def __init__(self, machine: Machine, box: Any, *, word: str = RIGHT.password, answers: bool = True) -> None:
        self.machine, self.box, self.word, self.answers = machine, box, word, answers
        machine.seen, machine.way = OFFLINE, Way()

    def apply(self) -> None:
        if load(self.box.places.at(layout.HOUSEHOLD_FILE)).wan.kind != "pppoe":
            return
        told = self.box.places.at(layout.LINE_TOLD)
        assert not told.exists(), "what the line before said is gone"
        if not self.answers:
            return
        secret = self.box.places.at(layout.UPLINK_SECRET_FILE).read_text()
        self.machine.seen = WELL if secret == f"{self.word}\n" else REFUSED


@pytest.fixture
def lines(machine: Machine, box: Any) -> Lines:
    made = Lines(machine, box)
    machine.then = made.apply
    return made


def ticks(holder: Holder, now: float, since: float, seconds: float = 11.0) -> float:
    for second in range(int(seconds)):
        holder.tick(now + second, since + second)
    return since + seconds


@pytest.mark.req("R5", "R9")
def test_a_line_that_was_refused_is_said_and_can_be_put_right(
    holder: Holder, lines: Lines, box: Any, now: float
) -> None:
    at = ticks(holder, now, 0.0)
    holder.entered(Line(kind="pppoe", user="line-2@provider.example", password="a-wrong-word"))
    assert holder.show(now, at).told == holding.TRYING
    holder.tick(now, at)
    assert lines.machine.applied == 0, "the page says so first: applying takes a minute"
    at = ticks(holder, now, at + 1)
    assert holder.fresh(now, at).problem is Problem.BAD_LOGIN
    shown = holder.show(now, at)
    assert (shown.problem, shown.line, shown.user, shown.told) == ("bad-login", "pppoe", "line-2@provider.example", "")
    assert "a-wrong-word" not in repr(shown)
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    assert holder.fresh(now, at).problem is None
    assert holder.fresh(now, at).seen.address
    written = box.places.at(layout.UPLINK_SECRET_FILE)
    assert written.read_text() == "the-right-word\n"
    assert written.stat().st_mode & 0o777 == 0o600
    first.boot(box.places, now=now)
    assert load(box.places.at(layout.HOUSEHOLD_FILE)).wan.user == "line-2@provider.example", "a restart keeps it"
    holder.entered(Line(kind="dhcp"))
    ticks(holder, now, at)
    assert holder.house.wan.kind == "dhcp"


@pytest.mark.req("R5", "R57")
def test_a_line_that_cut_a_home_off_is_taken_back_and_that_is_said(
    holder: Holder, machine: Machine, box: Any, now: float
) -> None:
    path = box.places.at(layout.HOUSEHOLD_FILE)
    good = path.read_text()
    machine.then = lambda: path.write_text(good)  # as `gatehouse apply` does
    at = ticks(holder, now, 0.0)
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    assert holder.show(now, at).told == holding.WENT_BACK
    assert not box.places.at(layout.UPLINK_SECRET_FILE).exists()
    assert holder.house.wan.kind == "dhcp"
    assert machine.seen.address


@pytest.mark.req("R5", "R57")
def test_a_line_that_works_keeps_its_password(holder: Holder, lines: Lines, box: Any, now: float) -> None:
    at = ticks(holder, now, 0.0)
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    secret, path = box.places.at(layout.UPLINK_SECRET_FILE), box.places.at(layout.HOUSEHOLD_FILE)
    holder.entered(Line(kind="pppoe", user=RIGHT.user, password="a-wrong-word"))
    at = ticks(holder, now, at)
    assert (holder.show(now, at).told, lines.machine.applied) == (holding.WORKS, 1)
    assert secret.read_text() == "the-right-word\n", "nothing would dial it anew to try another"
    good = path.read_text()
    lines.machine.then = lambda: path.write_text(good)  # as `gatehouse apply` does
    holder.entered(Line(kind="pppoe", user="line-3@provider.example", password="a-wrong-word"))
    at = ticks(holder, now, at)
    assert holder.show(now, at).told == holding.WENT_BACK
    assert secret.read_text() == "the-right-word\n", "with the line of before comes the password of before"


def test_what_is_no_line_changes_nothing(holder: Holder, machine: Machine, now: float) -> None:
    holder.entered(Line(kind="pppoe", user='a"b', password="word"))
    assert "cannot use" in holder.show(now, 0.0).told
    ticks(holder, now, 0.0)
    assert machine.applied == 0


def test_a_disk_that_takes_no_line_is_told(
    holder: Holder, machine: Machine, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("appliance.fitting.line.put", full)
    holder.entered(RIGHT)
    ticks(holder, now, 0.0)
    assert "could not store" in holder.show(now, 0.0).told
    assert machine.applied == 0


def brought(holder: Holder, box: Any, service: Any, now: float, word: str) -> Brought:
    uplink = Uplink(kind="pppoe", user="line-1@provider.example", password=word)
    answer = service.answer(box, network=service.network(box, uplink=uplink))
    message = Brought(answer=answer.decode(), by_hand=True)
    assert not holder.brought(message, now), "it waits for its line"
    return message


@pytest.mark.req("R5", "R10")
@pytest.mark.usefixtures("lines")
def test_an_answer_that_is_carried_waits_until_its_line_works(
    holder: Holder, box: Any, service: Any, now: float
) -> None:
    at = ticks(holder, now, 0.0)
    brought(holder, box, service, now, "the-right-word")
    assert (holder.show(now, at).told, holder.enrolled) == (holding.TRYING, False)
    ticks(holder, now, at)
    assert holder.enrolled
    assert load(box.places.at(layout.HOUSEHOLD_FILE)).wan.user == "line-1@provider.example"


@pytest.mark.req("R5", "R10")
@pytest.mark.usefixtures("lines")
def test_a_wrong_password_in_it_is_put_right_at_the_page_and_the_box_goes_on(
    holder: Holder, box: Any, service: Any, now: float
) -> None:
    at = ticks(holder, now, 0.0)
    brought(holder, box, service, now, "a-wrong-word")
    at = ticks(holder, now, at, 100)
    assert (holder.show(now, at).told, holder.enrolled) == (holding.REFUSED, False)
    holder.entered(RIGHT)
    ticks(holder, now, at)
    assert holder.enrolled
    home = load(box.places.at(layout.HOUSEHOLD_FILE))
    assert home.wan.user == "line-2@provider.example", "what works here counts"
    assert home.wifi is not None
    assert home.wifi.ssid == "Rose Cottage"
    assert box.places.at(layout.UPLINK_SECRET_FILE).read_text() == "the-right-word\n"


@pytest.mark.req("R5", "R10")
def test_what_is_put_right_late_has_its_time_to_log_in(
    holder: Holder, lines: Lines, box: Any, service: Any, now: float
) -> None:
    at = ticks(holder, now, 0.0)
    brought(holder, box, service, now, "a-wrong-word")
    at = ticks(holder, now, at, 100)
    lines.machine.then = lambda: setattr(lines.machine, "seen", OFFLINE)  # pppd has said nothing of the new one yet
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    assert (holder.enrolled, holder.house.wan.user) == (False, RIGHT.user), "the answer's wrong one does not come back"
    lines.machine.seen = WELL
    ticks(holder, now, at)
    assert holder.enrolled
    assert box.places.at(layout.UPLINK_SECRET_FILE).read_text() == "the-right-word\n"


@pytest.mark.req("R10")
@pytest.mark.usefixtures("lines")
def test_who_has_no_better_password_brings_it_again(holder: Holder, box: Any, service: Any, now: float) -> None:
    at = ticks(holder, now, 0.0)
    message = brought(holder, box, service, now, "a-wrong-word")
    ticks(holder, now, at)
    assert holder.brought(message, now)
    assert holder.enrolled


@pytest.mark.req("R10")
def test_a_line_that_says_nothing_holds_nobody_up(
    holder: Holder, lines: Lines, box: Any, service: Any, now: float
) -> None:
    lines.answers = False
    at = ticks(holder, now, 0.0)
    brought(holder, box, service, now, "the-right-word")
    at = ticks(holder, now, at, 20)
    assert not holder.enrolled
    ticks(holder, now, at, holding.TRIAL_SECONDS + 2)
    assert holder.enrolled
