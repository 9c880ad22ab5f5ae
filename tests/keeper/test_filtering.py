"""From clauses and lists to a plan, and to whose questions go where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from appliance import messages as m
from appliance.keeper import filtering as module
from appliance.keeper.authority import Scope
from appliance.keeper.collection import Collection
from appliance.keeper.devices.model import Address, Device
from appliance.keeper.devices.registry import Registry
from appliance.keeper.filtering import SILENT_SECONDS, Filtering, Filters, ListUnreadableError, policies
from appliance.keeper.lists.entries import Entry, Network, Reach
from appliance.keeper.peers import Peer
from appliance.keeper.refusing import MAX_REFUSED_TEXT
from appliance.keeper.store.database import Store
from appliance.plan import Plan, Rule, refuses, unpack
from wire.base import Standing

LAPTOP = "02:00:00:00:00:01"
BLOCK = {"number": "2", "kind": "block", "standings": ["registered"], "lists": ["names"]}


class Lists:
    """Lists in memory."""

    def __init__(self, **lists: list[Entry | Network]) -> None:
        self.lists = lists
        self.revision = 1

    def versions(self) -> Mapping[str, str]:
        return dict.fromkeys(self.lists, str(self.revision))

    def free(self) -> tuple[str, ...]:
        return tuple(list_id for list_id in self.lists if list_id.startswith("free"))

    def entries(self, list_id: str) -> Iterator[Entry | Network]:
        if list_id not in self.lists:
            raise ListUnreadableError(f"The list {list_id} is not here")
        yield from self.lists[list_id]


@pytest.fixture
def lists() -> Lists:
    return Lists(
        names=[Entry(name="a.test", reach=Reach.SUBTREE), ip_network("192.0.2.0/24")],
        school=[Entry(name="school.test", reach=Reach.SUBTREE)],
    )


def scope_of(make_authority: Any, *clauses: dict[str, Any]) -> Scope:
    return Scope(authority=make_authority(clauses=[{"number": "1", "kind": "register"}, *clauses]))


def run(filtering: Filtering, at: float = 0.0) -> m.FilterPlan:
    for _ in range(1000):
        told = filtering.step(at)
        if told is not None:
            return told
    pytest.fail("it never ends")


def read(told: m.FilterPlan) -> Plan:
    assert told.path is not None
    return unpack(Path(told.path).read_bytes())


@pytest.mark.req("R22")
def test_a_plan_is_written_whole_and_named(tmp_path: Path, lists: Lists, make_authority: Any) -> None:
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope_of(make_authority, BLOCK))
    assert filtering.message().path is None, "not before it is written"
    told = run(filtering)
    plan = read(told)
    assert (plan.generation, told.generation) == (1, 1)
    assert [(each.number, each.rules, each.refuse_all) for each in plan.filters] == [
        (1, (Rule(name="a.test", itself=True, below=True),), False)
    ]
    assert filtering.step(0.5) is None
    assert (tmp_path / "filter.plan").stat().st_mode & 0o777 == 0o644, "the resolver is another user"
    lists.revision = 2
    lists.lists["names"] = []
    assert read(run(filtering, 10.0)).filters[0].rules == (), "a new version of a list is a new plan"
    filtering.settle(None)
    assert run(filtering, 20.0).path is None


@pytest.mark.req("R67", "S6")
@pytest.mark.parametrize("kind", ["block", "allow-only"])
def test_help_lines_are_reached_whatever_the_lists_say(
    tmp_path: Path, lists: Lists, make_authority: Any, kind: str
) -> None:
    lists.lists["names"].append(Entry(name="talk.help.test", reach=Reach.SUBTREE))
    lists.lists["free-help"] = [Entry(name="help.test", reach=Reach.SUBTREE)]
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope_of(make_authority, BLOCK | {"kind": kind}))
    (plan,) = read(run(filtering)).filters
    rules = {rule.name: rule for rule in plan.rules}
    assert not refuses(plan, rules, "help.test")
    assert not refuses(plan, rules, "www.talk.help.test")
    assert refuses(plan, rules, "a.test") == (kind == "block")
    assert refuses(plan, rules, "other.test") == (kind == "allow-only")


@pytest.mark.req("R57")
def test_devices_are_sent_there_only_while_it_answers(tmp_path: Path, lists: Lists, make_authority: Any) -> None:
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope_of(make_authority, BLOCK))
    assert not filtering.filters(0.0).in_force(1)
    told = run(filtering)
    filtering.heard(m.ResolverState(generation=told.generation - 1, ready=(1,)), 0.0)
    assert not filtering.filters(0.0).in_force(1), "that was about another plan"
    filtering.heard(m.ResolverState(generation=told.generation, ready=(1, 2)), 0.0)
    filters = filtering.filters(1.0)
    assert filters.in_force(1)
    assert filters.ready == {1}, "the other is nobody's"
    assert filters.refused == ((1, ("192.0.2.0/24",)),)
    assert not filtering.filters(SILENT_SECONDS + 1).in_force(1), "it has said nothing for long"
    filtering.heard(m.ResolverState(generation=told.generation, ready=(1,), detail="Something."), 30.0)
    assert filtering.sentences() == ("Something.",)
    filtering.gone()
    assert not filtering.filters(31.0).in_force(1)
    filtering.settle(scope_of(make_authority, BLOCK | {"fail_closed": True}))
    assert filtering.filters(31.0).in_force(1), "fail-closed: also where nobody answers"


def test_standings_under_the_same_clauses_share_a_filter(lists: Lists, make_authority: Any, tmp_path: Path) -> None:
    both = BLOCK | {"standings": ["registered", "refused"]}
    only = {"number": "3", "kind": "allow-only", "standings": ["unknown"], "lists": ["school"]}
    scope = scope_of(make_authority, both, only)
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope)
    assert filtering.filters(0.0).numbers == {Standing.REGISTERED: 1, Standing.UNKNOWN: 2, Standing.REFUSED: 1}
    plan = read(run(filtering))
    assert [(each.number, each.refuse_all) for each in plan.filters] == [(1, False), (2, True)]
    assert plan.filters[1].rules == (Rule(name="school.test", itself=False, below=False),)
    assert policies(None) == {}


@pytest.mark.req("N16")
def test_a_list_that_cannot_be_read_is_said_and_the_others_hold(
    tmp_path: Path, lists: Lists, make_authority: Any
) -> None:
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope_of(make_authority, BLOCK | {"lists": ["hashes", "names"]}))
    assert len(read(run(filtering)).filters[0].rules) == 1
    assert filtering.sentences() == ("The list hashes is not here, so what it names is not refused.",)
    only = {"number": "3", "kind": "allow-only", "standings": ["unknown"], "lists": ["gone"]}
    filtering.settle(scope_of(make_authority, only))
    assert read(run(filtering)).filters == (), "it would reach nothing at all"
    assert "is not in force" in filtering.sentences()[0]


def test_lists_that_are_too_long_are_no_filter_and_said(
    tmp_path: Path, lists: Lists, make_authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists.lists["names"] = [Entry(name=f"n{number}.test", reach=Reach.EXACT) for number in range(50)]
    monkeypatch.setattr(module, "PORTION", 7)
    monkeypatch.setattr(
        module, "Tree", lambda *, room=20, allow_only=False: TREE(room=min(room, 20), allow_only=allow_only)
    )
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope_of(make_authority, BLOCK))
    assert read(run(filtering)).filters == ()
    said = "Filter 1 is not in force: its lists have more than 200,000 names in all."
    assert filtering.sentences() == (said,)
    filtering.settle(scope_of(make_authority, BLOCK | {"fail_closed": True}))
    assert read(run(filtering)).filters == ()
    assert filtering.sentences() == (f"{said} Its devices get no names, as the clause says.",)


@pytest.mark.req("R22")
def test_a_plan_that_could_not_be_written_is_made_again(tmp_path: Path, lists: Lists, make_authority: Any) -> None:
    folder = tmp_path / "run"
    filtering = Filtering(folder, lists)
    filtering.settle(scope_of(make_authority, BLOCK))
    assert run(filtering).path is None
    assert "cannot be written" in filtering.sentences()[0]
    folder.mkdir()
    assert filtering.step(module.RETRY_SECONDS - 1) is None
    assert len(read(run(filtering, module.RETRY_SECONDS)).filters) == 1
    assert filtering.sentences() == ()


@pytest.mark.req("R57")
def test_the_first_order_after_a_start_names_all_that_is_fail_closed(
    tmp_path: Path, lists: Lists, make_authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel holds the addresses of the order before: one without them would let them go for a moment."""
    monkeypatch.setattr(module, "PORTION", 1)
    filtering = Filtering(tmp_path, lists)
    filtering.settle(scope_of(make_authority, BLOCK | {"fail_closed": True}))
    assert filtering.filters(0.0).refused == ((1, ("192.0.2.0/24",)),)
    assert len(read(run(filtering)).filters) == 1
    open_ = Filtering(tmp_path, lists)
    open_.settle(scope_of(make_authority, BLOCK))
    assert open_.filters(0.0).refused == (), "what is leased is not in force yet and need not hold the keeper up"


