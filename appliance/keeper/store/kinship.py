"""Which devices may be one, what a person said of it, and what tells a device for sure since then.

In and out: proposals with the identifiers they rest on; confirmed identifiers; what passphrases are
for. Bounded: `MAX_PROPOSALS` proposals (withdrawn ones go first, then the oldest answered; one more
open one is not taken and counted), `MAX_CONFIRMED` identifiers, `passphrases.MAX_KEYS` bindings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from sqlite_utils import Database

from appliance.keeper.devices.passphrases import Binding, Passphrases, Purpose
from appliance.traits import Trait
from wire.models import Proposal

MAX_PROPOSALS = 2000
MAX_CONFIRMED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProposal:
    """A proposal with what the keeper needs to know about it."""

    proposal: Proposal
    identifiers: tuple[tuple[Trait, str], ...]
    """Trait and token of what both devices show."""
    reported_at: float


class Kinship:
    """Tables `proposal`, `confirmed` and `binding`; all calls within the store's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.overflow = 0
        """Proposals and identifiers that found no room."""
        self._passphrases: Passphrases | None = None

    # --- proposals --------------------------------------------------------------------------

    def proposal(self, proposal_id: str) -> StoredProposal | None:
        """The proposal of this id."""
        return next(iter(self._proposals("proposal_id = ?", proposal_id)), None)

    def between(self, one: str, two: str) -> StoredProposal | None:
        """The latest proposal about these two devices, in either order."""
        where = "(device_id = ?1 and other_id = ?2) or (device_id = ?2 and other_id = ?1) order by rowid desc limit 1"
        return next(iter(self._proposals(where, one, two)), None)

    def open_of(self, device_id: str) -> list[StoredProposal]:
        """Open proposals that a device is part of."""
        return self._proposals("(device_id = ?1 or other_id = ?1) and state = 'open'", device_id)

    def open(self, *, after: int, most: int) -> tuple[int, list[StoredProposal]]:
        """The next open proposals after row `after`, from the first again behind the last; and where they end."""
        where = "state = 'open' and rowid > ? order by rowid limit ?"
        rows = self._db.execute(f"select rowid from proposal where {where}", (after, most)).fetchall()  # noqa: S608 - ours
        return (rows[-1][0] if len(rows) == most else 0), self._proposals(where, after, most)

    def open_count(self) -> int:
        """How many proposals wait for an answer."""
        return int(self._db.execute("select count(*) from proposal where state = 'open'").fetchone()[0])

    def has_room(self) -> bool:
        """Make room for one more proposal; false when all are open."""
        if int(self._db.execute("select count(*) from proposal").fetchone()[0]) < MAX_PROPOSALS:
            return True
        gone = self._db.execute(
            "delete from proposal where proposal_id = (select proposal_id from proposal where state <> 'open' "
            "order by state = 'withdrawn' desc, reported_at limit 1)"
        ).rowcount
        self.overflow += 0 if gone else 1
        return gone > 0

    def put_proposal(self, stored: StoredProposal) -> None:
        """Write a proposal as it now stands."""
        proposal = stored.proposal
        self._db.execute(
            "insert into proposal (proposal_id, device_id, other_id, state, payload, identifiers, reported_at) "
            "values (?, ?, ?, ?, ?, ?, ?) on conflict (proposal_id) do update set state = excluded.state, "
            "payload = excluded.payload, identifiers = excluded.identifiers, reported_at = excluded.reported_at",
            (
                proposal.proposal_id,
                proposal.device_id,
                proposal.other_id,
                proposal.state,
                proposal.model_dump_json(),
                json.dumps(stored.identifiers),
                stored.reported_at,
            ),
        )

    def _proposals(self, where: str, *parameters: str | int) -> list[StoredProposal]:
        statement = f"select payload, identifiers, reported_at from proposal where {where}"  # noqa: S608 - ours
        return [
            StoredProposal(
                proposal=Proposal.model_validate_json(payload),
                identifiers=tuple((Trait(trait), token) for trait, token in json.loads(identifiers)),
                reported_at=at,
            )
            for payload, identifiers, at in self._db.execute(statement, parameters)
        ]

    # --- confirmed identifiers --------------------------------------------------------------

    def confirm(self, device_id: str, identifiers: tuple[tuple[Trait, str], ...], at: float) -> None:
        """A person said that what shows one of these is this device."""
        for trait, token in identifiers:
            if int(self._db.execute("select count(*) from confirmed").fetchone()[0]) >= MAX_CONFIRMED:
                self.overflow += 1
                return
            self._db.execute(
                "insert or replace into confirmed (trait, token, device_id, since) values (?, ?, ?, ?)",
                (trait.value, token, device_id, at),
            )

    def confirmed(self, trait: Trait, token: str) -> str | None:
        """The device whose identifier this is, if a person ever said so."""
        row = self._db.execute(
            "select device_id from confirmed where trait = ? and token = ?", (trait.value, token)
        ).fetchone()
        return None if row is None else str(row[0])

    def with_confirmed(self) -> frozenset[str]:
        """Devices that have a confirmed identifier."""
        return frozenset(row[0] for row in self._db.execute("select distinct device_id from confirmed"))

    def hand_over(self, old_id: str, new_id: str) -> None:
        """Confirmed identifiers of one device become another's."""
        self._db.execute("update confirmed set device_id = ? where device_id = ?", (new_id, old_id))

    def take_back(self, device_id: str, macs: tuple[str, ...]) -> None:
        """These addresses are not that device: what they show identifies it no more."""
        for mac in macs:
            self._db.execute(
                "delete from confirmed where device_id = ? and exists "
                "(select 1 from evidence e where e.mac = ? and e.trait = confirmed.trait and e.token = confirmed.token)",
                (device_id, mac),
            )

    # --- passphrases ------------------------------------------------------------------------

    def passphrases(self) -> Passphrases:
        """What each passphrase is for."""
        if self._passphrases is None:
            rows = self._db.execute("select key_id, purpose, device_id, until from binding order by rowid")
            self._passphrases = Passphrases(
                Binding(key_id=key_id, purpose=Purpose(purpose), device_id=device_id, until=until)
                for key_id, purpose, device_id, until in rows
            )
        return self._passphrases

    def put_passphrases(self, passphrases: Passphrases) -> None:
        """Write what each passphrase is for."""
        self._db.execute("delete from binding")
        self._db.conn.executemany(
            "insert into binding (key_id, purpose, device_id, until) values (?, ?, ?, ?)",
            [(item.key_id, item.purpose.value, item.device_id, item.until) for item in passphrases],
        )
        self._passphrases = passphrases

    # --- forgetting -------------------------------------------------------------------------

    def forget(self, device_id: str) -> None:
        """A device is forgotten, and with it what was said of it; its passphrase is free again."""
        self._db.execute("delete from confirmed where device_id = ?", (device_id,))
        self._db.execute("delete from proposal where device_id = ?1 or other_id = ?1", (device_id,))
        if self.passphrases().of_device(device_id):
            self.put_passphrases(
                Passphrases(
                    replace(item, device_id=None) if item.device_id == device_id else item
                    for item in self.passphrases()
                )
            )
