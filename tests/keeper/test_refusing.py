"""Lists put together: never wider than each of them."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.keeper import refusing
from appliance.keeper.lists.entries import Entry, Reach
from appliance.keeper.refusing import Addresses, Tree, UnfitError
from appliance.plan import FilterPlan, Rule, refuses

NAMES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(lambda parts: ".".join([*parts, "test"]))
LISTS = st.lists(
    st.lists(st.builds(lambda name, reach: Entry(name=name, reach=reach), NAMES, st.sampled_from(Reach)), max_size=8),
    max_size=3,
)


def rules_of(tree: Tree, portion: int = 2) -> tuple[Rule, ...]:
    steps = tree.rules(portion)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return tuple(done.value)


def listed(entries: list[Entry], name: str) -> bool:
    """A plain reading of one list."""
    for at in [name, *(name.split(".", cut)[-1] for cut in range(1, name.count(".") + 1))]:
        speaking = [each.reach for each in entries if each.name == at and each.reach.covers(itself=at == name)]
        if speaking:
            return Reach.EXCEPTION not in speaking
    return False


@pytest.mark.req("N16", "R22", "R24")
@given(block=LISTS, allow=st.none() | LISTS, asked=st.lists(NAMES, min_size=1, max_size=10))
def test_rules_say_what_a_plain_reading_says(
    block: list[list[Entry]], allow: list[list[Entry]] | None, asked: list[str]
) -> None:
    tree = Tree(allow_only=allow is not None)
    for bit, (entries, blocks) in enumerate(
        [*((each, True) for each in block), *((each, False) for each in allow or ())]
    ):
        for entry in entries:
            tree.add(bit, entry, blocks=blocks)
    rules = rules_of(tree)
    plan = FilterPlan(number=1, refuse_all=allow is not None, rules=rules, safe_search=False, refuse=(), closed=False)
    by_name = {rule.name: rule for rule in rules}
    for name in asked:
        wanted = any(listed(entries, name) for entries in block)
        if allow is not None:
            wanted = wanted or not any(listed(entries, name) for entries in allow)
        assert refuses(plan, by_name, name) == wanted, name


def test_a_tree_has_room_for_so_many_names() -> None:
    tree = Tree(room=2)
    for name in ("a.test", "b.test", "a.test"):
        tree.add(0, Entry(name=name, reach=Reach.EXACT), blocks=True)
    assert tree.room == 0
    with pytest.raises(UnfitError, match="more than 200,000 names"):
        tree.add(0, Entry(name="c.test", reach=Reach.EXACT), blocks=True)


def test_addresses_are_joined_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = Addresses()
    for text in ("192.0.2.0/25", "192.0.2.128/25", "2001:db8::/33", "2001:db8::1/128"):
        addresses.add(ip_network(text))
    assert addresses.texts() == ("192.0.2.0/24", "2001:db8::/33")
    with pytest.raises(UnfitError, match="more addresses"):
        Addresses(room=3).add(ip_network("192.0.2.0/24"))
    monkeypatch.setattr(refusing, "MAX_REFUSED", 4)
    with pytest.raises(UnfitError, match="more addresses"):
        addresses.add(ip_network("198.51.100.0/24"))
