"""The box as a machine, in its status: the way out, the disk, the certificate, how often it was started; and its end.

In: what root saw (`appliance.fresh`), the disk, the order to wipe the box. Out: fields of `BoxStatus`, a request to root.
An order to wipe needs no authority: it ends what was kept under one. The box's last words are its certificate, said while
its keys still are; when the server has taken what there was to send, or after `LAST_WORDS` seconds, root is asked.
Bounded: one wipe; root is asked again every `AGAIN` seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from appliance.fresh import STALE_SECONDS, Fresh
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.store.database import Store
from appliance.requests import WipeRequest
from wire.box import Removed, Storage, UplinkState
from wire.orders import WipeBox

LAST_WORDS = 60.0
SAID_FOR = 3.0
"""So long the last words are on their way at least: the courier sends them after what it has already."""
AGAIN = 60.0
LOOK_SECONDS = 15.0
_WIPING = "wiping"
_STARTS = "machine_starts"


class Site(Protocol):
    """What the keeper sees of its machine."""

    def fresh(self) -> Fresh | None:
        """What root last saw."""

    def disk(self) -> tuple[int, int] | None:
        """Octets of the data partition: all, free."""

    def wipe(self, request: WipeRequest) -> bool:
        """Ask root; whether that could be done."""


class Machine:
    """One box."""

    def __init__(
        self,
        store: Store,
        site: Site | None,
        acts: Acts,
        *,
        boot: str | None,
        asked: Callable[[WipeRequest], None] = lambda _request: None,
    ) -> None:
        """`boot`: id of this run of the machine; `asked` is told of what root was asked.

        Call within the store's transaction or before the first.
        """
        self._store = store
        self._site = site
        self._boot = boot
        self._asked = asked
        self._fresh: Fresh | None = None
        self._disk: tuple[int, int] | None = None
        self._look_due = float("-inf")
        self._booted: float | None = None
        self._said_at: float | None = None
        self._since: float | None = None
        self._asked_at = float("-inf")
        self._removal = _removal(store.get(_WIPING))
        self._starts: int | None = None
        acts.on(WipeBox, self.wipe)

    @property
    def news(self) -> tuple[object, ...]:
        """What is to be told at once when it changes."""
        uplink = self._uplink()
        return (self._removal, None if uplink is None else uplink.model_dump_json())

    def wipe(self, order: WipeBox, given: Given) -> str | None:
        """An order: None when it will be done, else why not."""
        if self._site is None:
            return "This box cannot wipe itself."
        if self._removal is None:
            fresh = self._fresh or self._site.fresh()
            self._removal = Removed(
                removal_id=order.removal_id,
                at=datetime.fromtimestamp(given.at, UTC),
                keys_destroyed=0 if fresh is None else fresh.keys,
                files_removed=0 if fresh is None else fresh.files,
            )
            self._store.set(_WIPING, self._removal.model_dump_json())
        return None

    def tick(self, *, at: float, monotonic: float, waiting: int) -> None:
        """Time has passed; `waiting` messages are not received yet. Call in the store's transaction."""
        if self._site is None:
            return
        if self._starts is None:
            self._starts = self._count()
            self._booted = at - monotonic
        if monotonic >= self._look_due:
            self._look_due = monotonic + LOOK_SECONDS
            self._fresh, self._disk = self._site.fresh(), self._site.disk()
        if self._removal is None:
            return
        self._since = monotonic if self._since is None else self._since
        heard = self._said_at is not None and not waiting and monotonic >= self._said_at + SAID_FOR
        if (heard or monotonic >= self._since + LAST_WORDS) and monotonic >= self._asked_at + AGAIN:
            self._asked_at = monotonic
            removal = self._removal.removal_id
            request = WipeRequest(request_id=removal, at=at, removal_id=removal)
            if self._site.wipe(request):
                self._asked(request)

    def state(self, at: float, monotonic: float) -> dict[str, object]:
        """Fields of the status that is about to be said."""
        if self._site is None:
            return {}
        if self._removal is not None and self._said_at is None:
            self._said_at = monotonic
        fresh = self._now(at)
        ends = None if fresh is None else fresh.certificate_ends
        return {
            "uplink": self._uplink(at),
            "storage": self._storage(),
            "certificate_ends": None if ends is None else datetime.fromtimestamp(ends, UTC),
            "booted_at": None
            if self._booted is None or self._booted < 0
            else datetime.fromtimestamp(self._booted, UTC),
            "boots": self._starts,
            "removed": self._removal,
        }

    def _now(self, at: float) -> Fresh | None:
        """What root saw, unless it is long ago: then nothing is known of now."""
        fresh = self._fresh
        return fresh if fresh is not None and abs(at - fresh.at) <= STALE_SECONDS else None

    def _uplink(self, at: float | None = None) -> UplinkState | None:
        fresh = self._fresh if at is None else self._now(at)
        if fresh is None:
            return None
        seen = fresh.seen
        return UplinkState(
            kind=fresh.kind,
            cable=seen.cable,
            address=seen.address,
            names=seen.names,
            upstream_wifi=seen.upstream_wifi,
            login=seen.login,
        )

    def _storage(self) -> Storage | None:
        if self._disk is None:
            return None
        size, free = self._disk
        fresh = self._fresh
        if fresh is None:
            return Storage(size=size, free=free)
        return Storage(size=size, free=free, encrypted=fresh.encrypted, errors=fresh.card_errors)

    def _count(self) -> int | None:
        """How often the machine was started since the database is there."""
        if self._boot is None:
            return None
        number, last = json.loads(self._store.get(_STARTS) or '[0, ""]')
        if last != self._boot:
            number += 1
            self._store.set(_STARTS, json.dumps([number, self._boot]))
        return int(number)


def _removal(kept: str | None) -> Removed | None:
    try:
        return None if not kept else Removed.model_validate_json(kept)
    except ValueError:
        return None
