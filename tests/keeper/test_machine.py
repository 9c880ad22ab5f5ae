from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance import messages as m
from appliance.fresh import STALE_SECONDS, Fresh, Seen
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.machine import AGAIN, LAST_WORDS, LOOK_SECONDS, SAID_FOR, Machine
from appliance.keeper.store.database import Store
from appliance.requests import WipeRequest
from wire.box import BoxStatus, Removed, Storage, UplinkState
from wire.models import CommandResult, Outcome
from wire.orders import WipeBox

NOW = 1_793_534_400.0


@dataclass(slots=True)
class FakeSite:
    """What a test says of the machine."""

    seen: Fresh | None = None
    asked: list[WipeRequest] = field(default_factory=list)

    def fresh(self) -> Fresh | None:
        return self.seen

    def disk(self) -> tuple[int, int] | None:
        return 1000, 400

    def wipe(self, request: WipeRequest) -> bool:
        self.asked.append(request)
        return True


def machine(store: Store, site: FakeSite | None, boot: str | None = "boot-1") -> Machine:
    return Machine(store, site, Acts(), boot=boot)


def given(at: float = NOW) -> Given:
    return Given(command_id="c-1", by="officer-1", second=None, broken=False, reason="", scope=None, at=at)


def turn(
    box: Machine, store: Store, *, at: float = NOW, monotonic: float = 100.0, waiting: int = 0
) -> dict[str, object]:
    with store.transaction():
        box.tick(at=at, monotonic=monotonic, waiting=waiting)
    said = box.state(at, monotonic)
    BoxStatus.model_validate({"online": True, "at": datetime.fromtimestamp(at, UTC)} | said)
    return said


@pytest.mark.req("R9", "N15")
def test_the_status_says_how_the_machine_is(store: Store) -> None:
    site = FakeSite(
        Fresh(
            at=NOW,
            stage="enrolled",
            seen=Seen(port=True, cable=True, address=True, names=False, upstream_wifi=True),
            encrypted="board-key",
            card_errors=3,
            certificate_ends=NOW + 86400,
        )
    )
    said = turn(machine(store, site), store)
    assert said["uplink"] == UplinkState(cable=True, address=True, names=False, upstream_wifi=True)
    assert said["storage"] == Storage(size=1000, free=400, encrypted="board-key", errors=3)
    assert said["certificate_ends"] == datetime.fromtimestamp(NOW + 86400, UTC)
    assert said["booted_at"] == datetime.fromtimestamp(NOW - 100, UTC)
    assert (said["boots"], said["removed"]) == (1, None)


def test_what_was_seen_long_ago_says_nothing_of_now(store: Store) -> None:
    site = FakeSite(Fresh(at=NOW - STALE_SECONDS - 1, stage="enrolled", seen=Seen(cable=True)))
    said = turn(machine(store, site), store)
    assert (said["uplink"], said["certificate_ends"]) == (None, None)


def test_without_a_machine_the_box_does_not_say(store: Store) -> None:
    box = machine(store, None)
    assert turn(box, store) == {}
    assert box.wipe(WipeBox(removal_id="removal-1"), given()) == "This box cannot wipe itself."


@pytest.mark.req("N15")
def test_starts_of_the_machine_are_counted_and_not_those_of_the_keeper(store: Store) -> None:
    site = FakeSite()
    counted = [turn(machine(store, site, boot), store)["boots"] for boot in ("a", "a", "b", "b", "c")]
    assert counted == [1, 1, 2, 2, 3]


def test_a_change_of_the_way_out_is_news(store: Store) -> None:
    site = FakeSite(Fresh(at=NOW, seen=Seen(cable=True)))
    box = machine(store, site)
    turn(box, store)
    before = box.news
    site.seen = Fresh(at=NOW + 20, seen=Seen(cable=True))
    turn(box, store, monotonic=100 + LOOK_SECONDS)
    assert box.news == before
    site.seen = Fresh(at=NOW + 40, seen=Seen(cable=False))
    turn(box, store, monotonic=100 + 2 * LOOK_SECONDS)
    assert box.news != before


@pytest.mark.req("R6")
def test_a_box_says_its_last_words_before_it_asks_to_be_wiped(store: Store) -> None:
    site = FakeSite(Fresh(at=NOW, stage="enrolled", keys=7, files=40))
    box = machine(store, site)
    turn(box, store)
    with store.transaction():
        assert box.wipe(WipeBox(removal_id="removal-1"), given()) is None
        assert box.wipe(WipeBox(removal_id="removal-2"), given(NOW + 1)) is None, "the first one counts"
    words = Removed(removal_id="removal-1", at=datetime.fromtimestamp(NOW, UTC), keys_destroyed=7, files_removed=40)
    assert turn(box, store, monotonic=101, waiting=2)["removed"] == words
    turn(box, store, monotonic=101 + SAID_FOR + 1, waiting=1)
    assert site.asked == [], "the server has not taken everything yet"
    turn(box, store, monotonic=101 + SAID_FOR + 2)
    assert [request.removal_id for request in site.asked] == ["removal-1"]
    turn(box, store, monotonic=101 + SAID_FOR + 3)
    assert len(site.asked) == 1
    turn(box, store, monotonic=101 + SAID_FOR + 2 + AGAIN)
    assert len(site.asked) == 2


@pytest.mark.req("R6")
def test_where_nobody_hears_the_box_is_wiped_all_the_same_and_a_restart_forgets_nothing(store: Store) -> None:
    site = FakeSite()
    box = machine(store, site)
    with store.transaction():
        box.wipe(WipeBox(removal_id="removal-1"), given())
    turn(box, store, monotonic=100, waiting=9)
    assert site.asked == []
    again = machine(store, site)
    turn(again, store, monotonic=500, waiting=9)
    turn(again, store, monotonic=500 + LAST_WORDS, waiting=9)
    assert [request.removal_id for request in site.asked] == ["removal-1"]


@pytest.mark.req("R6")
def test_a_whole_keeper_without_any_authority_says_its_last_words_and_asks_once_the_server_has_all(
    make_bench: Any,
) -> None:
    bench = make_bench(None)
    bench.stop()
    bench.machine = site = FakeSite(Fresh(at=bench.wall, stage="enrolled", seen=Seen(cable=True), keys=6, files=30))
    bench.start(None)
    bench.online()
    bench.wait(5)
    heard = bench.order(WipeBox(removal_id="removal-1")) + bench.wait(3)
    assert [item.outcome for item in bench.payloads(heard) if isinstance(item, CommandResult)] == [Outcome.APPLIED]
    opened = [bench.open(message).payload for message in heard if isinstance(message, m.Outbound)]
    status = [item for item in opened if isinstance(item, BoxStatus)][-1]
    assert status.removed is not None
    assert (status.removed.removal_id, status.removed.keys_destroyed, status.removed.files_removed) == (
        "removal-1",
        6,
        30,
    )
    assert status.uplink is not None
    assert status.boots is None, "in a script no run of a machine is known"
    bench.wait(10)
    assert site.asked == []
    bench.acknowledge()
    bench.wait(1)
    assert [request.removal_id for request in site.asked] == ["removal-1"]
