from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists.names import normalise, remark, scripts, shown


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WWW.Example.", "www.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("_sip._udp.example", "_sip._udp.example"),
        ("", None),
        (".", None),
        ("a..example", None),
        ("-a.example", None),
        ("a" * 64 + ".example", None),
        (".".join(["a" * 60] * 5), None),
        ("ü" * 2000, None),
        ("a b.example", None),
    ],
)
def test_one_form(text: str, name: str | None) -> None:
    assert normalise(text) == name


@given(st.text(max_size=400))
def test_what_comes_out_stays_as_it_is(text: str) -> None:
    name = normalise(text)
    assert name is None or (len(name) <= 253 and normalise(name) == name)


@pytest.mark.req("R24", "R34")
@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("www.xn--bcher-kva.example", "www.bücher.example"),
        ("bets.example", None),
        ("xn--.example", None),
        ("xn--99999999999.example", None),
        ("xn--ab-g4t.example", None),  # a mark that turns the direction of the text
    ],
)
def test_letters_of_a_name(name: str, letters: str | None) -> None:
    assert shown(name) == letters


@pytest.mark.req("R24")
@pytest.mark.parametrize(
    ("letters", "said"),
    [
        ("p\u0430ypal.example", "Its letters are of more than one script: Cyrillic and Latin."),
        ("\u0430\u0440\u0440\u04cf\u0435.example", "Its letters are Cyrillic ones that look like Latin letters."),
        ("b\u00fccher.example", None),
        ("\u043a\u0430\u0437\u0438\u043d\u043e.example", None),
        ("\u65e5\u672c\u306e\u30c6\u30b9\u30c8.example", None),
        ("example.example", None),
    ],
)
def test_letters_that_could_deceive_are_said(letters: str, said: str | None) -> None:
    name = normalise(letters)
    assert name is not None
    assert remark(name) == said


def test_scripts() -> None:
    assert scripts("a-1\u0430\u03b1") == ("Cyrillic", "Greek", "Latin")
    assert scripts("123") == ()


@given(st.from_regex(r"(?:xn--)?[a-z0-9-]{1,59}(?:\.(?:xn--)?[a-z0-9-]{1,59}){0,3}", fullmatch=True))
def test_no_name_is_too_odd_to_be_shown(name: str) -> None:
    letters = shown(name)
    assert letters is None or (letters.isprintable() and letters.count(".") == name.count("."))
    assert remark(name) is None or letters is not None
