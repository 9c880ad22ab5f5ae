"""What the pages say: settings, the keeper's `Notice` and its answers in, HTML out; forms to the keeper.

A name that is refused to a device leads to the box's own address, so whoever calls that address by
another name is told that it is not available, and to whom to turn. Who was led here from another
address (a device that is held back, or one that checks for a sign-in page) reads the notice; forms on it go to the
box's own address, because where it was led from may be reached again before they are sent.

The words are for everybody in the household, without network terms. They say what is kept and what
is not, never how anything is detected. All that comes from settings, the keeper or a form is escaped, and what
somebody wrote is never shown again. Bounded: `MAX_ASKED` answers are waited for.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import jinja2

from appliance import messages as m
from appliance import notice as text
from appliance.porch import forms
from appliance.settings import NoticeSettings
from appliance.web import MAX_CONNECTIONS, Asked, Reply

CAPTIVE = "/captive.json"
"""Where a device that was told of it asks for the notice page on demand (RFC 8908)."""

MAX_ASKED = MAX_CONNECTIONS

_HERE = Path(__file__).parent
_HTML = "text/html; charset=utf-8"
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[0-9]{1,5})?")
_BASE, _TOKEN = "\ue000base\ue000", "\ue000token\ue000"
"""Marks in what is made once, for what each client gets: of a character that stands for nothing (Unicode, private use)."""

_THANKS = {
    m.FormKind.NOTICE_READ: (
        "Thank you",
        ("You have said that you read the notice. You can close this page now.", "The internet works as usual."),
    ),
    m.FormKind.GUEST: (
        "Thank you",
        (
            "The officers are told what you said of this device. Nobody asked for your name.",
            "It is only what you said: the box does not treat the device in another way because of it.",
        ),
    ),
    m.FormKind.CORRECTION: ("Your message is on its way", ("The officers in charge look at it.",)),
    m.FormKind.COMPLAINT: (
        "Your complaint is on its way",
        ("It goes to the agency that the box belongs to. Nothing about you is changed because you complained.",),
    ),
    m.FormKind.ACCESS: (
        "Your request is on its way",
        ("The agency gets in touch with you, checks who you are, and gives you what is kept about your own devices.",),
    ),
}


class Page:
    """All pages and their style sheet."""

    def __init__(
        self,
        settings: NoticeSettings,
        *,
        ask: Callable[[m.FormSent | m.OwnPageAsked], bool] | None = None,
        tokens: forms.Tokens | None = None,
    ) -> None:
        """`ask` hands something to the keeper; false where that cannot be."""
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._style = Reply(content_type="text/css; charset=utf-8", body=(_HERE / "notice.css").read_bytes())
        self._settings = settings
        self._ask = ask
        self._tokens = tokens or forms.Tokens()
        self.forms = forms.Forms(self._tokens)
        self._asked: OrderedDict[int, m.FormKind | None] = OrderedDict()
        self._notice: m.Notice | None = None
        self._made: dict[str, str] = {}
        self._make()

    def show(self, notice: m.Notice | None) -> None:
        """From now on say this; None when the keeper cannot be asked."""
        if notice != self._notice:
            self._notice = notice
            self._make()

    # --- requests ---------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Reply | None:
        """The style sheet and the box's own pages by their paths; for every other path the notice.

        Any path: a device that checks for a sign-in page asks for one of its own making. None: the keeper is asked,
        and `answered` has what it says.
        """
        path = asked.path.split("?", 1)[0]
        if path == "/notice.css":
            return self._style
        own = asked.own_address and self._is_own(asked.host)
        if path == CAPTIVE and asked.own_address:
            return _captive(asked.host)
        if asked.own_address and not own:
            return Reply(content_type=_HTML, body=self._made["refused"].encode(), status=HTTPStatus.FORBIDDEN)
        if not own:
            return self._page("/read", asked, base=f"http://{asked.server}")
        if asked.form is None:
            return self._page(path, asked, base="")
        return self._take(path, asked)

    def answered(self, answer: m.FormAnswered | m.OwnPage) -> Reply | None:
        """What to show for the keeper's answer; None where nobody waits for it."""
        if answer.ticket not in self._asked:
            return None
        kind = self._asked.pop(answer.ticket)
        if isinstance(answer, m.OwnPage):
            made = self._render("own.html", sections=answer.sections)
        elif answer.taken and kind is not None:
            title, lines = _THANKS[kind]
            made = self._render("said.html", title=title, lines=lines)
        else:
            made = self._render("said.html", title="This was not sent", lines=(answer.why,))
        return Reply(content_type=_HTML, body=made.encode())

    def sorry(self) -> Reply:
        """The keeper did not answer."""
        return self._refusal(
            "The box cannot take this right now. Please try again later, or use the contact on the page.",
            HTTPStatus.SERVICE_UNAVAILABLE,
        )

    def _take(self, path: str, asked: Asked) -> Reply | None:
        if path not in forms.PATHS:
            return self._refusal(forms.ODD, HTTPStatus.NOT_FOUND)
        made = self.forms.read(asked, path)
        if isinstance(made, forms.Refusal):
            return self._refusal(made.why, made.status)
        if self._ask is None or not self._ask(made):
            return self.sorry()
        self._asked[asked.ticket] = made.kind if isinstance(made, m.FormSent) else None
        while len(self._asked) > MAX_ASKED:
            self._asked.popitem(last=False)
        return None

    def _page(self, path: str, asked: Asked, *, base: str) -> Reply:
        name = path if path in self._made else "/"
        token = self._tokens.make("/read" if name == "/" else name, asked.client, asked.at)
        body = self._made[name].replace(_BASE, base).replace(_TOKEN, token)
        return Reply(content_type=_HTML, body=body.encode(), forms=base or "'self'")

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

    # --- pages ------------------------------------------------------------------------------

    def _make(self) -> None:
        notice = self._notice
        shown = text.sections(notice, self._settings)
        basis = text.BASES.get(notice.kind) if notice and notice.kind else None
        digest = text.digest(shown) if notice is not None and notice.recording else None
        self._made = {
            "/": self._render("notice.html", shown=shown, digest=digest),
            forms.VISITOR: self._render("visitor.html", hours=_HOURS, visitors=_VISITORS),
            forms.ASK: self._render("ask.html", longest=m.MAX_SAID),
            forms.OWN: self._render("this-device.html", longest=m.MAX_CODE),
            "refused": self._render("refused.html", basis=basis, own_name=self._settings.own_name),
        }
        self._made[forms.READ] = self._made["/"]

    def _refusal(self, why: str, status: HTTPStatus) -> Reply:
        made = self._render("said.html", title="This was not sent", lines=(why,))
        return Reply(content_type=_HTML, body=made.encode(), status=status)

    def _render(self, name: str, **values: object) -> str:
        return self._environment.get_template(name).render(
            settings=self._settings, base=_BASE if name in _WITH_FORM else "", token=_TOKEN, **values
        )


_WITH_FORM = {"notice.html", "visitor.html", "ask.html", "this-device.html"}
_HOURS = (
    ("1", "An hour"),
    ("4", "Four hours"),
    ("24", "A day"),
    ("72", "Three days"),
    ("168", "A week"),
    ("336", "Two weeks"),
)
_VISITORS = (
    (m.Visitor.PHONE.value, "A phone"),
    (m.Visitor.TABLET.value, "A tablet"),
    (m.Visitor.LAPTOP.value, "A laptop"),
    (m.Visitor.CONSOLE.value, "A games console"),
    (m.Visitor.OTHER.value, "Something else"),
)


def _captive(host: str) -> Reply:
    """RFC 8908 section 5: nobody is held captive; the notice is what the venue has to say."""
    said: dict[str, object] = {"captive": False}
    name = host.lower()
    if _HOST.fullmatch(name) and len(name) <= forms.MAX_HOST:
        said |= {"user-portal-url": f"https://{name}/", "venue-info-url": f"https://{name}/"}
    return Reply(content_type="application/captive+json", body=json.dumps(said).encode())
