"""What is refused to whom: clauses and lists in, the resolver's plan and the numbers of filters out.

Standings under the same clauses share a filter. Lists are read a portion a turn, so that a large one
does not hold the keeper up; a plan is written whole and then named by a new generation. Which filters
answer is what the resolver said last; what is not fail-closed waits for that (R57).

Bounded: `plan.MAX_RULES` names in all, `MAX_REFUSED_TEXT` characters of addresses; a filter above
either is refused as a whole and said, because half a list would not be what the clause asks for.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol, get_args

from appliance.keeper.authority import Scope
from appliance.keeper.lists.entries import Entry
from appliance.keeper.refusing import Addresses, Tree, UnfitError
from appliance.messages import FilterPlan, ResolverState
from appliance.plan import FilterPlan as Filter
from appliance.plan import Plan, Refusal, pack
from wire.authority import Held
from wire.base import Standing
from wire.files import replace

PORTION = 5_000
"""Entries read in one turn."""

LOOK_SECONDS = 2.0
"""Between two looks whether a list has another version."""

RETRY_SECONDS = 60.0
"""Until a plan that could not be written is made again."""

SILENT_SECONDS = 20.0
"""A resolver that says nothing for so long does not answer."""

FILE = "filter.plan"

STANDINGS: tuple[Standing, ...] = get_args(Held)

_NEVER_READ = {"": ""}
"""Versions that no lists have."""

_log = logging.getLogger(__name__)


class ListUnreadableError(Exception):
    """A list whose names cannot be had; the text is a plain sentence without its end."""


class Source(Protocol):
    """Where the names of lists come from."""

    def versions(self) -> Mapping[str, str]:
        """What changes with a list's content, by list id."""

    def free(self) -> Collection[str]:
        """Lists whose names no clause refuses, such as help lines and solicitors (R67, S6)."""

    def entries(self, list_id: str) -> Iterator[Entry | IPv4Network | IPv6Network]:
        """All it holds.

        Raises:
            ListUnreadableError: there is none of that id, or only its hashes are here.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What clauses ask for one standing."""

    block: tuple[str, ...]
    allow: tuple[str, ...] | None
    """None: all that is not blocked."""
    safe_search: bool
    refuse: tuple[Refusal, ...]
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What `Collection` needs to know: whose questions go where. Compared, never hashed."""

    numbers: Mapping[Standing, int] = field(default_factory=dict)
    closed: frozenset[int] = frozenset()
    """Filters that hold also where nobody answers."""
    ready: frozenset[int] = frozenset()
    """Filters that answer."""
    refused: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Addresses and networks by filter."""

    def in_force(self, number: int) -> bool:
        """Whether devices of that filter are sent there."""
        return number in self.ready or number in self.closed


NO_FILTERS = Filters()


def policies(scope: Scope | None) -> dict[Standing, Policy]:
    """What is asked for each standing that a clause speaks of."""
    found: dict[Standing, Policy] = {}
    for standing in STANDINGS if scope is not None else ():
        if scope is None or scope.filtered(standing) is None:
            continue
        allow = scope.allow_lists(standing)
        refused = scope.refuses(standing)
        found[standing] = Policy(
            block=tuple(scope.block_lists(standing)),
            allow=None if allow is None else tuple(allow),
            safe_search=scope.safe_search(standing) is not None,
            refuse=tuple(kind for kind in get_args(Refusal) if kind in refused),
            closed=scope.fail_closed(standing),
        )
    return found


