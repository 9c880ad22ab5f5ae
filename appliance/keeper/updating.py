"""An order to take a release, until root has it: judged, fetched by the courier, handed over (R4).

In: orders, the courier's words, time. Out: `ReleaseWanted`, one request to root, and `SoftwareState` for the server.
What is wanted is kept in the database: a keeper that starts anew goes on. From the moment when root's record is about
the release, that record is what is told. No authority is needed: it is about the box, not about anybody.

Bounded: one release is wanted at a time; a fetch is asked for again after `PATIENCE` seconds without a word, a failed
one after `RETRY_FIRST`, doubling to `RETRY_MOST`, until the statement expires; root is asked `MOST_ASKED` times,
and not while it is at work on another release.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance import releases
from appliance.keeper.law.acts import Acts, Given
from appliance.keeper.store.database import Store
from appliance.messages import ReleaseFetched, ReleaseWanted
from appliance.releases import UNDER_WAY, Programs, Record, Running
from appliance.requests import Answer, TakeReleaseRequest
from wire.documents import DocumentError
from wire.orders import TakeRelease
from wire.release import SignedRelease, SoftwareState, Stage, parse_signed, parts

LOOK_SECONDS = 5.0
"""Between two looks at what root wrote down."""
PATIENCE = 900.0
RETRY_FIRST, RETRY_MOST = 60.0, 3600.0
ASKED_SECONDS = 300.0
MOST_ASKED = 3
_WANTED, _FAILED = "release_wanted", "release_failed"


class Root(Protocol):
    """What the keeper sees and asks of root, and whose word counts for a release."""

    @property
    def pinned(self) -> Sequence[Ed25519PublicKey]:
        """Keys that may sign releases."""

    def running(self) -> Running:
        """What runs now."""

    def record(self) -> Record:
        """What root wrote down."""

    def programs(self) -> Programs:
        """Which programs are older than they may be."""

    def ask(self, request: TakeReleaseRequest) -> bool:
        """Put a request; whether that could be done."""

    def answer(self) -> Answer | None:
        """The last answer to such a request."""


@dataclass(slots=True, kw_only=True)
class _Wanted:
    """A release that was ordered and that root does not have yet."""

    signed: SignedRelease
    since: float
    before: float
    """`Record.since` when it was ordered: root's clock need not be ours."""
    due: float = 0.0
    """Monotonic: when to ask the courier, or root, again."""
    retry: float = RETRY_FIRST
    whole: bool = False
    octets: int = 0
    asked: int = 0
    request_id: str = ""
    said: str = "Nothing on the box took the release over."
    """Why root does not have it."""


