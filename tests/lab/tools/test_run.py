from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lab.client import Client
from lab.tools import around, everyday
from lab.tools.ground import Ground, Tool
from lab.tools.run import Watched
from wire.findings import Finding, FindingKind, Grade, Rule, Severity

MAC = "02:00:5e:a0:00:01"
BEGAN = 1_900_000_000.0


def nothing(_ground: Ground, _client: Client) -> None:
    """A tool that does nothing."""


@pytest.fixture
def watched() -> Callable[..., Watched]:
    def make(*expects: FindingKind) -> Watched:
        client: Any = SimpleNamespace(mac=MAC)
        return Watched(Tool(name="t", title="T", run=nothing, expects=frozenset(expects)), client, BEGAN)

    return make


def finding(kind: FindingKind, *, grade: Grade | None, after: float = 2.0, device: str | None = "d-1") -> Finding:
    at = datetime.fromtimestamp(BEGAN + after, UTC)
    return Finding(
        finding_id=f"f-{kind.value}",
        revision=1,
        kind=kind,
        severity=Severity.TODAY,
        device_id=device,
        state="open",
        first_seen=at,
        last_seen=at,
        raised_at=at,
        count=1,
        rule=Rule(id=kind.value, version="1", authority_id="a-1", authority_number=1, clause="8"),
        confidence=0.5,
        reasons=("It looks like something.",),
        alternatives=("Something else.",),
        grade=grade,
    )


def about(*findings: Finding, macs: Iterable[str] = (MAC,)) -> list[tuple[Finding, frozenset[str]]]:
    return [(item, frozenset(macs) if item.device_id else frozenset()) for item in findings]


def test_only_the_expected_kind_about_its_own_device_counts(watched: Callable[..., Watched]) -> None:
    tor, tunnel = finding(FindingKind.TOR, grade=Grade.MEDIUM), finding(FindingKind.TUNNEL, grade=Grade.HIGH)
    verdict = watched(FindingKind.TOR).verdict(about(tor, tunnel))
    assert (verdict.found, verdict.grade, verdict.seconds) == (True, "medium", 2.0)
    assert verdict.kinds == ("tor", "tunnel")
    other = watched(FindingKind.TOR).verdict(about(tor, macs=("02:00:5e:a0:00:02",)))
    assert (other.found, other.kinds, other.seconds) == (False, (), None)


def test_a_finding_about_the_network_counts_where_it_is_expected_and_nowhere_else(
    watched: Callable[..., Watched],
) -> None:
    upstream = about(finding(FindingKind.UPSTREAM_DEVICE, grade=Grade.LOW, device=None))
    assert watched(FindingKind.UPSTREAM_DEVICE).verdict(upstream).found
    assert watched().verdict(upstream).kinds == ()


def test_of_an_everyday_program_the_highest_grade_of_any_sign_counts(watched: Callable[..., Watched]) -> None:
    signs = [finding(FindingKind.PROXY, grade=Grade.LOW), finding(FindingKind.TUNNEL, grade=Grade.MEDIUM)]
    verdict = watched().verdict(about(*signs, finding(FindingKind.UNREGISTERED_DEVICE, grade=None)))
    assert (verdict.around, verdict.found, verdict.grade) == (False, False, "medium")


def test_every_tool_has_a_name_of_its_own_and_thirty_are_everyday_ones() -> None:
    names = [tool.name for tool in (*around.TOOLS, *everyday.TOOLS)]
    assert len(set(names)) == len(names)
    assert len(everyday.TOOLS) == 30
    assert all(tool.expects for tool in around.TOOLS)
    assert not any(tool.expects for tool in everyday.TOOLS)
