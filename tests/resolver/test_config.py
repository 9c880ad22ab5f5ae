"""What a plan makes of a real dnsmasq: exactly what the lists say, and never more."""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from appliance.keeper.lists.entries import Entry, Reach
from appliance.keeper.refusing import Tree
from appliance.plan import FilterPlan, Rule, refuses
from appliance.resolver.config import config
from appliance.resolver.safesearch import engines
from firmware.household import Household
from firmware.render import NameRule, RenderError, filter_config

OUTSIDE, BOX = "203.0.113.9", "192.0.2.1"
Start = Callable[..., Callable[..., tuple[str, list[str]]]]


def plan(*rules: Rule, **more: Any) -> FilterPlan:
    fields = {"refuse_all": False, "safe_search": False, "refuse": (), "closed": False} | more
    return FilterPlan(number=1, rules=rules, **fields)


def rules_of(*lists: list[Entry], allow: list[Entry] | None = None) -> tuple[Rule, ...]:
    tree = Tree(allow_only=allow is not None)
    for bit, entries in enumerate(lists):
        for entry in entries:
            tree.add(bit, entry, blocks=True)
    for entry in allow or ():
        tree.add(len(lists), entry, blocks=False)
    steps = tree.rules(7)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return tuple(done.value)


def hit(entries: list[Entry], name: str) -> bool:
    """Independent of the code: the closest entry that speaks of a name decides; an exception wins its place."""
    at = name
    while True:
        speaking = [e.reach for e in entries if e.name == at and e.reach.covers(itself=at == name)]
        if speaking:
            return Reach.EXCEPTION not in speaking
        if "." not in at:
            return False
        at = at.partition(".")[2]


@pytest.mark.req("R22", "R24", "N16")
def test_a_filter_refuses_what_the_lists_say_and_no_more(filtering: Start) -> None:
    """Made-up lists by a seed, real dnsmasq, beside a plain reading of the lists."""
    chance = random.Random(2211)  # noqa: S311 - made-up names by a seed
    labels = ["a", "b", "c", "ab", "xn--e1a"]

    def name() -> str:
        return ".".join([chance.choice(labels) for _ in range(chance.randint(1, 3))] + ["example"])

    lists = [[Entry(name=name(), reach=chance.choice(list(Reach))) for _ in range(40)] for _ in range(3)]
    ask = filtering(plan(*rules_of(*lists)))
    wrong = []
    for asked in sorted(
        {name() for _ in range(150)} | {f"z.{name()}" for _ in range(50)} | {f"z{name()}" for _ in range(20)}
    ):
        wanted = BOX if any(hit(entries, asked) for entries in lists) else OUTSIDE
        found = ask(asked)
        if found != ("NOERROR", [wanted]):
            wrong.append((asked, wanted, found))
    assert wrong == []


@pytest.mark.req("R22")
def test_a_refused_name_has_the_boxs_address_and_nothing_else(filtering: Start) -> None:
    ask = filtering(plan(Rule(name="shop.example", itself=True, below=False)))
    assert ask("shop.example") == ("NOERROR", [BOX])
    for type_ in ("AAAA", "HTTPS", "TXT", "MX"):
        assert ask("shop.example", type_) == ("NOERROR", []), "no service record leads round it"
    assert ask("www.shop.example") == ("NOERROR", [OUTSIDE])
    assert ask("SHOP.example") == ("NOERROR", [BOX])
    assert ask("gatehouse.home.arpa") == ("NOERROR", [BOX])


@pytest.mark.req("R22")
def test_allow_only_refuses_all_else(filtering: Start) -> None:
    allow = [Entry(name="school.example", reach=Reach.SUBTREE), Entry(name="bus.example", reach=Reach.EXACT)]
    blocked = [Entry(name="games.school.example", reach=Reach.SUBTREE)]
    ask = filtering(plan(*rules_of(blocked, allow=allow), refuse_all=True))
    for name in ("school.example", "www.school.example", "bus.example"):
        assert ask(name) == ("NOERROR", [OUTSIDE]), name
    for name in ("games.school.example", "www.bus.example", "example", "other.example", "notschool.example"):
        assert ask(name) == ("NOERROR", [BOX]), name
    assert ask("gatehouse.home.arpa") == ("NOERROR", [BOX])


