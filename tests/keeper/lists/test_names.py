from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists.names import normalise


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
