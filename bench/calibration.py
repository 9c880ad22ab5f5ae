"""Confidence against being right, drawn as SVG.

Points in, by series: how sure a verdict was and whether it was right. Out: a picture in which a bin of
confidence lies on the diagonal if it is right as often as it says, with the number of verdicts in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

BINS = ((0.0, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0))
_SIZE, _LEFT, _TOP = 360, 60, 48
_COLOURS = ("#1d70b8", "#b58840", "#6f72af")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One verdict."""

    sure: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Verdicts of about one confidence."""

    sure: float
    """Their mean confidence."""
    right: int
    count: int


def bins(points: Sequence[Point]) -> list[Bin]:
    """The bins that have any; the upper bound belongs to the next."""
    found: list[Bin] = []
    for low, high in BINS:
        own = [point for point in points if low <= point.sure < high]
        if own:
            found.append(
                Bin(
                    sure=sum(point.sure for point in own) / len(own),
                    right=sum(point.right for point in own),
                    count=len(own),
                )
            )
    return found


def draw(series: Mapping[str, Sequence[Point]]) -> str:
    """The picture; it says in words what it shows."""
    height = _TOP + _SIZE + 72 + 22 * len(series)
    width = _LEFT + _SIZE + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
        'font-family="sans-serif" font-size="12" role="img" aria-labelledby="t">',
        '<title id="t">How sure verdicts were, against how often they were right; the number is how many</title>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">Confidence against being right</text>',
    ]
    for step in range(0, 11, 2):
        share = step / 10
        x, y = _place(share, share)
        parts += [
            f'<line x1="{_LEFT}" y1="{y:.0f}" x2="{_LEFT + _SIZE}" y2="{y:.0f}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{share:.1f}</text>',
            f'<text x="{x:.0f}" y="{_TOP + _SIZE + 18}" text-anchor="middle">{share:.1f}</text>',
        ]
    (x0, y0), (x1, y1) = _place(0, 0), _place(1, 1)
    parts += [
        f'<line x1="{x0:.0f}" y1="{y0:.0f}" x2="{x1:.0f}" y2="{y1:.0f}" stroke="#505a5f" stroke-dasharray="4 4"/>',
        f'<text x="{_LEFT + _SIZE / 2:.0f}" y="{_TOP + _SIZE + 38}" text-anchor="middle">stated confidence</text>',
        f'<text transform="translate(16 {_TOP + _SIZE / 2:.0f}) rotate(-90)" text-anchor="middle">share that was right</text>',
    ]
    for place, (name, points) in enumerate(series.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        for found in bins(points):
            x, y = _place(found.sure, found.right / found.count)
            # Labels of one series stand above the dot, of the next below: dots often fall together.
            below = 20 if place % 2 else -9
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>',
                f'<text x="{x:.1f}" y="{y + below:.1f}" text-anchor="middle" fill="{colour}">{found.right}/{found.count}</text>',
            ]
        y = _TOP + _SIZE + 62 + 22 * place
        parts += [
            f'<circle cx="{_LEFT + 6}" cy="{y - 4}" r="5" fill="{colour}"/>',
            f'<text x="{_LEFT + 18}" y="{y}">{escape(name)}: {len(points)} verdicts</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def _place(sure: float, right: float) -> tuple[float, float]:
    return _LEFT + _SIZE * sure, _TOP + _SIZE * (1 - right)
