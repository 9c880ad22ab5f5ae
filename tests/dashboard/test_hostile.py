"""What a network, a browser or a stranger may send: every page and form of the app, as each role, with hostile input.

Names that boxes report are chosen by whoever is on the network. So every text of a seeded household is hostile here, and
every page is asked for, every form found on one is sent with hostile fields. Nothing may answer 5xx, carry an element or
attribute that is not ours, lead or connect elsewhere. What is tried is made of the app's own routes and forms, so that a
page that is added is probed too. Bounded: `MOST_PAGES` pages and `MOST_FORMS` forms in a run; an address is asked for
with `MOST_QUERIES` of the queries that links give it. In a browser: `tests/browser/test_hostile.py`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.store import schema

MOST_PAGES = 250
MOST_FORMS = 160
MOST_QUERIES = 3
MARKUP = "\"'><x-evil onx=1><script>x</script><img src=x onerror=x>{{1337*7}}${1337*7}<%=1337*7%>"
NASTY = (
    MARKUP,
    "\u202egnp.exe\u2066\u200b\x1b[31m\ufeff",
    "nul\x00byte",
    "' OR 1=1; DROP TABLE site;--",
    "../../../../etc/passwd",
    "a\r\nSet-Cookie: evil=1\r\n\r\n<x-evil>",
    "//evil.example/x",
    "javascript:alert(1)",
    "A" * 9000,
    "9" * 400,
    "-1",
    "é́" * 300,
)
PATHS = (
    MARKUP,
    "..%2f..%2fetc%2fpasswd",
    "nul%00",
    "%ff%fe",
    "a" * 3000,
    "-1",
    "%0d%0aSet-Cookie:%20evil=1",
    "\u202ex",
)
SKIPPED = frozenset({"/sign-out", "/sign-in", "/language"})
"""Forms that would end the probe, or have tests of their own."""
HIDDEN = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\x00\x1b\ufeff"


@dataclass
class Form:
    """A form of a page."""

    action: str
    method: str
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, kind, value."""


class Reader(HTMLParser):
    """What a browser would make of a page: elements, attributes, links, forms."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "x-evil" or (tag == "script" and not (given.get("src") or "").startswith("/")):
            self.faults.append(f"<{tag}>")
        if tag in {"iframe", "object", "embed", "base", "style", "frame"}:
            self.faults.append(f"<{tag}>")
        self.faults += [f"{name}=" for name in given if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href", "ping"):
            to = given.get(name)
            if to is None:
                continue
            if not to.startswith(("/", "#", "?", "data:image/")) or to.startswith("//"):
                self.faults.append(f"{name}={to[:60]}")
            elif name == "href" and tag == "a":
                self.links.append(to)
        if tag == "meta" and (given.get("http-equiv") or "").lower() == "refresh":
            where = (given.get("content") or "").partition("url=")[2]
            self.faults += [] if where.startswith("/") and not where.startswith("//") else [f"refresh {where[:60]}"]
        if tag == "form":
            self.forms.append(Form(action=given.get("action") or "", method=(given.get("method") or "get").lower()))
        if tag in {"input", "select", "textarea", "button"} and self.forms and given.get("name"):
            kind = given.get("type") or tag
            self.forms[-1].fields.append((given["name"] or "", kind, given.get("value") or ""))


def look(answer: TestResponse, about: object) -> Reader:
    """Check what every answer must be, and read it."""
    assert answer.status_code < 500, about
    assert answer.headers["X-Content-Type-Options"] == "nosniff", about
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), about
    assert "unsafe" not in answer.headers["Content-Security-Policy"], about
    cookies = answer.headers.getlist("Set-Cookie")
    assert all("HttpOnly" in cookie and "SameSite=" in cookie and "evil" not in cookie for cookie in cookies), about
    if answer.location is not None:
        to = answer.location
        assert to.startswith("/"), about
        assert not to.startswith(("//", "/\\")), about
    reader = Reader()
    if answer.mimetype == "text/html":
        text = answer.get_data(as_text=True)
        reader.feed(text)
        assert reader.faults == [], (about, reader.faults[:5])
        assert "9359" not in text, (about, "a template was run")
        # What somebody typed comes back to them as it was; what was stored never does.
        hidden = () if answer.status_code == 422 else set(HIDDEN) & set(text)
        assert not hidden, (about, sorted(hidden), text[max(0, text.find(min(hidden)) - 200) :][:300])
    return reader


@pytest.fixture
def hostile(seed: Any, clock: Any) -> Any:
    """A household of which every text is hostile."""
    seed.site(title=MARKUP[:120])
    evil = {"text": MARKUP, "confidence": 0.8, "reasons": [MARKUP, NASTY[1]], "conflicts": [MARKUP]}
    seed.device(label=(NASTY[1] + MARKUP)[:80], looks_like=evil)
    seed.device("dev-2", label=MARKUP[:80], looks_like=evil, standing="registered")
    seed.proposal(reasons=[MARKUP, NASTY[1]], against=[MARKUP])
    seed.stay(ended=clock.at - 10, ended_because=MARKUP, mac='"><x-evil>')
    for number, name in enumerate(("evil.example", "xn--e1afmkfd.example", "javascript.example", '"><x-evil>')):
        seed.finding(
            f"find-{number + 1}",
            kind="listed-name",
            severity="act_now",
            reasons=[MARKUP, f"It asked for {name}", "http://evil.example/x"],
            alternatives=[MARKUP, NASTY[1]],
            hit=seed.hit(name=name, entry=name, list_id="l-1", category=MARKUP[:40]),
        )
    seed.finding("find-9", state="closed", closed_because=MARKUP[:300])
    at = clock.at
    seed.arrangements(
        quieted=[
            {"quiet_id": "q-1", "rule": "trend", "reason": MARKUP, "by": "x", "at": "2026-01-13T00:00:00Z", "count": 1}
        ]
    )
    seed._insert(
        schema.request,
        {
            "site": "site-1",
            "request_id": "request-1",
            "kind": "complaint",
            "device_id": "dev-1",
            "proved": False,
            "text": MARKUP + NASTY[1],
            "at": at,
            "stored_at": at,
            "state": "open",
            "note": "",
        },
    )
    return seed


@pytest.fixture
def known() -> dict[str, str]:
    """What stands in the place of an address's parts."""
    return {
        "site": "site-1",
        "device": "dev-1",
        "finding": "find-1",
        "proposal": "prop-1",
        "reference": "request-1",
        "filename": "govuk.css",
    }