class Updating:
    """The box's own software, as the keeper sees it."""

    def __init__(self, store: Store, root: Root | None, acts: Acts, *, new_id: Callable[[], str]) -> None:
        """`root` None: this box takes no releases."""
        self._store = store
        self._root = root
        self._new_id = new_id
        self._look_due = float("-inf")
        self._wanted = self._stored()
        self._state: SoftwareState | None = None
        acts.on(TakeRelease, self.take)

    def take(self, order: TakeRelease, given: Given) -> str | None:
        """An order: None when it will be done, else why not."""
        if self._root is None:
            return "This box takes no releases."
        release, record = order.signed.release, self._root.record()
        why = releases.refusal(
            order.signed, pinned=self._root.pinned, running=self._root.running(), record=record, at=given.at
        )
        if why is not None:
            return why
        if self._wanted is not None:
            pending = self._wanted.signed.release
            if order.signed == self._wanted.signed:
                return None
            if parts(release.version) < parts(pending.version):
                return f"Version {pending.version}, which is newer, is on its way already."
        there = record.release
        if there is not None and there.sha256 == release.sha256 and record.stage in {*UNDER_WAY, "waiting"}:
            return None  # root has it
        self._wanted = _Wanted(signed=order.signed, since=given.at, before=record.since)
        said = {"since": given.at, "before": record.since, "signed": order.signed.model_dump_json()}
        self._store.set(_WANTED, json.dumps(said))
        self._store.set(_FAILED, "")
        self._look_due = float("-inf")
        return None

    def tick(self, *, at: float, monotonic: float, courier: bool) -> tuple[ReleaseWanted, ...]:
        """Time has passed; what the courier is to fetch. Call in the store's transaction."""
        if self._root is None or monotonic < self._look_due:
            return ()
        self._look_due = monotonic + LOOK_SECONDS
        wanted, out = self._wanted, tuple[ReleaseWanted, ...]()
        if wanted is not None:
            out = self._further(wanted, self._root, at=at, monotonic=monotonic, courier=courier)
        self._state = self._told(self._root)
        return out

    def fetched(self, message: ReleaseFetched, *, at: float, monotonic: float) -> None:
        """A word of the courier."""
        wanted = self._wanted
        if wanted is None or message.sha256 != wanted.signed.release.sha256 or wanted.whole:
            return
        match message.outcome:
            case "on-its-way":
                wanted.octets, wanted.due = message.octets, monotonic + PATIENCE
                wanted.retry = RETRY_FIRST
            case "whole":
                wanted.whole, wanted.due = True, monotonic
                self._look_due = float("-inf")
            case _:
                wanted.due = monotonic + wanted.retry
                wanted.retry = min(wanted.retry * 2, RETRY_MOST)
                self._fail(wanted, f"Not fetched yet: {message.detail}", at, final=False)

    def courier_gone(self, monotonic: float) -> None:
        """What it was fetching is asked for again when it is back."""
        if self._wanted is not None and not self._wanted.whole:
            self._wanted.due = monotonic

    @property
    def state(self) -> SoftwareState | None:
        """What the server is told; None where nobody looked yet or the box takes no releases."""
        return self._state

    # --- what follows -----------------------------------------------------------------------

    def _further(
        self, wanted: _Wanted, root: Root, *, at: float, monotonic: float, courier: bool
    ) -> tuple[ReleaseWanted, ...]:
        release = wanted.signed.release
        if self._over(wanted, root, at) or monotonic < wanted.due:
            return ()
        if wanted.whole:
            self._hand_over(wanted, root, at=at, monotonic=monotonic)
        elif courier:
            wanted.due = monotonic + PATIENCE
            return (ReleaseWanted(sha256=release.sha256, url=release.url, size=release.size),)
        return ()

    def _over(self, wanted: _Wanted, root: Root, at: float) -> bool:
        """Whether there is nothing more to do here: root has it, or it is not to be had."""
        record = root.record()
        if record.signed == wanted.signed and record.since != wanted.before:
            self._store.set(_FAILED, "")
            self._forget()  # root's record tells the rest
            return True
        answer = root.answer() if wanted.request_id else None
        if answer is not None and answer.request_id == wanted.request_id and answer.outcome != "done":
            self._fail(wanted, answer.detail, at, final=answer.outcome == "refused")
            wanted.said, wanted.request_id = answer.detail, ""  # what went wrong is asked for again
        elif wanted.signed.release.expires.timestamp() <= at:
            self._fail(wanted, "The release expired before the box had it.", at, final=True)
        return self._wanted is None

    def _hand_over(self, wanted: _Wanted, root: Root, *, at: float, monotonic: float) -> None:
        if wanted.asked >= MOST_ASKED:
            self._fail(wanted, wanted.said, at, final=True)
            return
        if releases.busy(root.record()) is not None:
            wanted.due = monotonic + RETRY_FIRST  # with another release; this one's turn comes
            return
        wanted.asked, wanted.due, wanted.request_id = wanted.asked + 1, monotonic + ASKED_SECONDS, self._new_id()
        if not root.ask(TakeReleaseRequest(request_id=wanted.request_id, at=at, signed=wanted.signed)):
            self._fail(wanted, "The release could not be handed over on the box.", at, final=False)

    def _fail(self, wanted: _Wanted, detail: str, at: float, *, final: bool) -> None:
        said = {"version": wanted.signed.release.version, "detail": detail[:300], "at": at}
        self._store.set(_FAILED, json.dumps(said))
        if final:
            self._forget()

    def _forget(self) -> None:
        self._wanted = None
        self._store.set(_WANTED, "")

    def _told(self, root: Root) -> SoftwareState:
        running = root.running()
        state = releases.told(root.record(), running, root.programs())
        failed = json.loads(self._store.get(_FAILED) or "{}")
        wanted = self._wanted
        if wanted is not None:
            release = wanted.signed.release
            stage: Stage = "checking" if wanted.whole else "fetching"
            changed = {
                "wanted": release.version,
                "stage": stage,
                "percent": None if wanted.whole else min(100, 100 * wanted.octets // release.size),
                "detail": failed.get("detail", ""),
                "since": _moment(wanted.since),
            }
            return state.model_copy(update=changed)
        if failed and (state.since is None or failed["at"] >= state.since.timestamp()):
            changed = {
                "wanted": failed["version"],
                "stage": "failed",
                "detail": failed["detail"],
                "since": _moment(failed["at"]),
            }
            return state.model_copy(update=changed)
        return state

    def _stored(self) -> _Wanted | None:
        kept = self._store.get(_WANTED)
        if not kept:
            return None
        said = json.loads(kept)
        try:
            return _Wanted(
                signed=parse_signed(said["signed"].encode()), since=said["since"], before=said.get("before", 0.0)
            )
        except DocumentError:  # another version's form: whoever wants it orders it again
            return None


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