TREE = module.Tree


def test_a_plan_that_cannot_be_written_is_said(lists: Lists, make_authority: Any, tmp_path: Path) -> None:
    filtering = Filtering(tmp_path / "missing", lists)
    filtering.settle(scope_of(make_authority, BLOCK))
    assert run(filtering).path is None
    assert "Nothing is filtered: the plan cannot be written" in filtering.sentences()[0]


@pytest.mark.req("R22", "R57")
def test_the_order_names_the_devices_of_filters_in_force(store: Store, make_authority: Any) -> None:
    scope = scope_of(make_authority, BLOCK, {"number": "9", "kind": "nearby"})
    registry = Registry(new_id=lambda: "d-new")
    for number, standing in enumerate((Standing.REGISTERED, Standing.HOUSEHOLD), start=1):
        mac = f"02:00:00:00:00:{number:02x}"
        registry.put(
            Device(
                device_id=f"d-{number}",
                revision=1,
                standing=standing,
                addresses=(Address(mac=mac, first_seen=1.0, last_seen=1.0),),
                first_seen=1.0,
                last_seen=1.0,
                reported_at=1.0,
            )
        )
    collection = Collection(store)
    filters = Filters(
        numbers={Standing.REGISTERED: 1}, ready=frozenset({1}), refused=((1, ("192.0.2.0/24",)),), closed=frozenset({1})
    )
    with store.transaction():
        assert collection.settle(scope, registry, 1, filters)[1]
        assert collection.settle(scope, registry, 1, filters) == (False, False)
    order = collection.enforcement
    assert order.filters == (m.Filter(number=1, macs=("02:00:00:00:00:01",), refused=("192.0.2.0/24",)),)
    assert (order.filtered_closed, order.nearby, order.quarantined) == (("02:00:00:00:00:01",), True, ())
    with store.transaction():
        assert collection.settle(scope, registry, 1, Filters(numbers={Standing.REGISTERED: 1}))[1]
    assert collection.enforcement.filters == ()
    assert len(m.encode([order])) < m.MAX_DATAGRAM


