"""A new box and its line as scripts: it is tried, it stays or what was before comes back, and an answer waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.fitting import first, holding
from appliance.fitting.channel import Brought, Line
from appliance.fitting.holding import Holder
from appliance.fitting.looks import Way
from appliance.fresh import Problem, Seen
from firmware import layout
from firmware.household import Household, as_toml, load
from wire.enrolment import Uplink

WELL = Seen(port=True, cable=True, address=True, same_network=False, gateway=True, time=True)
OFFLINE = Seen(port=True, cable=True, address=False, time=True)
REFUSED = OFFLINE.model_copy(update={"login": False})
RIGHT = Line(kind="pppoe", user="line-2@provider.example", password="the-right-word")


def put(box: Any, home: Household) -> None:
    box.places.at(layout.HOUSEHOLD_FILE).write_text(as_toml(home))


def word(box: Any) -> str:
    """The password of the household's line."""
    home = load(box.places.at(layout.HOUSEHOLD_FILE))
    return str(box.places.at(home.wan.password_file).read_text())


def passwords(box: Any) -> list[str]:
    return [path.read_text() for path in box.places.at(layout.CONFIG).glob("*.secret")]


class Lines:
    """A provider that takes one password, and what `gatehouse apply` makes of it."""

    def __init__(self, machine: Any, box: Any, *, word: str = RIGHT.password, answers: bool = True) -> None:
        self.machine, self.box, self.word, self.answers = machine, box, word, answers
        machine.seen, machine.way = OFFLINE, Way()

    def apply(self, home: Household) -> None:
        put(self.box, home)
        if home.wan.kind != "pppoe":
            return
        told = self.box.places.at(layout.LINE_TOLD)
        assert not told.exists(), "what the line before said is gone"
        if not self.answers:
            return
        self.machine.seen = WELL if word(self.box) == f"{self.word}\n" else REFUSED


@pytest.fixture
def lines(machine: Any, box: Any) -> Lines:
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
    assert passwords(box) == [word(box)] == ["the-right-word\n"], "the wrong one is nowhere"
    first.boot(box.places, now=now)
    assert load(box.places.at(layout.HOUSEHOLD_FILE)).wan.user == "line-2@provider.example", "a restart keeps it"
    holder.entered(Line(kind="dhcp"))
    ticks(holder, now, at)
    assert (holder.house.wan.kind, passwords(box)) == ("dhcp", [])


@pytest.mark.req("R5", "R57")
def test_a_line_that_cut_a_home_off_is_taken_back_and_that_is_said(
    holder: Holder, machine: Any, box: Any, now: float
) -> None:
    good = box.everything()
    machine.then = lambda home: tried.append(home.wan.kind)
    tried: list[str] = []
    at = ticks(holder, now, 0.0)
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    assert holder.show(now, at).told == holding.WENT_BACK
    assert (tried, box.everything()) == (["pppoe"], good)
    assert holder.house.wan.kind == "dhcp"
    assert machine.seen.address


@pytest.mark.req("R5", "R57")
def test_a_line_that_works_keeps_its_password(holder: Holder, lines: Lines, box: Any, now: float) -> None:
    at = ticks(holder, now, 0.0)
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    assert (holder.show(now, at).told, lines.machine.applied) == (holding.WORKS, 1)
    lines.machine.then = lambda home: tried.append(home.wan.password_file)  # and takes it back
    tried: list[str] = []
    for user in (RIGHT.user, "line-3@provider.example"):
        holder.entered(Line(kind="pppoe", user=user, password="a-wrong-word"))
        at = ticks(holder, now, at)
        assert holder.show(now, at).told == holding.WENT_BACK
        assert passwords(box) == [word(box)] == ["the-right-word\n"], "with the line of before comes its password"
    assert len({*tried, holder.house.wan.password_file}) == 3, "another password is another line, and dialled anew"


def test_what_is_no_line_changes_nothing(holder: Holder, machine: Any, now: float) -> None:
    holder.entered(Line(kind="pppoe", user='a"b', password="word"))
    assert "cannot use" in holder.show(now, 0.0).told
    ticks(holder, now, 0.0)
    assert machine.applied == 0


def test_a_disk_that_takes_no_line_is_told(
    holder: Holder, machine: Any, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("appliance.fitting.line.keep", full)
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
    assert passwords(box) == [word(box)] == ["the-right-word\n"]


@pytest.mark.req("R5", "R10")
def test_what_is_put_right_late_has_its_time_to_log_in(
    holder: Holder, lines: Lines, box: Any, service: Any, now: float
) -> None:
    at = ticks(holder, now, 0.0)
    brought(holder, box, service, now, "a-wrong-word")
    at = ticks(holder, now, at, 100)
    lines.answers = False  # pppd has said nothing of the new one yet
    lines.machine.seen = OFFLINE
    holder.entered(RIGHT)
    at = ticks(holder, now, at)
    assert (holder.enrolled, holder.house.wan.user) == (False, RIGHT.user), "the answer's wrong one does not come back"
    lines.machine.seen = WELL
    ticks(holder, now, at)
    assert holder.enrolled
    assert word(box) == "the-right-word\n"


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


@pytest.mark.req("R5", "R57")
@pytest.mark.parametrize("stays", [True, False])
def test_another_line_that_the_service_says_is_tried_before_the_box_is_enrolled(
    holder: Holder, machine: Any, box: Any, service: Any, now: float, *, stays: bool
) -> None:
    """Where it does not work, what did comes back by itself, and the box is enrolled with that."""
    machine.then = lambda home: put(box, home) if stays else None
    at = ticks(holder, now, 0.0)
    answer = Brought(answer=service.answer(box).decode())
    assert not holder.brought(answer, now)
    assert not holder.brought(answer, now), "the service says it again each few seconds"
    assert (holder.show(now, at).told, holder.enrolled) == (holding.TRYING, False)
    ticks(holder, now, at)
    home = load(box.places.at(layout.HOUSEHOLD_FILE))
    assert (holder.enrolled, machine.applied, home.wan.kind) == (True, 1, "pppoe" if stays else "dhcp")
    assert home.wifi is not None
    assert home.wifi.ssid == "Rose Cottage"
    assert passwords(box) == (["provider-canary-77\n"] if stays else [])
