"""The set-up page: what the holder says in, HTML out; answers that a telephone brought to the holder.

And how the internet comes, where the provider asks for a name and a password.

For the installer and the household, before a box is enrolled. It says openly what the box is, what is wrong and how to
mend it. Everybody who joins the set-up Wi-Fi, whose passphrase is on the label, may see the label's code. Who comes by
another name than the box's own sees none of it: a page elsewhere must not read it through a visitor's browser.
Bounded: `MAX_UPLOAD` octets a form, one answer in `EVERY` seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
from markupsafe import Markup
from pydantic import ValidationError

from appliance.fitting import label, light, uplink
from appliance.fitting.channel import Line, Show
from appliance.fresh import Problem
from appliance.web import Asked, Reply
from wire.enrolment import MAX_ANSWER, Uplink

MAX_UPLOAD = MAX_ANSWER + 16 * 1024
EVERY = 2.0
OWN_NAMES = frozenset({"gatehouse.home.arpa", "gatehouse"})
_HERE = Path(__file__).parent
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_BOUNDARY = re.compile(r"multipart/form-data;\s*boundary=\"?([A-Za-z0-9'()+_,./:=?-]{1,70})\"?", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{64,}")

_STAGES = {
    "starting": "The box is starting.",
    "asking": "The box is on its way to the service.",
    "unclaimed": "The box is ready. The service waits for somebody to scan its label.",
    "enrolled": "The box is set up. In a moment it takes the name of this home's Wi-Fi, where one was entered.",
    "fault": "The box cannot go on.",
}
_LINES = (
    ("dhcp", "by a cable from the home's router"),
    ("pppoe", "by the provider's line, with a user name and a password"),
    ("modem", "by a mobile stick, or a phone, on the box's USB socket"),
)


class Page:
    """All pages and their style sheet."""

    def __init__(self, bring: Callable[[str], bool], enter: Callable[[Line], bool]) -> None:
        """`bring` hands an answer to the holder, `enter` how the internet comes; false where that cannot be."""
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._setup = environment.get_template("setup.html")
        self._elsewhere = environment.get_template("elsewhere.html")
        self._printed = environment.get_template("print.html")
        self._style = Reply(content_type="text/css; charset=utf-8", body=(_HERE / "setup.css").read_bytes())
        self._bring = bring
        self._enter = enter
        self._next = 0.0
        self._show = Show()

    def show(self, show: Show) -> None:
        """From now on say this."""
        self._show = show

    def answer(self, asked: Asked) -> Reply:
        """The page of a path; of any other path, the set-up page."""
        path = asked.path.split("?", 1)[0]
        if path == "/setup.css":
            return self._style
        if not _is_own(asked):
            return self._html(self._elsewhere.render(server=asked.server, operator=self._show.operator), forms="'none'")
        if asked.form is not None:
            return self._take(path, asked)
        return self._file(path) or self._page()

    def _file(self, path: str) -> Reply | None:
        """One of the box's own files, or the label as a page; None where this is none, or there is none yet."""
        show = self._show
        made: Reply | None = None
        match path:
            case "/card.json" if show.card:
                made = Reply(content_type="application/json", body=show.card.encode())
            case "/request.txt" if show.request:
                made = Reply(content_type=_TEXT, body=show.request.encode())
            case "/label.svg" if show.label:
                made = Reply(content_type="image/svg+xml", body=label.svg(self._label()).encode())
            case "/label.pdf" if show.label:
                made = Reply(content_type="application/pdf", body=label.pdf(self._label()))
            case "/label":
                made = self._html(self._printed.render(show=show, code=self._code(), lines=self._lines()))
        return made

    # --- made -------------------------------------------------------------------------------

    def _page(self, said: str = "", *, wrong: bool = False, status: HTTPStatus = HTTPStatus.OK) -> Reply:
        show = self._show
        problem = uplink.WORDS.get(Problem(show.problem)) if show.problem in set(Problem) else None
        text = self._setup.render(
            show=show,
            stage=_STAGES.get(show.stage, _STAGES["starting"]),
            problem=problem,
            upstream=uplink.UPSTREAM_WIFI if show.upstream_wifi else None,
            code=self._code(),
            lights=light.TABLE.values(),
            lines=_LINES,
            said=said,
            wrong=wrong,
        )
        return self._html(text, status=status)

    def _html(self, text: str, *, status: HTTPStatus = HTTPStatus.OK, forms: str = "'self'") -> Reply:
        return Reply(content_type=_HTML, body=text.encode(), status=status, forms=forms)

    def _label(self) -> label.Printed:
        show = self._show
        return label.Printed(
            link=show.link,
            site=show.site,
            text=show.label,
            fingerprint=show.fingerprint,
            wifi_name=show.wifi_name,
            wifi_passphrase=show.wifi_passphrase,
            operator=show.operator,
        )

    def _lines(self) -> tuple[str, ...]:
        return tuple(words for words, _size, _bold in self._label().lines()) if self._show.label else ()

    def _code(self) -> Markup | None:
        # Made by segno of our own link: there is nothing of anybody else in it.
        return Markup(label.qr_svg(self._show.link)) if self._show.link else None  # noqa: S704 - see above

    # --- the answer that a telephone brings --------------------------------------------------

    def _take(self, path: str, asked: Asked) -> Reply:
        if path not in {"/answer", "/line"}:
            return self._page("That form is not known here.", wrong=True, status=HTTPStatus.NOT_FOUND)
        if asked.origin not in {"", f"http://{asked.host}"}:
            return self._page("This was not sent from this page.", wrong=True, status=HTTPStatus.FORBIDDEN)
        if asked.at < self._next:
            return self._page(
                "Please wait a moment, then send it again.", wrong=True, status=HTTPStatus.TOO_MANY_REQUESTS
            )
        return self._take_line(asked) if path == "/line" else self._take_answer(asked)

    def _take_answer(self, asked: Asked) -> Reply:
        text = answer_in(asked.form or b"", asked.form_type)
        if text is None:
            return self._page(
                "There was no answer of the service in what you sent. Choose the file that the service gave you.",
                wrong=True,
                status=HTTPStatus.BAD_REQUEST,
            )
        self._next = asked.at + EVERY
        if not self._bring(text):
            return self._page(
                "The box is busy. Please send it again.", wrong=True, status=HTTPStatus.SERVICE_UNAVAILABLE
            )
        return self._page("The box has it and is looking at it. Look again in a few seconds.")

    def _take_line(self, asked: Asked) -> Reply:
        line = line_in(asked.form or b"")
        if line is None:
            return self._page(
                "Choose how the internet comes. A line needs the user name and the password that the provider gave, without"
                " spaces and quotation marks.",
                wrong=True,
                status=HTTPStatus.BAD_REQUEST,
            )
        self._next = asked.at + EVERY
        if not self._enter(line):
            return self._page(
                "The box is busy. Please send it again.", wrong=True, status=HTTPStatus.SERVICE_UNAVAILABLE
            )
        return self._page("The box tries it. That takes up to two minutes. Then look again.")


