from __future__ import annotations

import re

import pytest

from dashboard.pages.kinds import Answer, Kind
from dashboard.pages.kinds_signs import SIGNS

_HEDGES = re.compile(r"seem|look|may|asked|turned|mostly|quieter|changed|not agree|offers itself|hands out")
_NETWORK = {"dns", "dhcp", "sni", "udp", "tcp", "vpn", "ip", "mac", "port", "protocol", "doh", "resolver", "packet"}


@pytest.mark.req("R18", "R52")
@pytest.mark.parametrize("words_of", list(SIGNS.values()), ids=list(SIGNS))
def test_a_sign_asserts_nothing_and_says_what_else_it_may_be(words_of: Kind) -> None:
    assert _HEDGES.search(words_of.one)
    assert words_of.innocent
    assert words_of.answer is Answer.QUIET


@pytest.mark.req("R52")
@pytest.mark.parametrize("words_of", list(SIGNS.values()), ids=list(SIGNS))
def test_a_sign_is_said_without_words_of_networks_and_without_instructions(words_of: Kind) -> None:
    whole = " ".join((words_of.one, words_of.many, words_of.why, *words_of.innocent)).lower()
    assert not _NETWORK & set(re.findall(r"[a-z]+", whole))
    assert not re.search(r"how to|install|download|set it to|by using", whole)
