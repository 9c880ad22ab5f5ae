"""Papers: a page of ours once more as PDF, made of the same part of a template, and a QR code drawn as one path.

In: a context and the part that shows it. Out: an answer with the PDF. Nothing is fetched (`dashboard.pdf`).
"""

from __future__ import annotations

from typing import Any

import segno
from flask import Response, render_template

from dashboard import i18n
from dashboard.pages.desk import audit_view, desk
from dashboard.pdf import pdf_of


def pdf_answer(part: str, page: Any, *, title: str, name: str, action: str, subject: str) -> Response:
    """The PDF of a part of a page, and a line of the audit before it is shown.

    Args:
        part: `parts/<part>.html`.
        page: its context.
        title: of the document; no name of a person.
        name: of the file, without ending.
        action: the audit's word.
        subject: what is looked at.
    """
    audit_view(action, subject)
    html = render_template(
        "paper-frame.html",
        page=page,
        part=f"parts/{part}.html",
        title=title,
        operator=desk().settings.operator,
        language="en-GB" if i18n.language() == "en" else i18n.language(),
    )
    answer = Response(pdf_of(html), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


def qr_path(text: str) -> tuple[str, int]:
    """A QR code as the `d` of an SVG path of squares, and its width with a quiet border of four (ISO/IEC 18004, 9.1)."""
    rows = segno.make(text, error="m", micro=False).matrix_iter(border=4)
    path, size = [], 0
    for y, cells in enumerate(rows):
        row = bytes(cells)
        size = len(row)
        path += [f"M{x} {y}h1v1h-1z" for x, dark in enumerate(row) if dark]
    return "".join(path), size