def line_in(form: bytes) -> Line | None:
    """How the internet comes, as a form says it; None where it says nothing that could be."""
    try:
        fields = parse_qs(form.decode("ascii"), max_num_fields=4)
    except ValueError:
        return None
    kind, user, password = (fields.get(name, [""])[0].strip() for name in ("kind", "user", "password"))
    try:
        uplink = Uplink(kind=kind, user=user or None, password=password or None)  # type: ignore[arg-type] # it is looked at
    except ValidationError:
        return None
    if uplink.kind != "pppoe":
        return Line(kind=uplink.kind)
    return None if uplink.password is None else Line(kind="pppoe", user=uplink.user or "", password=uplink.password)


def answer_in(form: bytes, kind: str) -> str | None:
    """The sealed text in a form: pasted, or as a file; None where there is none. Whether it counts, the holder finds."""
    boundary = _BOUNDARY.fullmatch(kind.strip())
    values: list[bytes] = []
    if boundary is not None:
        values = _parts(form, boundary[1].encode("ascii"))
    else:
        try:
            fields = parse_qs(form.decode("ascii"), max_num_fields=4)
        except ValueError:
            return None
        values = [value.encode() for value in fields.get("answer", [])]
    for value in values:
        text = value.decode("ascii", "replace").strip()
        if len(text) <= MAX_ANSWER and _BASE64.fullmatch(text):
            return "".join(text.split())
    return None


def _parts(form: bytes, boundary: bytes) -> list[bytes]:
    """Contents of a multipart form's first parts (RFC 7578), at most four."""
    found = []
    for part in form.split(b"--" + boundary, 6)[1:5]:
        head, gap, body = part.partition(b"\r\n\r\n")
        if gap and b"content-disposition" in head.lower():
            found.append(body.removesuffix(b"\r\n"))
    return found


def _is_own(asked: Asked) -> bool:
    host = asked.host.lower()
    return asked.own_address and (host == asked.server or host.rpartition(":")[0] in OWN_NAMES or host in OWN_NAMES)
