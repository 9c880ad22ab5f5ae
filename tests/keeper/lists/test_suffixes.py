from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists.suffixes import is_public, none_is_public


@pytest.mark.req("R24")
@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("com", True),
        ("co.uk", True),
        ("github.io", True),
        ("anything.ck", True),
        ("www.ck", False),
        ("unheard-of", True),
        ("bets.example", False),
        ("example.co.uk", False),
    ],
)
def test_names_of_everybody(name: str, public: bool) -> None:
    assert is_public(name) is public


LABELS = st.sampled_from(
    ["com", "co", "uk", "ck", "www", "jp", "kobe", "city", "kawasaki", "github", "io", "bets", "a"]
)


@given(names=st.lists(st.lists(LABELS, min_size=2, max_size=5).map(".".join), max_size=6))
def test_a_quick_look_never_passes_one_over(names: list[str]) -> None:
    if none_is_public(names):
        assert not any(map(is_public, names))


def test_a_quick_look_at_plain_names_is_enough() -> None:
    assert none_is_public(["bets.example", "www.bets.example", "example.co.uk"])
    assert not none_is_public(["bets.example", "co.uk"])
    assert not none_is_public(["bets.example", "anything.ck"])
