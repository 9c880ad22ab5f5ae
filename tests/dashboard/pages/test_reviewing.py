from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from werkzeug.test import TestResponse

from dashboard.access import Role
from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from dashboard.store import schema

PATH = "/households/site-1/findings/find-1"
Csrf = Callable[[TestResponse], str]
SignIn = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def household(seed: Any) -> None:
    seed.site()
    seed.device()
    seed.finding()


def _form(page: TestResponse, name: str) -> dict[str, str]:
    """Hidden fields of a form of the page."""
    form = page.text[page.text.index(f'aria-label="{name}"') :].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


@pytest.fixture
def decide() -> Callable[..., TestResponse]:
    """Fill the form in and send it; `page` is an earlier copy of it."""

    def do(client: FlaskClient, page: TestResponse | None = None, path: str = PATH, **fields: str) -> TestResponse:
        shown = page or client.get(path)
        whole = {"action": "none", "outcome": "explained", "reason": "Seen at the visit"}
        return client.post(f"{path}/review", data=_form(shown, "Decide") | whole | fields)

    return do


Decide = Callable[..., TestResponse]


@pytest.mark.req("R37", "R36")
def test_a_decision_takes_the_finding_off_today_and_says_who(
    officer: FlaskClient, decide: Decide, seed: Any, clock: Any
) -> None:
    assert "Nobody has looked at 1 finding yet. The oldest has waited 1 minute." in officer.get("/").text
    sent = decide(officer)
    assert (sent.status_code, sent.location) == (303, PATH)
    page = officer.get(PATH).text
    assert "Decided." in page
    assert "officer-1" in page[page.index('id="decided"') :][:300]
    assert "Seen at the visit" in page
    today = officer.get("/").text
    assert "Nothing needs a decision in 1 household." in today
    assert "Somebody has looked at every finding." in today
    (row,) = seed.rows(schema.review)
    assert (row["outcome"], row["at"], row["state"]) == ("explained", clock.at, "settled")
    assert "review-finding" in [item["action"] for item in seed.rows(schema.audit)]


@pytest.mark.req("R37")
def test_the_household_says_of_each_finding_who_decided(officer: FlaskClient, decide: Decide, seed: Any) -> None:
    seed.finding("find-2", kind="tunnel")
    decide(officer)
    page = officer.get("/households/site-1").text
    assert "1 finding needs a decision. 1 was decided and is still open." in page
    first = page[page.index('id="finding-find-1"') :].partition("</article>")[0]
    assert re.search(r"Decided</dt><dd><bdi>No action: Explained\. officer-1, 14 January 2026", first)
    assert "govuk-button" not in first
    other = page[page.index('id="finding-find-2"') :].partition("</article>")[0]
    assert "Nobody has decided" in other
    assert "govuk-button" in other


@pytest.mark.req("R36")
def test_decide_and_next_leads_through_all_of_today(
    officer: FlaskClient, decide: Decide, seed: Any, clock: Any
) -> None:
    for number in range(2, 5):
        seed.site(f"site-{number}")
        seed.device(site=f"site-{number}")
        seed.finding(site=f"site-{number}", severity="act_now" if number == 4 else "today", raised_at=clock.at - number)
    at = officer.get("/next").location
    order = []
    while at != "/":
        order.append(at)
        at = decide(officer, path=at, then="next").location
    assert [re.search(r"site-(\d)", path)[1] for path in order] == ["4", "1", "3", "2"]  # type: ignore[index]
    assert officer.get("/next").location == "/"


def test_going_on_without_deciding_comes_to_an_end(officer: FlaskClient, seed: Any, clock: Any) -> None:
    seed.finding("find-2", kind="tunnel", raised_at=clock.at - 5)
    first = officer.get("/next").location
    skip = re.search(r'href="(/next\?after=[^"]+)" id="review-skip"', officer.get(first).text)
    assert skip is not None
    second = officer.get(skip[1]).location
    assert second.endswith("find-2")
    assert officer.get("/next?after=site-1/find-2").location == "/"


