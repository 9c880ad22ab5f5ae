from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.releases import Record, read_record
from appliance.upkeep import runner
from appliance.upkeep.update import SECURITY_SECONDS, Effect, done, may_restart, step, take
from wire.release import SignedRelease

HOURS = (2, 5)


def _go(folder: Path, board: Any, now: float) -> Record:
    return runner.go_on(folder, board, lambda: now)


def _live(folder: Path, board: Any, signed: SignedRelease, now: float, power_cut: type[BaseException]) -> Record:
    """From the request on, starting anew after each cut and each restart, until nothing more is to be done."""
    begun = False
    for _ in range(60):
        try:
            if not begun:
                begun = True
                runner.save(folder, take(read_record(folder), signed, board.running(), now))
            record = _go(folder, board, now)
        except power_cut:
            board.boot()
            continue
        if board.going_down:
            board.boot()
            continue
        return record
    raise AssertionError("it never came to an end")


@pytest.mark.req("R4")
def test_a_release_is_written_started_and_proved(
    tmp_path: Path, board: Any, signed: Any, now: float, power_cut: Any
) -> None:
    record = _live(tmp_path, board, signed(floor="2026.11.1"), now, power_cut)
    assert (record.stage, record.floor, board.slot, board.versions["B"]) == ("done", "2026.11.1", "B", "2026.11.1")
    assert board.trace == ["check", "half written", "written", "restart", "prove", "good"]
    assert record.before == ("addresses", "internet", "keeper", "names", "rules")
    assert _go(tmp_path, board, now) == record, "nothing is left to do"


@pytest.mark.req("R4")
@pytest.mark.parametrize("way", ["well", "unwell", "does not start"])
def test_the_power_may_go_at_every_step(  # noqa: PLR0917 - fixtures
    tmp_path: Path, make_board: Any, signed: Any, now: float, power_cut: Any, way: str
) -> None:
    def board(**values: Any) -> Any:
        return make_board(unwell=way == "unwell", does_not_start=way == "does not start", **values)

    whole = board()
    _live(tmp_path / "whole", _made(tmp_path / "whole", whole), signed(), now, power_cut)
    cuts = 0
    for after in (False, True):
        for cut_at in range(1, whole.things + 1):
            folder = tmp_path / f"{after}-{cut_at}"
            one = _made(folder, board(cut_at=cut_at, after=after))
            record = _live(folder, one, signed(), now, power_cut)
            assert record.stage == ("done" if way == "well" else "rolled-back"), (after, cut_at, one.trace)
            assert one.slot == ("B" if way == "well" else "A")
            assert one.versions[one.slot] == ("2026.11.1" if way == "well" else "2026.10.1")
            assert record.floor == ("2026.10.1" if way == "well" else None), "only what was proved raises the floor"
            cuts += 1
    assert cuts == 2 * whole.things >= 8


def _made(folder: Path, board: Any) -> Any:
    folder.mkdir()
    return board


