"""Style sheets and scripts go out packed; pages never do.

In: the answer to a request for a file of this service. Out: the same, gzip-packed where the browser takes that. A page
holds a form token beside what its reader typed, and the length of such a page, once packed, tells of the token to whoever
can make the reader ask for pages and sees the lengths; files hold no secret.
Bounded: `MOST_FILES` packed files are kept, each of at most `MOST_OCTETS`.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Response, request

MOST_FILES = 32
MOST_OCTETS = 1024 * 1024
_LEAST = 1024
_TEXT = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")


def pack(response: Response) -> Response:
    """Pack a file's answer; leaves all others as they are."""
    if request.endpoint != "static" or response.status_code != 200 or response.mimetype not in _TEXT:
        return response
    response.vary.add("Accept-Encoding")
    if "Range" in request.headers or request.accept_encodings.quality("gzip") <= 0:
        return response
    response.direct_passthrough = False
    plain = response.get_data()
    if not _LEAST <= len(plain) <= MOST_OCTETS:
        return response
    response.set_data(_packed(plain))
    response.headers["Content-Encoding"] = "gzip"
    etag, _ = response.get_etag()
    if etag is not None:
        response.set_etag(f"{etag}-gzip")  # another representation (RFC 9110, 8.8.3)
    return response


@lru_cache(maxsize=MOST_FILES)
def _packed(plain: bytes) -> bytes:
    return gzip.compress(plain, 9, mtime=0)
