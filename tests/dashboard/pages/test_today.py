from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from dashboard.pages.today import FEW_HOMES, MOST_HOMES, MOST_ITEMS, MOST_ROWS
from dashboard.store import schema


def _cards(text: str) -> list[str]:
    return [re.sub(r"<[^>]+>|\s+", " ", card) for card in re.findall(r'<li class="gh-card.*?</li>', text, re.DOTALL)]


def _homes(text: str) -> list[str]:
    return re.findall(r"gh-home__name.*?<bdi>(.*?)</bdi>", text)


@pytest.mark.req("R36")
def test_cards_come_worst_first_then_oldest(officer: FlaskClient, seed: Any, clock: Any) -> None:
    for site, severity, age in (
        ("calm", "information", 9000),
        ("young", "today", 60),
        ("old", "today", 7200),
        ("worst", "act_now", 10),
        ("week", "this_week", 90000),
    ):
        seed.site(site)
        seed.device(site=site)
        seed.finding(site=site, severity=severity, raised_at=clock.at - age)
    cards = _cards(officer.get("/").text)
    assert [re.search(r"NM-(\w+)", card)[1] for card in cards] == ["worst", "old", "young", "week"]
    words = ["Act now", "Today", "Today", "This week"]
    assert all(word in card for word, card in zip(words, cards, strict=True))
    # What is for information alone waits for nobody.
    assert "4 of 5 households need a decision, 3 of them today." in officer.get("/").text
    assert "Can wait" not in officer.get("/").text
    assert "1 finding is for information only, and waits for nobody" in officer.get("/").text
    assert "1 other household has nothing waiting" in officer.get("/").text


@pytest.mark.req("R36")
@pytest.mark.parametrize("urgent", [0, 2, FEW_HOMES + 1])
def test_a_long_list_is_parted_where_it_can_wait(officer: FlaskClient, seed: Any, urgent: int) -> None:
    for number in range(FEW_HOMES + 1):
        seed.site(f"site-{number}")
        seed.finding(site=f"site-{number}", severity="today" if number < urgent else "this_week")
    text = officer.get("/").text
    assert f"6 of 6 households need a decision{', 2 of them today' if urgent == 2 else ''}." in text
    now, _, later = text.partition("Can wait until later this week")
    assert re.findall(r'id="household-(\d)"', now) == [str(place + 1) for place in range(6 if urgent != 2 else 2)]
    assert re.findall(r'id="household-(\d)"', later) == ([] if urgent != 2 else ["3", "4", "5", "6"])


@pytest.mark.req("R36", "R26")
def test_a_household_is_one_block_ranked_by_its_worst(officer: FlaskClient, seed: Any, clock: Any) -> None:
    for site, found in (
        ("mild", (("today", 9000), ("this_week", 90000))),
        ("bad", (("this_week", 50), ("act_now", 60))),
        ("also-bad", (("act_now", 6000),)),
    ):
        seed.site(site)
        seed.device(site=site)
        for number, (severity, age) in enumerate(found):
            seed.finding(
                f"find-{number}", site=site, severity=severity, raised_at=clock.at - age, cause=f"cause-{number}"
            )
    text = officer.get("/").text
    assert _homes(text) == ["NM-also-bad", "NM-bad", "NM-mild"]
    assert ["Act now" in card for card in _cards(text)] == [True, True, False, False, False]