@pytest.mark.req("R36")
def test_one_of_many_of_a_cause_leads_on_from_its_cause(
    officer: FlaskClient, decide: Decide, seed: Any, clock: Any
) -> None:
    seed.site("site-2")
    seed.device(site="site-2")
    for number in range(2, 9):
        seed.finding(f"find-{number}", site="site-1", raised_at=clock.at + number)
    seed.finding("find-other", site="site-2", raised_at=clock.at + 100)
    other = "/households/site-2/findings/find-other"
    assert officer.get("/next?after=site-1/find-8").location == other
    assert decide(officer, path="/households/site-1/findings/find-8", then="next").location == other
    assert "/site-1/" in officer.get("/next?after=site-1/find-8").location


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"action": ""}, "review-action", "Select what you decide"),
        ({"action": "register"}, "review-action", "Select what you decide"),
        ({"reason": "  "}, "review-reason", "Enter the reason for your decision"),
        ({"reason": "x" * 501}, "review-reason", "Reason must be 500 characters or fewer"),
        ({"outcome": ""}, "review-outcome", "Select what it turned out to be"),
        ({"outcome": "guilty"}, "review-outcome", "Select what it turned out to be"),
        ({"action": "ask", "follow_up": "yesterday"}, "review-follow-up", "Enter a day from today on"),
        ({"action": "ask", "follow_up": "2025-01-01"}, "review-follow-up", "Enter a day from today on"),
        ({"action": "refer", "referred_to": "acc-nobody"}, "review-referred", "Select who you refer it to"),
        ({"exculpatory": "a\u202eb"}, "review-exculpatory", "must only have characters that can be seen"),
        ({"token": "x"}, "review-action", "This form was not complete"),
        ({"seen": "many"}, "review-action", "This form was not complete"),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_is_kept(
    officer: FlaskClient,
    sign_in_as: SignIn,
    decide: Decide,
    seed: Any,
    *,
    fields: dict[str, str],
    field: str,
    text: str,
) -> None:
    sign_in_as("chief", Role.SUPERVISOR)
    answer = decide(officer, **({"purpose": "prevention"} | fields))
    assert answer.status_code == 422
    assert f'<a href="#{field}">{text}' in answer.text or text in answer.text
    assert f'id="{field}"' in answer.text
    if "reason" not in fields:
        assert "Seen at the visit</textarea>" in answer.text
    assert re.search(r'value="prevention"\s+selected', answer.text)
    assert seed.rows(schema.review) == []


def test_a_form_sent_twice_is_one_act(officer: FlaskClient, decide: Decide, seed: Any) -> None:
    page = officer.get(PATH)
    assert [decide(officer, page).status_code for _ in range(2)] == [303, 303]
    assert len(seed.rows(schema.review_act)) == 1


@pytest.mark.req("R37")
def test_of_two_officers_the_later_sees_what_the_first_said_and_chooses(
    officer: FlaskClient, sign_in_as: SignIn, decide: Decide, seed: Any
) -> None:
    other = sign_in_as("officer-2")
    page = other.get(PATH)
    assert decide(officer).status_code == 303
    late = decide(other, page, outcome="visitor", reason="It is a visit")
    assert late.status_code == 422
    assert "officer-1 decided about this on" in late.text
    assert "Seen at the visit" in late.text
    assert "It is a visit</textarea>" in late.text
    assert re.search(r'value="visitor"\s+selected', late.text)
    assert len(seed.rows(schema.review_act)) == 1
    again = decide(other, late, outcome="visitor", reason="It is a visit")
    assert again.status_code == 303
    assert [row["act"] for row in seed.rows(schema.review_act)] == ["decide", "reopen", "decide"]
    (now,) = seed.rows(schema.review)
    assert (now["outcome"], now["version"]) == ("visitor", 3)
    history = officer.get(PATH).text
    assert "All that was decided" in history
    assert "Seen at the visit" in history


def test_asking_the_person_comes_back_on_its_day(officer: FlaskClient, decide: Decide, seed: Any, clock: Any) -> None:
    assert decide(officer, action="ask", outcome="", follow_up="2026-01-20").status_code == 303
    assert "It comes back on 20 January 2026." in officer.get(PATH).text
    assert "Comes back today" not in officer.get("/").text
    clock.at += 6 * 86400
    seed.rename_device("dev-1", "phone")
    with seed.engine.begin() as connection:
        connection.execute(update(schema.session).values(expires_at=clock.at + 3600, seen_at=clock.at))
        connection.execute(update(schema.site).values(heard_at=clock.at))
    today = officer.get("/").text
    assert "Comes back today" in today
    assert "To be asked" in today
    assert decide(officer, outcome="visitor", reason="A guest, they said").status_code == 303
    assert "Comes back today" not in officer.get("/").text


