"""The notice on a device's first join, and the household's own forms, over a real network."""

from __future__ import annotations

import re
import sqlite3

import pytest

from lab.client import Client
from lab.service import wait_until
from lab.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

_CHECK = "http://www.news.example/generate_204"
_BOX = "http://192.0.2.1"


def curl(client: Client, *words: str) -> str:
    done = client.run(["curl", "--silent", "--noproxy", "*", "--max-time", "10", *words], check=False)
    return str(done.stdout)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return found[1]


def asked(stack: Stack) -> list[tuple[str, str | None]]:
    """Kind and device of each form that the box has taken."""
    with sqlite3.connect(f"file:{stack.keeper_database}?mode=ro", uri=True) as database:
        return database.execute("select kind, device_id from form_sent order by at").fetchall()


@pytest.mark.req("R57", "R59", "R60")
def test_the_first_look_for_a_sign_in_page_finds_the_notice(stack: Stack) -> None:
    phone = stack.join("household-phone", mac="02:00:00:0f:00:01")
    wait_until(lambda: "About the box" in curl(phone, _CHECK), what="the notice in place of the check", seconds=20)
    assert phone.browse("www.news.example") == 200, "nothing else is held up"
    phone.address6()
    assert phone.browse("www.news.example", family=6) == 200
    assert phone.browse("www.news.example", scheme="http", family=6) == 0, "over IPv6 it is turned down at once"
    page = curl(phone, _CHECK)
    assert f'action="{_BOX}/read"' in page
    said = curl(phone, "--data", f"token={hidden(page, 'token')}&notice={hidden(page, 'notice')}", f"{_BOX}/read")
    assert "You have said that you read the notice" in said
    wait_until(lambda: "About the box" not in curl(phone, _CHECK), what="the check to reach the internet", seconds=10)
    assert phone.browse("www.news.example", scheme="http", family=6) == 200
    assert ("notice-read", True) in {(kind, device_id is not None) for kind, device_id in asked(stack)}
    stack.home.leave(phone)


@pytest.mark.req("R57")
def test_without_an_answer_the_device_is_let_go_within_a_minute(stack: Stack) -> None:
    phone = stack.join("household-phone", mac="02:00:00:0f:00:02")
    wait_until(lambda: "About the box" in curl(phone, _CHECK), what="the notice in place of the check", seconds=20)
    wait_until(lambda: "About the box" not in curl(phone, _CHECK), what="the check to reach the internet", seconds=65)
    stack.home.leave(phone)


@pytest.mark.req("N12", "R58")
def test_a_visitor_says_so_and_a_complaint_arrives(stack: Stack) -> None:
    phone = stack.join("household-phone", mac="02:00:00:0f:00:03")
    wait_until(lambda: "About the box" in curl(phone, _CHECK), what="the box to know the phone", seconds=20)
    token = hidden(curl(phone, f"{_BOX}/visitor"), "token")
    said = curl(phone, "--data", f"token={token}&visitor=phone&hours=24", f"{_BOX}/visitor")
    assert "Nobody asked for your name" in said
    token = hidden(curl(phone, f"{_BOX}/ask"), "token")
    said = curl(phone, "--data", f"token={token}&kind=complaint&text=Too+slow", f"{_BOX}/ask")
    assert "Your complaint is on its way" in said
    kinds = {kind for kind, device_id in asked(stack) if device_id is not None}
    assert {"guest", "complaint"} <= kinds
    token = hidden(curl(phone, f"{_BOX}/this-device"), "token")
    assert "This cannot be shown here" in curl(phone, "--data", f"token={token}&code=WRONG", f"{_BOX}/this-device")
    stranger = curl(phone, "--data", "token=1.2&kind=complaint&text=Forged", f"{_BOX}/ask")
    assert "was not sent from this page" in stranger
    stack.home.leave(phone)


@pytest.mark.req("R57")
def test_the_kernel_itself_ends_the_notice_whoever_has_stopped(stack: Stack) -> None:
    phone = stack.join("household-phone", mac="02:00:00:0f:00:04")
    wait_until(lambda: "About the box" in curl(phone, _CHECK), what="the notice in place of the check", seconds=20)
    listed = stack.home.gateway.run(["nft", "list", "set", "inet", "gatehouse", "unread"]).stdout
    assert re.search(rf"{phone.mac} timeout (1m|[1-5]?\ds) expires [1-5]?\ds", listed), listed
    stack.home.leave(phone)
