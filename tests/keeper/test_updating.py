from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance import messages as m
from appliance.keeper.core import Peer
from appliance.keeper.updating import ASKED_SECONDS, LOOK_SECONDS, MOST_ASKED, PATIENCE
from appliance.releases import Programs, Record, Running
from appliance.requests import Answer, RequestName, TakeReleaseRequest
from wire.box import BoxStatus
from wire.models import CommandResult, Outcome
from wire.orders import TakeRelease
from wire.release import Release, SignedRelease, SoftwareState, sign

KEY = Ed25519PrivateKey.generate()


@dataclass
class Root:
    """Root as a script plays it."""

    pinned: tuple[Ed25519PublicKey, ...] = (KEY.public_key(),)
    now: Running = field(default_factory=lambda: Running(version="2026.10.1", slot="A", board="pi4", boot="b"))
    written: Record = field(default_factory=Record)
    asked: list[TakeReleaseRequest] = field(default_factory=list)
    said: Answer | None = None
    deaf: bool = False

    def running(self) -> Running:
        return self.now

    def record(self) -> Record:
        return self.written

    def programs(self) -> Programs:
        return Programs()

    def ask(self, request: TakeReleaseRequest) -> bool:
        if not self.deaf:
            self.asked.append(request)
        return not self.deaf

    def answer(self) -> Answer | None:
        return self.said


@pytest.fixture
def root(bench: Any) -> Root:
    """A box that takes releases, without any authority in force, and its server."""
    bench.root = Root()
    bench.stop()
    bench.start(None)
    bench.online()
    made: Root = bench.root
    return made


def _signed(bench: Any, version: str = "2026.11.1", **values: Any) -> SignedRelease:
    issued = datetime.fromtimestamp(bench.wall, UTC)
    said = {
        "version": version,
        "board": "pi4",
        "url": "https://updates.example/b",
        "sha256": "ab" * 32,
        "size": 1000,
        "floor": "2026.10.1",
        "issued": issued,
        "expires": issued + timedelta(days=30),
    }
    return sign(Release.model_validate(said | values), KEY)


def _order(bench: Any, signed: SignedRelease) -> tuple[list[m.Message], CommandResult]:
    heard = bench.order(TakeRelease(signed=signed))
    (result,) = [item for item in bench.payloads(heard) if isinstance(item, CommandResult)]
    return heard, result


def _software(bench: Any) -> SoftwareState:
    heard = bench.wait(LOOK_SECONDS) + bench.wait(60)
    opened = [bench.open(item).payload for item in heard if isinstance(item, m.Outbound)]
    state = [item.software for item in opened if isinstance(item, BoxStatus)][-1]
    assert isinstance(state, SoftwareState)
    return state


def _wanted(heard: list[m.Message]) -> list[m.ReleaseWanted]:
    return [item for item in heard if isinstance(item, m.ReleaseWanted)]


@pytest.mark.req("R4")
def test_an_order_is_fetched_handed_over_and_told(bench: Any, root: Root) -> None:
    signed = _signed(bench)
    heard, result = _order(bench, signed)
    assert result.outcome is Outcome.APPLIED, "no authority is needed: it is about the box"
    heard += bench.wait(LOOK_SECONDS)
    assert _wanted(heard) == [m.ReleaseWanted(sha256="ab" * 32, url="https://updates.example/b", size=1000)]
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="on-its-way", octets=250))
    state = _software(bench)
    assert (state.version, state.wanted, state.stage, state.percent) == ("2026.10.1", "2026.11.1", "fetching", 25)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole", octets=1000))
    bench.wait(LOOK_SECONDS)
    assert [item.signed for item in root.asked] == [signed]
    root.written = Record(stage="waiting", signed=signed, since=bench.wall)
    assert _software(bench).stage == "waiting"
    root.now = replace(root.now, version="2026.11.1", slot="B")
    root.written = Record(stage="done", signed=signed, since=bench.wall)
    state = _software(bench)
    assert (state.version, state.slot, state.stage) == ("2026.11.1", "B", "done")
    assert _order(bench, signed)[1].outcome is Outcome.REFUSED, "it runs already"


@pytest.mark.req("R4")
@pytest.mark.usefixtures("root")
def test_what_is_wanted_survives_a_new_start(bench: Any) -> None:
    _order(bench, _signed(bench))
    bench.stop()
    bench.start(None)
    bench.connect(Peer.COURIER)
    assert _wanted(bench.wait(LOOK_SECONDS))
    bench.gone(Peer.COURIER)
    assert not _wanted(bench.wait(LOOK_SECONDS))
    assert _wanted(bench.connect(Peer.COURIER) + bench.wait(LOOK_SECONDS))


