"""What the household's own side remembers: notices shown and read, visits that were said, one-time codes, counts.

In and out: the rows below. Never a text that a person wrote. All calls within the store's transaction.
Bounded: `MAX_SHOWN` devices and `MAX_TOLD` notices, of which the oldest make room; `MAX_CLAIMS` visits and
`MAX_CODES` codes, beyond which a new one finds no room; forms of the last `DAY` only, of which callers allow
`MAX_FORMS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

MAX_SHOWN = 4096
MAX_TOLD = 16
MAX_CLAIMS = 64
MAX_CODES = 32
MAX_FORMS = 256
"""Rows of a day, of all kinds; callers allow fewer of most."""

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A device was led to a notice at `shown`; whether anybody saw it, only `read` says. Unix seconds."""

    device_id: str
    sha256: str
    shown: float
    read: float | None = None
    """When somebody said on it that they have read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Somebody said on the device's own connection that it is a visitor's. Nobody has checked it."""

    device_id: str
    visitor: str
    until: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A one-time code of an officer, as its digest."""

    device_id: str
    sha256: str
    expires: float
    wrong: int = 0
    """How often another was tried in its place."""


class HouseholdSide:
    """Tables `notice_shown`, `notice_told`, `guest_claim`, `own_code`, `form_sent`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.overflow = 0
        """Rows forgotten to make room."""

    # --- notices ----------------------------------------------------------------------------

    def shown(self) -> list[Shown]:
        """All devices that were led to a notice, each with the latest."""
        rows = self._db.execute("select device_id, sha256, shown, read from notice_shown")
        return [Shown(device_id=device_id, sha256=sha, shown=shown, read=read) for device_id, sha, shown, read in rows]

    def put_shown(self, row: Shown) -> None:
        """Write one down as it now stands."""
        self._db.execute(
            "insert or replace into notice_shown (device_id, sha256, shown, read) values (?, ?, ?, ?)",
            (row.device_id, row.sha256, row.shown, row.read),
        )
        self.overflow += self._db.execute(
            "delete from notice_shown where device_id in "
            "(select device_id from notice_shown order by shown desc, device_id limit -1 offset ?)",
            (MAX_SHOWN,),
        ).rowcount

    def told(self, sha256: str) -> bool:
        """Whether the text of this notice was told to the server."""
        return self._db.execute("select 1 from notice_told where sha256 = ?", (sha256,)).fetchone() is not None

    def put_told(self, sha256: str, at: float) -> None:
        """It was put in the outbox."""
        self._db.execute("insert or replace into notice_told (sha256, at) values (?, ?)", (sha256, at))
        self._db.execute(
            "delete from notice_told where sha256 in "
            "(select sha256 from notice_told order by at desc, sha256 limit -1 offset ?)",
            (MAX_TOLD,),
        )

    # --- visits -----------------------------------------------------------------------------

    def claims(self) -> list[Claim]:
        """All visits that were said and are not over."""
        rows = self._db.execute("select device_id, visitor, until, at from guest_claim order by at, device_id")
        return [Claim(device_id=device_id, visitor=what, until=until, at=at) for device_id, what, until, at in rows]

    def put_claim(self, claim: Claim) -> bool:
        """Write a visit down in place of the device's earlier one; false where there is no room."""
        known = self._db.execute("select 1 from guest_claim where device_id = ?", (claim.device_id,)).fetchone()
        if known is None and self._count("guest_claim") >= MAX_CLAIMS:
            return False
        self._db.execute(
            "insert or replace into guest_claim (device_id, visitor, until, at) values (?, ?, ?, ?)",
            (claim.device_id, claim.visitor, claim.until, claim.at),
        )
        return True

    def remove_claim(self, device_id: str) -> None:
        """It is over."""
        self._db.execute("delete from guest_claim where device_id = ?", (device_id,))

    # --- codes ------------------------------------------------------------------------------

    def code(self, device_id: str) -> Code | None:
        """The code with which a device's page may be read."""
        row = self._db.execute(
            "select device_id, sha256, expires, wrong from own_code where device_id = ?", (device_id,)
        ).fetchone()
        return None if row is None else Code(device_id=row[0], sha256=row[1], expires=row[2], wrong=row[3])

    def put_code(self, code: Code, at: float) -> bool:
        """Write a code down in place of the device's earlier one; false where there is no room."""
        self._db.execute("delete from own_code where expires <= ?", (at,))
        known = self._db.execute("select 1 from own_code where device_id = ?", (code.device_id,)).fetchone()
        if known is None and self._count("own_code") >= MAX_CODES:
            return False
        self._db.execute(
            "insert or replace into own_code (device_id, sha256, expires, wrong) values (?, ?, ?, ?)",
            (code.device_id, code.sha256, code.expires, code.wrong),
        )
        return True

    def remove_code(self, device_id: str) -> None:
        """It was used, or tried too often."""
        self._db.execute("delete from own_code where device_id = ?", (device_id,))

    # --- forms ------------------------------------------------------------------------------

    def put_form(self, kind: str, device_id: str | None, at: float) -> None:
        """Count a form that was taken."""
        self._db.execute("delete from form_sent where at <= ?", (at - DAY,))
        self._db.execute("insert into form_sent (device_id, kind, at) values (?, ?, ?)", (device_id, kind, at))

    def forms(self, at: float) -> list[tuple[str | None, str]]:
        """Device and kind of each form of the last day."""
        rows = self._db.execute("select device_id, kind from form_sent where at > ? limit ?", (at - DAY, MAX_FORMS))
        return [(device_id, kind) for device_id, kind in rows]

    # --- all --------------------------------------------------------------------------------

    def forget(self, device_id: str) -> None:
        """The box knows no such device any more."""
        for table in ("notice_shown", "guest_claim", "own_code", "form_sent"):
            self._db.execute(f"delete from {table} where device_id = ?", (device_id,))  # noqa: S608 - ours

    def _count(self, table: str) -> int:
        return int(self._db.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608 - ours
