from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.fitting.channel import Line, Show
from appliance.fitting.page import EVERY, Page, answer_in, line_in
from appliance.fresh import Problem
from appliance.web import Asked
from wire.enrolment import MAX_ANSWER

SHOW = Show(
    site="box-0123456789",
    label="box-0123456789.0123456789abcdef.ABCDEFGHJKMNPQRS",
    link="https://gatehouse.example.org/install/claim#box-0123456789.0123456789abcdef.ABCDEFGHJKMNPQRS",
    fingerprint="0123456789abcdef",
    wifi_name="Gatehouse setup 6789",
    wifi_passphrase="abcd-efgh-jkmn-pqrs",
    card='{"card": 1}',
    request='{"request": 1}',
    operator="The <b>Example</b> Service",
    contact="Call 01632 960000.",
    stage="unclaimed",
)
SEALED = "QUJD" * 40


class Desk:
    """What a page hands on."""

    def __init__(self, *, takes: bool = True) -> None:
        self.brought: list[str] = []
        self.entered: list[Line] = []
        self._takes = takes
        self.page = Page(self.bring, self.enter)
        self.page.show(SHOW)

    def bring(self, answer: str) -> bool:
        self.brought.append(answer)
        return self._takes

    def enter(self, line: Line) -> bool:
        self.entered.append(line)
        return self._takes

    def get(self, path: str = "/", **more: Any) -> tuple[HTTPStatus, str]:
        asked = {"path": path, "host": "192.168.77.1", "server": "192.168.77.1", "at": 100.0} | more
        reply = self.page.answer(Asked(**asked))
        return reply.status, reply.body.decode()

    def post(self, form: bytes, kind: str = "application/x-www-form-urlencoded", **more: Any) -> tuple[HTTPStatus, str]:
        return self.get("/answer", form=form, form_type=kind, **more)


@pytest.mark.req("R8")
def test_the_page_says_openly_what_the_box_is() -> None:
    _, text = Desk().get()
    for words in ("keeps what a court order or a written consent allows", "never does so in secret", "01632 960000"):
        assert words in text
    assert "&lt;b&gt;Example" in text
    assert "<script" not in text


@pytest.mark.req("R9")
@pytest.mark.parametrize("problem", list(Problem))
def test_every_problem_is_shown_with_its_fix(problem: Problem) -> None:
    desk = Desk()
    desk.page.show(msgspec.structs.replace(SHOW, stage="asking", problem=problem.value, upstream_wifi=True))
    _, text = desk.get()
    assert "What is wrong" in text
    assert "The old Wi-Fi" in text
    assert text.count("<li>") > 3


def test_label_card_and_request_are_there_to_be_taken() -> None:
    desk = Desk()
    assert desk.get("/card.json")[1] == SHOW.card
    assert desk.get("/request.txt")[1] == SHOW.request
    assert "ABCD EFGH JKMN PQRS" in desk.get("/label")[1]
    assert desk.get("/label.svg")[1].startswith("<svg")
    assert desk.page.answer(Asked(path="/label.pdf", host="192.168.77.1", server="192.168.77.1")).body.startswith(
        b"%PDF"
    )


def test_once_enrolled_no_secret_is_left_on_it() -> None:
    desk = Desk()
    desk.page.show(Show(site=SHOW.site, stage="enrolled"))
    for path in ("/", "/label", "/label.svg", "/card.json", "/request.txt"):
        _, text = desk.get(path)
        for secret in (SHOW.label, SHOW.wifi_passphrase, SHOW.request):
            assert secret not in text
    assert "The box is set up." in desk.get()[1]


@pytest.mark.req("R69")
@pytest.mark.parametrize(
    "more", [{"host": "evil.example"}, {"host": ""}, {"own_address": False}, {"host": "192.168.77.1.evil.example"}]
)
def test_who_comes_by_another_name_sees_no_code(more: dict[str, Any]) -> None:
    """A page elsewhere that gives its own name the box's address must not read the label."""
    for path in ("/", "/label", "/label.svg", "/card.json", "/request.txt"):
        _, text = Desk().get(path, **more)
        for secret in (SHOW.label, "ABCD EFGH", SHOW.wifi_passphrase, SHOW.request):
            assert secret not in text
        assert 'href="http://192.168.77.1/"' in text


def test_an_answer_is_pasted_or_sent_as_a_file() -> None:
    desk = Desk()
    assert desk.post(f"answer={SEALED[:80]}%0D%0A{SEALED[80:]}".encode())[0] is HTTPStatus.OK
    form = f'--x\r\nContent-Disposition: form-data; name="answer"; filename="a"\r\n\r\n{SEALED}\r\n--x--\r\n'.encode()
    assert desk.post(form, "multipart/form-data; boundary=x", at=200.0)[0] is HTTPStatus.OK
    assert desk.brought == [SEALED, SEALED]


