from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from dashboard import auth
from dashboard.access import Role
from dashboard.store import alerting, deliveries, schema

START = 1768424649.0
HOUR = 3600.0
MORNING = 1768464300.0
"""15 January 2026, 08:05 in London."""


def states(office: Any) -> list[str]:
    return sorted(row["state"] for row in office.rows(schema.delivery))


@pytest.mark.req("R38")
def test_an_urgent_finding_reaches_the_officer_in_charge_in_the_next_round(office: Any) -> None:
    office.seed.site()
    office.charge(office.account("ann"))
    office.seed.finding(severity="act_now", kind="tunnel", cause="dev-1/out-of-sight")
    assert office.rounds.go(START) == 1
    assert office.post.sent == [
        ("ntfys://ntfy.example.com/ann", "1 new alert. Sign in: https://gatehouse.example.org/")
    ]
    for later in (5, 40, 300):
        office.rounds.go(START + later)
    assert len(office.post.sent) == 1
    assert len(office.rows(schema.delivery)) == 1


@pytest.mark.req("R52", "R42")
def test_a_message_holds_nothing_about_a_home_a_device_or_a_person(office: Any) -> None:
    office.seed.site("site-1", title="Somebody's home")
    office.charge(office.account("ann"))
    office.seed.finding(severity="act_now", device_id="dev-9", hit=office.seed.hit())
    office.rounds.go(START)
    ((_, body),) = office.post.sent
    for word in ("site-1", "Somebody", "dev-9", "example.test", "find-1", "unregistered"):
        assert word not in body


@pytest.mark.req("R38")
def test_unanswered_it_goes_on_and_answered_it_stops(office: Any) -> None:
    office.seed.site()
    ann = office.account("ann")
    office.account("sue", Role.SUPERVISOR)
    office.charge(ann)
    office.seed.finding(severity="act_now", cause="c")
    office.rounds.go(START)
    office.rounds.go(START + 601)
    assert office.told == ["ann", "sue"]
    assert "that nobody has answered yet" in office.post.sent[1][1]
    with office.engine.begin() as connection:
        assert alerting.waits_for_answer(connection, "site-1", "find-1") == "c"
        assert alerting.acknowledge(connection, "site-1", "c", by=ann, now=START + 700) == 1
        assert alerting.acknowledge(connection, "site-1", "c", by=ann, now=START + 701) == 0
        assert alerting.waits_for_answer(connection, "site-1", "find-1") is None
    office.rounds.go(START + 2000)
    assert office.told == ["ann", "sue"]
    assert [row["action"] for row in office.rows(schema.audit)][-1] == "answer-alert"


def test_answered_in_time_a_message_that_waits_is_taken_back(office: Any) -> None:
    office.seed.site()
    ann = office.account("ann", also_today=True, quiet_from=20 * 60, quiet_to=7 * 60)
    office.charge(ann)
    office.seed.finding(severity="today", cause="c")
    office.rounds.go(START)
    assert states(office) == ["waiting"]
    with office.engine.begin() as connection:
        alerting.acknowledge(connection, "site-1", "c", by=ann, now=START + 60)
    office.rounds.go(MORNING)
    assert states(office) == ["dropped"]
    assert office.post.sent == []


@pytest.mark.req("R38")
def test_what_was_not_taken_is_tried_again_and_then_has_failed_where_it_is_seen(office: Any) -> None:
    office.seed.site()
    office.charge(office.account("ann"))
    office.seed.finding(severity="act_now")
    office.post.problem = "it was not taken there"
    office.rounds.go(START)
    for number in range(1, len(deliveries.WAITS) + 1):
        (row,) = office.rows(schema.delivery)
        assert (row["state"], row["tries"]) == ("waiting", number)
        office.rounds.go(row["due_at"] - 0.5)
        assert office.rows(schema.delivery) == [row]  # not before it is due
        office.rounds.go(row["due_at"])
    assert row["due_at"] - START == sum(deliveries.WAITS)
    (row,) = office.rows(schema.delivery)
    assert row["state"] == "failed"
    assert (row["tries"], row["problem"]) == (len(deliveries.WAITS) + 1, "it was not taken there")
    (channel,) = office.rows(schema.channel)
    assert channel["failed_at"] is not None