@pytest.mark.req("R22")
def test_questions_for_a_way_round_are_answered_as_the_clause_says(filtering: Start) -> None:
    ask = filtering(plan(refuse=("canary", "relay", "discovery")))
    assert ask("use-application-dns.net") == ("NXDOMAIN", [])
    assert ask("mask.icloud.com") == ("NXDOMAIN", [])
    assert ask("mask-h2.icloud.com", "HTTPS") == ("NXDOMAIN", [])
    assert ask("_dns.resolver.arpa", "SVCB") == ("NOERROR", []), "no records, and no denial of the name"
    assert ask("www.icloud.com") == ("NOERROR", [OUTSIDE])


@pytest.mark.req("R22")
@pytest.mark.parametrize("refuse_all", [False, True])
def test_a_list_that_names_them_too_changes_no_answer(filtering: Start, refuse_all: bool) -> None:
    """Public lists of ways round a filter name them; the box's address for an answer would look like a relay that is there."""
    names = ("mask.icloud.com", "use-application-dns.net", "_dns.resolver.arpa")
    rules = [Rule(name=name, itself=not refuse_all, below=not refuse_all) for name in (*names, "icloud.com")]
    ask = filtering(plan(*rules, refuse=("canary", "relay", "discovery"), refuse_all=refuse_all))
    assert ask("mask.icloud.com") == ("NXDOMAIN", [])
    assert ask("mask-h2.icloud.com", "AAAA") == ("NXDOMAIN", [])
    assert ask("use-application-dns.net") == ("NXDOMAIN", [])
    assert ask("_dns.resolver.arpa", "SVCB") == ("NOERROR", [])
    assert ask("www.icloud.com") == ("NOERROR", [OUTSIDE if refuse_all else BOX])


def test_without_such_a_clause_they_get_the_real_answers(filtering: Start) -> None:
    ask = filtering(plan())
    assert ask("use-application-dns.net") == ("NOERROR", [OUTSIDE])
    assert ask("mask.icloud.com") == ("NOERROR", [OUTSIDE])


@pytest.mark.req("R22")
def test_strict_modes_answer_the_names_exactly(filtering: Start) -> None:
    targets = {
        "forcesafesearch.google.com": (ip_address("198.51.100.20"), ip_address("2001:db8::20")),
        "safe.duckduckgo.com": (ip_address("198.51.100.21"),),
    }
    blocked = Rule(name="duckduckgo.com", itself=True, below=True)
    ask = filtering(plan(blocked, safe_search=True), targets)
    for name in ("www.google.com", "www.google.co.uk", "google.com"):
        assert ask(name) == ("NOERROR", ["198.51.100.20"])
        assert ask(name, "AAAA") == ("NOERROR", ["2001:db8::20"])
        assert ask(name, "HTTPS") == ("NOERROR", [])
    assert ask("mail.google.com") == ("NOERROR", [OUTSIDE]), "what is below is not meant"
    assert ask("duckduckgo.com") == ("NOERROR", [BOX]), "what a list refuses stays refused"
    assert ask("www.bing.com") == ("NOERROR", [OUTSIDE]), "its strict name has no address: as for everybody"


def test_a_strict_mode_that_cannot_be_had_is_said_and_refused_where_closed(home: Household) -> None:
    _, left_out = config(home, plan(safe_search=True), {})
    assert set(left_out) == {engine.title for engine in engines()}
    text, _ = config(home, plan(safe_search=True, closed=True), {})
    assert "address=/www.bing.com/192.0.2.1\n" in text
    assert "www.bing.com" not in config(home, plan(safe_search=True), {})[0]


def test_the_shipped_engines_are_names() -> None:
    assert len(engines()) == 6
    names = [name for engine in engines() for name in engine.names]
    assert len(names) == len(set(names)) > 190
    assert {"www.google.de", "www.google.com.au", "www.youtube.com"} <= set(names)


@pytest.mark.parametrize("name", ["", "a b", "x/1.2.3.4", "x\nport=1", "*.x", "#", "X.example", ".x", "x."])
def test_what_is_no_name_never_comes_into_a_configuration(home: Household, name: str) -> None:
    with pytest.raises(RenderError, match="no name"):
        filter_config(home, port=5311, refuse_all=False, rules=[NameRule(name=name, itself=True, below=True)])


def test_the_households_own_names_are_never_refused(home: Household) -> None:
    text, _ = config(home, plan(Rule(name="printer.home.arpa", itself=True, below=True)), {})
    assert "printer" not in text


def test_a_plan_answers_as_its_resolver_does() -> None:
    made = plan(Rule(name="a.example", itself=False, below=True), Rule(name="b.a.example", itself=False, below=False))
    rules = {rule.name: rule for rule in made.rules}
    asked = ("a.example", "c.a.example", "b.a.example", "x.b.a.example", "example")
    assert [refuses(made, rules, name) for name in asked] == [False, True, False, False, False]
