"""A list as a file to take away: CSV with its own SHA-256, harmless in a spreadsheet, and in the audit before it leaves.

In: a header and rows of plain values. Out: an answer that a browser saves. Text in it may come from a network, so that
a cell never begins as a formula does, and holds no character that hides or turns a line. Bounded: `MOST_ROWS` rows of
at most `MOST_CELL` characters a cell; the last line says how many rows were left out.

The last line but one gives the SHA-256 of all octets before it, so that a copy can be checked wherever it went. The
view that answers with it carries `@needs(May.EXPORT)`, and asks for a fresh proof of who is asking.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import islice

from flask import Response

from dashboard.i18n import _
from dashboard.pages import words
from dashboard.pages.desk import desk, who
from dashboard.store.queries import write_audit

MOST_ROWS = 20_000
MOST_CELL = 2_000
Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula or a command, in narrow and in wide letters."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")


def csv_answer(
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    action: str,
    subject: str = "",
) -> Response:
    """Answer with a list as a file, and write down who took it.

    Args:
        name: of the file, without ending: small letters, digits and hyphens; no name of a person.
        header: names of the columns, in the reader's language.
        rows: as many cells as the header has; numbers stay numbers, None is empty.
        action: the audit's word for it, such as `export-caseload`.
        subject: what was taken; the file's SHA-256 is put behind it.

    Raises:
        ValueError: the name has other characters, or a row another number of cells.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a file")
    body, digest, _left_out = csv_text(header, rows)
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        write_audit(
            connection,
            at=at_desk.now(),
            account_id=who().account_id,
            action=action,
            subject=f"{subject[:80]} sha256:{digest}".strip(),
            outcome="exported",
        )
    response = Response(body, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    whole = b64encode(hashlib.sha256(body).digest()).decode()
    response.headers["Repr-Digest"] = f"sha-256=:{whole}:"  # of all octets (RFC 9530, 3)
    response.headers["X-Rows-SHA256"] = digest
    return response


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> tuple[bytes, str, int]:
    """The file, the SHA-256 (hexadecimal) of its lines before the one that gives it, and how many rows were left out.

    Raises:
        ValueError: a row has another number of cells than the header.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180, 2
    writer.writerow([_cell(item) for item in header])
    source = iter(rows)
    for row in islice(source, MOST_ROWS):
        if len(row) != len(header):
            raise ValueError(f"a row has {len(row)} cells where the header has {len(header)}")
        writer.writerow([_cell(item) for item in row])
    left_out = sum(1 for _more in source)
    lines = ("\ufeff" + text.getvalue()).encode()  # spreadsheets take a file for UTF-8 by its first octets alone
    digest = hashlib.sha256(lines).hexdigest()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_("SHA-256 of the lines above"), digest])
    if left_out:
        writer.writerow([_("Rows left out"), left_out])
    return lines + text.getvalue().encode(), digest, left_out


def _cell(value: Cell) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    shown = words.plain(value.replace("\r\n", " ").replace("\n", " ").replace("\t", " "), MOST_CELL)
    # The apostrophe makes it text; what stands behind outer space counts too, as spreadsheets cut that off.
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
