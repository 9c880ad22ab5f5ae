"""Changes that root makes for the keeper: what became of them is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance import messages as m
from appliance import requests
from appliance.fresh import Fresh
from appliance.keeper.handed import LOOK_SECONDS, NOBODY, PATIENCE, Handed
from appliance.keeper.store.database import Store
from appliance.requests import Answer, RequestError, RequestName, SetNetworkRequest, WipeRequest
from wire.box import BoxStatus, Change
from wire.models import CommandResult, Outcome
from wire.orders import SetNetwork, WipeBox

AT = 1_900_000_000.0
WHY = "The new settings did not work. The earlier ones are in force again."


def network(request_id: str = "c-1") -> SetNetworkRequest:
    return SetNetworkRequest(request_id=request_id, at=AT, ssid="Example Home")


def wipe() -> WipeRequest:
    return WipeRequest(request_id="removal-1", at=AT, removal_id="removal-1")


class Root:
    """Answers as a test says."""

    def __init__(self) -> None:
        self.said: dict[RequestName, Answer] = {}

    def says(self, name: RequestName, request_id: str, outcome: str, detail: str = "") -> None:
        document = {"request_id": request_id, "name": name, "outcome": outcome, "detail": detail, "at": AT}
        self.said[name] = Answer.model_validate(document)

    def __call__(self, name: RequestName) -> Answer | None:
        return self.said.get(name)


def look(handed: Handed, store: Store, *, after: float = 0.0) -> tuple[tuple[str, str, str], ...]:
    with store.transaction():
        handed.tick(at=AT + after, monotonic=100 + after)
    assert handed.told is not None
    return tuple((each.about, each.outcome, each.detail) for each in handed.told)


@pytest.mark.req("R57")
def test_a_refusal_is_told_with_its_reason_also_by_a_keeper_that_started_anew(store: Store) -> None:
    root = Root()
    handed = Handed(store, root)
    assert handed.told == ()
    with store.transaction():
        handed.asked(network())
    assert look(handed, store) == (("c-1", "under-way", ""),)
    root.says(RequestName.SET_NETWORK, "c-0", "done")
    assert look(handed, store, after=LOOK_SECONDS) == (("c-1", "under-way", ""),), "an answer to another"
    root.says(RequestName.SET_NETWORK, "c-1", "refused", WHY)
    assert look(handed, store, after=2 * LOOK_SECONDS) == (("c-1", "refused", WHY),)
    again = Handed(store, None)
    assert again.told is None
    again = Handed(store, Root())
    when = datetime.fromtimestamp(AT + 2 * LOOK_SECONDS, UTC)
    assert again.told == (Change(about="c-1", action="set-network", outcome="refused", detail=WHY, at=when),)


def test_the_last_of_each_kind_is_kept(store: Store) -> None:
    root = Root()
    handed = Handed(store, root)
    with store.transaction():
        for number in range(50):
            handed.asked(network(f"c-{number}"))
        handed.asked(wipe())
    root.says(RequestName.SET_NETWORK, "c-49", "done")
    assert look(handed, store) == (("c-49", "done", ""), ("removal-1", "under-way", ""))


@pytest.mark.req("R6")
def test_a_wipe_that_failed_is_told_and_may_be_done_yet(store: Store) -> None:
    root = Root()
    handed = Handed(store, root)
    with store.transaction():
        handed.asked(wipe())
    root.says(RequestName.WIPE, "removal-1", "failed", "The box could not carry it out: No space left on device.")
    assert look(handed, store)[0][1] == "failed"
    with store.transaction():
        handed.asked(wipe())
    assert look(handed, store, after=60)[0][1] == "failed", "asked again, it did not get better"
    root.says(RequestName.WIPE, "removal-1", "done")
    assert look(handed, store, after=120) == (("removal-1", "done", ""),)


def test_what_nobody_answered_has_failed(store: Store) -> None:
    handed = Handed(store, Root())
    with store.transaction():
        handed.asked(network())
    assert look(handed, store)[0][1] == "under-way"
    assert look(handed, store, after=PATIENCE - LOOK_SECONDS)[0][1] == "under-way"
    assert look(handed, store, after=PATIENCE) == (("c-1", "failed", NOBODY),)
    with store.transaction():
        handed.asked(network("c-2"))
    assert look(handed, store, after=PATIENCE + 5)[0][1] == "under-way", "a new one has its own time"


def test_what_could_not_be_asked_is_not_under_way(store: Store) -> None:
    def full(_request: SetNetworkRequest) -> None:
        raise RequestError("no room")

    handed = Handed(store, Root())
    assert handed.noting(None) is None
    ask = handed.noting(full)
    assert ask is not None
    with pytest.raises(RequestError):
        ask(network())
    assert handed.told == ()


def test_what_another_version_kept_is_forgotten(store: Store) -> None:
    with store.transaction():
        store.set("handed", '[{"about": 7}]')
    assert Handed(store, Root()).told == ()


# --- a whole keeper -------------------------------------------------------------------------------


def statuses(bench: Any, heard: list[m.Message]) -> list[BoxStatus]:
    opened = [bench.open(message).payload for message in heard if isinstance(message, m.Outbound)]
    return [payload for payload in opened if isinstance(payload, BoxStatus)]


@pytest.mark.req("R57")
def test_the_server_hears_at_once_what_root_refused(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """The request and its answer go the way they go on a box: through files."""
    bench = make_bench(None)
    bench.stop()
    bench.run_dir = tmp_path
    bench.start(None)
    bench.online()
    bench.wait(5)
    heard = bench.order(SetNetwork(ssid="Example Home"))
    (result,) = [each for each in bench.payloads(heard) if isinstance(each, CommandResult)]
    assert result.outcome is Outcome.APPLIED, "handed on; the rest is told as it goes"
    request = requests.take(tmp_path, RequestName.SET_NETWORK, owners=frozenset({tmp_path.stat().st_uid}))
    assert request is not None
    status = statuses(bench, heard + bench.wait(5))[-1]
    assert status.changes is not None
    assert [(each.about, each.outcome) for each in status.changes] == [(result.command_id, "under-way")]
    requests.reply(
        tmp_path,
        Answer(request_id=request.request_id, name=RequestName.SET_NETWORK, outcome="refused", detail=WHY, at=AT),
    )
    told = [each for status in statuses(bench, bench.wait(5)) for each in status.changes or ()]
    assert [(each.about, each.outcome, each.detail) for each in told] == [(result.command_id, "refused", WHY)]


@pytest.mark.req("R6")
def test_the_server_hears_of_a_wipe_that_failed(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    class Site:
        """A machine that can be asked."""

        def fresh(self) -> Fresh | None:
            return None

        def disk(self) -> tuple[int, int] | None:
            return None

        def wipe(self, request: WipeRequest) -> bool:
            requests.ask(tmp_path, request)
            return True

    bench = make_bench(None)
    bench.stop()
    bench.run_dir, bench.machine = tmp_path, Site()
    bench.start(None)
    bench.online()
    bench.order(WipeBox(removal_id="removal-1"))
    bench.wait(5)
    bench.acknowledge()
    bench.wait(5)
    requests.reply(
        tmp_path,
        Answer(request_id="removal-1", name=RequestName.WIPE, outcome="failed", detail="The box could not.", at=AT),
    )
    told = [each for status in statuses(bench, bench.wait(5)) for each in status.changes or ()]
    assert [(each.about, each.action, each.outcome) for each in told] == [("removal-1", "wipe-box", "failed")]
