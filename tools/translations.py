#!/usr/bin/env python3
"""Brings the catalogues of the pages' languages up to date: `python tools/translations.py [--check]`.

In: `_(...)`, `N_(...)` and `ngettext(...)` in `dashboard/`. Out: `dashboard/translations/LANGUAGE/LC_MESSAGES/messages.po`
with every text there is and none that went, and the compiled `messages.mo` beside it. With `--check` nothing is
written; exits 1 where something would be.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "dashboard"
FOLDER = SOURCES / "translations"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "npgettext": ((1, "c"), 2, 3)}
METHODS = [("translations/**", "ignore"), ("**.py", "python"), ("templates/**.html", "jinja2")]
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""A catalogue says when its texts were collected; here always this, so that the same texts give the same file."""
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}


TABLES = ("kinds.DEVICES", "kinds_signs.SIGNS", "kinds_box.BOX")
"""Tables of texts whose parts are put together in the program, in `dashboard.pages`."""


def tabled() -> Iterator[str]:
    """Every text of the tables, in their order."""
    sys.path.insert(0, str(ROOT))
    for place in TABLES:
        module, name = place.split(".")
        for kind in getattr(importlib.import_module(f"dashboard.pages.{module}"), name).values():
            yield from (kind.one, kind.many, kind.why, *kind.innocent, kind.action)


def extracted() -> Catalog:
    """Every text of the pages, in the order of the files it stands in."""
    found = Catalog(charset="utf-8", fuzzy=False, creation_date=SINCE)
    for _file, _line, message, _comments, context in sorted(
        extract_from_dir(SOURCES, METHODS, OPTIONS, KEYWORDS, directory_filter=lambda _: True),
        key=lambda item: (item[0], item[1], str(item[2])),
    ):
        found.add(message, context=context)
    for text in tabled():
        found.add(text)
    return found


def updated(path: Path, texts: Catalog) -> tuple[bytes, bytes]:
    """A catalogue as it ought to be: what is translated stays, what went is left out; as .po and as .mo."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parts[-3])
    catalog.update(texts, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.revision_date = SINCE
    catalog.msgid_bugs_address = "the operator"
    for message in catalog:
        message.locations = []
        message.auto_comments = []
    po, mo = BytesIO(), BytesIO()
    write_po(po, catalog, width=120, no_location=True, omit_header=False, sort_output=True)
    write_mo(mo, catalog)
    lines = [line for line in po.getvalue().splitlines(keepends=True) if not line.startswith(b'"Generated-By:')]
    return b"".join(lines), mo.getvalue()


def main() -> int:
    """Update, or check."""
    texts, wrong = extracted(), 0
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/messages.po")):
        po, mo = updated(path, texts)
        compiled = path.with_suffix(".mo")
        if "--check" in sys.argv[1:]:
            if path.read_bytes() != po or not compiled.exists() or compiled.read_bytes() != mo:
                sys.stderr.write(f"{path.relative_to(ROOT)} is not up to date: python tools/translations.py\n")
                wrong = 1
            continue
        path.write_bytes(po)
        compiled.write_bytes(mo)
        with path.open("rb") as file:
            missing = sum(1 for message in read_po(file) if message.id and not message.string)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(texts)} texts, {missing} not translated\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
