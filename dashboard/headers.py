"""Headers of every answer, also of one that went wrong: what a browser may do with it, and what not.

In: an answer. Out: the same with its headers. No page runs a script or style that is not a file of this service, may be
put into a frame, or is read by another site; no browser keeps one. A logged name is never looked up: nothing is
fetched ahead of a click (R42).
"""

from __future__ import annotations

from flask import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Of what is no page: nothing in it is run or fetched, however it is opened."""
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # "same-origin", not "no-referrer": the CSRF check of a TLS request compares the referrer with the host.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Origin-Agent-Cluster": "?1",
    # A browser that looks names up ahead of a click would tell a resolver which names are on a page.
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), fullscreen=(), "
        "geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), "
        "publickey-credentials-get=(self), publickey-credentials-create=(self), serial=(), usb=(), web-share=()"
    ),
}
_OURS = frozenset(
    {"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml", "application/manifest+json"}
)
"""What this service makes itself; a program that a browser keeps runs under the policy that came with it."""


def harden(response: Response, *, secure: bool, kept: bool) -> Response:
    """Put the headers on an answer.

    Args:
        response: as the view made it.
        secure: it is served over TLS.
        kept: a file of the program, which a browser may keep.
    """
    headers = response.headers
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = POLICY if response.mimetype in _OURS else DATA_POLICY
    for name, value in _ALWAYS.items():
        headers[name] = value
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if not kept:
        headers["Cache-Control"] = "no-store"
    return response