@pytest.mark.req("R26")
def test_signs_of_one_cause_are_one_item(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site()
    seed.device(standing="registered")
    for number, (kind, severity) in enumerate(
        (("hidden-names", "this_week"), ("tunnel", "today"), ("encrypted-dns", "this_week"))
    ):
        seed.finding(
            f"find-{number}", kind=kind, severity=severity, cause="dev-1/out-of-sight", raised_at=clock.at - number
        )
    (card,) = _cards(officer.get("/").text)
    assert "A registered device sends traffic that looks like a tunnel" in card
    assert "3 signs, one cause" in card
    assert 'href="/households/site-1/findings/find-1"' in officer.get("/").text


def test_causes_of_one_household_are_bounded(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    for number in range(MOST_ITEMS + 2):
        seed.finding(f"find-{number}", kind="tunnel", cause=f"cause-{number}")
    text = officer.get("/").text
    assert len(_cards(text)) == MOST_ITEMS
    assert "2 more of this household" in text


@pytest.mark.req("R31", "R33")
def test_what_ails_a_box_asks_nobody_for_a_decision(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.finding(kind="list-stale", severity="today", device_id=None)
    seed.finding("find-2", kind="detection-test-missed", severity="today", device_id=None)
    text = officer.get("/").text
    assert "Nothing needs a decision in 1 household. 1 box needs attention." in text
    assert "A list has not been renewed" in text[text.index('id="boxes"') :]
    assert "The monthly test of the box was not passed" in text


@pytest.mark.req("R19")
def test_a_finding_of_no_device_is_about_the_box(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.finding(kind="power-lost", device_id=None)
    (card,) = _cards(officer.get("/").text)
    assert "The box was without power" in card
    assert "The box itself" in card


@pytest.mark.req("R36")
def test_ten_thousand_findings_take_no_more_statements_than_one(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()
    statements: list[str] = []
    event.listen(seed.engine, "before_cursor_execute", lambda *rest: statements.append(rest[2]))
    officer.get("/")
    few = len(statements)
    (row,) = seed.rows(schema.finding)
    with seed.engine.begin() as connection:
        connection.execute(
            insert(schema.finding),
            [row | {"finding_id": f"more-{number}", "cause": f"cause-{number % 700}"} for number in range(10_000)],
        )
    statements.clear()
    text = officer.get("/").text
    assert len(statements) <= few
    assert "1 of 1 household needs a decision." in text
    assert "696 more of this household" in text
    statements.clear()
    page = officer.get("/households/site-1").text
    assert "10,001 findings need a decision" in page
    assert len(statements) < 25


def test_a_card_that_stays_says_when_it_was_last_seen(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()
    assert ", last seen" not in officer.get("/").text
    seed.finding("find-2", kind="listed-name", hit=seed.hit())
    page = officer.get("/").text
    assert page.count(", last seen <time") == 1
    assert "Look at the details" in page


@pytest.mark.req("R26")
def test_findings_of_one_cause_are_one_card(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site()
    for number in range(5):
        seed.device(f"dev-{number}", looks_like={"text": f"thing {number}", "confidence": 0.5, "reasons": []})
        seed.finding(f"find-{number}", device_id=f"dev-{number}", raised_at=clock.at - 100 + number)
    seed.finding("hit", kind="listed-name", device_id="dev-0", hit=seed.hit())
    cards = _cards(officer.get("/").text)
    assert len(cards) == 2
    assert "5 devices that are not registered joined" in cards[0]
    assert "Looks like: thing 0; Looks like: thing 1; Looks like: thing 2; and 2 more" in cards[0]
    assert "asked for a name that is on a list" in cards[1]


def test_closed_findings_wait_for_nobody(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding(state="closed")
    text = officer.get("/").text
    assert "Nothing needs a decision in 1 household." in text
    assert "Last checked" in text
    assert "14 January 2026, 21:04:09" in text


def test_no_household_at_all(officer: FlaskClient) -> None:
    assert "No household is set up yet." in officer.get("/").text
    assert "No household is set up yet." in officer.get("/households").text


@pytest.mark.req("R19")
@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"heard_at": None, "status": None, "status_at": None}, "The box has never reported"),
        ({"ago": 181}, "The box has stopped reporting"),
        ({"status": {"online": False, "at": "2026-01-14T21:00:00Z"}}, "The box lost its connection"),
        (
            {
                "status": {
                    "online": True,
                    "at": "2026-01-14T21:00:00Z",
                    "recording": False,
                    "authority": "The order ended",
                }
            },
            "records nothing about devices: The order ended",
        ),
    ],
)
def test_boxes_that_need_attention(officer: FlaskClient, seed: Any, clock: Any, row: dict[str, Any], said: str) -> None:
    seed.site("well")
    if "ago" in row:
        row = {"heard_at": clock.at - row["ago"]}
    seed.site("ill", **row)
    text = officer.get("/").text
    section = text[text.index('id="boxes"') :]
    assert said in section
    assert "NM-ill" in section
    assert "NM-well" not in section
    assert "1 box needs attention." in text
    assert "1 other household has nothing waiting" in text


def test_a_box_heard_of_three_minutes_ago_is_well(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.site(heard_at=clock.at - 180)
    assert "Boxes that need attention" not in officer.get("/").text


def test_cards_are_bounded_and_the_rest_is_counted(officer: FlaskClient, seed: Any) -> None:
    for number in range(MOST_HOMES + 7):
        seed.site(f"site-{number}")
        seed.device(site=f"site-{number}")
        seed.finding(site=f"site-{number}")
    text = officer.get("/").text
    assert len(_cards(text)) == MOST_HOMES
    assert "7 more households are not shown here" in text


def test_a_finding_whose_device_is_not_known_yet_is_shown(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.finding(device_id="dev-not-yet-here")
    assert "Nothing known yet of device dev-not-yet-…" in officer.get("/").text


def test_the_list_of_households_puts_what_waits_first(officer: FlaskClient, seed: Any) -> None:
    for site in ("a", "b", "c"):
        seed.site(site)
    seed.device(site="c")
    seed.finding(site="c")
    seed.finding("find-2", site="c", severity="act_now")
    rows = re.findall(
        r'<tr class="govuk-table__row">\s*<th scope="row".*?</tr>', officer.get("/households").text, re.DOTALL
    )
    assert [re.search(r"NM-(\w)", row)[1] for row in rows] == ["c", "a", "b"]
    assert "Act now" in rows[0]
    assert "2 findings" in rows[0]


class TestLivePart:
    def test_is_only_sent_when_it_changed(self, officer: FlaskClient, seed: Any, clock: Any) -> None:
        seed.site()
        whole = officer.get("/").text
        etag = re.search(r'data-etag="(\w+)"', whole)[1]
        clock.at += 1
        same = officer.get("/?part=live", headers={"If-None-Match": f'"{etag}"'})
        assert (same.status_code, same.data) == (304, b"")
        assert same.headers["X-Checked"] == "14 January 2026, 21:04:10"
        seed.device()
        seed.finding()
        changed = officer.get("/?part=live", headers={"If-None-Match": f'"{etag}"'})
        assert changed.status_code == 200
        assert "1 of 1 household needs a decision." in changed.text
        assert "<html" not in changed.text
        again = officer.get("/?part=live", headers={"If-None-Match": changed.headers["ETag"]})
        assert again.status_code == 304

    def test_holds_no_form_and_no_token(self, officer: FlaskClient, seed: Any) -> None:
        seed.site()
        seed.device()
        seed.finding()
        for path in ("/", "/households", "/households/site-1", "/households/site-1/findings/find-1"):
            part = officer.get(f"{path}?part=live").text
            assert "<form" not in part
            assert "csrf_token" not in part

    def test_is_audited_when_it_shows_something(self, officer: FlaskClient, seed: Any) -> None:
        seed.site()
        seen = officer.get("/households/site-1?part=live")
        officer.get("/households/site-1?part=live", headers={"If-None-Match": seen.headers["ETag"]})
        views = [row["subject"] for row in seed.rows(schema.audit) if row["action"] == "view-household"]
        assert views == ["site-1"]

    def test_is_refused_to_strangers_without_a_redirect(self, stranger: FlaskClient) -> None:
        answer = stranger.get("/?part=live")
        assert answer.status_code == 401


@pytest.mark.req("N8", "R17")
def test_a_proposal_that_no_finding_leads_to_is_a_card_below_all_findings(officer: FlaskClient, seed: Any) -> None:
    seed.site("asked")
    seed.device("dev-1", site="asked", label="black phone", standing="registered")
    seed.device("dev-2", site="asked", standing="household")
    seed.proposal(site="asked")
    seed.site("calm")
    seed.device(site="calm")
    seed.finding(site="calm", severity="this_week")
    seed.site("quiet")
    page = officer.get("/").text
    first, second = _cards(page)
    assert "NM-calm" in first
    assert "For information" in second
    assert "Two devices may be one. Highly likely (about 85%)" in second
    assert "black phone; Looks like: a phone" in second
    assert 'href="/households/asked/proposals/prop-1"' in page
    assert "1 of 3 households needs a decision. In 1 more, two devices may be one." in page
    assert "1 other household has nothing waiting" in page
    rows = re.findall(r'id="row-\d">.*?</tr>', officer.get("/households").text, re.DOTALL)
    assert [re.search(r"NM-(\w+)", row)[1] for row in rows] == ["calm", "asked", "quiet"]
    assert "1 question" in rows[1]
    assert "Nothing waiting" in rows[2]


def test_a_proposal_with_a_finding_or_under_half_makes_no_card(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    seed.device("dev-1", standing="registered")
    seed.device("dev-2")
    seed.proposal("prop-1")
    seed.proposal("prop-2", device_id="dev-3", other_id="dev-4", probability=0.49)
    seed.finding(device_id="dev-2")
    assert len(_cards(officer.get("/").text)) == 1
    assert "may be one" not in officer.get("/").text


def test_several_proposals_of_a_household_are_one_card(officer: FlaskClient, seed: Any) -> None:
    seed.site()
    for number in range(3):
        seed.proposal(f"prop-{number}", device_id=f"never-seen-{number}", other_id="dev-2")
    page = officer.get("/").text
    (card,) = _cards(page)
    assert "3 pairs of devices may each be one device" in card
    assert "and 2 more pairs" in card
    assert 'href="/households/site-1#proposals"' in page
    assert "Nothing needs a decision in 1 household. In 1 of them, two devices may be one." in page


@pytest.mark.req("R41")
def test_of_many_boxes_that_are_silent_the_page_shows_some_and_says_how_many_more(
    officer: FlaskClient, seed: Any, clock: Any
) -> None:
    for number in range(MOST_ROWS + 2):
        seed.site(f"site-{number:03d}", heard_at=clock.at - 9000)
    page = officer.get("/").text
    assert page.count("The box has stopped reporting") == MOST_ROWS
    assert "2 more boxes need attention." in page
    assert f"{MOST_ROWS + 2} boxes need attention." in page


def test_boxes_that_are_not_well_are_read_and_those_that_are_well_are_not_shown(
    officer: FlaskClient, seed: Any
) -> None:
    seed.site("well")
    seed.site("gone", status={"online": False, "recording": True})
    seed.site("idle", status={"online": True, "recording": False, "authority": ""})
    seed.site("never", heard_at=None, status=None)
    page = officer.get("/").text
    for name, said in (
        ("gone", "The box lost its connection"),
        ("idle", "The box reports, but records nothing about devices"),
        ("never", "The box has never reported"),
    ):
        assert f"NM-{name}" in page
        assert said in page
    assert "NM-well" not in page
