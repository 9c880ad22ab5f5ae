"""Takes authority documents in, from the box's file or by command, and says which is in force by its own words.

In: files as they are, documents carried by a signed command, moments. Out: judgements, and what has to be stored.
What was ordered beside the document (pauses, withdrawals) is `law.office`'s. Bounded: one document accepted, one that
waits for its day.

A document counts when a pinned issuer signed it for this box and its number is higher than the last one's; of a file
and a carried one the higher number wins. Taking the file away is a withdrawal: only another document that counts, or
the same file again, ends it. A document waits for its day only by a time that somebody vouches for (`sure`): a clock
that was set forward must not put an authority out of force by a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.keeper.authority import NOTHING, Judgement, Reason, Refusal, examine, judge, when
from wire.authority import Authority

_DOCUMENT, _NUMBER, _WITHDRAWN = "authority_document", "authority_number", "authority_withdrawn"
_CARRIED, _WAITING, _FILE = "authority_carried", "authority_waiting", "authority_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A document that was accepted, with the bytes it came in."""

    authority: Authority
    raw: bytes


class Desk:
    """One per keeper."""

    def __init__(
        self,
        *,
        issuers: Sequence[Ed25519PublicKey],
        tenant: str,
        site: str,
        accepted: bytes | None = None,
        withdrawn: bool = False,
        carried: bool = False,
        waiting: bytes | None = None,
        file: bool = False,
    ) -> None:
        """What is given comes from the store and is verified again.

        `accepted`: the last one; `waiting` for its day, by command; `withdrawn`: the file was taken away;
        `carried`: the accepted one came by command; `file`: there was a file at the last look.
        """
        self._issuers = tuple(issuers)
        self._tenant = tenant
        self._site = site
        self._present = False
        self.withdrawn = withdrawn
        """Whether the file was taken away and none that counts has come since; the keeper stores it."""
        self._accepted = self._held(accepted)
        self._by_command = carried and self._accepted is not None
        self._waiting: Held | None = None
        self._carried_waiting = self._held(waiting)
        self._had_file = file
        self._refusal: Refusal | None = None

    @property
    def issuers(self) -> tuple[Ed25519PublicKey, ...]:
        """Whose signatures count here."""
        return self._issuers

    @property
    def accepted(self) -> Held | None:
        """The document accepted last, whether or not it is in force; the keeper stores its bytes."""
        return self._accepted

    @property
    def waiting(self) -> tuple[Authority, ...]:
        """Documents that wait for their day, by file and by command."""
        return tuple(held.authority for held in (self._waiting, self._carried_waiting) if held is not None)

    def stored(self) -> dict[str, str]:
        """What the next start has to know, by key in the keeper's `meta`."""
        found = {
            _WITHDRAWN: str(int(self.withdrawn)),
            _CARRIED: str(int(self._by_command)),
            _FILE: str(int(self._had_file)),
            _WAITING: "" if self._carried_waiting is None else self._carried_waiting.raw.decode(),
        }
        if self._accepted is not None:
            found |= {_DOCUMENT: self._accepted.raw.decode(), _NUMBER: mark(self._accepted.authority)}
        return found

    def offer(self, raw: bytes | None, at: float, *, sure: bool = True) -> None:
        """The authority file as it now is; None when there is none."""
        had, self._had_file = self._had_file, raw is not None
        self._present = raw is not None
        self._waiting = None
        self._refusal = None
        if raw is None:
            self.withdrawn = self.withdrawn or had or not self._by_command
            if self.withdrawn:
                self._carried_waiting = None
            return
        authority = self._examine(raw)
        if isinstance(authority, Refusal):
            self._refusal = authority
            return
        older = self._older(authority)
        if older is not None:
            # The file of before lies there still, and a later document came by command: nothing to tell.
            self._refusal = older if self.withdrawn or not self._by_command else None
        else:
            self._take(Held(authority=authority, raw=raw), at, sure=sure, by_command=False)

    def carry(self, raw: bytes, at: float, *, sure: bool = True) -> Refusal | None:
        """A document that came by command: None when it counts, else why not."""
        authority = self.read(raw)
        if isinstance(authority, Refusal):
            return authority
        self._take(Held(authority=authority, raw=raw), at, sure=sure, by_command=True)
        return None

    def read(self, raw: bytes) -> Authority | Refusal:
        """What a carried document says, if it would count here."""
        authority = self._examine(raw)
        if isinstance(authority, Refusal):
            return authority
        older = self._older(authority)
        waits = self._carried_waiting
        if older is None and waits is not None and waits.authority != authority:
            older = self._older(authority, waits.authority)
        return older or authority

    def judgement(self, at: float, *, sure: bool = True) -> Judgement:
        """What is in force at a moment. Accepts a waiting variation when its time has come."""
        if not self._present and not self._by_command and self._carried_waiting is None:
            return NOTHING
        for held, by_command in ((self._waiting, False), (self._carried_waiting, True)):
            if held is not None and sure and at >= held.authority.not_before.timestamp():
                self._accept(held, by_command=by_command)
        refusal = self._refusal
        if self._accepted is None or self.withdrawn:
            return NOTHING if refusal is None else _refused(refusal)
        judgement = judge(self._accepted.authority, at)
        waiting = self._waiting or self._carried_waiting
        if refusal is not None:
            more = f" A newer file was refused: {refusal.detail}."
        elif waiting is not None:
            more = f" A variation starts on {when(waiting.authority.not_before)}."
        else:
            return judgement
        sentence = _clip(judgement.sentence + more)
        return Judgement(reason=judgement.reason, scope=judgement.scope, sentence=sentence)

    # --- inside -----------------------------------------------------------------------------

    def _take(self, held: Held, at: float, *, sure: bool, by_command: bool) -> None:
        early = at < held.authority.not_before.timestamp()
        same = self._accepted is not None and self._accepted.authority == held.authority
        if self._accepted is None or self.withdrawn or same or (sure and not early):
            self._accept(held, by_command=by_command and (self._by_command or not same))
        elif by_command:
            self._carried_waiting = held
        else:
            self._waiting = held

    def _accept(self, held: Held, *, by_command: bool) -> None:
        """Put a document in the place of the one before; one that waits and is no later goes."""
        self._accepted, self._by_command, self.withdrawn = held, by_command, False
        if self._waiting is not None and not _later(self._waiting.authority, held.authority):
            self._waiting = None
        if self._carried_waiting is not None and not _later(self._carried_waiting.authority, held.authority):
            self._carried_waiting = None

    def _held(self, raw: bytes | None) -> Held | None:
        authority = None if not raw else self._examine(raw)
        return Held(authority=authority, raw=raw) if isinstance(authority, Authority) and raw else None

    def _examine(self, raw: bytes) -> Authority | Refusal:
        return examine(raw, issuers=self._issuers, tenant=self._tenant, site=self._site)

    def _older(self, new: Authority, old: Authority | None = None) -> Refusal | None:
        """Why a document is not later than `old`, or than the one accepted last."""
        if old is None and self._accepted is not None:
            old = self._accepted.authority
        if old is None or old == new or _later(new, old):
            return None
        if new.id == old.id:
            detail = f"it is number {new.number}, and number {old.number} was accepted already"
        else:
            detail = f"it was issued on {when(new.issued_at)}, before authority {old.id} that was accepted already"
        return Refusal(reason=Reason.OLDER, detail=detail)


def from_store(
    get: Callable[[str], str | None], *, issuers: Sequence[Ed25519PublicKey], tenant: str, site: str
) -> Desk:
    """The desk as it was stored; `get` reads the keeper's `meta`."""
    accepted, waiting = get(_DOCUMENT), get(_WAITING)
    return Desk(
        issuers=issuers,
        tenant=tenant,
        site=site,
        accepted=None if accepted is None else accepted.encode(),
        withdrawn=get(_WITHDRAWN) == "1",
        carried=get(_CARRIED) == "1",
        waiting=None if not waiting else waiting.encode(),
        file=get(_FILE) == "1",
    )


def mark(authority: Authority) -> str:
    """What tells one accepted document from another."""
    return f"{authority.id} {authority.number}"


def _later(new: Authority, old: Authority) -> bool:
    return new.number > old.number if new.id == old.id else new.issued_at > old.issued_at


def _refused(refusal: Refusal) -> Judgement:
    return Judgement(
        reason=refusal.reason,
        sentence=_clip(f"The authority document does not count: {refusal.detail}. Nothing is recorded."),
    )


def _clip(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
