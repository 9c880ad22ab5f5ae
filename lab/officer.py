"""An officer at the pages, played by a program: signs in, reads, registers a device.

Speaks plain HTTP to the real pages, reads what they show and sends the same forms as a browser
without JavaScript. Bounded: remembers the finding pages it read, at most as many as there are.
"""

from __future__ import annotations

import http.client
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass, replace
from datetime import datetime
from html.parser import HTMLParser
from http.cookiejar import CookieJar

from wire.findings import FindingKind

_TIMEOUT = 10.0
_MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A finding as the pages show it."""

    finding_id: str
    path: str
    kind: FindingKind
    state: str
    """open or closed."""
    first_seen: float
    """Unix seconds, to the millisecond: the first frame that supports it."""
    macs: frozenset[str] = frozenset()
    """Hardware addresses of its device."""


class _Page(HTMLParser):
    """Findings of a household's page, and the hidden fields of any page's form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.findings: list[Seen] = []
        self.hidden: dict[str, str] = {}
        """Of all forms together."""
        self.forms: dict[str, dict[str, str]] = {}
        """Hidden fields of each form, by where it goes."""
        self._form: dict[str, str] = {}
        self._article: dict[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        if tag == "form":
            self._form = self.forms.setdefault(values.get("action", ""), {})
        elif tag == "input" and values.get("type") == "hidden":
            self.hidden[values.get("name", "")] = self._form[values.get("name", "")] = values.get("value", "")
        elif tag == "article" and "data-kind" in values:
            state = "closed" if "gh-edge--closed" in classes else "open"
            self._article = {"state": state, "kind": values["data-kind"]}
        elif self._article is not None and tag == "time":
            self._article.setdefault("first_seen", values.get("datetime", ""))
        elif self._article is not None and tag == "a" and "/findings/" in values.get("href", ""):
            self._article["path"] = values["href"]

    def handle_endtag(self, tag: str) -> None:
        if tag != "article" or self._article is None:
            return
        article, self._article = self._article, None
        self.findings.append(
            Seen(
                finding_id=article["path"].rpartition("/")[2],
                path=article["path"],
                kind=FindingKind(article["kind"]),
                state=article["state"],
                first_seen=datetime.fromisoformat(article["first_seen"]).timestamp(),
            )
        )


class Officer:
    """One signed-in session. Without a code it only asks whether the pages answer."""

    def __init__(self, url: str, name: str, code: str | None) -> None:
        """Sign in.

        Raises:
            PermissionError: the pages refused name and code.
        """
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._macs: dict[str, frozenset[str]] = {}
        if code is not None:
            page = self.post("/sign-in", {**self._hidden("/sign-in"), "name": name, "code": code})
            if "/sign-out" not in page:
                raise PermissionError(f"{name} could not sign in")

    def answers(self) -> bool:
        """Whether the pages are up."""
        try:
            self.get("/sign-in")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def get(self, path: str) -> str:
        """A page's HTML."""
        with self._opener.open(self._url + path, timeout=_TIMEOUT) as response:
            return str(response.read().decode())

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; the HTML of the page it leads to."""
        body = urllib.parse.urlencode(fields).encode()
        with self._opener.open(self._url + path, data=body, timeout=_TIMEOUT) as response:
            return str(response.read().decode())

    def findings(self, site: str) -> list[Seen]:
        """Findings on the household's page as it shows them now; each one's own page is read once."""
        seen = _Page(self.get(f"/households/{site}")).findings
        return [replace(finding, macs=self._macs_of(finding)) for finding in seen]

    def register(self, finding: Seen, *, standing: str, label: str, reason: str) -> str:
        """Fill in the register form of a finding; the page that says what became of it."""
        fields = {**self._hidden(finding.path), "standing": standing, "label": label, "reason": reason}
        return self.post(finding.path, fields)

    def device(self, site: str, label: str) -> str:
        """Path of the page of the device with this name; empty if the household's devices have none."""
        page = self.get(f"/households/{site}/devices")
        pattern = rf'href="(/households/{site}/devices/[a-z0-9-]+)"[^>]*>[^<]*(?:<[^/a][^>]*>[^<]*)*{re.escape(label)}'
        found = re.search(pattern, page)
        return found[1] if found else ""

    def correct(self, path: str, *, category: str, reason: str) -> str:
        """Say on a device's page what kind of device it is; the page that says what became of it."""
        rest = dict.fromkeys(("os_family", "vendor", "model"), "")
        return self.fill(path, "/correction", category=category, reason=reason, **rest)

    def fill(self, path: str, form: str, **fields: str) -> str:
        """Fill in a page's form, named by the end of where it goes; the page that says what became of it."""
        forms = _Page(self.get(path)).forms
        target = next(action for action in forms if action.endswith(form))
        return self.post(target, forms[target] | fields)

    def _macs_of(self, finding: Seen) -> frozenset[str]:
        if not self._macs.get(finding.finding_id):
            self._macs[finding.finding_id] = frozenset(_MAC.findall(self.get(finding.path)))
        return self._macs[finding.finding_id]

    def _hidden(self, path: str) -> dict[str, str]:
        return _Page(self.get(path)).hidden