def paths(app: Flask, known: dict[str, str]) -> list[str]:
    """Every page of the app, once."""
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            built = rule.build({name: known.get(name, "x-1") for name in rule.arguments})
            if built is not None:
                found.append(built[1])
    return sorted(set(found))


_CONNECTED: list[str] = []
_WATCH = [False]


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _WATCH[0] and event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        _CONNECTED.append(f"{event} {args[1:]!r}")


sys.addaudithook(_audit)


@pytest.fixture
def alone() -> Iterator[None]:
    """Nothing may be connected to, and no name looked up, while the test lasts."""
    _CONNECTED.clear()
    _WATCH[0] = True
    yield
    _WATCH[0] = False
    assert _CONNECTED == []


@pytest.mark.req("R42", "R66")
@pytest.mark.usefixtures("hostile", "alone")
@pytest.mark.parametrize("role", list(Role))
def test_every_page_shows_hostile_names_harmless_and_leads_and_connects_nowhere(
    app: Flask, sign_in_as: Callable[..., FlaskClient], known: dict[str, str], role: Role
) -> None:
    browser = sign_in_as("someone-1", role)
    waiting, seen, shown = paths(app, known), set(), 0
    times: Counter[str] = Counter()
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        if path in seen or times[urlsplit(path).path] >= MOST_QUERIES:
            continue
        seen.add(path)
        times[urlsplit(path).path] += 1
        with browser.get(path) as answer:
            reader = look(answer, path)
            shown += answer.status_code == 200
        if answer.status_code == 200:
            waiting += [to for to in reader.links if to.startswith("/") and urlsplit(to).path not in SKIPPED]
    assert shown >= 8


@pytest.mark.usefixtures("hostile", "alone")
@pytest.mark.parametrize("signed_in", [True, False], ids=["signed-in", "stranger"])
def test_no_part_of_an_address_breaks_a_page(
    app: Flask, sign_in_as: Callable[..., FlaskClient], known: dict[str, str], *, signed_in: bool
) -> None:
    browser = sign_in_as("chief-1", Role.SUPERVISOR) if signed_in else app.test_client()
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    asked = 0
    for number, rule in enumerate(rules):
        for turn in range(2 if rule.arguments else 0):
            safe = quote(PATHS[(number + turn * 3) % len(PATHS)], safe="%" if turn else "")
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(f"<{name}>", safe).replace(f"<path:{name}>", safe)
            with browser.get(path) as answer:
                look(answer, path)
                assert answer.status_code != 200 or not signed_in or safe == "-1", path
            asked += 1
    for number, path in enumerate(paths(app, known)):
        # A different one in each place, and one that is there twice.
        names = (
            "q",
            "part",
            "wait",
            "page",
            "next",
            "since",
            "until",
            "kind",
            "sort",
            "cursor",
            "device",
            "wrong",
            "q",
        )
        given = [(name, NASTY[(number + place) % len(NASTY)]) for place, name in enumerate(names)]
        with browser.get(path, query_string=MultiDict(given)) as answer:
            look(answer, (path, number))
        asked += 1
    assert asked > 150


