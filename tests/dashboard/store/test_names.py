from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.store.names import MOST, after_key, name_key, typed_key


@pytest.mark.req("R42")
@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("shop.example.test", "test.example.shop"),
        ("SHOP.Example.TEST.", "test.example.shop"),
        ("shop[.]example[.]test", "test.example.shop"),
        ("hxxps[:]//shop[.]example[.]test/path?x=1", "test.example.shop"),
        ("http://shop.example.test:8080/", "test.example.shop"),
        ("bücher.example", "example.xn--bcher-kva"),
        ("BÜCHER。example", "example.xn--bcher-kva"),
        ("NM-2026-0001", None),
        ("two words", None),
        ("", None),
        ("a" * 64 + ".test", None),
        ("<script>.test", None),
    ],
)
def test_a_typed_name_becomes_the_key_of_the_logged_one(typed: str, key: str | None) -> None:
    assert typed_key(typed) == key


def test_what_belongs_to_a_name_lies_in_one_range() -> None:
    first, last = after_key("test.example")
    inside = [name_key(name) for name in ("a.example.test", "b.a.example.test", "zz.example.test")]
    outside = [name_key(name) for name in ("example.test", "example-a.test", "examplea.test", "example.tes")]
    assert all(key is not None and first <= key < last for key in inside)
    assert not any(key is not None and first <= key < last for key in outside)


@given(st.text(max_size=400))
def test_whatever_is_typed_there_is_a_key_or_none(text: str) -> None:
    for key in (name_key(text), typed_key(text)):
        assert key is None or (0 < len(key) <= MOST and key.isascii())
