from __future__ import annotations

import re

import pytest

from dashboard.installing import cards


def test_a_passphrase_is_long_fresh_and_easy_to_copy() -> None:
    made = {cards.make_passphrase() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}", one) for one in made)
    assert all(8 <= len(one) <= 63 for one in made)  # IEEE 802.11-2020, J.4.1


def test_what_has_a_meaning_in_the_code_is_escaped() -> None:
    assert cards.wifi_uri('Home; "A"', "a:b,c\\d") == 'WIFI:T:WPA;S:Home\\; \\"A\\";P:a\\:b\\,c\\\\d;;'


@pytest.mark.req("N9")
def test_a_code_has_no_style_that_a_strict_page_refuses() -> None:
    one, other = (cards.qr_svg(cards.wifi_uri("Home", text), title="For <phone>") for text in ("a" * 23, "b" * 23))
    assert one.startswith('<svg role="img"')
    assert "For &lt;phone&gt;" in one
    assert "style=" not in one
    assert "<script" not in one
    assert other != one
