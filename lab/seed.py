"""Rows as ingest would put them in, for tests of the pages: one household, its devices and findings, and a clock.

In: a database and a clock. Out: rows with values that a test changes as it needs. What is much is made by `generator`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update

from dashboard.access import Role
from dashboard.store import schema
from dashboard.store.engine import reading

START = datetime(2026, 1, 14, 21, 4, 9, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """Stands until moved."""

    at: float = START
    waits: list[float] = field(default_factory=list)
    on_wait: Callable[[], None] | None = None

    def now(self) -> float:
        """Unix seconds."""
        return self.at

    def wait(self, seconds: float) -> None:
        """Waits no time; notes for how long it was asked to."""
        self.waits.append(seconds)
        if self.on_wait is not None:
            self.on_wait()


def iso(at: float) -> str:
    """As boxes write a time."""
    return datetime.fromtimestamp(at, UTC).isoformat()


@dataclass
class Seed:
    """Puts rows into the tables as ingest would."""

    engine: Engine
    clock: Clock

    def site(self, site: str = "site-1", *, charged: bool = True, **values: Any) -> str:
        """A household, that every officer there is by now is in charge of unless told otherwise."""
        row: dict[str, Any] = {
            "site": site,
            "tenant": "northmoor",
            "title": f"NM-{site}",
            "verify_key": "A" * 44,
            "seal_key": "A" * 44,
            "heard_at": self.clock.at - 5,
            "status_at": self.clock.at - 5,
            "status": {
                "online": True,
                "at": iso(self.clock.at - 5),
                "recording": True,
                "authority": "Records under order 7 until 31 March 2026",
                "outbox": 2,
                "processes": [{"name": "sensor", "connected": True}],
                "taps": [{"name": "flow", "messages": 1200, "octets": 9, "lost": 3, "unparsed": 0, "overflow": 0}],
                "gaps": [
                    {"started": iso(self.clock.at - 60), "cause": "sensor-away"},
                    {"started": iso(self.clock.at - 900), "ended": iso(self.clock.at - 600), "cause": "keeper-away"},
                    {"started": iso(self.clock.at - 950), "ended": iso(self.clock.at - 950), "cause": "taps-anew"},
                ],
            },
        }
        self._insert(schema.site, row | values)
        if charged:
            with reading(self.engine).connect() as connection:
                officers = select(schema.account.c.account_id).where(schema.account.c.role == Role.OFFICER.value)
                found = connection.execute(officers).scalars().all()
            for account_id in found:
                self.charge(account_id, site)
        return site

    def charge(self, account_id: str, *sites: str) -> None:
        """Put an account in charge of these households, or of all there are."""
        with self.engine.begin() as connection:
            known = sites or connection.execute(select(schema.site.c.site)).scalars().all()
            for one in known:
                connection.execute(insert(schema.assignment).values(site=one, account_id=account_id, since=0.0))

    def device(self, device_id: str = "dev-1", site: str = "site-1", **values: Any) -> str:
        """A device of a household; returns its id, as the others do."""
        row: dict[str, Any] = {
            "site": site,
            "device_id": device_id,
            "revision": 1,
            "standing": "unknown",
            "label": None,
            "looks_like": {"text": "a phone", "confidence": 0.8, "reasons": ["Its host name looks like a phone's"]},
            "quarantined": False,
            "first_seen": self.clock.at - 120,
            "last_seen": self.clock.at - 10,
            "addresses": [
                {
                    "mac": "02:00:5e:00:53:01",
                    "locally_administered": True,
                    "first_seen": iso(self.clock.at - 120),
                    "last_seen": iso(self.clock.at - 10),
                }
            ],
        }
        self._insert(schema.device, row | values)
        return device_id

    def proposal(self, proposal_id: str = "prop-1", site: str = "site-1", **values: Any) -> str:
        """Two devices that may be one."""
        row: dict[str, Any] = {
            "site": site,
            "proposal_id": proposal_id,
            "revision": 1,
            "device_id": "dev-1",
            "other_id": "dev-2",
            "probability": 0.87,
            "state": "open",
            "raised_at": self.clock.at - 30,
            "reasons": ["Both give the same name of their own."],
            "against": ["The first had left only a moment before."],
        }
        self._insert(schema.proposal, row | values)
        return proposal_id

    def stay(self, session_id: str = "stay-1", site: str = "site-1", **values: Any) -> str:
        """A stay of a device at home."""
        row: dict[str, Any] = {
            "site": site,
            "session_id": session_id,
            "revision": 1,
            "device_id": "dev-1",
            "mac": "02:00:5e:00:53:01",
            "started": self.clock.at - 600,
            "ended": None,
            "asleep_seconds": 0,
            "ended_because": None,
        }
        self._insert(schema.stay, row | values)
        return session_id

    def finding(
        self,
        finding_id: str = "find-1",
        *,
        site: str = "site-1",
        kind: str = "unregistered-device",
        severity: str = "today",
        device_id: str | None = "dev-1",
        state: str = "open",
        raised_at: float | None = None,
        cause: str | None = None,
        **payload: Any,
    ) -> str:
        """A finding; what is not named here goes into its payload."""
        at = self.clock.at - 60 if raised_at is None else raised_at
        whole: dict[str, Any] = {
            "finding_id": finding_id,
            "revision": 1,
            "kind": kind,
            "severity": severity,
            "device_id": device_id,
            "cause": cause,
            "state": state,
            "first_seen": iso(at - 1),
            "last_seen": iso(at),
            "raised_at": iso(at),
            "count": 1,
            "rule": {
                "id": "unregistered-device",
                "version": "1",
                "authority_id": "order-7",
                "authority_number": 2,
                "clause": "4.2",
            },
            "confidence": 0.95,
            "reasons": ["It asked for an address and no officer has registered it"],
            "alternatives": ["A visitor's phone", "A registered device that changed its address"],
        } | payload
        self._insert(
            schema.finding,
            {
                "site": site,
                "finding_id": finding_id,
                "revision": 1,
                "kind": kind,
                "severity": severity,
                "device_id": device_id,
                "cause": cause,
                "state": state,
                "first_seen": at - 1,
                "last_seen": at,
                "raised_at": at,
                "count": whole["count"],
                "payload": whole,
                "stored_at": at + 0.2,
            },
        )
        return finding_id

    def arrangements(self, site: str = "site-1", **values: Any) -> None:
        """What a box says is arranged with it."""
        payload: dict[str, Any] = {"revision": 1} | values
        self._insert(
            schema.arrangements, {"site": site, "revision": 1, "payload": payload, "stored_at": self.clock.at - 20}
        )

    def hit(self, **values: Any) -> dict[str, Any]:
        """What a name matched, for the payload of a finding."""
        return {
            "name": "shop.example.test",
            "how": "subtree",
            "list_id": "demo-list",
            "list_version": "2026-01-10",
            "list_sha256": "ab" * 32,
            "entry": "example.test",
        } | values

    def rename_device(self, device_id: str, label: str) -> None:
        """Change a label behind the back of a page."""
        with self.engine.begin() as connection:
            connection.execute(update(schema.device).where(schema.device.c.device_id == device_id).values(label=label))

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """All rows of a table."""
        with reading(self.engine).connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def _insert(self, table: Any, row: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(table).values(**row))
