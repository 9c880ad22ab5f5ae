from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, update

from dashboard.pages.command import LOOK_SECONDS, WAIT_SECONDS
from dashboard.store import schema


@pytest.fixture
def account_id(officer: FlaskClient, seed: Any) -> str:
    """Whoever is signed in."""
    assert officer.get_cookie("gatehouse") is not None
    return str(seed.rows(schema.account)[0]["account_id"])


@pytest.fixture
def command(account_id: str, seed: Any, engine: Engine, clock: Any) -> str:
    """A command that waits for the box."""
    seed.site()
    seed.device()
    with engine.begin() as connection:
        connection.execute(
            insert(schema.command).values(
                command_id="cmd-1",
                site="site-1",
                device_id="dev-1",
                body={"action": "set-standing", "device_id": "dev-1", "standing": "guest", "label": "black phone"},
                reason="Shown at\nthe visit",
                by=account_id,
                created_at=clock.at,
                expires_at=clock.at + 600,
                state="waiting",
            )
        )
    return "/commands/cmd-1"


@pytest.fixture
def answer(engine: Engine, clock: Any) -> Callable[..., None]:
    """What ingest writes when the box answers."""

    def do(state: str, detail: str = "") -> None:
        with engine.begin() as connection:
            connection.execute(update(schema.command).values(state=state, detail=detail, answered_at=clock.at))

    return do


def test_waits_two_seconds_at_most(officer: FlaskClient, command: str, clock: Any) -> None:
    page = officer.get(f"{command}?wait=1")
    assert "Waiting to be sent to the box" in page.text
    assert sum(clock.waits) == pytest.approx(WAIT_SECONDS)


def test_stops_waiting_when_the_answer_is_there(
    officer: FlaskClient, command: str, clock: Any, answer: Callable[..., None]
) -> None:
    clock.on_wait = lambda: answer("applied")
    page = officer.get(f"{command}?wait=1")
    assert "Done: the box has applied it" in page.text
    assert clock.waits == [LOOK_SECONDS]


def test_waits_only_when_asked(officer: FlaskClient, command: str, clock: Any) -> None:
    officer.get(command)
    officer.get(f"{command}?part=live")
    assert clock.waits == []


def test_a_waiting_page_loads_itself_again_without_javascript(
    officer: FlaskClient, command: str, answer: Callable[..., None]
) -> None:
    refresh = f'<noscript><meta http-equiv="refresh" content="3;url={command}"></noscript>'
    assert refresh in officer.get(f"{command}?wait=1").text
    answer("applied")
    assert 'http-equiv="refresh"' not in officer.get(command).text


@pytest.mark.parametrize(
    ("state", "heading", "done"),
    [
        ("waiting", "Waiting to be sent to the box", False),
        ("sent", "Sent to the box; waiting for its answer", False),
        ("applied", "Done: the box has applied it", True),
        ("refused", "The box refused", True),
        ("expired", "Too late: nothing was changed", True),
        ("out-of-sequence", "The box refused: it knew of a later one", True),
        ("something-new", "The box answered", True),
    ],
)
def test_says_what_became_of_it(
    officer: FlaskClient, command: str, answer: Callable[..., None], *, state: str, heading: str, done: bool
) -> None:
    answer(state, "" if not done else "A <b>detail\u202e.")
    page = officer.get(command).text
    assert f">{heading}</h1>" in page
    assert ("data-live=" not in page) is done
    if done:
        assert "The box says: A &lt;b&gt;detail[U+202E]." in page
    part = officer.get(f"{command}?part=live")
    assert (part.headers.get("X-Done") == "1") is done


def test_no_answer_in_time_is_an_end_that_promises_nothing(officer: FlaskClient, command: str, clock: Any) -> None:
    clock.at += 601
    page = officer.get(command).text
    assert "No answer from the box in time" in page
    assert "data-live=" not in page


@pytest.mark.parametrize(
    ("state", "heading", "words"),
    [
        ("unanswered", "No answer from the box in time", "The box may have followed it all the same."),
        ("unsent", "Not sent: nothing was changed", "It could not be sent while it still counted."),
    ],
)
def test_what_the_dashboard_knows_is_not_said_as_the_boxs_word(
    officer: FlaskClient, command: str, engine: Engine, *, state: str, heading: str, words: str
) -> None:
    with engine.begin() as connection:
        connection.execute(update(schema.command).values(state=state))
    page = officer.get(command).text
    assert f">{heading}</h1>" in page
    assert words in page
    for wrong in ("The box says", "Answered", "data-live="):
        assert wrong not in page


def test_says_what_was_asked_and_leads_back(officer: FlaskClient, command: str) -> None:
    page = officer.get(command).text
    for part in ("black phone", "Guest", "Shown at the visit", "officer-1", "14 January 2026, 21:04"):
        assert part in page, part
    assert 'href="/households/site-1"' in page


def test_a_command_of_another_tenant_does_not_exist(officer: FlaskClient, command: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(schema.site).values(tenant="elsewhere"))
    assert officer.get(command).status_code == 404
