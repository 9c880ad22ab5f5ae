"""A box lives through the seven-day story: what it counts, against what was there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.week import cast
from lab.week.box import Box
from lab.week.plot import DAY, Week
from lab.week.run import live, scratch
from lab.week.score import Score
from wire.base import Standing
from wire.findings import FindingKind

pytestmark = pytest.mark.timeout(300)  # a week of a household, some 10,000 turns of the keeper


class Lived:
    """A week that was lived through."""

    def __init__(self, week: Week, folder: Path) -> None:
        self.week = week
        self.score: Score
        self.box: Box
        self.score, self.box = live(week, folder)

    def roots(self, member: str) -> set[str]:
        """Devices that the box counts this one as."""
        found = set()
        for device in self.box.devices.values():
            if member in {self.week.truth.get(address.mac) for address in device.addresses}:
                found.add(device.merged_into or device.device_id)
        return found

    def kinds(self, member: str) -> list[FindingKind]:
        """Kinds of the findings about this one, in the order of their raising."""
        own = {
            device_id
            for device_id, macs in self.box.known_by.items()
            if member in {self.week.truth.get(mac) for mac in macs}
        }
        found = sorted(self.box.findings.values(), key=lambda finding: finding.raised_at)
        return [finding.kind for finding in found if finding.device_id in own]


@pytest.fixture(scope="module")
def lives() -> Iterator[Callable[[bool], Lived]]:
    lived: dict[bool, Lived] = {}
    folders = ExitStack()

    def once(known: bool) -> Lived:
        if known not in lived:
            lived[known] = Lived(Week(cast.load(), passphrases=known), folders.enter_context(scratch()))
            sys.stdout.write("\n".join(lived[known].score.lines()) + "\n")
        return lived[known]

    yield once
    for one in lived.values():
        one.box.__exit__(None, None, None)
    folders.close()


@pytest.fixture
def known(lives: Callable[[bool], Lived]) -> Lived:
    """With passphrases as identity."""
    return lives(True)


@pytest.fixture
def unknown(lives: Callable[[bool], Lived]) -> Lived:
    """The Wi-Fi says nothing of who joined with which."""
    return lives(False)


@pytest.mark.req("R17", "N9", "N8")
def test_a_phone_that_changes_its_address_every_night_stays_one_device(known: Lived) -> None:
    assert len(known.roots("main-phone")) == 1
    (device,) = (known.box.devices[name] for name in known.roots("main-phone"))
    assert len({address.mac for address in device.addresses}) == known.week.cast.days + 1
    assert device.standing is Standing.REGISTERED
    assert known.kinds("main-phone").count(FindingKind.UNREGISTERED_DEVICE) == 1


@pytest.mark.req("R47", "N8")
@pytest.mark.parametrize("told", [True, False])
def test_two_phones_alike_stay_two_and_nothing_else_is_taken_for_one(
    lives: Callable[[bool], Lived], *, told: bool
) -> None:
    lived = lives(told)
    assert lived.score.false_merges == ()
    assert lived.roots("twin-a")
    assert not lived.roots("twin-a") & lived.roots("twin-b")


@pytest.mark.req("R11")
@pytest.mark.parametrize("told", [True, False])
def test_every_device_that_joined_is_on_the_list_and_no_other(lives: Callable[[bool], Lived], *, told: bool) -> None:
    lived = lives(told)
    on_the_list = {address.mac for device in lived.box.devices.values() for address in device.addresses}
    assert on_the_list == set(lived.week.truth)
    assert lived.score.strays == ()
    for member in lived.week.cast.member:
        assert FindingKind.UNREGISTERED_DEVICE in lived.kinds(member.name), member.name
    assert lived.box.refusals() == []


@pytest.mark.req("N9")
def test_a_visitors_passphrase_in_use_past_its_date_is_a_finding(known: Lived) -> None:
    ended = [finding for finding in known.box.findings.values() if finding.kind is FindingKind.KEY_ENDED]
    assert ended
    assert FindingKind.KEY_ENDED in known.kinds("guest-pixel")
    assert min(finding.first_seen.timestamp() for finding in ended) > known.week.starts + 5 * DAY


@pytest.mark.req("R17", "N8")
def test_without_passphrases_a_machines_own_identifier_is_proposed_and_once_confirmed_joins(unknown: Lived) -> None:
    own = [item for item in unknown.score.proposals if item.members == ("linux-laptop", "linux-laptop")]
    assert [item.state for item in own].count("confirmed") == 1
    assert max(item.probability for item in own) >= 0.9
    assert len(unknown.roots("linux-laptop")) <= 2


@pytest.mark.req("N8")
@pytest.mark.parametrize("told", [True, False])
def test_no_wrong_proposal_sounds_sure(lives: Callable[[bool], Lived], *, told: bool) -> None:
    wrong = [item for item in lives(told).score.proposals if not item.right]
    assert [item for item in wrong if max(item.first, item.probability) >= 0.9] == []


@pytest.mark.req("R13")
def test_a_phone_that_dozes_all_night_has_not_left(known: Lived) -> None:
    assert known.box.sessions
    starts, truth = known.week.starts, known.week.truth
    nights = [
        session
        for session in known.box.sessions.values()
        if truth.get(session.mac) == "main-phone" and session.ended is not None
    ]
    # One stay an address in the night: from three to the morning.
    morning = [session for session in nights if 3 <= (session.started.timestamp() - starts) % DAY / 3600 < 3.5]
    assert len(morning) == known.week.cast.days
    assert all(session.ended and (session.ended - session.started).total_seconds() > 4 * 3600 for session in morning)
