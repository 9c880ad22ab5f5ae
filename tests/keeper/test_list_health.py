"""How lists are, as findings: told once, ended when they are well again."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.keeper.authority import Scope
from appliance.keeper.list_health import LOOK_SECONDS, NEVER_CAME, ListFindings, health
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.signs.model import Sign
from appliance.keeper.supply import Supply
from appliance.settings import ListSource
from wire.findings import FindingKind

START = datetime(2026, 5, 1, tzinfo=UTC).timestamp()


class Teller:
    def __init__(self) -> None:
        self.told: list[Sign] = []
        self.ended: list[tuple[FindingKind, str]] = []

    def tell_box(self, sign: Sign, *, scope: Scope | None, at: float) -> None:
        assert scope is None
        assert at == sign.ts
        self.told.append(sign)

    def end(self, device_id: str | None, kind: FindingKind, subject: str, because: str, at: float) -> None:
        assert device_id is None
        assert because
        assert at >= START
        self.ended.append((kind, subject))


@pytest.fixture
def supply(tmp_path: Path) -> Supply:
    (tmp_path / "own.txt").write_text("bets.example\ncom\n")
    source = ListSource(id="own", version="1", title="Own list", severity="today", path=tmp_path / "own.txt")
    library = Library(tmp_path / "lists", key_file=tmp_path / "lists.key")
    made = Supply([source], library=library, lists=Lists(), chance=random.Random(1))  # noqa: S311 - jitter
    made.start(at=START, monotonic=0.0)
    return made


@pytest.mark.req("R31")
def test_a_refusal_is_told_once_and_ended(supply: Supply) -> None:
    teller = Teller()
    findings = ListFindings(supply, teller)
    findings.tick(scope=None, at=START)
    assert teller.told == []
    assert set(teller.ended) == {(FindingKind.LIST_STALE, "own"), (FindingKind.LIST_REFUSED, "own")}
    supply.states["own"].refused = "version 2 has lost 90% of the entries"
    findings.tick(scope=None, at=START + 1)
    assert teller.told == [], "not looked at again so soon"
    for number in range(1, 4):
        findings.tick(scope=None, at=START + number * LOOK_SECONDS)
    (sign,) = teller.told
    assert sign.kind is FindingKind.LIST_REFUSED
    assert "was not taken: version 2 has lost 90%" in sign.reasons[0]
    assert sign.reasons[1] == "Version 1 stays in use."
    assert sign.alternatives
    teller.ended.clear()
    supply.states["own"].refused = ""
    findings.tick(scope=None, at=START + 9 * LOOK_SECONDS)
    assert teller.ended == [(FindingKind.LIST_REFUSED, "own")]


def test_a_list_with_faults_numbers_them(supply: Supply) -> None:
    (found,) = health(supply, START)
    assert (found.entries, found.malformed, found.malformed_lines, found.problem) == (1, 1, (2,), None)


def test_a_list_that_never_came_is_told_after_a_day(tmp_path: Path) -> None:
    source = ListSource(id="own", version="1", title="Own list", severity="today", path=tmp_path / "none.txt")
    library = Library(tmp_path / "lists", key_file=tmp_path / "lists.key")
    supply = Supply([source], library=library, lists=Lists(), chance=random.Random(1))  # noqa: S311 - jitter
    supply.start(at=START, monotonic=0.0)
    teller = Teller()
    findings = ListFindings(supply, teller)
    findings.tick(scope=None, at=START)
    assert teller.told == []
    findings.tick(scope=None, at=START + NEVER_CAME + 1)
    (sign,) = teller.told
    assert sign.kind is FindingKind.LIST_STALE
    assert "none.txt: cannot be read" in sign.reasons[0]
    assert sign.reasons[1] == "No version of it is in use."