def test_what_is_referred_is_told_and_is_on_their_today(
    officer: FlaskClient, sign_in_as: SignIn, decide: Decide, seed: Any
) -> None:
    chief = sign_in_as("chief", Role.SUPERVISOR)
    whose = next(row["account_id"] for row in seed.rows(schema.account) if row["name"] == "chief")
    assert decide(officer, action="refer", outcome="", referred_to=whose).status_code == 303
    assert "Referred to chief." in officer.get(PATH).text
    assert "Comes back today" not in officer.get("/").text
    theirs = chief.get("/").text
    assert "Referred to you" in theirs
    (told,) = seed.rows(schema.told)
    assert (told["account_id"], told["text"]) == (whose, "A finding was referred to you. It is on your Today.")
    assert "A finding was referred to you." in theirs
    form = re.search(r'action="(/messages/[^"]+/read)"', theirs)
    assert form is not None
    read = chief.post(form[1], data={"csrf_token": re.search(r'csrf_token" value="([^"]+)', theirs)[1]})  # type: ignore[index]
    assert read.location == PATH


@pytest.mark.req("N13")
def test_a_second_person_answers_and_it_is_somebody_else(
    officer: FlaskClient, sign_in_as: SignIn, decide: Decide
) -> None:
    other = sign_in_as("officer-2")
    assert decide(officer, second="1", exculpatory="The tablet was lent", heading="routine").status_code == 303
    mine = officer.get(PATH)
    assert "waits for a second person" in mine.text
    assert "Do you agree?" not in mine.text
    assert "Wants a second person" in other.get("/").text
    theirs = other.get(PATH)
    fields = _form(theirs, "Second person")
    wrong = other.post(f"{PATH}/second", data=fields | {"reason": "I looked"})
    assert (wrong.status_code, "Select whether you agree" in wrong.text) == (422, True)
    assert ">I looked</textarea>" in wrong.text
    done = other.post(f"{PATH}/second", data=_form(wrong, "Second person") | {"reason": "I looked", "answer": "agree"})
    assert done.status_code == 303
    page = officer.get(PATH).text
    assert "A second person agreed" in page
    assert "Speaks for the person: <bdi>The tablet was lent</bdi>" in page
    late = other.post(f"{PATH}/second", data=fields | {"reason": "x", "answer": "agree", "token": "b" * 32})
    assert late.status_code == 422
    assert "Somebody else acted meanwhile" in late.text or "Open it again" in late.text


@pytest.mark.req("N13")
def test_the_operator_can_ask_for_a_second_person_by_severity(
    *,
    make_settings: Callable[..., DashboardSettings],
    engine: Engine,
    clock: Any,
    sign_in_as: SignIn,
    seed: Any,
    decide: Decide,
) -> None:
    settings = make_settings(reviews={"second_severities": ["today"], "outcomes": {"explained": "Cleared up"}})
    client = sign_in_as()
    token = None
    with client.session_transaction() as session:
        token = session["token"]
    strict = create_app(settings, engine=engine, now=clock.now).test_client()
    with strict.session_transaction() as session:
        session["token"] = token
    page = strict.get(PATH)
    assert "Somebody else has to look at this too and agree." in page.text
    assert "Cleared up" in page.text
    assert decide(strict, page, second="").status_code == 303
    assert [row["state"] for row in seed.rows(schema.review)] == ["second"]


def test_what_was_decided_is_opened_again_with_a_reason(officer: FlaskClient, decide: Decide) -> None:
    decide(officer)
    page = officer.get(PATH)
    assert 'aria-label="Decide"' not in page.text
    assert officer.post(f"{PATH}/reopen", data=_form(page, "Open it again") | {"reason": ""}).status_code == 422
    done = officer.post(f"{PATH}/reopen", data=_form(page, "Open it again") | {"reason": "It came up"})
    assert done.status_code == 303
    assert "1 of 1 household needs a decision." in officer.get("/").text
    assert decide(officer).status_code == 303


@pytest.mark.req("R26")
def test_findings_of_one_cause_are_decided_together(officer: FlaskClient, decide: Decide, seed: Any) -> None:
    for number in (2, 3):
        seed.finding(f"find-{number}", kind="tunnel", cause="one")
    path = "/households/site-1/findings/find-2"
    assert "Also for 1 other finding of the same cause" in officer.get(path).text
    assert decide(officer, path=path, together="1").status_code == 303
    assert {row["finding_id"] for row in seed.rows(schema.review)} == {"find-2", "find-3"}


