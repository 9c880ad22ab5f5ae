from __future__ import annotations

import io
import json

from rich.console import Console

from lab.tools.run import Verdict, as_json
from lab.tools.table import faults, show, summary

FOUND = Verdict(
    tool="dot", title="DNS over TLS", around=True, kinds=("encrypted-dns",), found=True, grade="high", seconds=1.25
)
MISSED = Verdict(tool="tor", title="Tor", around=True)
WEAK = Verdict(tool="canary", title="A question", around=True, found=True, grade="low", seconds=0.4)
QUIET = Verdict(tool="news", title="Pages", around=False)
LOUD = Verdict(
    tool="call", title="A call", around=False, grade="medium", kinds=("tunnel",), headline="It looks like a tunnel."
)
LEFT_OUT = Verdict(tool="wireguard", title="WireGuard", around=True, left_out="no tunnel interfaces here")


def test_a_tool_not_found_and_an_everyday_program_that_reads_as_one_are_faults() -> None:
    assert faults([FOUND, WEAK, QUIET, LEFT_OUT]) == []
    assert faults([MISSED, LOUD]) == ["tor: not found", "call: medium: It looks like a tunnel."]


def test_the_sentence_counts_what_ran_and_says_what_could_not() -> None:
    assert summary([FOUND, MISSED, WEAK, QUIET, LOUD, LEFT_OUT]) == (
        "Of 3 tools that go round, 2 were found, 1 at medium or high; of 2 everyday programs, 1 gave a medium or high "
        "sign; 1 could not run here."
    )


def test_the_table_has_a_line_for_each_tool() -> None:
    console = Console(width=150, record=True, file=io.StringIO())
    show([FOUND, MISSED, QUIET, LOUD, LEFT_OUT], console)
    text = console.export_text()
    assert all(word in text for word in ("dot", "1.2 s", "NO", "YES", "no tunnel interfaces here"))


def test_the_file_holds_every_figure() -> None:
    (one,) = json.loads(as_json([FOUND]))
    assert one["tool"] == "dot"
    assert one["seconds"] == 1.25
    assert set(one) == set(Verdict.__slots__)
