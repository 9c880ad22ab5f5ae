#!/usr/bin/env python3
"""Which tests prove which requirement: docs/requirements.toml and the tests in, a table out.

Run by `make requirements`. The tests are read, not run: every `pytest.mark.req("R55", ...)` on a
test, its class or its module counts. Exit codes: 0, or 1 when a test names an id that is none.
"""

from __future__ import annotations

import ast
import re
import signal
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROVED = "has tests"


def known(root: Path = ROOT) -> dict[str, dict[str, str]]:
    """Ids with their level and text, in the order of the file."""
    return tomllib.loads((root / "docs" / "requirements.toml").read_text(encoding="utf-8"))


def proofs(root: Path = ROOT) -> dict[str, list[str]]:
    """Per id the tests that name it, as `tests/path.py::name`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for name, ids in _marked(tree.body, _module_marks(tree)):
            for each in ids:
                found[each].append(f"{path.relative_to(root)}::{name}")
    return dict(found)


def _marked(body: list[ast.stmt], inherited: list[str], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _marked(node.body, inherited + _ids(node.decorator_list), f"{node.name}::")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            ids = inherited + _ids(node.decorator_list)
            if ids:
                yield prefix + node.name, list(dict.fromkeys(ids))


def _module_marks(tree: ast.Module) -> list[str]:
    return [
        each
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        for each in _ids([node.value])
    ]


def _ids(nodes: list[ast.expr]) -> list[str]:
    """Ids in every `...mark.req(...)` below these expressions."""
    return [
        argument.value
        for top in nodes
        for node in ast.walk(top)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def lines(ids: dict[str, dict[str, str]], by: dict[str, list[str]]) -> Iterator[str]:
    """The table, one requirement a paragraph, and a sum."""
    for each, about in ids.items():
        tests = by.get(each, [])
        state = PROVED if tests else ("not said yet" if about["level"] == "limit" else "no test yet")
        yield f"{each:<4} {about['level']:<7} {state:<12} {about['text']}"
        yield from (f"       {test}" for test in tests)
    for letter, what in (("R", "officers' needs"), ("N", "what is new"), ("S", "other sources"), ("D", "limits said")):
        group = [each for each in ids if re.fullmatch(rf"{letter}\d+", each)]
        yield f"{what}: {sum(each in by for each in group)} of {len(group)} have a test"


def main() -> int:
    """Print the table."""
    ids, by = known(), proofs()
    for line in lines(ids, by):
        sys.stdout.write(line + "\n")
    unknown = sorted(set(by) - set(ids))
    for each in unknown:
        sys.stderr.write(f"unknown id {each}, named by {', '.join(by[each])}\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make requirements | head` ends quietly
    sys.exit(main())