@pytest.mark.req("R37")
def test_what_came_while_the_page_was_read_is_not_decided_with_the_rest(
    officer: FlaskClient, decide: Decide, seed: Any
) -> None:
    for number in (2, 3):
        seed.finding(f"find-{number}", kind="tunnel", cause="one")
    path = "/households/site-1/findings/find-2"
    page = officer.get(path)
    seed.finding("find-4", kind="tunnel", cause="one", severity="act_now")
    assert decide(officer, page, path=path, together="1").status_code == 303
    assert {row["finding_id"] for row in seed.rows(schema.review)} == {"find-2", "find-3"}


@pytest.mark.req("R37")
def test_who_opened_it_again_is_named_and_not_who_had_decided(
    officer: FlaskClient, sign_in_as: SignIn, decide: Decide
) -> None:
    stale = officer.get(PATH)
    other = sign_in_as("officer-2")
    decide(officer)
    fields = _form(other.get(PATH), "Open it again") | {"reason": "It came up"}
    assert other.post(f"{PATH}/reopen", data=fields).status_code == 303
    page = officer.get(PATH).text
    stands = page[page.index('id="decided"') :].partition("</section>")[0].partition("<details")[0]
    assert "It was opened again and waits for a decision." in stands
    assert "officer-2" in stands
    assert "It came up" in stands
    assert "officer-1" not in stands
    assert "Seen at the visit" not in stands
    assert "officer-2 decided about this on 14 January 2026" in decide(officer, stale, token="c" * 32).text
    assert ": Opened again. Because: It came up" in decide(officer, stale, token="d" * 32).text


@pytest.mark.req("R7", "R37")
def test_registering_the_device_is_the_decision(officer: FlaskClient, seed: Any, csrf: Csrf) -> None:
    page = officer.get(PATH)
    token = re.search(r'name="token" value="([^"]+)"', page.text[page.text.index('action="' + PATH + '"') :])
    assert token is not None
    fields = {"standing": "guest", "label": "phone", "days": "3", "reason": "A visit", "token": token[1]}
    assert officer.post(PATH, data={"csrf_token": csrf(page)} | fields).status_code == 303
    (row,) = seed.rows(schema.review)
    assert (row["action"], row["outcome"], row["reason"]) == ("register", "visitor", "A visit")
    assert "Nothing needs a decision" in officer.get("/").text
    # It comes back if the box does not do it.
    with seed.engine.begin() as connection:
        connection.execute(update(schema.command).values(state="unanswered"))
    assert "The box did not do what was asked" in officer.get("/").text


@pytest.mark.req("R30")
def test_an_entry_that_is_wrong_is_counted_for_its_list(officer: FlaskClient, decide: Decide, seed: Any) -> None:
    seed.finding("find-2", kind="listed-name", hit=seed.hit(), cause="two")
    path = "/households/site-1/findings/find-2"
    assert "Nobody has said yet that an entry of this list was wrong" in officer.get(path).text
    decide(officer, path=path, outcome="list-wrong")
    assert "Officers said 1 time that an entry of this list was wrong" in officer.get(path).text


@pytest.mark.req("R66")
def test_who_may_only_look_has_no_form_and_no_right(sign_in_as: SignIn, seed: Any) -> None:
    auditor = sign_in_as("auditor", Role.AUDITOR)
    page = auditor.get(PATH)
    assert page.status_code == 200
    assert "/review" not in page.text
    token = re.search(r'csrf_token" value="([^"]+)', page.text)[1]  # type: ignore[index]
    for act in ("review", "second", "reopen"):
        answer = auditor.post(f"{PATH}/{act}", data={"csrf_token": token, "reason": "x", "action": "none"})
        assert answer.status_code == 403, act
    assert seed.rows(schema.review) == []


@pytest.mark.req("S5")
def test_one_signal_says_so(officer: FlaskClient, seed: Any) -> None:
    seed.finding("find-2", kind="tunnel", signals=1, grade="low")
    seed.finding("find-3", kind="tunnel", signals=3, grade="high")
    assert "It rests on one signal alone" in officer.get("/households/site-1/findings/find-2").text
    assert "3 independent signals agree" in officer.get("/households/site-1/findings/find-3").text
    assert "Take it as one." in officer.get(PATH).text


def test_earlier_ones_like_it_are_listed_with_what_was_decided(officer: FlaskClient, decide: Decide, seed: Any) -> None:
    seed.finding("find-0", state="closed", raised_at=seed.clock.at - 9000)
    decide(officer, path="/households/site-1/findings/find-0", outcome="visitor")
    page = officer.get(PATH).text
    section = page[page.index('id="earlier"') :]
    assert 'href="/households/site-1/findings/find-0"' in section
    assert "No action: A visitor&#39;s device" in section