@pytest.mark.req("R4")
@given(cuts=st.lists(st.integers(1, 12), max_size=6), unwell=st.booleans())
@settings(max_examples=60, deadline=None)
def test_many_cuts_leave_a_box_that_runs(  # noqa: PLR0917 - fixtures
    tmp_path_factory: pytest.TempPathFactory,
    make_board: Any,
    make_signed: Any,
    power_cut: Any,
    cuts: list[int],
    unwell: bool,
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    board = make_board(unwell=unwell)
    left = list(cuts)
    runner.save(folder, take(Record(), make_signed, board.running(), 1.0))
    for _ in range(80):
        board.cut_at = board.things + left.pop() if left else None
        try:
            record = _go(folder, board, 2.0)
        except power_cut:
            board.boot()
            continue
        if not board.going_down:
            break
        board.boot()
    assert record.stage in {"done", "rolled-back", "failed"}
    assert board.versions[board.slot] in {"2026.10.1", "2026.11.1"}
    if unwell:
        assert board.slot == "A" or record.stage == "failed"


@pytest.fixture(scope="session")
def make_signed() -> SignedRelease:
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from wire.release import Release, sign

    at = datetime(2026, 11, 1, tzinfo=UTC)
    plain = Release(
        version="2026.11.1", board="pi4", url="https://updates.example/b", sha256="ab" * 32, size=10,
        floor="2026.10.1", issued=at, expires=at.replace(year=2027),
    )  # fmt: skip
    return sign(plain, Ed25519PrivateKey.generate())


def test_what_the_installer_refuses_changes_nothing(
    tmp_path: Path, make_board: Any, signed: Any, now: float, power_cut: Any
) -> None:
    board = make_board(checks="The release's file is not the one of its statement.")
    record = _live(tmp_path, board, signed(), now, power_cut)
    assert (record.stage, record.detail) == ("failed", board.checks)
    assert board.starts_next == "A"


@pytest.mark.req("R4")
def test_a_partition_that_holds_another_version_is_not_proved(
    tmp_path: Path, board: Any, signed: Any, now: float, power_cut: Any
) -> None:
    board.holds = "2026.10.9"
    record = _live(tmp_path, board, signed(), now, power_cut)
    assert (record.stage, record.floor, board.slot) == ("rolled-back", None, "A")
    assert "holds version 2026.10.9" in record.detail
    assert "prove" not in board.trace


@pytest.mark.req("R4")
def test_the_loader_changed_partitions_before_anything_was_written(
    tmp_path: Path, make_board: Any, signed: Any, now: float
) -> None:
    board = make_board(versions={"A": "2026.9.1", "B": "2026.10.1"}, slot="B", starts_next="B")
    runner.save(tmp_path, take(Record(), signed(), board.running(), now))
    board.slot = "A"  # three cuts
    record = _go(tmp_path, board, now)
    assert (record.stage, record.from_slot, record.from_version) == ("restarting", "A", "2026.9.1")
    board.boot()
    record = _go(tmp_path, board, now)
    assert (record.stage, board.running().version) == ("done", "2026.11.1")


@pytest.mark.req("R4")
def test_what_the_installer_wrote_after_it_was_given_up_is_proved(board: Any, signed: Any, now: float) -> None:
    begun = take(Record(), signed(), board.running(), now)
    record = done(begun.model_copy(update={"stage": "writing"}), Effect.WRITE, problem="too slow", at=now)
    assert step(record, board.running(), quiet=True, at=now) == (record, Effect.NOTHING)
    board.versions["B"], board.slot = "2026.11.1", "B"
    record, effect = step(record, board.running(), quiet=True, at=now)
    assert (record.stage, effect) == ("proving", Effect.PROVE)


@pytest.mark.req("R4")
def test_a_loader_that_went_back_later_is_told(
    tmp_path: Path, board: Any, signed: Any, now: float, power_cut: Any
) -> None:
    _live(tmp_path, board, signed(), now, power_cut)
    board.slot = "A"
    record = _go(tmp_path, board, now)
    assert (record.stage, record.floor) == ("rolled-back", "2026.10.1")
    assert record.detail == "Version 2026.11.1 did not start any more; the box runs 2026.10.1 again."


def test_a_machine_that_cannot_be_started_anew_is_not_tried_for_ever(board: Any, signed: Any, now: float) -> None:
    record = take(Record(), signed(), board.running(), now).model_copy(update={"stage": "waiting"})
    effects = []
    for _ in range(8):
        record, effect = step(record, board.running(), quiet=True, at=now)
        effects.append(effect)
        record = done(record, effect, at=now)
    assert effects.count(Effect.RESTART) == 4
    assert record.stage == "failed"


def test_it_waits_until_nobody_minds(tmp_path: Path, board: Any, signed: Any, now: float) -> None:
    board.quiet_now = False
    runner.save(tmp_path, take(Record(), signed(), board.running(), now))
    assert _go(tmp_path, board, now).stage == "waiting"
    assert "restart" not in board.trace
    board.quiet_now = True
    assert _go(tmp_path, board, now).stage == "restarting"


@pytest.mark.req("R4")
def test_when_nobody_minds(signed: Callable[..., SignedRelease], board: Any, now: float) -> None:
    def may(record: Record, hour: float, *, rate: float | None = 1e6, later: float = 0.0, site: str = "box-1") -> bool:
        return may_restart(record, site=site, at=now + later, local_second=hour * 3600, hours=HOURS, rate=rate)

    plain = take(Record(), signed(), board.running(), now)
    urgent = take(Record(), signed(security=True), board.running(), now)
    assert may(plain, 4.99)
    assert not may(plain, 12)
    assert not may(plain, 12, rate=0.0)
    assert may(plain, 12, rate=0.0, later=3 * 86400), "a box that is never on at night"
    assert not may(urgent, 12)
    assert not may(urgent, 12, rate=None)
    assert may(urgent, 12, rate=100.0)
    assert may(urgent, 12, later=SECURITY_SECONDS)
    starts = {next(m for m in range(60 * 3) if may(plain, 2 + m / 60, site=f"box-{n}")) for n in range(40)}
    assert len(starts) > 20, "boxes of one street do not all go at one minute"
    assert not may_restart(Record(), site="box-1", at=now, local_second=10800, hours=HOURS, rate=0.0)