@pytest.mark.req("R38")
def test_a_sender_that_was_killed_loses_what_it_took_and_nothing_is_lost(office: Any) -> None:
    office.seed.site()
    office.charge(office.account("ann"))
    office.seed.finding(severity="act_now")
    office.rounds.look(START)
    with office.engine.begin() as connection:
        assert len(deliveries.take_due(connection, now=START)) == 1
        assert deliveries.take_due(connection, now=START + 1) == ()
    assert office.rounds.go(START + 60) == 0
    assert office.rounds.go(START + deliveries.TAKEN_SECONDS) == 1
    assert states(office) == ["sent"]


@pytest.mark.req("R26")
def test_many_at_once_are_one_message_and_the_next_waits_a_little(office: Any) -> None:
    office.charge(office.account("ann"), office.seed.site())
    for number in range(7):
        office.seed.finding(f"f-{number}", severity="act_now", cause=f"c-{number}")
    office.rounds.go(START)
    assert [body.split(" Sign")[0] for _, body in office.post.sent] == ["7 new alerts."]
    office.seed.finding("f-8", severity="act_now", cause="c-8")
    office.rounds.go(START + 5)
    assert len(office.post.sent) == 1
    office.rounds.go(START + 31)
    assert len(office.post.sent) == 2
    assert states(office) == ["sent"] * 8


@pytest.mark.req("R27")
def test_planned_work_holds_back_silence_and_never_what_cannot_wait(office: Any) -> None:
    office.seed.site()
    ann = office.account("ann", also_today=True)
    office.charge(ann)
    office.put(
        schema.planned_work,
        work_id="w-1",
        site="site-1",
        since=START - 60,
        until=START + 600,
        reason="The line is repaired",
        by=ann,
        made_at=START,
    )
    office.seed.finding("f-1", kind="box-silent", severity="today")
    office.rounds.go(START)
    assert office.post.sent == []
    office.seed.finding("f-2", kind="power-lost", severity="act_now")
    office.rounds.go(START + 5)
    assert len(office.post.sent) == 1
    office.rounds.go(START + 605)
    assert len(office.post.sent) == 2, "what is still open when the work is over is told"


def test_the_summary_comes_once_a_day_with_counts_alone(office: Any) -> None:
    office.seed.site()
    office.charge(office.account("ann"))
    office.account("bob")
    office.seed.finding("f-1", severity="today")
    office.seed.finding("f-2", severity="this_week", cause="x")
    office.rounds.go(START)
    assert office.post.sent == []
    office.rounds.go(MORNING - HOUR)
    assert office.post.sent == []
    for later in range(3):
        office.rounds.go(MORNING + later * 60)
    assert office.told == ["ann"], "who has nothing waiting hears nothing"
    assert office.post.sent[0][1].startswith("2 items wait for you: 0 to act on now, 1 for today, 1 for this week.")


@pytest.mark.req("R39")
def test_a_summary_counts_what_is_covered_once(office: Any) -> None:
    office.seed.site()
    ann, bob = office.account("ann", channel=False), office.account("bob")
    office.charge(ann)
    office.charge(bob)
    office.put(schema.cover, account_id=bob, for_account=ann, since=0.0, until=START + 9e6)
    office.seed.finding("f-1", severity="today")
    office.rounds.go(MORNING)
    assert office.post.sent[0][1].startswith("1 item waits")


