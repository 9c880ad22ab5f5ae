"""Three ingest workers share one broker and one PostgreSQL, and are killed at random while events and commands flow."""

from __future__ import annotations

import itertools
import random
import secrets
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select

from appliance import clock
from dashboard.store import schema
from dashboard.store.engine import open_engine, reading
from dashboard.store.migrate import upgrade
from lab.faults.carriage import SITE, Carriage, carriage
from lab.faults.result import Result, Say
from lab.faults.sending import stay
from lab.postgres import Cluster, PostgresMissingError, cluster
from wire.models import CommandResult, Outcome
from wire.orders import RunProbe

NAME = "workers"
PROMISE = (
    "three ingest workers, one killed every 2 s: 0 of 20,000 events lost, 0 double, commands numbered without a gap"
)
EVENTS, A_SECOND, KILL_EVERY = 20_000, 400, 2.0
SHORT, SHORT_KILLS = 3_000, 3
WORKERS = ("share-1", "share-2", "share-3")
_COMMAND_EVERY = 0.5
_DEVICES = 20
_SETTLE = 180.0
_SEED = 20260301


def run(folder: Path, *, short: bool, say: Say) -> Result:
    """Put events and commands in at an even pace, and kill one of the workers on time."""
    try:
        with cluster() as server:
            return _run(folder, server, SHORT if short else EVENTS, say, short=short)
    except PostgresMissingError as error:
        return Result(kept=False, figures={"not run": str(error)})


def _run(folder: Path, server: Cluster, total: int, say: Say, *, short: bool) -> Result:
    url = server.fresh()
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    with carriage(folder, database_url=url, workers=WORKERS) as rig:
        rig.start("broker", *WORKERS)
        for name in WORKERS:
            rig.wait_said(name, "connected to the broker")
        rig.start("courier")
        rig.carry(lambda: rig.keeper.uplink.broker_connected, seconds=30)
        began = clock.monotonic()
        flow = _Flow(rig, total, say, least_kills=SHORT_KILLS if short else 1)
        flow.run()
        asked = flow.asked
        arrived = rig.carry(lambda: flow.answer() and not len(rig.keeper.store.outbox) and _done(rig), seconds=_SETTLE)
        seconds = clock.monotonic() - began
        events, stays, left = rig.events(), rig.stays(), len(rig.keeper.store.outbox)
        rows = _commands(rig)
        said = [(folder / f"{name}.log").read_text() for name in WORKERS]
    numbers = sorted(number for number, _ in rows if number is not None)
    firsts = list(dict.fromkeys(command.sequence for command in rig.keeper.commands))
    answers = len(flow.answered)
    whole = numbers == list(range(1, asked + 1)) and all(state == "applied" for _, state in rows)
    return Result(
        kept=arrived
        and events - answers == stays == total
        and whole
        and firsts == sorted(firsts)
        and flow.kills >= flow.least_kills,
        figures={
            "events": f"{total:,}",
            "workers killed": str(flow.kills),
            "lost": f"{max(total + answers - events, 0):,}",
            "double": f"{max(events - answers - total, 0) + max(stays - total, 0):,}",
            "still waiting for a receipt": f"{left:,}",
            "commands": f"{asked:,}",
            "numbers missing or given twice": str(abs(asked - len(set(numbers))) + len(numbers) - len(set(numbers))),
            "out of order at the box": str(sum(after < before for before, after in itertools.pairwise(firsts))),
            "sent again": f"{len(rig.keeper.commands) - len(firsts):,}",
            "stored while another died": f"{sum(text.count('trying on') for text in said):,} waits for the database",
            "took": f"{seconds:,.0f} s",
        },
        remarks=("The database's server lives through all of it; a campaign of its own would take it away.",),
    )


class _Flow:
    """Events and commands at an even pace, and kills on time."""

    def __init__(self, rig: Carriage, total: int, say: Say, *, least_kills: int) -> None:
        self._rig = rig
        self._total = total
        self._say = say
        self._chance = random.Random(_SEED)  # noqa: S311 - no secret
        self.least_kills = least_kills
        self.kills = 0
        self.asked = 0
        self.answered: set[str] = set()
        with rig.engine.begin() as connection:
            connection.execute(insert(schema.account).values(account_id="acc-1", name="An officer", role="officer"))

    def run(self) -> None:
        rig, began, made = self._rig, clock.monotonic(), 0
        kill_at = command_at = began
        dead: list[tuple[float, str]] = []
        while made < self._total or self.kills < self.least_kills or dead:
            now = clock.monotonic()
            due = min(self._total, int((now - began) * A_SECOND))
            if due > made:
                fresh = (stay(number, number % _DEVICES, clock.now()) for number in range(made, due))
                rig.keeper.put(*fresh, at=clock.now())
                made = due
            if now >= command_at and made < self._total:
                command_at = now + _COMMAND_EVERY
                self._ask()
            for at, name in [item for item in dead if item[0] <= now]:
                dead.remove((at, name))
                rig.start(name)
            if now >= kill_at + KILL_EVERY and not dead and made < self._total + 1:
                kill_at = now
                name = self._chance.choice(WORKERS)
                rig.processes[name].kill()
                rig.processes[name].wait()
                self.kills += 1
                dead.append((now + self._chance.uniform(0.1, 1.0), name))
                self._say(f"killed {name}, the {self.kills}.; {made:,} made, {len(rig.keeper.store.outbox):,} wait")
            rig.keeper.turn(0.02)
            self.answer()

    def answer(self) -> bool:
        """Answer commands that have none yet, as a box does; True, so that it fits into a condition."""
        for command in self._rig.keeper.commands:
            if command.command_id not in self.answered:
                self.answered.add(command.command_id)
                at = datetime.fromtimestamp(clock.now(), UTC)
                result = CommandResult(command_id=command.command_id, outcome=Outcome.APPLIED, at=at)
                self._rig.keeper.put(result, at=clock.now())
        return True

    def _ask(self) -> None:
        now = clock.now()
        self.asked += 1
        with self._rig.engine.begin() as connection:
            connection.execute(
                insert(schema.command).values(
                    command_id=secrets.token_hex(16),
                    site=SITE,
                    body=RunProbe(kind="sweep").model_dump(mode="json", exclude_none=True),
                    reason="For the faults",
                    by="acc-1",
                    created_at=now,
                    expires_at=now + 600,
                    state="waiting",
                    detail="",
                )
            )


def _commands(rig: Carriage) -> list[tuple[int | None, str]]:
    with reading(rig.engine).begin() as connection:
        rows = connection.execute(select(schema.command.c.sequence, schema.command.c.state)).all()
    return [(row.sequence, row.state) for row in rows]


def _done(rig: Carriage) -> bool:
    return all(state == "applied" for _, state in _commands(rig))