def test_the_longest_order_fits_one_datagram() -> None:
    macs = tuple(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(m.MAX_MASKED))
    others = tuple(f"02:01:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(m.MAX_MASKED))
    text = "2001:db8:1111:2222:3333:4444:5555:6666/128"
    refused = (text,) * (MAX_REFUSED_TEXT // (len(text) + 3))
    order = m.Enforcement(
        generation=2**53 - 1,
        quarantined=macs,
        closed=macs,
        filters=(m.Filter(number=1, macs=others, refused=refused),),
        filtered_closed=others,
    )
    assert len(m.encode([order])) <= m.MAX_DATAGRAM


@pytest.mark.req("R22", "R57")
def test_plan_and_order_go_where_they_belong_and_come_again(
    bench: Any, signed: Any, lists: Lists, tmp_path: Path
) -> None:
    """Through the whole keeper: clause, plan, resolver, order, and the order as a lease."""
    bench.online()
    bench.connect(Peer.RESOLVER)
    filtering = bench.core._filtering
    filtering._folder, filtering._source = tmp_path, lists
    bench.give(LAPTOP, Standing.REGISTERED)
    collect = {"number": "1", "kind": "collect", "standings": ["registered", "unknown"], "classes": ["presence"]}
    heard = bench.document(signed(number=2, clauses=[collect, BLOCK, {"number": "3", "kind": "nearby"}]))
    heard += [message for _ in range(5) for message in bench.wait(1)]
    plans = [message for message in heard if isinstance(message, m.FilterPlan) and message.path]
    assert len(plans) == 1
    orders = [message for message in heard if isinstance(message, m.Enforcement)]
    assert orders
    assert not any(each.filtered for each in orders), "nobody answers yet"
    assert orders[-1].nearby

    ready = m.ResolverState(generation=plans[0].generation, ready=(1,), detail="A strict mode cannot be had.")
    (order,) = [each for each in bench.hear(Peer.RESOLVER, ready) if isinstance(each, m.Enforcement)]
    assert order.filtered == (LAPTOP,)
    assert order.filters[0].refused == ("192.0.2.0/24",)
    again = [each for each in bench.wait(15.1) if isinstance(each, m.Enforcement)]
    assert [each.generation for each in again] == [order.generation], "unchanged, and said again: a lease"

    bench.hear(Peer.WARDEN, m.NearbyCounted(ts=bench.wall, since=bench.wall - 3600, count=4))
    assert bench.store.get("nearby").split()[-1] == "4"
    (gone,) = [each for each in bench.gone(Peer.RESOLVER) if isinstance(each, m.Enforcement)]
    assert gone.filtered == (), "the resolver has gone, so nobody is sent there"
    bench.connect(Peer.RESOLVER)
    bench.hear(Peer.RESOLVER, ready)
    silent = [each for _ in range(3) for each in bench.wait(10) if isinstance(each, m.Enforcement)]
    assert silent[-1].filtered == (), "it says nothing any more"


@pytest.mark.req("R53", "R21")
def test_without_an_authority_nobody_is_filtered_and_nobody_counted(bench: Any) -> None:
    bench.online()
    bench.document(None)
    order = bench.core._collection.enforcement
    assert (order.filters, order.quarantined, order.nearby) == ((), (), False)
    bench.hear(Peer.WARDEN, m.NearbyCounted(ts=bench.wall, since=bench.wall - 3600, count=4))
    assert bench.store.get("nearby") is None
