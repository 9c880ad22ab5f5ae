from __future__ import annotations

import re
import subprocess
import sys
import zlib

import pytest

from dashboard import pdf
from dashboard.pdf import PdfError, pdf_of

PAGE = (
    '<!DOCTYPE html><html lang="en-GB"><head><title>A certificate</title></head>'
    "<body><h1>A certificate</h1><p>Words.</p>{}</body></html>"
)


def inside(made: bytes) -> bytes:
    """The file with its streams opened."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL)
    return made + b"".join(zlib.decompress(item) if item[:1] == b"x" else item for item in streams)


def test_a_page_becomes_an_accessible_document_that_is_always_the_same() -> None:
    html = PAGE.format('<svg viewBox="0 0 4 4" width="40" role="img" aria-label="A box"><path d="M0 0h4v4z"/></svg>')
    made = pdf_of(html)
    assert made.startswith(b"%PDF-1.7")
    # As an element or as an attribute: XMP allows both, and versions of the library differ.
    assert re.search(rb'pdfuaid:part(?:>|=")1', inside(made))
    assert b"en-GB" in inside(made)
    assert made == pdf_of(html)
    assert made != pdf_of(html, style="p { color: #222 }")
    program = "import sys; from dashboard.pdf import pdf_of; sys.stdout.buffer.write(pdf_of(sys.argv[1]))"
    elsewhere = subprocess.run([sys.executable, "-c", program, html], capture_output=True, check=True)
    assert elsewhere.stdout == made


@pytest.mark.req("R42")
def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    nothing = pdf._weasyprint()[2]
    real = nothing.fetch

    def fetch(self: object, url: str, headers: object = None) -> object:
        asked.append(url)
        return real(self, url, headers)

    monkeypatch.setattr(nothing, "fetch", fetch)
    secret = "file:///etc/hostname"
    parts = (
        f'<img alt="x" src="{secret}"><link rel="stylesheet" href="http://192.0.2.1/a.css">'
        '<style>@import "http://192.0.2.2/b.css"; p { background: url(https://192.0.2.3/c.png) }'
        "@font-face { font-family: F; src: url(http://192.0.2.4/f.woff2) } p { font-family: F }</style>"
    )
    made = pdf_of(PAGE.format(parts))
    assert made.startswith(b"%PDF")
    assert secret in asked
    assert any("192.0.2.1" in url for url in asked)


def test_a_document_has_a_most() -> None:
    with pytest.raises(PdfError, match="characters"):
        pdf_of("x" * (pdf.MOST_HTML + 1))
    with pytest.raises(PdfError, match="pages"):
        pdf_of(PAGE.format('<p class="new-page">x</p>' * (pdf.MOST_PAGES + 1)))
