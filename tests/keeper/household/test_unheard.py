from __future__ import annotations

import json
from typing import Any

import pytest

from appliance.keeper.household.unheard import CALM_SECONDS, MANY, MAX_COUNTERS, Unheard
from wire.findings import FindingKind
from wire.ledger import RecordKind

AT = 1_900_000_000.0


class Rules:
    def __init__(self, weeks: Any) -> None:
        self.weeks, self.store = weeks, weeks.store
        self.start()

    def start(self) -> None:
        self.weeks.start()
        self.unheard = Unheard(self.weeks.record, self.weeks.signs)

    def count(self, *, at: float = AT, **packets: int) -> None:
        with self.store.transaction():
            self.unheard.counted(packets, scope=None, at=at)

    def gaps(self) -> list[dict[str, int]]:
        log = self.store.ledger
        rows = [row for n in range(log.size) if (row := log.log.row(n)).kind is RecordKind.GAP]
        return [json.loads(log.body(row)[1])["packets"] for row in rows]

    def state(self) -> str | None:
        found = [s.finding for s in self.store.findings._all("kind = ?", FindingKind.RECORDS_DROPPED.value)]
        return found[0].state if found else None


@pytest.fixture
def rules(weeks: Any) -> Rules:
    return Rules(weeks)


@pytest.mark.req("N4")
def test_what_was_added_since_the_last_reading_is_a_record(rules: Rules) -> None:
    rules.count(over_arp=5)
    rules.count(over_arp=5, over_mdns=2)
    rules.count(over_arp=12, over_mdns=2)

    assert rules.gaps() == [{"over_arp": 5}, {"over_mdns": 2}, {"over_arp": 7}]
    assert rules.state() is None, "an everyday burst"


def test_a_restart_counts_nothing_twice_and_new_rules_begin_at_nothing(rules: Rules) -> None:
    rules.count(over_arp=5)
    rules.start()
    rules.count(over_arp=5)
    rules.count(over_arp=3)

    assert rules.gaps() == [{"over_arp": 5}, {"over_arp": 3}]


@pytest.mark.req("N4", "R28")
def test_much_is_one_finding_that_closes_when_it_is_calm(rules: Rules) -> None:
    for number in range(1, 6):
        rules.count(over_questions=number * MANY, at=AT + number)

    assert rules.state() == "open"
    with rules.store.transaction():
        rules.unheard.tick(AT + CALM_SECONDS)
    assert rules.state() == "open", "not calm for an hour yet"
    with rules.store.transaction():
        rules.unheard.tick(AT + 5 + CALM_SECONDS)
    assert rules.state() == "closed"


@pytest.mark.req("N4")
def test_a_finding_of_before_a_restart_is_closed_when_it_is_calm(rules: Rules) -> None:
    rules.count(over_questions=MANY)
    rules.start()
    for at, state in ((AT + 60, "open"), (AT + 59 + CALM_SECONDS, "open"), (AT + 60 + CALM_SECONDS, "closed")):
        with rules.store.transaction():
            rules.unheard.tick(at)
        assert rules.state() == state


def test_only_so_many_counters_are_kept(rules: Rules) -> None:
    rules.count(**{f"c{number:03}": 1 for number in range(MAX_COUNTERS + 3)})

    assert len(json.loads(rules.store.get("unheard"))) == MAX_COUNTERS
    assert rules.unheard.overflow == 3
