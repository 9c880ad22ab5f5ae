"""PDF of a page (WeasyPrint, PDF/UA-1): finished HTML in, bytes out. Nothing is fetched.

In: HTML with a language, a title and one `h1`; its own style beside the sheet of this module. Out: the same bytes for
the same HTML, fonts and WeasyPrint: neither clock nor chance is in them. Bounded: HTML of `MOST_HTML` characters and
`MOST_PAGES` pages; more is refused. A resource of any address (image, sheet, font) is refused and left out, so that a
page cannot make this service open anything (R42). An inline SVG is drawn.

PDF/UA is claimed by the file, and conformance has to be checked by a person or a checker: always offer the HTML too.
"""

from __future__ import annotations

import hashlib
from functools import cache
from types import ModuleType
from typing import Any

MOST_HTML = 400_000
MOST_PAGES = 60
SHEET = """
@page { size: A4; margin: 18mm 18mm 20mm; @bottom-right { content: counter(page) " / " counter(pages);
  font-size: 9pt; color: #444; } }
html { font-family: "Noto Sans", "DejaVu Sans", "Noto Sans Arabic", "Noto Sans Bengali", "Noto Sans Gurmukhi",
  sans-serif; font-size: 10.5pt; line-height: 1.45; color: #000; }
h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 6mm; }
h2 { font-size: 13pt; margin: 7mm 0 2mm; break-after: avoid; }
h3 { font-size: 11pt; margin: 5mm 0 1mm; break-after: avoid; }
p { margin: 0 0 2.5mm; }
ul, ol { margin: 0 0 3mm; padding-inline-start: 6mm; }
table { width: 100%; border-collapse: collapse; margin: 0 0 4mm; }
caption { text-align: start; font-weight: bold; }
th, td { text-align: start; vertical-align: top; padding: 1.2mm 3mm 1.2mm 0; border-bottom: .3pt solid #777; }
tr, .keep { break-inside: avoid; }
.new-page { break-before: page; }
.quiet { color: #333; font-size: 9pt; }
.panel { border: .6pt solid #333; padding: 3mm; margin: 0 0 4mm; }
svg { max-width: 100%; }
"""
"""Under the style of every document; classes `panel`, `quiet`, `keep` and `new-page` are there to use."""


class PdfError(ValueError):
    """A document that cannot be made; the text says why."""


@cache
def _weasyprint() -> tuple[ModuleType, Any, Any]:
    """WeasyPrint, its fonts, and a fetcher that refuses every address.

    Loaded at the first document: it takes as long as all the rest of this service.
    """
    import weasyprint  # noqa: PLC0415 - see above
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415 - see above
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 - see above

    class Nothing(URLFetcher):  # type: ignore[misc] # WeasyPrint ships no types
        def __init__(self) -> None:
            super().__init__(allowed_protocols=(), allow_redirects=False)

        def fetch(self, url: str, headers: Any = None) -> Any:
            del headers
            raise ValueError(f"nothing is fetched for a document, not {url[:80]!r}")  # it goes on without the resource

    return weasyprint, FontConfiguration, Nothing


def pdf_of(html: str, *, style: str = "") -> bytes:
    """The PDF of a finished page.

    Args:
        html: the whole page. Its `lang`, `dir` and `<title>` become the document's.
        style: more CSS, after `SHEET`.

    Raises:
        PdfError: more than `MOST_HTML` characters or `MOST_PAGES` pages.
    """
    if len(html) > MOST_HTML:
        raise PdfError(f"a document has at most {MOST_HTML:,} characters, this has {len(html):,}")
    weasyprint, configuration, nothing = _weasyprint()
    fonts, fetcher = configuration(), nothing()
    sheets = [weasyprint.CSS(string=text, font_config=fonts, url_fetcher=fetcher) for text in (SHEET, style) if text]
    document = weasyprint.HTML(string=html, base_url="about:blank", url_fetcher=fetcher).render(
        stylesheets=sheets, font_config=fonts, pdf_variant="pdf/ua-1"
    )
    if len(document.pages) > MOST_PAGES:
        raise PdfError(f"a document has at most {MOST_PAGES} pages, this has {len(document.pages)}")
    # The identifier is chance where none is given.
    identifier = hashlib.sha256((SHEET + style + html).encode()).digest()[:16]
    made: bytes = document.write_pdf(pdf_identifier=identifier, pdf_variant="pdf/ua-1")
    return made
