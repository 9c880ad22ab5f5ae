"""Forms: what is taken, and what is not."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import messages as m
from appliance.porch.forms import (
    ASK,
    MAX_ADDRESSES,
    MAX_FIELDS,
    ODD,
    OFTEN,
    OLD,
    OWN,
    PER_WINDOW,
    READ,
    SENT,
    TOKEN_SECONDS,
    VISITOR,
    WINDOW,
    Forms,
    Rate,
    Refusal,
    Tokens,
    plain,
)
from appliance.web import MAX_BODY, Asked

HERE, ELSEWHERE = "192.0.2.17", "192.0.2.18"
KEY = b"k" * 32
DIGEST = "a" * 64
URLENCODED = "application/x-www-form-urlencoded"


def sent(
    path: str,
    fields: dict[str, str] | list[tuple[str, str]],
    *,
    at: float = 100.0,
    client: str = HERE,
    origin: str = "",
) -> Asked:
    """What a browser sends that has read the page at `client`."""
    return Asked(
        path=path,
        host="192.0.2.1",
        client=client,
        ticket=7,
        at=at,
        form=urlencode(fields).encode(),
        form_type=URLENCODED,
        origin=origin,
    )


def token(path: str, *, at: float = 100.0, client: str = HERE) -> str:
    return Tokens(KEY).make(path, client, at)


def read(asked: Asked) -> m.FormSent | m.OwnPageAsked | Refusal:
    return Forms(Tokens(KEY)).read(asked, asked.path)


def refused(asked: Asked) -> tuple[str, HTTPStatus]:
    found = read(asked)
    assert isinstance(found, Refusal)
    return found.why, found.status


@pytest.mark.req("N12", "R59")
@pytest.mark.parametrize(
    ("path", "fields", "made"),
    [
        (READ, {"notice": DIGEST}, m.FormSent(ticket=7, client=HERE, kind=m.FormKind.NOTICE_READ, notice=DIGEST)),
        (
            VISITOR,
            {"visitor": "phone", "hours": "336"},
            m.FormSent(ticket=7, client=HERE, kind=m.FormKind.GUEST, visitor=m.Visitor.PHONE, seconds=14 * 86400.0),
        ),
        (
            ASK,
            {"kind": "complaint", "text": "Too slow.\r\nEvery day. \u202eyad"},
            m.FormSent(ticket=7, client=HERE, kind=m.FormKind.COMPLAINT, text="Too slow.\nEvery day. yad"),
        ),
        (ASK, {"kind": "access", "text": ""}, m.FormSent(ticket=7, client=HERE, kind=m.FormKind.ACCESS)),
        (OWN, {"code": " K7QM-2XPA "}, m.OwnPageAsked(ticket=7, client=HERE, code="K7QM-2XPA")),
    ],
)
def test_a_form_of_ours_makes_a_message(path: str, fields: dict[str, str], made: m.Message) -> None:
    assert read(sent(path, fields | {"token": token(path)}, origin="http://192.0.2.1")) == made


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (READ, {"notice": "not a digest"}),
        (READ, {"notice": DIGEST + "\n"}),
        (VISITOR, {"visitor": "person", "hours": "24"}),
        (VISITOR, {"visitor": "phone", "hours": "8760"}),
        (VISITOR, {"visitor": "phone"}),
        (ASK, {"kind": "report", "text": "Somebody else did it."}),
        (ASK, {"kind": "guest", "text": "x"}),
        (ASK, {"kind": "complaint", "text": "x" * (m.MAX_SAID + 1)}),
        (OWN, {"code": "x" * (m.MAX_CODE + 1)}),
        ("/elsewhere", {"kind": "complaint"}),
    ],
)
def test_what_no_form_of_ours_has_is_refused(path: str, fields: dict[str, str]) -> None:
    assert refused(sent(path, fields | {"token": token(path)}))[0] == ODD


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("", SENT),
        ("1.2", SENT),
        ("zz.é", SENT),
        (Tokens(b"other" * 8).make(ASK, HERE, 100.0), SENT),
        (token(VISITOR), SENT),
        (token(ASK, client=ELSEWHERE), SENT),
        (token(ASK, at=100.0 - TOKEN_SECONDS - 1), OLD),
        (token(ASK, at=200.0), OLD),
    ],
    ids=["none", "made-up", "no-ascii", "another-run", "another-form", "another-address", "old", "of-tomorrow"],
)
def test_a_form_without_our_token_is_refused(made: str, why: str) -> None:
    fields = {"kind": "complaint", "text": "x", "token": made}
    assert refused(sent(ASK, fields)) == (why, HTTPStatus.FORBIDDEN)


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "https://192.0.2.1.evil.example", "http://192.0.2.9"]
)
def test_a_form_that_comes_from_another_place_is_refused(origin: str) -> None:
    fields = {"kind": "complaint", "text": "x", "token": token(ASK)}
    assert refused(sent(ASK, fields, origin=origin))[0] == SENT
    noticed = sent(READ, {"notice": DIGEST, "token": token(READ)}, origin=origin)
    assert isinstance(read(noticed), m.FormSent), "the notice is read wherever a device was led from"


def test_other_bodies_are_no_forms() -> None:
    asked = sent(ASK, {"kind": "complaint", "token": token(ASK)})
    for changed in (
        {"form_type": "multipart/form-data; boundary=x"},
        {"form_type": "application/json"},
        {"form": b"\xff\xfe=\x00"},
        {"form": b"kind=%ff"},
        {"form": b"&".join(b"f%d=x" % number for number in range(MAX_FIELDS + 1))},
        {"form": b"kind=access&kind=complaint&token=" + token(ASK).encode()},
        {"form": None},
    ):
        fields = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
        assert refused(Asked(**(fields | changed)))[0] == ODD


@given(body=st.binary(max_size=2048), path=st.sampled_from([READ, VISITOR, ASK, OWN, "/"]))
def test_arbitrary_bodies_raise_nothing(body: bytes, path: str) -> None:
    asked = Asked(path=path, client=HERE, at=100.0, form=body, form_type=URLENCODED)
    assert isinstance(read(asked), Refusal)


@given(text=st.text(max_size=600), path=st.sampled_from([ASK, OWN]))
def test_arbitrary_words_make_a_message_that_travels_or_none(text: str, path: str) -> None:
    fields = {"token": token(path), "kind": "complaint", "text": text, "code": text, "visitor": text}
    found = read(sent(path, {key: value.encode("utf-8", "ignore").decode() for key, value in fields.items()}))
    if not isinstance(found, Refusal):
        assert m.decode(m.encode([found])) == [found]


def test_one_address_sends_so_many_and_a_flood_of_addresses_is_bounded() -> None:
    rate = Rate()
    assert [rate.admits(HERE, 0.0) for _ in range(PER_WINDOW + 2)] == [True] * PER_WINDOW + [False] * 2
    assert [rate.admits(f"192.0.2.{number}", 1.0) for number in range(MAX_ADDRESSES)].count(True) == MAX_ADDRESSES - 1
    assert len(rate.counts) == MAX_ADDRESSES
    assert rate.refused > 2
    assert rate.admits(HERE, WINDOW)
    assert len(rate.counts) == 1
    forms = Forms(Tokens(KEY))
    for _ in range(PER_WINDOW):
        forms.read(sent(ASK, {}), ASK)
    found = forms.read(sent(ASK, {"kind": "access", "token": token(ASK)}), ASK)
    assert found == Refusal(why=OFTEN, status=HTTPStatus.TOO_MANY_REQUESTS)


def test_plain_text_keeps_words_and_lines() -> None:
    assert plain("Dŵr\r\nline\x00\x1b[2J \u200bend") == "Dŵr\nline[2J end"


@pytest.mark.req("N12")
@pytest.mark.parametrize("letter", ["e", "\u0175", "\u8ba4", "\U0001f3e0"])
def test_the_longest_text_fits_in_every_script(letter: str) -> None:
    asked = sent(ASK, {"token": token(ASK), "kind": "complaint", "text": letter * m.MAX_SAID})

    made = read(asked)

    assert asked.form is not None
    assert len(asked.form) <= MAX_BODY
    assert isinstance(made, m.FormSent)
    assert made.text == letter * m.MAX_SAID
