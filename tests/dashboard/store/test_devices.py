"""Which devices are one, when they were there, and what may be one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard.store import devices
from dashboard.store.engine import reading


@pytest.fixture(autouse=True)
def family(seed: Any) -> None:
    """dev-3 counts as part of dev-2, which counts as part of dev-1."""
    seed.site()
    seed.site("site-2")
    seed.device("dev-1", label="black phone")
    seed.device("dev-2", merged_into="dev-1")
    seed.device("dev-3", merged_into="dev-2")
    seed.device("dev-1", site="site-2", label="another home's")
    seed.device("dev-3", site="site-2", merged_into="dev-1")


@pytest.mark.req("N8", "R47")
def test_a_part_is_answered_with_its_whole_and_only_within_its_household(engine: Engine) -> None:
    with reading(engine).connect() as connection:
        known = devices.devices_named(connection, "site-1", ["dev-1", "dev-2", "dev-3", "dev-9"])
        assert {key: row.device_id for key, row in known.items()} == {f"dev-{item}": "dev-1" for item in (1, 2, 3)}
        both = devices.roots(connection, {("site-1", "dev-3"), ("site-2", "dev-3")})
        assert {key[0]: row.label for key, row in both.items()} == {"site-1": "black phone", "site-2": "another home's"}
        assert devices.parts(connection, "site-1", "dev-1") == ("dev-1", "dev-2", "dev-3")
        assert devices.parts(connection, "site-1", "dev-3") == ("dev-3",)
        assert [row.device_id for row in devices.devices_of(connection, "site-1")] == ["dev-1"]
        assert devices.count_devices(connection, "site-1") == 1
        assert devices.roots(connection, set()) == {}


def test_a_ring_and_a_long_chain_end(engine: Engine, seed: Any) -> None:
    seed.device("a", merged_into="b")
    seed.device("b", merged_into="a")
    for number in range(devices.MOST_STEPS + 4):
        seed.device(f"chain-{number}", merged_into=f"chain-{number + 1}")
    with reading(engine).connect() as connection:
        assert set(devices.devices_named(connection, "site-1", ["a", "chain-0"])) == {"a", "chain-0"}
        assert set(devices.parts(connection, "site-1", "a")) == {"a", "b"}
        assert len(devices.parts(connection, "site-1", f"chain-{devices.MOST_STEPS + 3}")) == devices.MOST_STEPS + 1


def test_one_whose_whole_is_not_here_yet_is_itself(engine: Engine, seed: Any) -> None:
    seed.device("early", merged_into="late")
    with reading(engine).connect() as connection:
        assert devices.devices_named(connection, "site-1", ["early"])["early"].device_id == "early"


@pytest.mark.req("R13")
def test_stays_come_latest_first_with_those_of_the_parts(
    engine: Engine, seed: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        seed.stay(f"stay-{number}", device_id=f"dev-{number % 3 + 1}", started=clock.at - number)
    seed.stay("elsewhere", site="site-2")
    with reading(engine).connect() as connection:
        ids = devices.parts(connection, "site-1", "dev-1")
        found = [row.session_id for row in devices.stays_of(connection, "site-1", ids)]
        assert found == [f"stay-{number}" for number in range(5)]
        monkeypatch.setattr(devices, "MOST_STAYS", 2)
        assert len(devices.stays_of(connection, "site-1", ids)) == 2
        assert devices.count_stays(connection, "site-1", ids) == 5


def test_proposals_come_open_and_most_probable_first(
    engine: Engine, seed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.proposal("a", probability=0.6)
    seed.proposal("b", probability=0.9)
    seed.proposal("c", probability=0.99, state="confirmed")
    seed.proposal("d", probability=0.99, state="withdrawn")
    seed.proposal("e", site="site-2")
    with reading(engine).connect() as connection:
        assert [row.proposal_id for row in devices.open_proposals(connection, "site-1")] == ["b", "a"]
        about = devices.proposals_about(connection, "site-1", ["dev-2"])
        assert [row.proposal_id for row in about] == ["b", "a", "c"]
        assert devices.proposals_about(connection, "site-1", ["dev-9"]) == ()
        monkeypatch.setattr(devices, "MOST_PROPOSALS", 1)
        assert len(devices.open_proposals(connection, "site-1")) == 1
        assert devices.count_proposals(connection, "site-1") == 2


def test_no_device_is_hidden_behind_itself_or_behind_nothing(engine: Engine, seed: Any) -> None:
    seed.device("self", merged_into="self")
    seed.device("early", merged_into="late")
    seed.device("a", merged_into="b")
    seed.device("b", merged_into="a")
    alone = {"dev-1", "self", "early", "a", "b"}
    with reading(engine).connect() as connection:
        assert {row.device_id for row in devices.devices_of(connection, "site-1")} == alone
        assert devices.count_devices(connection, "site-1") == len(alone)
        known = devices.devices_named(connection, "site-1", alone)
        assert {key: row.device_id for key, row in known.items()} == {key: key for key in alone}
    seed.device("late")
    with reading(engine).connect() as connection:
        assert devices.count_devices(connection, "site-1") == len(alone)
        assert "early" not in {row.device_id for row in devices.devices_of(connection, "site-1")}


@pytest.mark.req("N8", "R17")
def test_questions_are_those_that_no_open_finding_leads_to(
    engine: Engine, seed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.site("site-9", tenant="elsewhere")
    for number, (probability, state) in enumerate(
        ((0.6, "open"), (0.9, "open"), (0.49, "open"), (0.99, "withdrawn"), (0.7, "open"), (0.8, "open"))
    ):
        names = {"device_id": f"one-{number}", "other_id": f"two-{number}"}
        seed.proposal(f"p-{number}", probability=probability, state=state, **names)
    seed.proposal("p-7", site="site-2", probability=0.5)
    seed.proposal("p-8", site="site-9")
    seed.finding("f-1", device_id="two-4", kind="same-device")
    seed.finding("f-2", device_id="one-5", kind="same-device", state="closed")
    seed.finding("f-3", device_id="one-1", kind="listed-name")
    seed.finding("f-4", device_id="two-0", kind="same-device", site="site-2")
    with reading(engine).connect() as connection:
        found, numbers = devices.questions(connection, "northmoor", least=0.5, told=["same-device"])
        assert [item.proposal_id for item in found] == ["p-1", "p-5", "p-0", "p-7"]
        assert numbers == {"site-1": 3, "site-2": 1}
        monkeypatch.setattr(devices, "MOST_QUESTIONS", 2)
        found, numbers = devices.questions(connection, "northmoor", least=0.5, told=["same-device"])
        assert (len(found), numbers) == (2, {"site-1": 3, "site-2": 1})


@pytest.mark.req("R13")
def test_devices_are_found_by_label_by_look_and_by_the_beginning_of_an_address(seed: Any, engine: Engine) -> None:
    seed.site("site-3")
    seed.device("dev-1", site="site-3", label="Grey laptop")
    seed.device("dev-2", site="site-3", looks_like={"text": "a TV", "confidence": 0.5, "reasons": []})
    with reading(engine).connect() as connection:
        for text, expected in (
            ("LAPTOP", ["dev-1"]),
            ("tv", ["dev-2"]),
            ("02:00:5E:00", ["dev-1", "dev-2"]),
            ("00:53:01", []),
            ("20:00", []),
            ("first_seen", []),
        ):
            rows, number = devices.devices_like(connection, "site-3", devices.Wanted(text=text), offset=0, limit=9)
            assert ([row.device_id for row in rows], number) == (expected, len(expected)), text