@pytest.mark.usefixtures("hostile", "alone")
def test_no_field_of_a_form_breaks_it_or_comes_back_as_markup(
    app: Flask, sign_in_as: Callable[..., FlaskClient], known: dict[str, str]
) -> None:
    forms: dict[str, tuple[FlaskClient, Form]] = {}
    shown: set[str] = set()
    # Each page once, as the first of these who is let in: all send the same form.
    for role in (Role.OFFICER, Role.SUPERVISOR, Role.INSTALLER):
        browser = sign_in_as(f"{role}-1", role)
        for path in paths(app, known):
            if path in shown:
                continue
            with browser.get(path) as answer:
                if answer.status_code != 200:
                    continue
                shown.add(path)
                for form in look(answer, path).forms:
                    if form.method == "post" and urlsplit(form.action).path not in SKIPPED:
                        forms.setdefault(form.action or path, (browser, form))
    assert 40 < len(forms) <= MOST_FORMS
    for number, (action, (browser, form)) in enumerate(sorted(forms.items())):
        # First everything hostile, then what is typed alone, so that it is looked at behind the choices.
        for turn in range(2):
            data: dict[str, Any] = {}
            for place, (name, kind, value) in enumerate(form.fields):
                kept = name == "csrf_token" or (turn == 1 and kind in {"radio", "checkbox", "hidden", "select"})
                nasty = NASTY[(number + turn * 5 + place) % len(NASTY)]
                data.setdefault(name, []).append(value if kept else nasty)
            look(browser.post(action, data=data), (action, turn))
        token = next((value for name, _, value in form.fields if name == "csrf_token"), "")
        look(browser.post(action, data={"csrf_token": [token, token]}), (action, "nothing but a token"))


ODD = (
    ("application/json", b'{"a": [[[[[[]]]]]]}'),
    ("application/json", b"[" * 60000),
    ("application/xml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"; filename="../../x"\r\n\r\n'),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n" * 3000),
    ("application/x-www-form-urlencoded", b"a=%ff%fe&&&=&%00=%00" + b"&b=1" * 2000),
    ("application/x-www-form-urlencoded; charset=utf-7", b"+ADw-script+AD4-=1"),
    ("text/plain", b"A" * 400_000),
    ("", b"\x00" * 100),
)


# Werkzeug leaves the spooled file of a part that broke off to the garbage collector, which then says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.usefixtures("hostile", "alone")
def test_odd_bodies_and_methods_are_refused_plainly(app: Flask, officer: FlaskClient, known: dict[str, str]) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(rules) > 50
    for number, rule in enumerate(rules):
        built = rule.build({name: known.get(name, "x-1") for name in rule.arguments})
        assert built is not None
        for turn in range(2):
            kind, body = ODD[(number + turn * 5) % len(ODD)]
            answer = officer.post(built[1], data=body, content_type=kind)
            look(answer, (built[1], kind))
            assert answer.status_code >= 400 or answer.status_code == 303, (built[1], kind)
    for path in ("/", "/households/site-1", "/sign-in", "/static/govuk.css", "/nothing"):
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "X" * 200):
            with officer.open(path, method=method) as answer:
                look(answer, (path, method))
                assert answer.status_code in {400, 404, 405}, (path, method)


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "/\r\nLocation: //evil.example",
        "http:evil.example",
        "///evil.example",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(
    stranger: FlaskClient,
    csrf: Callable[[TestResponse], str],
    new_code: Callable[[str], str],
    sign_in_as: Callable[..., FlaskClient],
    to: str,
) -> None:
    sign_in_as("officer-3")
    page = stranger.get("/sign-in", query_string={"next": to})
    look(page, to)
    data = {"name": "officer-3", "code": new_code("officer-3"), "next": to, "csrf_token": csrf(page)}
    answer = stranger.post("/sign-in", data=data)
    assert answer.status_code == 303, answer.text[:300]
    where = answer.location
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\", "/\t"))
    assert "evil" not in urlsplit(where).netloc
