"""What filtering resolvers refuse: the plan that the keeper writes and the resolver reads.

One file, whole: packed by msgspec. A name's rule says of itself, and of the names below, whether it is
refused; a name without a rule goes with the closest one above it that has, and at last with `refuse_all`.
So a plan is never wider than the lists it was made of. Bounded: `MAX_RULES` names in all filters,
`MAX_PLAN` octets. Read as hostile: a name is of the form that no configuration can take for anything else.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_RULES = 200_000
"""Most names of all filters together."""

MAX_PLAN = 64 * 1024 * 1024
"""Octets of a plan."""

MAX_FILTERS = 3
"""As `appliance.messages.MAX_FILTERS`, which comes from the standings that a clause may hold back."""

Label = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = rf"^{Label}(\.{Label}){{0,126}}\Z"

Name = Annotated[str, Meta(pattern=NAME, max_length=253)]
"""In the one form of the DNS: lower case, A-labels, no final dot."""

Refusal = Literal["canary", "relay", "discovery"]
"""Questions by which a device looks for a way round its resolver."""


class PlanError(ValueError):
    """A file that is no plan."""


class Rule(msgspec.Struct, frozen=True, array_like=True):
    """A name at which something changes."""

    name: Name
    itself: bool
    """The name is refused."""
    below: bool
    """The names below are refused, but for those with a rule of their own."""


class FilterPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One filter."""

    number: Annotated[int, Meta(ge=1, le=MAX_FILTERS)]
    refuse_all: bool
    """What no rule speaks of is refused."""
    rules: tuple[Rule, ...]
    safe_search: bool
    refuse: tuple[Refusal, ...]
    closed: bool
    """A search engine whose strict mode cannot be had is refused, not let through."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All filters."""

    generation: int
    filters: Annotated[tuple[FilterPlan, ...], Meta(max_length=MAX_FILTERS)]


def pack(plan: Plan) -> bytes:
    """As it lies in the file."""
    return msgspec.msgpack.encode(plan)


def unpack(raw: bytes) -> Plan:
    """Read a plan.

    Raises:
        PlanError: too large, no plan, more names than a plan may have, or a number twice.
    """
    if len(raw) > MAX_PLAN:
        raise PlanError(f"a plan of {len(raw)} octets, the most is {MAX_PLAN}")
    try:
        plan = msgspec.msgpack.decode(raw, type=Plan)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PlanError(f"no plan: {error}") from error
    if sum(len(each.rules) for each in plan.filters) > MAX_RULES:
        raise PlanError(f"a plan of more than {MAX_RULES} names")
    if len({each.number for each in plan.filters}) != len(plan.filters):
        raise PlanError("a plan with two filters of one number")
    return plan


def refuses(plan: FilterPlan, rules: dict[str, Rule], name: str) -> bool:
    """Whether a name is refused; `rules` are those of the plan by their name."""
    rule = rules.get(name)
    if rule is not None:
        return rule.itself
    above = name
    while "." in above:
        above = above.partition(".")[2]
        rule = rules.get(above)
        if rule is not None:
            return rule.below
    return plan.refuse_all
