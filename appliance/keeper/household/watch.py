"""A household's own entries (R35, R67): names that officers want found here, or never kept here.

In: orders and moments. Out: None when an order is followed, else why not in plain words; two lists, `watch`
and `watch-excluded`, that are matched like all others. Entries to be found are in force where a clause names
the list `watch`; those to be left out protect, and need none. Every entry has a reason and an end, and ends by
itself. The list's version is the number of changes there were.

Bounded: `store.watch.MAX_WATCHED` entries, `LONGEST` seconds each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from appliance.keeper.authority import Scope
from appliance.keeper.devices.model import moment
from appliance.keeper.household.record import Record
from appliance.keeper.lists.compiling import in_memory
from appliance.keeper.lists.entries import Entry, Reach
from appliance.keeper.lists.match import EXCLUDED, Lists, Loaded, NameList
from appliance.keeper.lists.names import normalise
from appliance.keeper.lists.suffixes import is_public
from appliance.keeper.store.watch import MAX_WATCHED
from wire import box
from wire.authority import ListsClause
from wire.findings import Severity
from wire.orders import AddWatch

WATCH = "watch"
"""Id of the list of entries to be found; an authority puts it in force like any other."""
WATCH_EXCLUDED = "watch-excluded"
LONGEST = 366 * 86400.0

_REVISION = "watch_revision"


class Watch:
    """The entries, and the lists they make."""

    def __init__(self, record: Record, lists: Lists) -> None:
        self._record = record
        self._lists = lists
        self._entries: dict[str, box.Watch] = {}
        """Those to be found, by name."""
        self._load()

    def all(self) -> tuple[box.Watch, ...]:
        """All entries, oldest first."""
        return self._record.store.watched.all()

    def entry(self, written: str) -> box.Watch | None:
        """The entry to be found that a match of the list `watch` was made by."""
        return self._entries.get(written)

    def add(self, order: AddWatch, *, by: str, at: float, scope: Scope | None = None) -> str | None:
        """Take an entry in; None when done, else why not.

        Where `scope` is given, an entry to be found needs a clause that names the list `watch`.
        """
        name = normalise(order.name.removeprefix("*."))
        if name is None:
            return f"“{order.name[:100]}” is not the name of a site. Write only the name, without “https://” or a page."
        refusal = _refusal(name, order, at, scope)
        if refusal is not None:
            return refusal
        entry = box.Watch(
            watch_id=self._record.ids.arrangement(),
            name=name,
            below=order.below,
            excluded=order.excluded,
            severity=order.severity,
            reason=order.reason,
            by=by,
            at=moment(at),
            expires=order.expires,
        )
        if not self._record.store.watched.put(entry):
            return f"There are {MAX_WATCHED} entries already. Take one off first."
        if order.excluded:
            self._record.store.evidence.erase_name(name, below=order.below)
            self._record.store.purge.leave_out(name, below=order.below)
        self._changed()
        return None

    def end(self, watch_id: str) -> str | None:
        """Take an entry off; None when done, else why not."""
        if not self._record.store.watched.remove(watch_id):
            return "There is no such entry. It may have ended by itself."
        self._changed()
        return None

    def tick(self, at: float) -> None:
        """Entries whose time is over end."""
        if self._record.store.watched.prune(at):
            self._changed()

    # --- inside -----------------------------------------------------------------------------

    def _changed(self) -> None:
        store = self._record.store
        store.set(_REVISION, str(int(store.get(_REVISION) or "0") + 1))
        self._record.arranged = True
        self._load()

    def _load(self) -> None:
        revision = self._record.store.get(_REVISION) or "0"
        entries = self.all()
        found = [entry for entry in entries if not entry.excluded]
        left_out = [entry for entry in entries if entry.excluded]
        self._entries = {entry.name: entry for entry in found}
        self._lists.replace(_list(found, id_=WATCH, title="This home's own entries", revision=revision))
        title = "Names that are not kept here"
        self._lists.replace(_list(left_out, id_=WATCH_EXCLUDED, title=title, revision=revision, category=EXCLUDED))


def _list(entries: Iterable[box.Watch], *, id_: str, title: str, revision: str, category: str | None = None) -> Loaded:
    items = [Entry(name=entry.name, reach=Reach.SUBTREE if entry.below else Reach.EXACT) for entry in entries]
    hashed = hashlib.sha256("".join(f"{item.reach.name} {item.name}\n" for item in items).encode())
    table, tally = in_memory(items, source=hashed.digest())
    meta = NameList(
        id=id_,
        version=revision,
        title=title,
        severity=Severity.TODAY,
        sha256=hashed.hexdigest(),
        category=category,
        owner="the officers in charge",
        source="added for this home",
    )
    return Loaded(meta=meta, table=table, tally=tally)


def _refusal(name: str, order: AddWatch, at: float, scope: Scope | None) -> str | None:
    expires = order.expires.timestamp()
    if is_public(name):
        return f"“{name[:200]}” belongs to everybody who registers a name under it, so it cannot be an entry."
    if expires <= at:
        return "The end of the entry is already past."
    if expires > at + LONGEST:
        return "An entry can hold for a year at most. It can be added again."
    if not order.excluded and scope is not None and not _in_force(scope):
        return f"The authority has no clause for this home's own entries (a clause that names the list “{WATCH}”)."
    return None


def _in_force(scope: Scope) -> bool:
    return any(isinstance(clause, ListsClause) and WATCH in clause.lists for clause in scope.authority.clauses)
