"""What every page needs: the database, the settings, the clock, who is asking, and how a page is shown.

A page is made in two steps: `live/<name>.html`, the part that changes, is rendered first; its hash is
the entity tag by which a waiting browser asks again, and `<name>.html` puts it into the frame.
A look at a page is audited once for each session, page and `VIEW_SECONDS`; the memory of that has
at most `MOST_VIEWS` entries, and one that was pushed out only means one line of audit more.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, abort, current_app, g, make_response, redirect, render_template, request
from markupsafe import Markup
from sqlalchemy import Connection, Engine

from dashboard import i18n
from dashboard.accounts import held
from dashboard.accounts.sealing import sealer
from dashboard.accounts.sessions import FRESH_SECONDS
from dashboard.auth import SignedIn
from dashboard.pages import words
from dashboard.pages.contexts import Frame, Message, Moment
from dashboard.pages.navigation import places
from dashboard.second import messages_of
from dashboard.settings import DashboardSettings
from dashboard.store import charge, queries

VIEW_SECONDS = 600.0
MOST_VIEWS = 4096
_ID = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(slots=True, kw_only=True)
class Views:
    """Which looks are in the audit already."""

    seen: OrderedDict[tuple[str, str, str], float] = field(default_factory=OrderedDict)
    overflow: int = 0
    """Entries pushed out before their time."""
    lock: Lock = field(default_factory=Lock)

    def is_new(self, key: tuple[str, str, str], now: float) -> bool:
        """Whether this look wants a line of its own; remembers it if so."""
        with self.lock:
            last = self.seen.get(key)
            if last is not None and 0 <= now - last < VIEW_SECONDS:
                return False
            self.seen[key] = now
            self.seen.move_to_end(key)
            if len(self.seen) > MOST_VIEWS:
                _, pushed_out = self.seen.popitem(last=False)
                self.overflow += now - pushed_out < VIEW_SECONDS
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the composition root hands to the pages."""

    engine: Engine
    """For transactions that write."""
    reads: Engine
    """For transactions that only read: they do not queue for the write lock."""
    settings: DashboardSettings
    zone: ZoneInfo
    now: Callable[[], float]
    wait: Callable[[float], None]
    """Lets some seconds pass."""
    views: Views = field(default_factory=Views)
    secret: bytes = b""
    """Of the secret file: keys of sealers are made of it."""

    def moment(self, at: float) -> Moment:
        """A stored time for a page."""
        return Moment(text=words.date_time(at, self.zone), machine=words.machine(at))

    def moment_or_none(self, at: float | None) -> Moment | None:
        """As `moment`; None stays None."""
        return None if at is None else self.moment(at)


def desk() -> Desk:
    """The desk of the app that is serving."""
    found = g.get("desk") or current_app.extensions["gatehouse"]  # the demonstration has a desk of its own
    if not isinstance(found, Desk):  # pragma: no cover - the composition root puts it there
        raise TypeError("create_app puts a Desk there")
    return found


def who() -> SignedIn:
    """Who is asking; only in views behind the sign-in."""
    found: SignedIn | None = g.get("who")
    if found is None:
        abort(403)
    return found


def require_fresh(seconds: float = FRESH_SECONDS) -> None:
    """Go on only with a proof of who is asking of the last `seconds`; else it is asked for first.

    Where only some of a view's answers want it; one that always does is marked with `dashboard.access.step_up`. Call it
    outside a transaction: a form on its way is kept meanwhile.
    """
    if not who().is_fresh(desk().now(), seconds):
        abort(redirect("/again?" + urlencode({"next": come_back(who().account_id)}), 303))