@pytest.mark.req("R38")
def test_a_hole_in_the_rota_is_said_to_supervisors(office: Any) -> None:
    sue = office.account("sue", Role.SUPERVISOR)
    values = {"tenant": "northmoor", "account_id": sue, "by": sue, "made_at": 0.0}
    office.put(schema.shift, shift_id="s-1", weekday=3, starts=8 * 60, ends=20 * 60, **values)
    office.rounds.go(MORNING)
    assert ["nobody is on duty" in body for _, body in office.post.sent] == [True]


@pytest.mark.req("R38")
def test_whoever_is_on_duty_hears_of_a_home_that_is_nobodys(office: Any) -> None:
    office.seed.site()
    dan = office.account("dan")
    for weekday in range(7):
        office.put(
            schema.shift,
            shift_id=f"s-{weekday}",
            tenant="northmoor",
            account_id=dan,
            weekday=weekday,
            starts=0,
            ends=0,
            by=dan,
            made_at=0.0,
        )
    office.seed.finding(severity="act_now")
    office.rounds.go(START)
    assert office.told == ["dan"]


@pytest.mark.req("R38", "R39")
def test_duty_that_was_handed_to_an_account_that_was_closed_comes_back(office: Any) -> None:
    office.seed.site()
    dan, eve = office.account("dan"), office.account("eve", quiet_from=0)
    by = {"tenant": "northmoor", "by": dan}
    for account_id in (dan, eve):
        office.put(
            schema.shift,
            shift_id=f"s-{account_id}"[:32],
            account_id=account_id,
            weekday=2,
            starts=0,
            ends=0,
            made_at=0.0,
            **by,
        )
    office.put(
        schema.handover, handover_id="h-1", account_id=dan, to_account=eve, since=START - 60, until=START + 86400, **by
    )
    auth.close_account(office.engine, name="eve", now=START)
    # Nothing of where and when a person wants to hear outlasts their account (R64).
    for table in (schema.channel, schema.shift, schema.alert_choice):
        assert eve not in {row["account_id"] for row in office.rows(table)}
    office.seed.finding(severity="act_now")
    office.rounds.go(START)
    assert office.told == ["dan"]


def test_the_row_of_deliveries_is_bounded_and_counts_what_it_leaves_out(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_WAITING", 2)
    office.charge(office.account("ann"), office.seed.site())
    for number in range(5):
        office.seed.finding(f"f-{number}", severity="act_now", cause=f"c-{number}")
    office.rounds.look(START)
    assert len(office.rows(schema.delivery)) == 2
    assert office.rows(schema.alerting)[0]["dropped"] == 3


def test_what_is_old_is_forgotten(office: Any) -> None:
    office.seed.site()
    ann = office.account("ann")
    office.charge(ann)
    office.seed.finding(severity="act_now", cause="c")
    office.rounds.go(START)
    with office.engine.begin() as connection:
        alerting.acknowledge(connection, "site-1", "c", by=ann, now=START + 1)
        connection.execute(update(schema.finding).values(state="closed"))
    office.rounds.go(START + 5)
    assert office.rows(schema.alert)[0]["closed_at"] == START + 5
    office.rounds.go(START + 91 * 86400)
    assert office.rows(schema.alert) == []
    assert [row for row in office.rows(schema.delivery) if row["purpose"] == "alert"] == []


def test_an_address_that_was_taken_away_or_cannot_be_opened_fails_at_once(office: Any) -> None:
    office.seed.site()
    office.charge(office.account("ann"))
    office.seed.finding(severity="act_now")
    office.rounds.look(START)
    with office.engine.begin() as connection:
        connection.execute(update(schema.channel).values(sealed="AAAA"))
    office.rounds.send_due(START)
    assert states(office) == ["failed"]


@pytest.mark.req("R49")
def test_the_last_months_return_is_kept_by_itself_once(office: Any) -> None:
    office.rounds.go(START)
    office.rounds.go(MORNING)
    (row,) = office.rows(schema.monthly_return)
    assert (row["month"], row["made_at"]) == ("2025-12", START)
