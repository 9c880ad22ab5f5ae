"""Orders to take a release, box by box: when a ring opens, and anew where somebody asks for it (R4).

In: an open connection, a release, a box, who and now. Out: a row of `command` and of `release_box`, and the audit's line;
and how the last order of a box stands. Writers are called inside a transaction. Bounded: `MOST_TRIES` orders of a release
for one box, `LIFETIME` for each.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, and_, insert, select, update

from dashboard.store import releases
from dashboard.store.queries import write_audit
from dashboard.store.releases import StoredRelease
from dashboard.store.schema import box_software, command, release, release_box, site
from wire.orders import TakeRelease
from wire.release import SignedRelease

MOST_TRIES = 20
LIFETIME = 24 * 3600.0
"""How long an order counts; a box that is away longer is told again when it is back."""
WRONG = frozenset({"failed", "rolled_back", "refused"})
"""What became of a release on a box that may be told anew: the rest is under way, or goes on by itself."""
UNANSWERED = ("unsent", "unanswered", "expired")
_ON_ITS_WAY = ("waiting", "sent")
_MOST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class LastOrder:
    """The newest release that a box was told to take, and how that stands."""

    release: StoredRelease
    became: str
    """As `dashboard.store.releases.became` says it."""
    tries: int
    open: bool
    """An order is on its way to the box."""
    unanswered: bool
    """The last order ran out without a word of the box."""
    fits: bool
    """It is for the box's board, and newer than what the box runs."""

    def may_again(self, now: float) -> bool:
        """Whether the box may be told of it once more: what goes on by itself is left to itself."""
        stays = self.became in WRONG or (self.unanswered and self.release.state == "halted")
        return (
            stays
            and not self.open
            and self.became != "has"
            and self.fits
            and self.tries < MOST_TRIES
            and self.release.state in {"going", "halted"}
            and self.release.expires > now
        )


def order(
    connection: Connection, stored: StoredRelease, site_id: str, *, tries: int, by: str, reason: str = "", now: float
) -> None:
    """Tell a box to take a release; `tries`: how often it was told before."""
    name = f"{stored.release_id}/{site_id}/{tries}"
    order_id = hashlib.sha256(name.encode()).hexdigest()[:32]
    signed = SignedRelease.model_validate_json(stored.statement)
    connection.execute(
        insert(command).values(
            command_id=order_id,
            site=site_id,
            body=TakeRelease(signed=signed).model_dump(mode="json", exclude_none=True),
            reason=(reason or f"Version {stored.version}")[:_MOST_REASON],
            by=by,
            created_at=now,
            expires_at=min(stored.expires, now + LIFETIME),
            state="waiting",
            detail="",
        )
    )
    if tries:
        here = and_(release_box.c.release_id == stored.release_id, release_box.c.site == site_id)
        connection.execute(update(release_box).where(here).values(order_id=order_id, tries=tries + 1))
    else:
        connection.execute(
            insert(release_box).values(
                release_id=stored.release_id, site=site_id, ordered_at=now, order_id=order_id, tries=1
            )
        )
    write_audit(connection, at=now, account_id=by, action="take-release", subject=site_id, outcome="asked")


def last(connection: Connection, tenant: str, site_id: str, *, now: float) -> LastOrder | None:
    """The newest release that a box was told of; None where it was told of none, or is revoked."""
    told = connection.execute(
        select(release_box.c.release_id, release_box.c.tries)
        .join(release, release.c.release_id == release_box.c.release_id)
        .join(site, site.c.site == release_box.c.site)
        .where(
            release_box.c.site == site_id,
            release.c.tenant == tenant,
            site.c.tenant == tenant,
            site.c.revoked_at.is_(None),
        )
        .order_by(release.c.number.desc(), release_box.c.ordered_at.desc())
        .limit(1)
    ).one_or_none()
    stored = None if told is None else releases.one(connection, tenant, told.release_id)
    if told is None or stored is None:
        return None
    row = connection.execute(
        select(
            releases.became(stored, now).label("became"), command.c.state, box_software.c.board, box_software.c.number
        )
        .select_from(release_box)
        .join(site, site.c.site == release_box.c.site)
        .join(box_software, box_software.c.site == release_box.c.site)
        .outerjoin(command, command.c.command_id == release_box.c.order_id)
        .where(release_box.c.release_id == stored.release_id, release_box.c.site == site_id)
    ).one_or_none()
    if row is None:
        return None
    fits = row.board == stored.board and row.number is not None and row.number < stored.number
    return LastOrder(
        release=stored,
        became=str(row.became),
        tries=told.tries,
        open=row.state in _ON_ITS_WAY,
        unanswered=row.state in UNANSWERED,
        fits=fits,
    )


def again(
    connection: Connection, tenant: str, site_id: str, release_id: str, *, reason: str, by: str, now: float
) -> bool:
    """Tell a box once more of the release on which it failed; False where that is no longer to be done."""
    found = last(connection, tenant, site_id, now=now)
    if found is None or found.release.release_id != release_id or not found.may_again(now):
        return False
    order(connection, found.release, site_id, tries=found.tries, by=by, reason=reason, now=now)
    return True