def come_back(account_id: str) -> str:
    """Where to go after a proof: the page asked for; or what was typed, which is kept for that account."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    at_desk = desk()
    with at_desk.engine.begin() as connection:
        held_id = held.keep(
            connection,
            sealer(at_desk.secret, "held"),
            account_id=account_id,
            target=request.full_path.rstrip("?"),
            fields=tuple(request.form.items(multi=True)),
            files=any(request.files.values()),
            now=at_desk.now(),
        )
    return "/" if held_id is None else f"/held/{held_id}"


def household_or_404(connection: Connection, site_id: str) -> queries.Household:
    """The household of an address, if it is one of this tenant's that who is asking may see; else there is no such page.

    One that is there but not in their charge is noted, and the answer's error page writes it into the audit: here a
    transaction is open, and on SQLite a writer would wait for it.
    """
    found = None
    if _ID.fullmatch(site_id):
        at_desk = desk()
        tenant = at_desk.settings.tenant
        found = queries.household(connection, tenant, site_id, within=charge.sees(who(), at_desk.now(), tenant))
        if found is None and queries.household(connection, tenant, site_id) is not None:
            g.denied = True
    if found is None:
        abort(404)
    return found


def id_or_404(text: str) -> str:
    """An id of an address, if it has the form of one."""
    if not _ID.fullmatch(text):
        abort(404)
    return text


def audit_view(action: str, subject: str) -> None:
    """Write down who looked at what, before it is shown."""
    at_desk, asking = desk(), who()
    now = at_desk.now()
    if at_desk.views.is_new((asking.token_hash, action, subject), now):
        with at_desk.engine.begin() as connection:
            queries.write_audit(
                connection, at=now, account_id=asking.account_id, action=action, subject=subject, outcome="shown"
            )


def show(
    name: str,
    page: Any,
    *,
    title: str,
    action: str = "",
    subject: str = "",
    section: str = "",
    live: bool = False,
    done: bool = False,
    poll_seconds: float | None = None,
    reload: bool = False,
    status: int = 200,
) -> Response:
    """Render a page, or only its live part when that is what is asked for.

    Args:
        name: template, without folder and ending.
        page: its context, from `contexts`.
        title: for `<title>`.
        action: audit's word for the view; empty for pages that show nobody's data.
        subject: what is looked at, for the audit.
        section: entry of the navigation.
        live: the page has a live part.
        done: the live part will not change any more.
        poll_seconds: seconds between two looks, if not the settings'.
        reload: a browser without JavaScript loads the page again by itself.
        status: HTTP status.
    """
    at_desk = desk()
    now = at_desk.now()
    g.page = page
    if g.get("data_alone"):
        # A program asks for what the page says, not for the page.
        if action:
            audit_view(action, subject)
        return Response(status=status)
    body, etag = "", ""
    if live:
        body = render_template(f"live/{name}.html", page=page)
        etag = hashlib.sha256(body.encode()).hexdigest()[:32]
        if request.method in {"GET", "HEAD"} and request.args.get("part") == "live":
            return _part(body, etag, action, subject, now=now, done=done)
    if action:
        audit_view(action, subject)
    asking: SignedIn | None = g.get("who")
    frame = Frame(
        title=title,
        operator=at_desk.settings.operator,
        account="" if asking is None else asking.name,
        until=None if asking is None else at_desk.moment(asking.ends_at),
        ends_in=0 if asking is None else max(0, int(asking.ends_at - now)),
        section=section,
        places=places(None if asking is None else asking.role),
        language=i18n.language(),
        languages=_languages(at_desk),
        machine_made=i18n.language() in i18n.MACHINE_MADE,
        zone=words.zone_words(now, at_desk.zone, at_desk.settings.time_zone),
        checked=Moment(text=words.date_time_seconds(now, at_desk.zone), machine=words.machine(now)),
        live_address=_live_address() if live and not done and request.method == "GET" else "",
        live_etag=etag,
        poll_seconds=poll_seconds or at_desk.settings.poll_seconds,
        reload_to=request.path if reload else "",
        reload_seconds=3,
        messages=() if asking is None or "desk" in g else _messages(at_desk, asking),
        demo="desk" in g,
    )
    # The part was rendered, and so escaped, by the same template engine just now.
    whole = render_template(f"{name}.html", page=page, frame=frame, live_part=Markup(body))  # noqa: S704
    return make_response(whole, status)


def _live_address() -> str:
    """Where the page looks again: with its own query, or a list that was narrowed down would turn into all of it."""
    own = [(name, value) for name, value in request.args.items(multi=True) if name not in {"part", "wait"}]
    return f"{request.path}?{urlencode([*own, ('part', 'live')])}"


def _languages(at_desk: Desk) -> tuple[tuple[str, str], ...]:
    offered = at_desk.settings.languages
    return tuple((code, i18n.NAMES[code]) for code in offered) if len(offered) > 1 else ()


def _messages(at_desk: Desk, asking: SignedIn) -> tuple[Message, ...]:
    if not asking.role.acts:
        return ()
    with at_desk.reads.connect() as connection:
        told = messages_of(connection, asking.account_id)
    return tuple(Message(about=item.about, text=words.plain(item.text), at=at_desk.moment(item.at)) for item in told)


def _part(body: str, etag: str, action: str, subject: str, *, now: float, done: bool) -> Response:
    if request.if_none_match.contains(etag):
        response = make_response("", 304)
    else:
        if action:
            audit_view(action, subject)
        response = make_response(body, 200)
    response.set_etag(etag)
    response.headers["X-Checked"] = words.date_time_seconds(now, desk().zone)
    if done:
        response.headers["X-Done"] = "1"
    return response
