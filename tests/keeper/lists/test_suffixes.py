from __future__ import annotations

import pytest

from appliance.keeper.lists.suffixes import is_public


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
