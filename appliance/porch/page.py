"""What the notice page says, and the page for a refused address: settings and the keeper's `Notice` in, HTML out.

A name that is refused to a device leads to the box's own address, so whoever calls that address by
another name is told that it is not available, and to whom to turn. Who was led here from another
address (a device that is held back, or one that checks for a sign-in page) reads the notice.

The words are for everybody in the household, without network terms. They say what is kept and what
is not, never how anything is detected. All that comes from settings or the keeper is escaped.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from http import HTTPStatus
from pathlib import Path

import jinja2

from appliance.messages import Notice
from appliance.porch.server import Asked, Reply
from appliance.settings import NoticeSettings

_HERE = Path(__file__).parent
_BASES = {
    "order": "a court order",
    "licence_condition": "a licence condition",
    "consent": "a written consent",
}


class Page:
    """Both pages and their style sheet, for any path asked for."""

    def __init__(self, settings: NoticeSettings) -> None:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._template = environment.get_template("notice.html")
        self._refused_template = environment.get_template("refused.html")
        self._style = Reply(content_type="text/css; charset=utf-8", body=(_HERE / "notice.css").read_bytes())
        self._settings = settings
        self._notice: Notice | None = None
        self._html, self._refused = self._render()

    def show(self, notice: Notice | None) -> None:
        """From now on say this; None when the keeper cannot be asked."""
        if notice != self._notice:
            self._notice = notice
            self._html, self._refused = self._render()

    def answer(self, asked: Asked) -> Reply:
        """The style sheet for its own path, a page for every other.

        Any path: a device that checks for a sign-in page asks for one of its own making.
        """
        if asked.path.split("?", 1)[0] == "/notice.css":
            return self._style
        return self._html if not asked.own_address or self._is_own(asked.host) else self._refused

    def _is_own(self, host: str) -> bool:
        """Whether a Host field names the box: by address, by its own name, or not at all."""
        name = host.lower().rstrip(".")
        if name.startswith("["):
            return True
        name = name.partition(":")[0]
        own = self._settings.own_name
        if not name or name in {own, own.partition(".")[0]}:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _render(self) -> tuple[Reply, Reply]:
        notice = self._notice
        basis = _BASES.get(notice.kind) if notice and notice.kind else None
        html = self._template.render(
            settings=self._settings,
            notice=notice,
            basis=basis,
            until=_plain(notice.until) if notice and notice.until is not None else None,
        )
        refused = self._refused_template.render(settings=self._settings, basis=basis, own_name=self._settings.own_name)
        kind = "text/html; charset=utf-8"
        return (
            Reply(content_type=kind, body=html.encode()),
            Reply(content_type=kind, body=refused.encode(), status=HTTPStatus.FORBIDDEN),
        )


def _plain(moment: float) -> str:
    """Unix seconds as `14 January 2026 at 09:05 (UTC)`; the box does not know the reader's time zone."""
    then = dt.datetime.fromtimestamp(moment, tz=dt.UTC)
    return f"{then.day} {then:%B %Y} at {then:%H:%M} (UTC)"
