from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, update

from dashboard import commands, second
from dashboard.access import Role
from dashboard.auth import SignedIn, add_account, make_code
from dashboard.commands import AlreadySent, Decision
from dashboard.ingest.outgoing import expire
from dashboard.store import charge, schema
from dashboard.store.engine import reading
from wire.acts import BuildBundle, PauseRecording, SetAuthority, SetHold, Unmask
from wire.base import Standing
from wire.orders import Order, SetStanding

pytestmark = pytest.mark.req("R60")
LATER = datetime(2026, 2, 1, tzinfo=UTC)
UNMASK = Unmask(device_id="dev-1", until=LATER, reason="Seen in use")


@dataclass
class Office:
    """Accounts that ask and answer."""

    engine: Engine
    clock: Any
    people: dict[str, SignedIn] = field(default_factory=dict)

    def who(self, name: str, role: Role = Role.OFFICER) -> SignedIn:
        if name not in self.people:
            account_id = add_account(self.engine, name=name, role=role, now=0.0)
            if role is Role.OFFICER:
                with self.engine.begin() as connection:
                    charge.assign(connection, sites=["site-1"], account_id=account_id, by=None, now=0.0)
            self.people[name] = SignedIn(account_id=account_id, name=name, role=role, token_hash="", expires_at=0.0)
        return self.people[name]

    def ask(self, order: Order = UNMASK, *, by: str = "a", broken: bool = False, token: str | None = None) -> str:
        decision = Decision(
            token=token or commands.new_token(),
            order=lambda _: order,
            reason="Seen in use",
            device_id=getattr(order, "device_id", None),
            break_glass=broken,
        )
        return commands.ask(
            self.engine,
            decision,
            by=self.who(by),
            tenant="northmoor",
            site="site-1",
            now=self.clock.at,
            lifetime=60.0,
        )

    def agree(self, command_id: str, *, by: str = "b", role: Role = Role.OFFICER, tenant: str = "northmoor") -> bool:
        return second.agree(
            self.engine,
            command_id,
            tenant=tenant,
            by=self.who(by, role),
            why="I looked",
            now=self.clock.at,
            lifetime=60.0,
        )

    def refuse(self, command_id: str, *, by: str = "b") -> bool:
        return second.refuse(
            self.engine, command_id, tenant="northmoor", by=self.who(by), why="Too much", now=self.clock.at
        )


@pytest.fixture
def office(engine: Engine, clock: Any, seed: Any) -> Office:
    seed.site()
    seed.device()
    return Office(engine, clock)


def _state(seed: Any) -> list[str]:
    return [row["state"] for row in seed.rows(schema.command)]


@pytest.mark.parametrize(
    ("order", "state"),
    [
        (UNMASK, "needs-second"),
        (SetAuthority(document="{}"), "needs-second"),
        (SetHold(hold_id="h", since=LATER, until=LATER, review=LATER, reason="Case"), "needs-second"),
        (PauseRecording(reason="Visit"), "waiting"),
    ],
    ids=lambda value: getattr(value, "action", value),
)
def test_what_narrows_goes_at_once_and_the_rest_waits(office: Office, seed: Any, order: Order, state: str) -> None:
    office.ask(order)
    assert _state(seed) == [state]


def test_another_account_agrees_and_it_is_sent(office: Office, seed: Any) -> None:
    command_id = office.ask()
    with reading(office.engine).connect() as connection:
        (waiting,) = second.waiting_for_second(connection, "northmoor", now=office.clock.at)
    assert (waiting.by_name, waiting.body["action"], waiting.reason) == ("a", "unmask", "Seen in use")
    office.clock.at += 3600
    assert office.agree(command_id)
    (row,) = seed.rows(schema.command)
    assert (row["state"], row["second"]) == ("waiting", office.who("b").account_id)
    assert row["expires_at"] == office.clock.at + 60
    lines = [(line["outcome"], line["account_id"]) for line in seed.rows(schema.audit) if line["action"] == "unmask"]
    assert lines == [("asked", office.who("a").account_id), ("agreed", office.who("b").account_id)]


def test_who_had_the_others_sign_in_code_in_hand_may_refuse_and_not_agree(office: Office, seed: Any) -> None:
    boss = office.who("boss", Role.SUPERVISOR)
    command_id = office.ask()
    make_code(office.engine, name="a", now=office.clock.at, lifetime=60, by=boss.account_id)
    assert not office.agree(command_id, by="boss", role=Role.SUPERVISOR)
    assert _state(seed) == ["needs-second"]
    assert office.refuse(command_id, by="boss")
    assert _state(seed) == ["disagreed"]


def test_nobody_seconds_their_own_nor_does_who_only_looks(office: Office, seed: Any) -> None:
    command_id = office.ask()
    assert not office.agree(command_id, by="a")
    assert not office.agree(command_id, by="auditor", role=Role.AUDITOR)
    assert not office.agree(command_id, tenant="elsewhere")
    assert not office.agree("0" * 32)
    assert _state(seed) == ["needs-second"]
    assert office.agree(command_id, by="b")


def test_who_refuses_ends_it_and_who_asked_may_take_it_back(office: Office, seed: Any) -> None:
    assert office.refuse(office.ask())
    assert _state(seed) == ["disagreed"]
    assert not office.agree(seed.rows(schema.command)[0]["command_id"], by="c")
    taken_back = office.ask()
    assert office.refuse(taken_back, by="a")
    assert not office.agree(taken_back)
    assert _state(seed) == ["disagreed", "taken-back"]
    outcomes = [line["outcome"] for line in seed.rows(schema.audit) if line["action"] == "unmask"]
    assert outcomes == ["asked", "refused", "asked", "taken-back"]


