from __future__ import annotations

import pytest

from dashboard.installing import steps
from dashboard.installing.steps import State
from dashboard.store.installs import Install, Step


def step(name: str, opened: float, done: float | None = None) -> Step:
    return Step(step=name, answers={}, opened_at=opened, done_at=done, by="acc-1")


def install(signed: float | None) -> Install:
    return Install(
        install_id="0" * 32,
        kind="install",
        reference="NM-1",
        site=None,
        by="acc-1",
        by_name="officer-1",
        state="open",
        started_at=0.0,
        signed_at=signed,
        closed_at=None,
    )


def test_a_section_waits_for_what_comes_before_it() -> None:
    found = {item.section.key: item for item in steps.progress("install", {})}
    assert found["box"].state is State.READY
    assert found["order"].state is State.BLOCKED
    assert found["order"].waits_for == ("Scan the box's code",)
    saved = {"box": step("box", 0.0, 90.0), "order": step("order", 100.0)}
    found = {item.section.key: item for item in steps.progress("install", saved)}
    assert (found["box"].state, found["box"].minutes) == (State.DONE, 1.5)
    assert (found["order"].state, found["order"].minutes) == (State.BEGUN, None)
    assert found["connect"].state is State.READY
    assert found["sign"].state is State.BLOCKED


@pytest.mark.req("R1", "R2")
def test_the_time_at_the_address_is_from_its_first_section_to_signing() -> None:
    saved = {"order": step("order", 0.0, 9.0), "connect": step("connect", 3600.0, 3700.0)}
    assert steps.total_minutes(install(None), saved) is None
    assert steps.total_minutes(install(3600.0 + 24 * 60), saved) == 24.0
    assert steps.total_minutes(install(10.0), {}) is None
    assert [item.key for item in steps.SECTIONS if item.where == "station"] == ["box", "order"]


def test_sections_by_name() -> None:
    assert steps.section("removal", "end") is steps.REMOVAL[0]
    assert steps.section("install", "end") is None
