"""What the keeper handed to root, and what became of it: told in the box's status.

An order that changes the box itself is answered as followed once root was asked; whether root did it is known later.
In: what was asked, root's answers. Out: the `changes` of `BoxStatus`. Kept in the database, so that a refusal is told
also by a keeper that started anew. What nobody answered within `PATIENCE` seconds has failed: the question lies in
memory, and the power may have gone. Bounded: the last of each action.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from appliance.keeper.store.database import Store
from appliance.requests import Answer, RequestName, SetNetworkRequest, WipeRequest
from wire.box import Change

PATIENCE = 600.0
"""More than root needs for any of it."""
LOOK_SECONDS = 2.0
NOBODY = "The box did not say whether this was done. Look at how it is now, and ask again if need be."

_KEPT = "handed"
_MANY: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Change, ...])
_OPEN = frozenset({"under-way", "failed"})
"""What failed may be done yet: a wipe is asked for again by itself."""

AskNetwork = Callable[[SetNetworkRequest], None]
Answers = Callable[[RequestName], Answer | None]


class Handed:
    """The last change of each kind. Calls that write belong in the store's transaction."""

    def __init__(self, store: Store, answers: Answers | None) -> None:
        """`answers` gives root's last answer of a name; None: there is no root to ask."""
        self._store = store
        self._answers = answers
        self._changes = {each.action: each for each in _parse(store.get(_KEPT))}
        self._since: float | None = None
        self._look_due = float("-inf")

    @property
    def told(self) -> tuple[Change, ...] | None:
        """For the server; None where there is no root to ask."""
        return None if self._answers is None else tuple(self._changes.values())

    def asked(self, request: SetNetworkRequest | WipeRequest) -> None:
        """Root was asked; once more for the same thing changes nothing."""
        action = _action(request)
        about = request.removal_id if isinstance(request, WipeRequest) else request.request_id
        before = self._changes.get(action)
        if before is not None and before.about == about:
            return
        self._since = None
        self._put(Change(about=about, action=action, outcome="under-way", at=_moment(request.at)))

    def noting(self, ask: AskNetwork | None) -> AskNetwork | None:
        """The same way to ask, noted where it could be asked."""
        if ask is None:
            return None

        def asking(request: SetNetworkRequest) -> None:
            ask(request)
            self.asked(request)

        return asking

    def tick(self, *, at: float, monotonic: float) -> None:
        """Time has passed."""
        if self._answers is None or monotonic < self._look_due:
            return
        self._look_due = monotonic + LOOK_SECONDS
        under_way = False
        for change in tuple(self._changes.values()):
            if change.outcome not in _OPEN:
                continue
            answer = self._answers(RequestName.WIPE if change.action == "wipe-box" else RequestName.SET_NETWORK)
            if answer is not None and answer.request_id == change.about:
                said = {"outcome": answer.outcome, "detail": answer.detail}
                if said != {"outcome": change.outcome, "detail": change.detail}:
                    self._put(change.model_copy(update=said | {"at": _moment(at)}))
            elif change.outcome == "under-way":
                under_way = True
                if self._since is not None and monotonic >= self._since + PATIENCE:
                    self._put(change.model_copy(update={"outcome": "failed", "detail": NOBODY, "at": _moment(at)}))
        self._since = None if not under_way else monotonic if self._since is None else self._since

    def _put(self, change: Change) -> None:
        self._changes[change.action] = change
        self._store.set(_KEPT, _MANY.dump_json(tuple(self._changes.values())).decode())


def _action(request: SetNetworkRequest | WipeRequest) -> Literal["set-network", "wipe-box"]:
    return "wipe-box" if isinstance(request, WipeRequest) else "set-network"


def _parse(kept: str | None) -> tuple[Change, ...]:
    try:
        return _MANY.validate_json(kept) if kept else ()
    except ValidationError:  # another version's form: it was told long ago
        return ()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
