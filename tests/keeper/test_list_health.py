"""How lists are, as findings: told once, ended when they are well again."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from appliance.keeper.authority import Scope
from appliance.keeper.findings import NO_AUTHORITY, of_sign
from appliance.keeper.list_health import LOOK_SECONDS, MOST_OCTETS, NEVER_CAME, ListFindings, fitting, health
from appliance.keeper.lists.library import Library
from appliance.keeper.lists.match import Lists
from appliance.keeper.signs.model import Sign
from appliance.keeper.store.findings import StoredFinding
from appliance.keeper.supply import Supply
from appliance.settings import ListSource
from wire.box import ListHealth
from wire.codec import payload_json
from wire.findings import FindingKind, Grade, Severity

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
    findings = ListFindings(supply, teller, opened=lambda _kinds: [])
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


def test_names_that_a_table_has_no_room_for_are_said(supply: Supply, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = supply.library.kept("own")
    assert kept is not None
    full = msgspec.structs.replace(kept, made=msgspec.structs.replace(kept.made, overflow=1234))
    monkeypatch.setattr(supply, "in_use", lambda _list_id: full)
    (found,) = health(supply, START)
    assert found.problem == "1,234 names of it are left out: a list can have 32,000,000."


def test_a_list_that_never_came_is_told_after_a_day(tmp_path: Path) -> None:
    source = ListSource(id="own", version="1", title="Own list", severity="today", path=tmp_path / "none.txt")
    library = Library(tmp_path / "lists", key_file=tmp_path / "lists.key")
    supply = Supply([source], library=library, lists=Lists(), chance=random.Random(1))  # noqa: S311 - jitter
    supply.start(at=START, monotonic=0.0)
    teller = Teller()
    findings = ListFindings(supply, teller, opened=lambda _kinds: [])
    findings.tick(scope=None, at=START)
    assert teller.told == []
    findings.tick(scope=None, at=START + NEVER_CAME + 1)
    (sign,) = teller.told
    assert sign.kind is FindingKind.LIST_STALE
    assert "none.txt: cannot be read" in sign.reasons[0]
    assert sign.reasons[1] == "No version of it is in use."


@pytest.mark.req("R31")
def test_what_is_not_known_again_after_a_start_ends_no_finding(tmp_path: Path) -> None:
    """The server is away: nobody knows yet whether the version that was refused is still offered."""
    source = ListSource(id="own", manifest="https://lists.example/own.json", publishers=("k",))
    library = Library(tmp_path / "lists", key_file=tmp_path / "lists.key")
    supply = Supply([source], library=library, lists=Lists(), chance=random.Random(1))  # noqa: S311 - jitter
    supply.start(at=START, monotonic=0.0)
    teller = Teller()
    findings = ListFindings(supply, teller, opened=lambda _kinds: [])
    findings.tick(scope=None, at=START)
    assert teller.ended == []
    supply.states["own"].judged = True
    findings.tick(scope=None, at=START + LOOK_SECONDS)
    assert teller.ended == [(FindingKind.LIST_REFUSED, "own")], "whether it is stale shows when there is a version"


@pytest.mark.req("R31")
@pytest.mark.parametrize("letter", ["x", "“", "😀"])
def test_the_status_never_grows_too_large_to_send(letter: str) -> None:
    """A payload that is too large would end the keeper: every list in trouble, with the longest texts."""
    lists = tuple(
        ListHealth(
            list_id=f"{'n' * 60}{number}", title=letter * 300, version=letter * 64, entries=10**9, stale=True,
            malformed=10**9, malformed_lines=tuple(range(10**9, 10**9 + 8)), problem=letter * 300 if number % 2 else None,
        )
        for number in range(64)
    )  # fmt: skip
    told = fitting(lists)
    assert sum(len(payload_json(item)) + 1 for item in told) <= MOST_OCTETS
    assert len(told) > 20
    assert fitting(lists[:2]) == lists[:2], "nothing is cut where all fits"


def test_lists_that_are_well_go_first_where_not_all_fit() -> None:
    def made(number: int, problem: str | None) -> ListHealth:
        return ListHealth(list_id=f"n{number}", title="😀" * 300, version="😀" * 64, problem=problem)

    lists = tuple(made(number, "x" * 300 if number == 20 else None) for number in range(64))
    told = fitting(lists)
    assert len(told) < 64
    assert [item.list_id for item in told if item.problem] == ["n20"]


def opened(kind: FindingKind, subject: str) -> StoredFinding:
    sign = Sign(
        kind=kind, device_id=None, subject=subject, grade=Grade.MEDIUM, confidence=1.0, reasons=("So it is.",),
        alternatives=("Or not.",), cause="lists", since=START, ts=START,
    )  # fmt: skip
    finding = of_sign(sign, scope=None, clause=NO_AUTHORITY, severity=Severity.TODAY, at=START, finding_id="f-1")
    return StoredFinding(finding=finding, subject=subject, reported_at=START, dirty=False)


def test_findings_about_lists_of_before_end(supply: Supply) -> None:
    """A list was taken out of the settings while it was refused: nobody would ever close that."""
    open_ = [opened(FindingKind.LIST_REFUSED, "gone"), opened(FindingKind.LIST_STALE, "own")]
    teller = Teller()
    findings = ListFindings(supply, teller, opened=lambda _kinds: open_)
    findings.tick(scope=None, at=START)
    assert (FindingKind.LIST_REFUSED, "gone") in teller.ended
    teller.ended.clear()
    findings.tick(scope=None, at=START + LOOK_SECONDS)
    assert teller.ended == [], "asked once"
