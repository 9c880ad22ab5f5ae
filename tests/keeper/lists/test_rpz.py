from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import rpz
from appliance.keeper.lists.entries import Reach, Why

ZONE = """\
$TTL 300
$ORIGIN rpz.example.
@ IN SOA localhost. root.rpz.example. (
    1 ; serial
    3600 600 86400 300 )
  IN NS localhost.
a.example CNAME .
*.a.example CNAME .
b.example 60 IN CNAME *.
c.example CNAME rpz-drop.
d.example CNAME rpz-passthru.
e.example CNAME walled-garden.example.org.
f.example A 192.0.2.1
g.example CNAME g.example.
tcp.example CNAME rpz-tcp-only.
24.0.2.0.192.rpz-ip CNAME .
h.example.rpz.example. CNAME .
elsewhere.example.org. CNAME .
*.*.i.example CNAME .
$INCLUDE other.zone
$GENERATE 1-1000000000 n$.example CNAME .
j.example CNAME "
k.example BOGUS x
l.example CNAME . ; why
\t  CNAME *.
"""


def read(text: str) -> list[tuple[int, tuple[str, Reach] | Why]]:
    return list(rpz.read(io.BytesIO(text.encode())))


@pytest.mark.req("R24")
def test_a_zone() -> None:
    first = 7
    assert read(ZONE) == [
        (first, ("a.example", Reach.EXACT)),
        (first + 1, ("a.example", Reach.BELOW)),
        (first + 2, ("b.example", Reach.EXACT)),
        (first + 3, ("c.example", Reach.EXACT)),
        (first + 4, ("d.example", Reach.EXCEPTION)),
        (first + 5, ("e.example", Reach.EXACT)),
        (first + 6, ("f.example", Reach.EXACT)),
        (first + 7, ("g.example", Reach.EXCEPTION)),
        (first + 8, Why.UNSUPPORTED),
        (first + 9, Why.UNSUPPORTED),
        (first + 10, ("h.example", Reach.EXACT)),
        (first + 11, Why.UNSUPPORTED),
        (first + 12, Why.UNSUPPORTED),
        (first + 13, Why.UNSUPPORTED),
        (first + 14, Why.UNSUPPORTED),
        (first + 15, Why.MALFORMED),
        (first + 16, Why.MALFORMED),
        (first + 17, ("l.example", Reach.EXACT)),
        (first + 18, ("l.example", Reach.EXACT)),
    ]


def test_the_old_way_to_let_a_name_through() -> None:
    assert read("$ORIGIN rpz.example.\na.example CNAME a.example.\n") == [(2, ("a.example", Reach.EXCEPTION))]


def test_a_zone_that_names_no_origin() -> None:
    assert read("a.example CNAME .\n") == [(1, ("a.example", Reach.EXACT))]
    assert read("a..b SOA a. b. 1 2 3 4 5\n") == [(1, Why.MALFORMED)]
    assert read("rpz.test. SOA a. b. 1 2 3 4 5\na.example.rpz.test. CNAME .\n") == [(2, ("a.example", Reach.EXACT))]


def test_directives_that_are_none() -> None:
    assert read("$ORIGIN a..b\n$TTL\n$OTHER x\n$ORIGIN\n") == [(number, Why.MALFORMED) for number in (1, 2, 3, 4)]


def test_a_record_that_never_ends_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpz, "MAX_LINES", 3)
    assert read("a.example CNAME (\n\n\nb.example CNAME .\n")[0] == (1, Why.MALFORMED)
    assert read("a.example CNAME (\n") == [(1, Why.MALFORMED)]
    assert list(rpz.read(io.BytesIO(b"a.example CNAME (\n\xff\nb.example CNAME .\n"))) == [
        (1, Why.MALFORMED),
        (3, ("b.example", Reach.EXACT)),
    ]


def test_quotes_hide_comments_and_parentheses() -> None:
    assert read('a.example TXT "; ( x"\nb.example CNAME .\n') == [
        (1, ("a.example", Reach.EXACT)),
        (2, ("b.example", Reach.EXACT)),
    ]


@given(text=st.text(alphabet='aA.*\\"();$@ \t\n019CNAMEIS', max_size=80))
def test_nothing_raises(text: str) -> None:
    assert all(number >= 1 for number, _found in read(text))
