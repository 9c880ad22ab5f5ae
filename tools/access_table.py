#!/usr/bin/env python3
"""Writes docs/access.md: which role has which right, and which right every page wants.

`python tools/access_table.py` prints it; a test compares the file with what this prints.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dashboard import access  # noqa: E402 - the checkout's own, wherever this is started
from dashboard.access import SEES_ALL, May, Role  # noqa: E402 - as above
from dashboard.app import create_app  # noqa: E402 - as above
from dashboard.settings import DashboardSettings  # noqa: E402 - as above

_HEAD = """# Who may do what

Made by `python tools/access_table.py > docs/access.md`; a test compares it with the program (R66).

A right is given to a role, once, in `dashboard/access.py`. A page about one household also wants that household to be in
one's charge: given to oneself, or to somebody for whom one stands in (R39). Households out of one's charge do not exist for
one (404). A supervisor and an auditor see all of the operator's. What was refused, by right or by charge, is a line of the
audit: `denied`. Pages marked *fresh* want a proof of who is asking of the last ten minutes.
"""


def document(app: Flask) -> str:
    """The whole of docs/access.md."""
    roles = tuple(Role)
    lines = [_HEAD, "## Rights", "", _row("right", *roles), _row(*["---"] * (len(roles) + 1))]
    lines += [_row(right, *("yes" if role.may(right) else "" for role in roles)) for right in May]
    sees = (
        "all" if role in SEES_ALL else "own" if role in (Role.OFFICER, Role.INSTALLER) else "none" for role in roles
    )
    lines += [_row("households", *sees), "", "## Pages", "", _row("page", "method", "right"), _row("---", "---", "---")]
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        view = app.view_functions[rule.endpoint]
        need = access.need_of(view)
        fresh = access.wants_fresh(view) or need is May.EXPORT
        methods = " ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        said = "none: open to strangers" if need is None else f"{need}{', fresh' if fresh else ''}"
        lines.append(_row(f"`{rule.rule}`", methods, said))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret"
        secret.write_bytes(os.urandom(32))
        settings = DashboardSettings.model_validate(
            {"database_url": "sqlite://", "tenant": "any", "operator": "Any", "secret_key_file": secret}
        )
        sys.stdout.write(document(create_app(settings)))


if __name__ == "__main__":
    _main()
