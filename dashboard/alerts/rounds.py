"""One process's rounds: look for what is new and plan, send what is due, summarise the day, forget what is old.

In: an engine, the settings, now. Out: rows, and messages through `send`. Reading, planning and writing are one
transaction; sending is outside of any. Nothing here reads a clock. Bounded: a round plans at most what
`dashboard.store.alerting` reads and sends at most `MOST_TAKEN` deliveries, `SENDERS` at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from dashboard.alerts import channels, rota, texts
from dashboard.alerts.channels import SealError
from dashboard.alerts.plan import House, Person, Rules, messages, plan
from dashboard.settings import Alerts, DashboardSettings
from dashboard.store import alerting, deliveries, monthly
from dashboard.store.deliveries import Due

SENDERS = 8
DIGEST_HOURS = 12
"""A summary that is later than this is left out; tomorrow's says more."""
PURGE_SECONDS = 3600.0
GONE = "the person has taken this address away"
_log = logging.getLogger(__name__)

Send = Callable[[str, str, str, Alerts], "str | None"]


@dataclass(slots=True, kw_only=True)
class Rounds:
    """What a round needs, and when it last forgot."""

    engine: Engine
    settings: DashboardSettings
    alerts: Alerts
    key: bytes
    send: Send
    purged_at: float = field(default=float("-inf"))
    month_kept: str = ""
    """The last month whose return is known to be kept, YYYY-MM."""

    @property
    def rules(self) -> Rules:
        """What the operator settled."""
        return Rules(
            escalate_seconds=self.alerts.escalate_minutes * 60,
            repeat_seconds=self.alerts.repeat_minutes * 60,
            zone=ZoneInfo(self.settings.time_zone),
        )

    def go(self, now: float) -> int:
        """Look, then send; how many messages were sent."""
        self.look(now)
        return self.send_due(now)

    def look(self, now: float) -> None:
        """Plan for what is new and what is unanswered, in one transaction."""
        tenant = self.settings.tenant
        with self.engine.begin() as connection:
            alerting.begin(connection)
            last_day = alerting.look_at(connection, tenant, now=now)
            alerting.settle(connection, tenant, now=now)
            fresh = alerting.news(connection, tenant, now=now)
            waiting = alerting.unanswered(connection, tenant)
            people = alerting.people(connection)
            if fresh or waiting:
                sites = {item.site for item in fresh} | {one.site for one in waiting}
                house = self._house(connection, people, sites, now)
                known = alerting.latest(connection, {(item.site, item.key) for item in fresh})
                made = plan(fresh, known, waiting, house, self.rules, now=now)
                alerting.write(connection, made, tenant=tenant, now=now)
            self._digest(connection, people, last_day, now)
            self._keep_month(connection, now)
            if now - self.purged_at >= PURGE_SECONDS or now < self.purged_at:
                deliveries.purge(connection, tenant, before=now - self.alerts.keep_days * 86400.0)
                self.purged_at = now

    def send_due(self, now: float) -> int:
        """Send what is due; all alerts for one channel go as one message. How many messages were taken."""
        with self.engine.begin() as connection:
            due = deliveries.take_due(connection, now=now)
        groups: dict[tuple[str, str], list[Due]] = {}
        for item in due:
            # A summary and a test stand for themselves.
            groups.setdefault((item.channel_id, "" if item.purpose == "alert" else item.delivery_id), []).append(item)
        if not groups:
            return 0
        with ThreadPoolExecutor(max_workers=min(SENDERS, len(groups))) as senders:
            results = list(senders.map(self._send, groups.values()))
        sent = 0
        with self.engine.begin() as connection:
            for items, (problem, final) in zip(groups.values(), results, strict=True):
                deliveries.put_back(connection, items, now=now, problem=problem, final=final)
                sent += problem is None
                if problem is not None:
                    _log.warning("a message by %s was not sent: %s", items[0].channel_id, problem)
        return sent

    def _send(self, items: Sequence[Due]) -> tuple[str | None, bool]:
        """Why a message was not taken, and whether trying again makes sense."""
        first = items[0]
        if first.sealed is None:
            return GONE, True
        try:
            url = channels.unseal(first.sealed, key=self.key, channel_id=first.channel_id)
        except SealError:
            return "its address cannot be opened with this key", True
        text = texts.alerts([item.text for item in items]) if first.purpose == "alert" else first.text
        title = self.settings.operator
        return self.send(url, title, texts.body(text, self.alerts.address), self.alerts), False

    def _house(self, connection: Connection, people: dict[str, Person], sites: set[str], now: float) -> House:
        tenant, zone = self.settings.tenant, self.rules.zone
        shifts = alerting.shifts(connection, tenant)
        given = alerting.handovers(connection, tenant, now=now)
        return House(
            people=people,
            in_charge=alerting.in_charge(connection, sites, now=now),
            stand_ins=alerting.stand_ins(connection, now=now),
            on_duty=rota.on_duty(shifts, given, at=now, zone=zone),
            next_on_duty=rota.next_on_duty(shifts, given, at=now, zone=zone),
        )

    def _keep_month(self, connection: Connection, now: float) -> None:
        """Keep the last month's return once it is over, before anything that it counts is erased (R49)."""
        zone = self.rules.zone
        this = (
            datetime.fromtimestamp(now, UTC).astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        )
        last = (this - timedelta(days=1)).replace(day=1)
        month = f"{last.year:04}-{last.month:02}"
        if month == self.month_kept:
            return
        tenant = self.settings.tenant
        if monthly.kept(connection, tenant, month) is None:
            counts = monthly.count(connection, tenant, month=month, since=last.timestamp(), until=this.timestamp())
            monthly.keep(connection, tenant, month, counts, by=None, now=now)
        self.month_kept = month

    def _digest(self, connection: Connection, people: dict[str, Person], last_day: str, now: float) -> None:
        zone = self.rules.zone
        local = datetime.fromtimestamp(now, UTC).astimezone(zone)
        day = local.date().isoformat()
        if day <= last_day or not 0 <= local.hour - self.alerts.digest_hour < DIGEST_HOURS:
            return
        tenant = self.settings.tenant
        wanting = [person for person in people.values() if person.digest and person.channels]
        counts = alerting.waiting_by_account(connection, tenant, now=now)
        said = {
            person.account_id: texts.digest(now=found[0], today=found[1], week=found[2])
            for person in wanting
            if any(found := counts.get(person.account_id, (0, 0, 0)))
        }
        made = messages(wanting, said, about=f"digest-{day}", purpose="digest", rules=self.rules, now=now)
        if rota.hole_soon(alerting.shifts(connection, tenant), at=now, zone=zone):
            told = [person for person in people.values() if person.supervises]
            holes = dict.fromkeys((person.account_id for person in told), texts.ROTA)
            made += messages(told, holes, about=f"rota-{day}", purpose="rota", rules=self.rules, now=now)
        deliveries.queue(connection, made, tenant=tenant, now=now)
        alerting.digest_done(connection, tenant, day)
