"""The box's label, to be printed: what stands on it in, SVG, PDF or a bare QR code (PNG) out. Pure.

For a tape of 62 mm, and small enough for a sheet of A7. The PDF uses the one typeface that every reader has, so that
nothing has to be embedded. Bounded by the texts, which are the box's own.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from html import escape

import segno

WIDTH, HEIGHT = 62.0, 100.0
"""Millimetres."""
_QR = 50.0
_MM = 72 / 25.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What stands on a label."""

    link: str
    """What the code opens."""
    site: str
    text: str
    """The same, to be typed."""
    fingerprint: str
    wifi_name: str
    wifi_passphrase: str
    operator: str = ""

    def lines(self) -> tuple[tuple[str, float, bool], ...]:
        """Text, size in points, bold."""
        _site, fingerprint, code = self.text.split(".")
        return (
            (self.operator[:48] or "Gatehouse", 7, False),
            (self.site, 12, True),
            (f"Code {' '.join(code[at : at + 4] for at in range(0, len(code), 4))}", 9, True),
            (f"Key {' '.join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))}", 8, False),
            (f"Wi-Fi for set-up: {self.wifi_name}", 8, False),
            (f"Passphrase: {self.wifi_passphrase}", 8, True),
            ("Scan to install. Keep this label with the box.", 6, False),
        )


def qr_svg(link: str) -> str:
    """The code alone, to stand in a page: black on white in any colours of the page."""
    code = segno.make(link, error="m", micro=False)
    return code.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None, omitsize=True)


def png(printed: Printed) -> bytes:
    """The code alone, for a label printer's own software."""
    out = io.BytesIO()
    segno.make(printed.link, error="m", micro=False).save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def svg(printed: Printed) -> str:
    """The whole label."""
    rows, size = _matrix(printed.link)
    squares = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, x, length in rows)
    scale = _QR / size
    left = (WIDTH - _QR) / 2
    text = []
    y = _QR + 6.0
    for words, points, bold in printed.lines():
        y += points / _MM * 1.35
        weight = ' font-weight="bold"' if bold else ""
        text.append(
            f'<text x="{WIDTH / 2:g}" y="{y:.2f}" font-size="{points / _MM:.2f}"{weight}>{escape(words)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}mm" height="{HEIGHT:g}mm" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}"><title>Label of {escape(printed.site)}</title>'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fff"/>'
        f'<path transform="translate({left:g} 4) scale({scale:.5f})" d="{squares}" fill="#000"/>'
        f'<g font-family="Helvetica, Arial, sans-serif" text-anchor="middle" fill="#000">{"".join(text)}</g></svg>\n'
    )


def pdf(printed: Printed) -> bytes:
    """The whole label as one page."""
    rows, size = _matrix(printed.link)
    scale = _QR * _MM / size
    left, top = (WIDTH - _QR) / 2 * _MM, (HEIGHT - 4) * _MM
    drawn = [
        f"{left + x * scale:.3f} {top - (y + 1) * scale:.3f} {length * scale:.3f} {scale:.3f} re"
        for y, x, length in rows
    ]
    drawn.append("f")
    down = (_QR + 6.0) * _MM
    for words, points, bold in printed.lines():
        down += points * 1.35
        face, literal = ("F2" if bold else "F1"), _literal(words)
        drawn.append(f"BT /{face} {points} Tf {4 * _MM:.2f} {HEIGHT * _MM - down:.2f} Td ({literal}) Tj ET")
    return _document("\n".join(drawn).encode("latin-1", "replace"))


def _matrix(link: str) -> tuple[list[tuple[int, int, int]], int]:
    """Dark runs (row, column, length) with the quiet zone of four, and the side in modules."""
    rows = []
    matrix = [list(row) for row in segno.make(link, error="m", micro=False).matrix_iter(border=4)]
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            start = x
            while x < len(row) and row[x]:
                x += 1
            rows.append((y, start, x - start))
    return rows, len(matrix)


def _literal(words: str) -> str:
    """A text of PDF (ISO 32000-1, 7.3.4.2)."""
    return words.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _document(content: bytes) -> bytes:
    """A PDF of one page (ISO 32000-1, annex H.3)."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>" % (WIDTH * _MM, HEIGHT * _MM),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)
