from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper.lists import match
from appliance.keeper.lists.entries import Reach, Why
from appliance.keeper.lists.formats import Format
from appliance.keeper.lists.match import ListFileError, Lists, Loaded, load
from wire.findings import Severity


def made(text: str, id_: str = "list-a", format_: Format = Format.DOMAINS, category: str | None = None) -> Loaded:
    return load(
        text.encode(), id_=id_, version="3", title="A list", severity=Severity.TODAY, format_=format_, category=category
    )


def hits(text: str, name: str, format_: Format = Format.DOMAINS) -> list[str]:
    return [found.entry for found in Lists([made(text, format_=format_)]).match(name, ["list-a"])]


@pytest.mark.req("R24", "R34")
@pytest.mark.parametrize(
    ("entry", "name", "hit"),
    [
        ("sex.example", "sex.example", True),
        ("sex.example", "www.sex.example", True),
        ("sex.example", "essex.example", False),
        ("sex.example", "sussex.example", False),
        ("sex.example", "middlesex.example", False),
        ("sex.example", "sex-education.example", False),
        ("sex.example", "sex.example.org", False),
        ("sex.example.org", "example.org", False),
        ("tor.example", "solicitor.example", False),
        ("tor.example", "tor.solicitor.example", False),
        ("gun.example", "begun.example", False),
        ("x.example", "xxx.example", False),
        ("model.example", "remodel.example", False),
        ("model.example", "model-railway.example", False),
        ("cunt.example", "scunthorpe.example", False),
        ("ass.example", "classics.example", False),
        ("rape.example", "therapist.example", False),
        ("rape.example", "grapes.example", False),
        ("*.bets.example", "bets.example", False),
        ("*.bets.example", "www.bets.example", True),
        ("*.bets.example", "a.b.bets.example", True),
        ("BETS.Example.", "bets.example", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("казино.example", "www.xn--80aswc1a.example", False),
        ("_dns.bets.example", "_dns.bets.example", True),
    ],
)
def test_only_whole_labels_match(entry: str, name: str, hit: bool) -> None:
    assert bool(hits(entry, name)) is hit


@pytest.mark.req("R24")
@pytest.mark.parametrize("entry", ["com", "co.uk", "*.uk", "tor", "sex", "github.io", "localhost"])
def test_a_bare_public_suffix_is_refused(entry: str) -> None:
    found = made(f"good.example.org\n{entry}\n")
    assert found.tally is not None
    assert found.tally.lines[Why.PUBLIC_SUFFIX] == [2]
    assert found.tally.faults[Why.PUBLIC_SUFFIX] == 1
    assert (len(found.table), hits(f"good.example.org\n{entry}\n", "www.example.com")) == (1, [])


@pytest.mark.req("R29", "N16")
def test_provenance_and_faulty_lines() -> None:
    text = "# a comment\n\nbets.example  # why\nnot a name\n-bad.example\n" + "a" * 64 + ".example\nhttp://x.example/\n"
    found = made(text)
    assert found.meta.sha256 == hashlib.sha256(text.encode()).hexdigest() == found.table.source.hex()
    assert (found.meta.version, len(found.table)) == ("3", 1)
    assert found.tally is not None
    assert found.tally.lines[Why.MALFORMED] == [4, 5, 6]
    assert found.tally.lines[Why.URL] == [7], "a page is never widened to its site"
    assert list(Lists([found]).match("x.example", ["list-a"])) == []


def test_the_closest_entry_wins_and_only_lists_in_force_count() -> None:
    lists = Lists([made("bets.example\nwww.bets.example\n"), made("bets.example\n", id_="list-b")])
    found = list(lists.match("a.www.bets.example.", ["list-a", "list-b", "list-c"]))
    assert [(item.list.id, item.entry) for item in found] == [
        ("list-a", "www.bets.example"),
        ("list-b", "bets.example"),
    ]
    assert list(lists.match("bets.example", [])) == []
    assert list(lists.match("no name", ["list-a"])) == []


def test_an_exception_frees_what_is_below_it_and_nothing_above() -> None:
    rules = "||x.example^\n@@||good.x.example^\n||bad.good.x.example^\n"
    assert hits(rules, "x.example", Format.ADBLOCK) == ["x.example"]
    assert hits(rules, "a.x.example", Format.ADBLOCK) == ["x.example"]
    assert hits(rules, "good.x.example", Format.ADBLOCK) == []
    assert hits(rules, "a.good.x.example", Format.ADBLOCK) == []
    assert hits(rules, "a.bad.good.x.example", Format.ADBLOCK) == ["bad.good.x.example"]


@pytest.mark.req("R67")
def test_excluded_names_need_no_clause() -> None:
    lists = Lists([made("help.example\n", category="excluded"), made("bets.example\n", id_="list-b")])
    assert lists.excluded("www.HELP.example")
    assert not lists.excluded("bets.example")
    assert not lists.excluded("no name")


@pytest.mark.req("N16")
def test_a_confidential_list_says_its_hash_only() -> None:
    confidential = load(
        b"secret.example\n",
        id_="list-a",
        version="1",
        title="t",
        severity=Severity.ACT_NOW,
        confidential=True,
        key=bytes(range(32)),
    )
    (found,) = Lists([confidential]).match("www.secret.example", ["list-a"])
    assert found.entry.startswith("keyed:")
    assert len(found.entry) == len("keyed:") + 32
    assert "secret" not in repr(found)
    with pytest.raises(ListFileError, match="no key"):
        load(b"a.example\n", id_="a", version="1", title="t", severity=Severity.TODAY, confidential=True)


def test_replace_and_remove(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_LISTS", 2)
    lists = Lists([made("a.example\n")])
    before = lists.match("a.example", ["list-a"])
    first = next(before)
    assert lists.replace(made("b.example\n"))
    assert lists.replace(made("b.example\n", id_="list-b"))
    assert not lists.replace(made("b.example\n", id_="list-c"))
    assert (len(lists), lists.overflow, first.entry) == (2, 1, "a.example")
    assert [item.list.id for item in lists.match("b.example", ["list-a", "list-b", "list-c"])] == ["list-a", "list-b"]
    lists.remove("list-a")
    assert lists.get("list-a") is None
    assert list(lists.match("b.example", ["list-a"])) == []


def test_a_look_up_in_the_middle_of_a_swap_sees_the_old_lists_whole() -> None:
    lists = Lists([made("x.example\n", id_="one"), made("x.example\n", id_="two")])
    asking = lists.match("x.example", ["one", "two"])
    assert next(asking).list.id == "one"
    lists.remove("two")
    assert [item.list.id for item in asking] == ["two"]


def test_no_look_up_is_judged_by_half_a_list() -> None:
    """Every version holds exactly one of two names: a reader that finds both or none saw a mixture."""
    versions = (made("odd.example\n"), made("even.example\n"))
    lists = Lists([versions[0]])
    wrong: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            loaded = lists.get("list-a")
            assert loaded is not None
            frozen = Lists([loaded])
            found = sum(1 for name in ("odd.example", "even.example") for _ in frozen.match(name, ["list-a"]))
            if found != 1 or sum(1 for _ in lists.match("odd.example", ["list-a", "list-a"])) not in (0, 2):
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(3000):
        lists.replace(versions[turn % 2])
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_OCTETS", 10)
    with pytest.raises(ListFileError, match="the most is 10"):
        made("too-long.example\n")


@pytest.mark.parametrize("raw", [b"\xff\n", b"?\n", b"com\n"])
def test_a_list_of_which_no_line_can_be_used_is_none(raw: bytes) -> None:
    with pytest.raises(ListFileError, match="no line of it can be used"):
        load(raw, id_="a", version="1", title="t", severity=Severity.TODAY)


def test_an_empty_list_is_a_list() -> None:
    assert len(made("# nothing yet\n").table) == 0
    assert hits("", "a.example") == []


label = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)


@pytest.mark.req("R24")
@given(entry=st.lists(label, min_size=1, max_size=3), name=st.lists(label, min_size=1, max_size=4))
def test_a_match_is_a_suffix_of_whole_labels(entry: list[str], name: list[str]) -> None:
    whole = [*entry, "test", "example"]
    asked = [*name, "test", "example"]
    assert bool(hits(".".join(whole), ".".join(asked))) == (asked[-len(whole) :] == whole)


few = st.sampled_from(["a", "b", "aa", "ab"])
names = st.lists(few, min_size=0, max_size=4).map(lambda labels: ".".join([*labels, "t", "example"]))
rules = st.lists(st.tuples(names, st.sampled_from(list(Reach))), max_size=12)


def naive(held: list[tuple[str, Reach]], asked: str) -> str | None:
    """The same question answered the long way: every entry by string comparison, the longest that speaks decides."""
    speaking: list[tuple[int, bool, str, set[str]]] = []
    by_name: dict[str, set[str]] = {}
    for name, reach in held:
        by_name.setdefault(name, set()).add(reach.name)
    for name, reaches in by_name.items():
        covers_self = bool(reaches & {"EXACT", "SUBTREE", "EXCEPTION"})
        covers_below = bool(reaches & {"BELOW", "SUBTREE", "EXCEPTION"})
        if (asked == name and covers_self) or (asked.endswith(f".{name}") and covers_below):
            speaking.append((len(name), "EXCEPTION" in reaches, name, reaches))
    if not speaking:
        return None
    _length, freed, name, reaches = max(speaking, key=lambda item: item[0])
    return None if freed else f"*.{name}" if reaches == {"BELOW"} else name


def lines(held: list[tuple[str, Reach]]) -> Iterator[str]:
    for name, reach in held:
        yield {
            Reach.EXACT: f"{name} CNAME .",
            Reach.BELOW: f"*.{name} CNAME .",
            Reach.SUBTREE: f"{name} CNAME .\n*.{name} CNAME .",
            Reach.EXCEPTION: f"{name} CNAME rpz-passthru.",
        }[reach]


@pytest.mark.req("R24")
@given(held=rules, asked=names)
def test_as_the_naive_reference_says(held: list[tuple[str, Reach]], asked: str) -> None:
    found = hits("\n".join(lines(held)) + "\n", asked, Format.RPZ)
    expected = naive(held, asked)
    assert found == ([] if expected is None else [expected])


@given(raw=st.binary(max_size=300), format_=st.sampled_from(Format))
def test_any_bytes_load_or_are_refused(raw: bytes, format_: Format) -> None:
    try:
        found = load(raw, id_="a", version="1", title="t", severity=Severity.TODAY, format_=format_)
    except ListFileError:
        return
    assert found.tally is not None
    assert len(found.table) == found.tally.entries
