"""What the notice page says: settings and the keeper's `Notice` in, HTML out.

The words are for everybody in the household, without network terms. They say what is kept and what
is not, never how anything is detected. All that comes from settings or the keeper is escaped.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import jinja2

from appliance.messages import Notice
from appliance.porch.server import Reply
from appliance.settings import NoticeSettings

_HERE = Path(__file__).parent
_BASES = {
    "order": "a court order",
    "licence_condition": "a licence condition",
    "consent": "a written consent",
}


class Page:
    """The page and its style sheet, for any path asked for."""

    def __init__(self, settings: NoticeSettings) -> None:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._template = environment.get_template("notice.html")
        self._style = Reply(content_type="text/css; charset=utf-8", body=(_HERE / "notice.css").read_bytes())
        self._settings = settings
        self._notice: Notice | None = None
        self._html = self._render()

    def show(self, notice: Notice | None) -> None:
        """From now on say this; None when the keeper cannot be asked."""
        if notice != self._notice:
            self._notice = notice
            self._html = self._render()

    def answer(self, path: str) -> Reply:
        """The style sheet for its own path, the page for every other.

        Any path: a device that checks for a sign-in page asks for one of its own making.
        """
        return self._style if path.split("?", 1)[0] == "/notice.css" else self._html

    def _render(self) -> Reply:
        notice = self._notice
        html = self._template.render(
            settings=self._settings,
            notice=notice,
            basis=_BASES.get(notice.kind) if notice and notice.kind else None,
            until=_plain(notice.until) if notice and notice.until is not None else None,
        )
        return Reply(content_type="text/html; charset=utf-8", body=html.encode())


def _plain(moment: float) -> str:
    """Unix seconds as `14 January 2026 at 09:05 (UTC)`; the box does not know the reader's time zone."""
    then = dt.datetime.fromtimestamp(moment, tz=dt.UTC)
    return f"{then.day} {then:%B %Y} at {then:%H:%M} (UTC)"
