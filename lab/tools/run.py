"""Every tool on a device of its own behind a real box, and what the box found of each.

Tools in; one `Verdict` each out. The box's own database is read, and never written. Bounded: `SECONDS`
for the tools that go round, then `QUIET_SECONDS` more so that late signs of everyday programs count too.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.client import Client
from lab.host import LabError
from lab.stack import Stack
from lab.tools.elsewhere import Elsewhere
from lab.tools.ground import Ground, Tool
from wire.findings import Finding, FindingKind, Grade

SECONDS = 150.0
QUIET_SECONDS = 30.0
_ORDER = {Grade.LOW: 1, Grade.MEDIUM: 2, Grade.HIGH: 3}
NOT_SIGNS = frozenset({FindingKind.UNREGISTERED_DEVICE, FindingKind.SAME_DEVICE, FindingKind.LISTED_NAME})
"""Findings about who a device is, not about how its traffic goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the box made of one tool."""

    tool: str
    title: str
    around: bool
    """Whether it goes round the box."""
    left_out: str = ""
    """Why it did not run; empty where it did."""
    kinds: tuple[str, ...] = ()
    """Kinds of all signs about its device."""
    found: bool = False
    """Whether one of the expected kinds is among them."""
    grade: str = ""
    """The highest grade: of the expected kinds, or of any where none is expected."""
    seconds: float | None = None
    """From its start to the first expected finding."""
    headline: str = ""


class Watched:
    """One tool at work on its device."""

    def __init__(self, tool: Tool, client: Client, began: float) -> None:
        self.tool = tool
        self.client = client
        self.began = began

    def verdict(self, findings: Sequence[tuple[Finding, frozenset[str]]]) -> Verdict:
        """What the findings say of it; a box-level one counts where its kind is expected."""
        own = [
            finding
            for finding, macs in findings
            if finding.kind not in NOT_SIGNS
            and (self.client.mac in macs or (finding.device_id is None and finding.kind in self.tool.expects))
        ]
        expected = [finding for finding in own if finding.kind in self.tool.expects]
        telling = expected if self.tool.expects else [finding for finding in own if finding.grade is not None]
        best = max(telling, key=lambda finding: _ORDER.get(finding.grade or Grade.LOW, 0), default=None)
        first = min((finding.raised_at.timestamp() for finding in expected), default=None)
        return Verdict(
            tool=self.tool.name,
            title=self.tool.title,
            around=bool(self.tool.expects),
            kinds=tuple(sorted({finding.kind.value for finding in own})),
            found=bool(expected),
            grade=(best.grade or Grade.LOW).value if best is not None else "",
            seconds=None if first is None else max(0.0, first - self.began),
            headline=best.reasons[0] if best is not None and best.reasons else "",
        )


def read_findings(database: Path) -> list[tuple[Finding, frozenset[str]]]:
    """All findings in the box's database, each with the addresses of its device."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        macs: dict[str, set[str]] = {}
        for mac, device_id in connection.execute("select mac, device_id from address"):
            macs.setdefault(device_id, set()).add(mac)
        return [
            (finding, frozenset(macs.get(finding.device_id or "", ())))
            for (payload,) in connection.execute("select payload from finding")
            for finding in (Finding.model_validate_json(payload),)
        ]
    return []


def run(
    stack: Stack, tools: Iterable[Tool], *, seconds: float = SECONDS, quiet: float = QUIET_SECONDS
) -> list[Verdict]:
    """Let all tools work at once and judge each.

    A tool that cannot run here, or whose program failed to start, is left out and says why.
    """
    with Elsewhere(stack.folder / "machines", stack.home.internet) as elsewhere:
        elsewhere.resolvers()
        elsewhere.proxies()
        elsewhere.everyday()
        elsewhere.shell()
        elsewhere.web()
        ground = Ground(stack=stack, elsewhere=elsewhere)
        try:
            at_work, left_out = _start(ground, tools)
            _wait(stack, at_work, seconds)
            time.sleep(quiet)
            findings = read_findings(stack.keeper_database)
            return [watched.verdict(findings) for watched in at_work] + left_out
        finally:
            ground.close()


def _start(ground: Ground, tools: Iterable[Tool]) -> tuple[list[Watched], list[Verdict]]:
    at_work: list[Watched] = []
    left_out: list[Verdict] = []
    for tool in tools:
        why = tool.why_not()
        if not why:
            try:
                client = ground.device(lease=tool.lease)
                began = time.time()
                tool.run(ground, client)
                at_work.append(Watched(tool, client, began))
                continue
            except (LabError, OSError) as error:
                why = str(error)[:200]
        left_out.append(Verdict(tool=tool.name, title=tool.title, around=bool(tool.expects), left_out=why))
    return at_work, left_out


def _wait(stack: Stack, at_work: Sequence[Watched], seconds: float) -> None:
    """Until every tool that goes round is seen at its best grade, or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        findings = read_findings(stack.keeper_database)
        verdicts = [watched.verdict(findings) for watched in at_work if watched.tool.expects]
        if all(verdict.grade == Grade.HIGH.value for verdict in verdicts) and not any(
            not watched.tool.expects for watched in at_work
        ):
            return
        time.sleep(2.0)


def as_json(verdicts: Sequence[Verdict]) -> str:
    """The verdicts, one object each, for a file."""
    fields = Verdict.__slots__
    return json.dumps([{name: getattr(verdict, name) for name in fields} for verdict in verdicts], indent=1) + "\n"