class Filtering:
    """Plans and their state. One per keeper."""

    def __init__(self, folder: Path | None = None, source: Source | None = None, generation: int = 0) -> None:
        """`folder` is where the resolver may read; `generation` is that of the plan before the first."""
        self._folder = folder
        self._source = source
        self._generation = generation
        self._policies: dict[Standing, Policy] = {}
        self._versions: dict[str, str] = {}
        self._building: Iterator[None] | None = None
        self._written = False
        self._built = False
        """A plan was made since the start."""
        self._since = generation + 1
        """First generation of the policies in force: what an earlier one says is not asked for any more."""
        self._said: ResolverState | None = None
        self._heard = float("-inf")
        self._look_due = float("-inf")
        self._refused: dict[int, tuple[str, ...]] = {}
        self.problems: tuple[str, ...] = ()
        """Plain sentences: what clauses ask for and cannot be had."""

    def settle(self, scope: Scope | None) -> None:
        """The clauses as they now are."""
        wanted = policies(scope)
        if wanted != self._policies:
            self._policies = wanted
            self._refused = {}
            self._since = self._generation + 1
            self._begin()
            if not self._built and any(policy.closed for policy in wanted.values()):
                # The kernel still holds what is fail-closed, addresses too: an order without them would let them go.
                for _ in self._building or ():
                    pass
                self._building = iter(())

    @property
    def building(self) -> bool:
        """Whether there is a portion to do: call `step` soon again."""
        return self._building is not None

    def step(self, monotonic: float) -> FilterPlan | None:
        """Do a portion of the work; the plan to tell the resolver of, when there is a new one."""
        if self._building is None and monotonic >= self._look_due:
            self._look_due = monotonic + LOOK_SECONDS
            if self._named() != self._versions:
                self._begin()
        if self._building is None:
            return None
        try:
            next(self._building)
        except StopIteration:
            self._building = None
            if not self._written and self._folder is not None:
                self._versions, self._look_due = _NEVER_READ, monotonic + RETRY_SECONDS
            return self.message()
        return None

    def message(self) -> FilterPlan:
        """The plan in force."""
        current = self._written and self._generation >= self._since and bool(self._policies)
        path = str(self._folder / FILE) if current and self._folder is not None else None
        return FilterPlan(generation=self._generation, path=path)

    def heard(self, state: ResolverState, monotonic: float) -> None:
        """The resolver says how it is."""
        if self._said is None or (state.ready, state.detail) != (self._said.ready, self._said.detail):
            _log.info("filters that answer: %s. %s", list(state.ready) or "none", state.detail)
        self._said, self._heard = state, monotonic

    def gone(self) -> None:
        """The resolver is gone."""
        self._said = None

    def filters(self, monotonic: float) -> Filters:
        """Whose questions go where, at this moment."""
        if not self._policies:
            return NO_FILTERS
        numbers = self._numbers()
        said = self._said
        answers = said is not None and monotonic - self._heard <= SILENT_SECONDS and said.generation >= self._since
        known = frozenset(numbers.values())
        return Filters(
            numbers=numbers,
            closed=frozenset(numbers[standing] for standing, policy in self._policies.items() if policy.closed),
            ready=known & frozenset(said.ready) if said is not None and answers else frozenset(),
            refused=tuple(sorted(self._refused.items())),
        )

    def sentences(self) -> tuple[str, ...]:
        """What is not as the clauses ask, for the status."""
        said = (self._said.detail,) if self._said is not None and self._said.detail else ()
        return (*self.problems, *said)

    # --- building -------------------------------------------------------------------------------

    def _numbers(self) -> dict[Standing, int]:
        """Standings under the same policy share the first one's number."""
        first: dict[Policy, int] = {}
        return {
            standing: first.setdefault(policy, STANDINGS.index(standing) + 1)
            for standing, policy in self._policies.items()
        }

    def _named(self) -> dict[str, str]:
        """Versions of the lists that the clauses name."""
        if self._source is None:
            return {}
        wanted = {each for policy in self._policies.values() for each in (*policy.block, *(policy.allow or ()))}
        wanted |= set(self._source.free())
        return {list_id: version for list_id, version in self._source.versions().items() if list_id in wanted}

    def _begin(self) -> None:
        self._versions = self._named()
        self._building = self._build()

    def _build(self) -> Iterator[None]:
        """Read lists, write the plan; each `next` is one portion."""
        filters: list[Filter] = []
        refused: dict[int, tuple[str, ...]] = {}
        problems: list[str] = []
        tree, addresses = Tree(), Addresses()
        for standing, number in self._numbers().items():
            if any(each.number == number for each in filters):
                continue
            policy = self._policies[standing]
            tree = Tree(room=tree.room, allow_only=policy.allow is not None)
            addresses = Addresses(room=addresses.room)
            try:
                yield from self._gather(policy, tree, addresses, problems)
            except UnfitError as error:
                left = " Its devices get no names, as the clause says." if policy.closed else ""
                problems.append(f"Filter {number} is not in force: {error}.{left}")
                continue
            rules = yield from tree.rules(PORTION)
            filters.append(
                Filter(
                    number=number,
                    refuse_all=policy.allow is not None,
                    rules=rules,
                    safe_search=policy.safe_search,
                    refuse=policy.refuse,
                    closed=policy.closed,
                )
            )
            refused[number] = addresses.texts()
        fault = self._write(Plan(generation=self._generation + 1, filters=tuple(filters)))
        problems += [fault] if fault else []
        self._refused = refused
        self._built = True
        self.problems = tuple(problems)
        for problem in problems:
            _log.warning("%s", problem)

    def _gather(self, policy: Policy, tree: Tree, addresses: Addresses, problems: list[str]) -> Iterator[None]:
        free = () if self._source is None else self._source.free()
        lists = [*((each, True) for each in policy.block), *((each, False) for each in (*(policy.allow or ()), *free))]
        count = 0
        for bit, (list_id, blocks) in enumerate(lists):
            try:
                for entry in self._entries(list_id):
                    if isinstance(entry, Entry):
                        tree.add(bit, entry, blocks=blocks, free=not blocks and list_id in free)
                    elif blocks:
                        addresses.add(entry)
                    count += 1
                    if not count % PORTION:
                        yield
            except ListUnreadableError as error:
                if blocks:
                    problems.append(f"{error}, so what it names is not refused.")
                elif list_id in (policy.allow or ()):  # without it, nothing at all would be reached
                    raise UnfitError(f"what may be reached is not known ({error})") from error
                else:
                    problems.append(f"{error}, so what it names is refused where another list says so.")

    def _entries(self, list_id: str) -> Iterator[Entry | IPv4Network | IPv6Network]:
        if self._source is None:
            raise ListUnreadableError(f"The list {list_id} is not here")
        return self._source.entries(list_id)

    def _write(self, plan: Plan) -> str:
        self._generation = plan.generation
        self._written = False
        if self._folder is None:
            return ""
        try:
            # The resolver is another user. Names of lists are in it, nothing of this household.
            replace(self._folder / FILE, pack(plan))
            (self._folder / FILE).chmod(0o644)
        except OSError as error:
            return f"Nothing is filtered: the plan cannot be written ({error.strerror})."
        self._written = True
        return ""
