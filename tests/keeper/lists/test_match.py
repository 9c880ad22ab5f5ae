from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import match
from appliance.keeper.lists.match import ListFileError, Lists, NameList, load
from wire.findings import Severity


def made(text: str, id_: str = "list-a") -> NameList:
    return load(text.encode(), id_=id_, version="3", title="A list", severity=Severity.TODAY)


def hits(text: str, name: str) -> list[str]:
    return [found.entry for found in Lists([made(text)]).match(name, ["list-a"])]


@pytest.mark.req("R24")
@pytest.mark.parametrize(
    ("entry", "name", "hit"),
    [
        ("sex.example", "sex.example", True),
        ("sex.example", "www.sex.example", True),
        ("sex.example", "essex.example", False),
        ("sex.example", "sussex.example", False),
        ("sex.example", "sex.example.org", False),
        ("tor.example", "solicitor.example", False),
        ("gun.example", "begun.example", False),
        ("x.example", "xxx.example", False),
        ("model.example", "remodel.example", False),
        ("*.bets.example", "bets.example", False),
        ("*.bets.example", "www.bets.example", True),
        ("*.bets.example", "a.b.bets.example", True),
        ("BETS.Example.", "bets.example", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("_dns.bets.example", "_dns.bets.example", True),
    ],
)
def test_only_whole_labels_match(entry: str, name: str, hit: bool) -> None:
    assert bool(hits(entry, name)) is hit


@pytest.mark.req("R24")
@pytest.mark.parametrize("entry", ["com", "co.uk", "*.uk", "tor", "sex", "github.io", "localhost"])
def test_a_bare_public_suffix_is_refused(entry: str) -> None:
    found = made(f"good.example.org\n{entry}\n")
    assert found.public_suffixes == (2,)
    assert found.public_suffix_count == 1
    assert found.plain == {"good.example.org"}


@pytest.mark.req("R29", "N16")
def test_provenance_and_faulty_lines() -> None:
    text = "# a comment\n\nbets.example  # why\nnot a name\n-bad.example\n" + "a" * 64 + ".example\nhttp://x.example/\n"
    found = made(text)
    assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (found.version, found.plain, found.below) == ("3", {"bets.example"}, frozenset())
    assert found.malformed == (4, 5, 6, 7)
    assert found.malformed_count == 4


def test_the_closest_entry_wins_and_only_lists_in_force_count() -> None:
    lists = Lists([made("bets.example\nwww.bets.example\n"), made("bets.example\n", id_="list-b")])
    found = list(lists.match("a.www.bets.example.", ["list-a", "list-b", "list-c"]))
    assert [(item.list.id, item.entry) for item in found] == [
        ("list-a", "www.bets.example"),
        ("list-b", "bets.example"),
    ]
    assert list(lists.match("bets.example", [])) == []
    assert list(lists.match("no name", ["list-a"])) == []


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_ENTRIES", 2)
    found = made("a.example\nb.example\nc.example\nd.example\n")
    assert (len(found.plain), found.overflow) == (2, 2)
    faulty = made("?\n" * 150)
    assert (len(faulty.malformed), faulty.malformed_count) == (100, 150)
    monkeypatch.setattr(match, "MAX_OCTETS", 10)
    with pytest.raises(ListFileError, match="the most is 10"):
        made("too-long.example\n")


def test_not_utf8() -> None:
    with pytest.raises(ListFileError, match="not UTF-8"):
        load(b"\xff\n", id_="a", version="1", title="t", severity=Severity.TODAY)


label = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)


@pytest.mark.req("R24")
@given(entry=st.lists(label, min_size=1, max_size=3), name=st.lists(label, min_size=1, max_size=4))
def test_a_match_is_a_suffix_of_whole_labels(entry: list[str], name: list[str]) -> None:
    whole = [*entry, "test", "example"]
    asked = [*name, "test", "example"]
    assert bool(hits(".".join(whole), ".".join(asked))) == (asked[-len(whole) :] == whole)


@given(raw=st.binary(max_size=300))
def test_any_bytes_load_or_are_refused(raw: bytes) -> None:
    try:
        found = load(raw, id_="a", version="1", title="t", severity=Severity.TODAY)
    except ListFileError:
        return
    assert all(entry.isascii() and entry == entry.lower() for entry in found.plain | found.below)