@pytest.mark.req("R4")
def test_what_does_not_hold_is_refused_in_plain_words(bench: Any, root: Root) -> None:
    for values, says in (
        ({"board": "qemu"}, "made for qemu"),
        ({"version": "2026.9.1", "floor": "2026.1.1"}, "not newer"),
        ({"expires": datetime.fromtimestamp(bench.wall - 1, UTC)}, "expired"),
    ):
        _heard, result = _order(bench, _signed(bench, **values))
        assert result.outcome is Outcome.REFUSED
        assert says in result.detail
    root.pinned = ()
    assert _order(bench, _signed(bench))[1].outcome is Outcome.REFUSED


def test_a_newer_release_takes_the_place_of_one_on_its_way_and_no_older(bench: Any, root: Root) -> None:
    _order(bench, _signed(bench, "2026.11.2"))
    assert "on its way already" in _order(bench, _signed(bench, "2026.11.1"))[1].detail
    heard, result = _order(bench, _signed(bench, "2026.11.3", sha256="cd" * 32))
    assert result.outcome is Outcome.APPLIED
    assert [item.sha256 for item in _wanted(heard + bench.wait(LOOK_SECONDS))] == ["cd" * 32]
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole"))
    bench.wait(LOOK_SECONDS)
    assert not root.asked, "a word about the one before counts no more"


@pytest.mark.usefixtures("root")
def test_a_fetch_that_fails_comes_again_later(bench: Any) -> None:
    _order(bench, _signed(bench))
    bench.wait(LOOK_SECONDS)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="failed", detail="the server is not reached"))
    assert not _wanted(bench.wait(LOOK_SECONDS))
    state = _software(bench)
    assert state.stage == "fetching"
    assert "not reached" in state.detail
    assert _wanted(bench.wait(PATIENCE)), "a courier that says nothing is asked again"
    bench.wait(31 * 86400)
    assert _software(bench).detail == "The release expired before the box had it."


def test_root_that_refuses_or_does_not_answer(bench: Any, root: Root) -> None:
    _order(bench, _signed(bench))
    bench.wait(LOOK_SECONDS)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole"))
    for _ in range(MOST_ASKED + 2):
        bench.wait(ASKED_SECONDS)
    assert len(root.asked) == MOST_ASKED
    assert _software(bench).detail == "Nothing on the box took the release over."
    _order(bench, _signed(bench))
    bench.wait(LOOK_SECONDS)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole"))
    bench.wait(LOOK_SECONDS)
    root.said = Answer(
        request_id=root.asked[-1].request_id, name=RequestName.TAKE_RELEASE, outcome="refused", detail="No.", at=1.0
    )
    state = _software(bench)
    assert (state.stage, state.detail, state.wanted) == ("failed", "No.", "2026.11.1")


@pytest.mark.req("R4")
def test_root_that_is_at_work_is_asked_when_it_is_done(bench: Any, root: Root) -> None:
    root.written = Record(stage="proving", signed=_signed(bench, sha256="cd" * 32), since=bench.wall)
    signed = _signed(bench, "2026.11.2")
    assert _order(bench, signed)[1].outcome is Outcome.APPLIED, "a refusal would count as a failure of the release"
    bench.wait(LOOK_SECONDS)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole"))
    for _ in range(5):
        bench.wait(ASKED_SECONDS)
    assert not root.asked
    root.written = Record(stage="rolled-back", signed=root.written.signed, since=bench.wall)
    bench.wait(ASKED_SECONDS)
    assert [item.signed for item in root.asked] == [signed]
    # Its own clock may be behind: what counts is that it wrote something down.
    root.written = Record(stage="writing", signed=signed, since=1.0)
    bench.wait(LOOK_SECONDS)
    for _ in range(3):
        bench.wait(ASKED_SECONDS)
    assert len(root.asked) == 1
    assert _order(bench, signed)[1].outcome is Outcome.APPLIED, "ordered again, it goes on"
    assert _software(bench).stage == "writing"


@pytest.mark.req("R4")
def test_what_went_wrong_at_root_is_asked_for_again(bench: Any, root: Root) -> None:
    _order(bench, _signed(bench))
    bench.wait(LOOK_SECONDS)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole"))
    for _ in range(MOST_ASKED + 2):
        bench.wait(ASKED_SECONDS)
        root.said = Answer(
            request_id=root.asked[-1].request_id,
            name=RequestName.TAKE_RELEASE,
            outcome="failed",
            detail="Full.",
            at=1.0,
        )
    bench.wait(ASKED_SECONDS)
    assert len(root.asked) == MOST_ASKED
    state = _software(bench)
    assert (state.stage, state.detail) == ("failed", "Full.")


def test_root_that_cannot_be_asked_is_said(bench: Any, root: Root) -> None:
    root.deaf = True
    _order(bench, _signed(bench))
    bench.wait(LOOK_SECONDS)
    bench.hear(Peer.COURIER, m.ReleaseFetched(sha256="ab" * 32, outcome="whole"))
    assert "could not be handed over" in _software(bench).detail


def test_a_box_that_takes_no_releases_says_so(bench: Any) -> None:
    bench.online()
    _heard, result = _order(bench, _signed(bench))
    assert (result.outcome, result.detail) == (Outcome.REFUSED, "This box takes no releases.")
