from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.installing import checks
from dashboard.installing.checks import Facts, Trip, Verdict, judge
from wire.box import BoxStatus

NOW = 1_768_424_649.0


def status(**values: Any) -> BoxStatus:
    return BoxStatus.model_validate(
        {
            "online": True,
            "at": datetime.fromtimestamp(NOW - 2, UTC),
            "recording": True,
            "authority_id": "authority-1",
            "authority_number": 1,
            "clock": "authenticated",
            "clock_error_ms": 40,
            "outbox": 3,
        }
        | values
    )


def facts(**values: Any) -> Facts:
    whole: dict[str, Any] = {
        "status": status(),
        "heard_at": NOW - 2,
        "authority_id": "authority-1",
        "last_seen": (NOW - 60,),
        "by_passphrase": True,
        "wifi_said": False,
        "trip": Trip(asked_at=NOW - 9, answered_at=NOW - 7.6, state="applied", detail=""),
        "started_at": NOW - 10,
        "now": NOW,
    }
    return Facts(**(whole | values))


def verdicts(given: Facts) -> dict[str, str]:
    return {item.key: str(item.verdict) for item in judge(given)}


@pytest.mark.req("R3")
def test_all_six_pass_on_what_the_box_said() -> None:
    found = judge(facts())
    assert [item.key for item in found] == ["internet", "wifi", "recording", "devices", "delivery", "clock"]
    assert checks.passed(found)
    assert checks.finished(found)
    delivery = next(item for item in found if item.key == "delivery")
    assert delivery.detail % delivery.values == "A test alert went to the box and back in 1.4 seconds."


@pytest.mark.req("R3")
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("internet", {"heard_at": None}),
        ("internet", {"heard_at": NOW - 1000}),
        ("internet", {"status": status(online=False)}),
        ("wifi", {"by_passphrase": False}),
        ("recording", {"status": status(recording=False)}),
        ("recording", {"status": status(authority_id="authority-2")}),
        ("recording", {"authority_id": None}),
        ("devices", {"last_seen": ()}),
        ("devices", {"last_seen": (NOW - 3600,)}),
        ("delivery", {"trip": None}),
        ("delivery", {"trip": Trip(asked_at=NOW, answered_at=None, state="sent", detail="")}),
        ("delivery", {"status": status(outbox=checks.MOST_WAITING + 1)}),
        ("clock", {"status": status(clock="free")}),
        ("clock", {"status": status(clock=None)}),
        ("clock", {"status": status(clock_error_ms=5000)}),
    ],
)
def test_what_is_not_shown_waits_and_then_fails(key: str, values: dict[str, Any]) -> None:
    assert verdicts(facts(**values))[key] == Verdict.WAIT
    late = facts(**values, started_at=NOW - checks.GIVE_UP)
    assert verdicts(late)[key] == Verdict.FAIL
    assert not checks.passed(judge(late))


def test_what_the_box_said_long_ago_shows_nothing() -> None:
    assert verdicts(facts(heard_at=NOW - 1000, started_at=NOW - 200)) == {
        "internet": "fail",
        "wifi": "good",
        "recording": "fail",
        "devices": "good",
        "delivery": "good",
        "clock": "fail",
    }


def test_a_box_that_refuses_to_look_round_again_has_answered() -> None:
    trip = Trip(asked_at=NOW - 1, answered_at=NOW, state="refused", detail="It looked round just now.")
    found = next(item for item in judge(facts(trip=trip)) if item.key == "delivery")
    assert found.verdict is Verdict.GOOD
    assert (found.detail % found.values).endswith("in 1.0 seconds. The box answered: It looked round just now.")


@pytest.mark.parametrize("state", ["expired", "out-of-sequence", "unanswered"])
def test_an_answer_that_is_none_shows_nothing(state: str) -> None:
    trip = Trip(asked_at=NOW - 1, answered_at=NOW, state=state, detail="")
    found = next(item for item in judge(facts(trip=trip)) if item.key == "delivery")
    assert found.verdict is Verdict.WAIT


def test_wifi_can_be_said_by_whoever_fits_the_box_and_that_is_told() -> None:
    found = next(item for item in judge(facts(by_passphrase=False, wifi_said=True)) if item.key == "wifi")
    assert found.verdict is Verdict.GOOD
    assert "The box itself cannot show it" in found.detail


@pytest.mark.req("R3")
def test_only_where_just_the_way_here_fails_is_it_pending() -> None:
    trip = Trip(asked_at=NOW - 200, answered_at=None, state="unanswered", detail="")
    only = judge(facts(trip=trip, started_at=NOW - 200))
    assert checks.only_delivery_fails(only)
    assert not checks.only_delivery_fails(judge(facts()))
    more = judge(facts(trip=trip, status=status(recording=False), started_at=NOW - 200))
    assert not checks.only_delivery_fails(more)
    assert checks.from_stored(checks.as_stored(only)) == only
    assert checks.from_stored([{"key": "delivery", "verdict": "odd"}, {"key": "other"}, None]) == ()
    assert checks.from_stored(None) == ()


@pytest.mark.req("R3", "R5")
def test_what_was_read_off_the_box_is_never_more_than_pending() -> None:
    away = {"status": None, "heard_at": None, "carried": True, "trip": None, "last_seen": (), "by_passphrase": False}
    late = NOW - checks.GIVE_UP
    asked = facts(**away, started_at=late)
    assert not checks.only_delivery_fails(judge(asked)), "nobody has said what the box shows"
    told = judge(facts(**away, own_page=True, wifi_said=True, started_at=late))
    assert checks.only_delivery_fails(told)
    assert not checks.passed(told)
    assert {item.key for item in told if item.verdict is Verdict.FAIL} == {"internet", "delivery"}
    heard = judge(facts(carried=True, own_page=True, status=status(recording=False), started_at=late))
    assert {item.key for item in heard if item.verdict is Verdict.FAIL} == {"recording"}, "what is heard counts more"


@pytest.mark.req("R3", "R9")
def test_what_the_box_says_is_wrong_fails_the_check_with_its_fix() -> None:
    given = facts(
        trouble={"wifi": "Pull its plug.", "recording": "Exchange the box.", "internet": "Look at the router."}
    )
    judged = {item.key: item for item in judge(given)}
    assert judged["wifi"].verdict is judged["recording"].verdict is Verdict.FAIL
    assert judged["wifi"].values == {"trouble": "Pull its plug."}
    assert judged["internet"].verdict is Verdict.GOOD, "a box that is heard has internet"
    silent = facts(trouble={"internet": "Look at the router."}, status=None, heard_at=None)
    judged = {item.key: item for item in judge(silent)}
    assert judged["internet"].verdict is Verdict.WAIT
    assert judged["internet"].values["trouble"] == "Look at the router."