def test_of_two_that_agree_at_once_one_is_taken(office: Office, seed: Any) -> None:
    command_id = office.ask()
    names = [f"second-{number}" for number in range(4)]
    for name in names:
        office.who(name)
    barrier, answers = threading.Barrier(len(names)), []

    def answer(name: str) -> None:
        barrier.wait()
        answers.append(office.agree(command_id, by=name))

    threads = [threading.Thread(target=answer, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, False, True]
    assert sum(line["outcome"] == "agreed" for line in seed.rows(schema.audit)) == 1


def test_a_double_click_is_one_request_and_the_same_is_not_asked_beside_it(office: Office, seed: Any) -> None:
    token = commands.new_token()
    assert office.ask(token=token) == office.ask(token=token)
    with pytest.raises(AlreadySent):
        office.ask(by="c")
    assert len(seed.rows(schema.command)) == 1
    command_id = seed.rows(schema.command)[0]["command_id"]
    assert [office.agree(command_id), office.agree(command_id)] == [True, False]


def test_after_a_day_nobody_can_agree(office: Office, seed: Any, engine: Engine) -> None:
    command_id = office.ask()
    office.clock.at += second.WAIT_SECONDS
    assert not office.agree(command_id)
    with engine.begin() as connection:
        assert expire(connection, office.clock.at) == 1
    assert _state(seed) == ["lapsed"]


def test_an_emergency_goes_at_once_and_others_are_told_until_they_say_they_read_it(office: Office, seed: Any) -> None:
    for name, role in (("s-1", Role.SUPERVISOR), ("o-1", Role.OFFICER), ("o-2", Role.OFFICER), ("x", Role.AUDITOR)):
        office.who(name, role)
    command_id = office.ask(broken=True)
    (row,) = seed.rows(schema.command)
    assert (row["state"], row["break_glass"]) == ("waiting", True)
    told = {item["account_id"]: item["at"] for item in seed.rows(schema.told)}
    assert len(told) == 2
    assert office.who("s-1").account_id in told
    assert office.who("a").account_id not in told
    assert office.who("x").account_id not in told
    assert set(told.values()) == {office.clock.at}
    with reading(office.engine).connect() as connection:
        assert len(second.messages_of(connection, office.who("s-1").account_id)) == 1
    assert second.mark_read(office.engine, about=command_id, by=office.who("s-1"), now=office.clock.at)
    assert not second.mark_read(office.engine, about=command_id, by=office.who("s-1"), now=office.clock.at)
    with reading(office.engine).connect() as connection:
        assert second.messages_of(connection, office.who("s-1").account_id) == ()
        assert len(second.waiting_for_review(connection, "northmoor")) == 1


def test_an_emergency_is_looked_at_by_somebody_else(office: Office, seed: Any) -> None:
    command_id = office.ask(broken=True)
    outcomes = [line["outcome"] for line in seed.rows(schema.audit) if line["action"] == "tell"]
    assert outcomes == ["told 0 only"], "nobody else is there to tell, and the audit says so"

    def look(by: str, role: Role = Role.OFFICER) -> bool:
        return second.review(
            office.engine,
            command_id,
            tenant="northmoor",
            by=office.who(by, role),
            note="It was needed",
            now=office.clock.at,
        )

    assert not look("a")
    assert not look("x", Role.AUDITOR)
    assert look("b")
    assert not look("c")
    with reading(office.engine).connect() as connection:
        assert second.waiting_for_review(connection, "northmoor") == ()
    assert sum(line["action"] == "review-emergency" for line in seed.rows(schema.audit)) == 1


def test_only_what_may_be_done_alone_is_an_emergency(office: Office, seed: Any) -> None:
    hold = SetHold(hold_id="h", since=LATER, until=LATER, review=LATER, reason="Case")
    office.ask(hold, broken=True)
    assert _state(seed) == ["needs-second"]
    bundle = BuildBundle(bundle_id="b-1", purpose="evidence", since=LATER, until=LATER, reason="Court")
    office.ask(bundle, broken=True)
    assert _state(seed) == ["needs-second", "waiting"]


def test_supervisors_are_told_all_and_officers_only_where_too_few(office: Office, seed: Any) -> None:
    people: Callable[[str, Role], SignedIn] = office.who
    supervisors = {people(f"s-{number}", Role.SUPERVISOR).account_id for number in range(3)}
    people("o-1", Role.OFFICER)
    office.ask(broken=True)
    assert {item["account_id"] for item in seed.rows(schema.told)} == supervisors


def test_a_command_answered_by_nobody_is_no_ones_to_refuse_again(office: Office, seed: Any, engine: Engine) -> None:
    command_id = office.ask()
    with engine.begin() as connection:
        connection.execute(update(schema.command).values(state="applied"))
    assert not office.refuse(command_id)
    assert _state(seed) == ["applied"]


@pytest.mark.req("N2", "R55")
@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("household", Standing.REGISTERED, "needs-second"),
        ("guest", Standing.REGISTERED, "needs-second"),
        ("work", Standing.REGISTERED, "needs-second"),
        ("unknown", Standing.REGISTERED, "waiting"),
        ("household", Standing.GUEST, "waiting"),
    ],
)
def test_what_was_another_s_counts_as_the_person_s_own_when_two_say_so(
    office: Office, seed: Any, before: str, after: Standing, state: str
) -> None:
    seed.device("dev-2", standing=before)

    office.ask(SetStanding(device_id="dev-2", standing=after))

    assert _state(seed) == [state]