def test_what_is_no_answer_goes_nowhere() -> None:
    desk = Desk()
    for form, kind in (
        (b"", "application/x-www-form-urlencoded"),
        (b"answer=short", "application/x-www-form-urlencoded"),
        (b"answer=" + b"A" * (MAX_ANSWER + 4), "application/x-www-form-urlencoded"),
        (b"answer=" + b"<script>" * 20, "application/x-www-form-urlencoded"),
        (b"\xff" * 100, "multipart/form-data; boundary=x"),
        (b"--x--x--x--x--x--x--x--x", "multipart/form-data; boundary=x"),
    ):
        status, text = desk.post(form, kind)
        assert status is HTTPStatus.BAD_REQUEST
        assert "&lt;script" not in text
    assert desk.post(f"answer={SEALED}".encode(), origin="http://evil.example")[0] is HTTPStatus.FORBIDDEN
    assert desk.get("/else", form=b"x")[0] is HTTPStatus.NOT_FOUND
    assert desk.brought == []


def test_answers_come_one_at_a_time() -> None:
    desk = Desk()
    form = f"answer={SEALED}".encode()
    assert desk.post(form)[0] is HTTPStatus.OK
    assert desk.post(form)[0] is HTTPStatus.TOO_MANY_REQUESTS
    assert desk.post(form, at=100.0 + EVERY)[0] is HTTPStatus.OK
    busy = Desk(takes=False)
    assert busy.post(form)[0] is HTTPStatus.SERVICE_UNAVAILABLE


ANYBODYS = Desk()


@settings(max_examples=200, deadline=None)
@given(
    form=st.binary(max_size=400)
    | st.lists(st.sampled_from([b"--x", b"\r\n\r\n", b"answer=", b"&", b"A" * 70, b"%", b"content-disposition"])).map(
        b"".join
    ),
    kind=st.sampled_from(["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""])
    | st.text(max_size=60),
    path=st.text(max_size=40),
    host=st.text(max_size=30),
)
def test_whatever_is_asked_is_answered(form: bytes, kind: str, path: str, host: str) -> None:
    found = answer_in(form, kind)
    assert found is None or set(found) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    assert ANYBODYS.get(path, form=form, form_type=kind, host=host)[0] in set(HTTPStatus)


# --- how the internet comes -------------------------------------------------------------------------


def enter(desk: Desk, form: bytes, **more: Any) -> tuple[HTTPStatus, str]:
    return desk.get("/line", form=form, form_type="application/x-www-form-urlencoded", **more)


@pytest.mark.req("R5")
def test_a_line_is_entered_and_its_password_never_shown() -> None:
    desk = Desk()
    status, text = enter(desk, b"kind=pppoe&user=line-1%40provider.example&password=made-up-word")
    assert status is HTTPStatus.OK
    assert "up to two minutes" in text
    assert desk.entered == [Line(kind="pppoe", user="line-1@provider.example", password="made-up-word")]
    desk.page.show(msgspec.structs.replace(SHOW, line="pppoe", user="line-1@provider.example"))
    _, text = desk.get()
    assert 'value="pppoe" checked' in text
    assert 'value="line-1@provider.example"' in text
    assert "made-up-word" not in text
    status, _ = enter(desk, b"kind=modem&user=left&password=over", at=100.0 + EVERY)
    assert desk.entered[-1] == Line(kind="modem"), "what is of another way is left out"
    assert status is HTTPStatus.OK


@pytest.mark.req("R5")
@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"kind=none",
        b"kind=pppoe&user=line-1",
        b"kind=pppoe&password=word",
        b"kind=pppoe&user=a%20b&password=word",
        b"kind=pppoe&user=a%22b&password=word",
        b"kind=pppoe&user=a&password=two%0Alines",
        b"kind=pppoe&user=" + b"a" * 200 + b"&password=word",
        b"kind=\xff",
        b"a=1&b=2&c=3&d=4&e=5&f=6",
    ],
)
def test_what_is_no_line_is_said_and_goes_nowhere(form: bytes) -> None:
    desk = Desk()
    status, text = enter(desk, form)
    assert status is HTTPStatus.BAD_REQUEST
    assert "Choose how the internet comes" in text
    assert desk.entered == []


@given(st.binary(max_size=400))
def test_whatever_is_entered_is_a_line_or_nothing(form: bytes) -> None:
    line = line_in(form)
    assert line is None or line.kind in {"dhcp", "modem"} or (line.user and line.password)


def test_a_line_is_taken_from_this_page_only_and_one_at_a_time() -> None:
    desk = Desk(takes=False)
    assert enter(desk, b"kind=dhcp", origin="http://elsewhere.example")[0] is HTTPStatus.FORBIDDEN
    assert enter(desk, b"kind=dhcp")[0] is HTTPStatus.SERVICE_UNAVAILABLE
    assert enter(desk, b"kind=dhcp")[0] is HTTPStatus.TOO_MANY_REQUESTS
    desk.page.show(msgspec.structs.replace(SHOW, stage="enrolled", label="", link="", card="", request=""))
    assert "How the internet comes" not in desk.get()[1]
