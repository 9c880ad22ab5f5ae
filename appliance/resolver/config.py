"""One filter as dnsmasq reads it: a plan and the strict modes' addresses in, its configuration out.

Pure. The household's own names are never refused. Bounded: by the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from appliance.plan import FilterPlan, Refusal, refuses
from appliance.resolver.safesearch import Addresses, engines
from firmware import names, render
from firmware.household import Household

PORTS = {each.number: each.port for each in names.FILTERS}

CANARY = "use-application-dns.net"
"""A browser that finds no such name asks the household's resolver (support.mozilla.org, canary domain)."""

RELAY = ("mask.icloud.com", "mask-h2.icloud.com")
"""A device that finds no such name goes without the relay, as its maker writes (developer.apple.com, iCloud+)."""

DISCOVERY = "_dns.resolver.arpa"
"""RFC 9462 section 4: without records, the device knows of no encrypted resolver."""

_REFUSED: dict[Refusal, tuple[tuple[str, ...], Callable[..., str]]] = {
    "canary": ((CANARY,), render.no_such_name),
    "relay": (RELAY, render.no_such_name),
    "discovery": ((DISCOVERY,), render.no_records),
}
"""Names, and the lines that answer them as their makers say a refusal is understood."""


def config(household: Household, plan: FilterPlan, targets: Mapping[str, Addresses]) -> tuple[str, tuple[str, ...]]:
    """The configuration, and titles of search engines whose strict mode is not in it.

    `targets` has the addresses of each engine's target; one without is refused under a fail-closed clause, else let
    through as it is.
    """
    left_out: list[str] = []
    refused = {name: lines for kind in plan.refuse for names_, lines in [_REFUSED[kind]] for name in names_}
    strict = dict(_strict(plan, targets, left_out))
    text = render.filter_config(
        household,
        port=PORTS[plan.number],
        refuse_all=plan.refuse_all,
        rules=(*_rules(plan, strict, (household.lan.domain, *refused)), *strict.values()),
    )
    return text + "".join(lines(name) for name, lines in refused.items()), tuple(left_out)


def _rules(plan: FilterPlan, strict: Mapping[str, render.NameRule], taken: Iterable[str]) -> Iterator[render.NameRule]:
    """All but those of names that are answered another way, and of names below `taken`."""
    endings = tuple(f".{name}" for name in taken)
    for rule in plan.rules:
        if rule.name not in strict and not f".{rule.name}".endswith(endings):
            yield render.NameRule(name=rule.name, itself=rule.itself, below=rule.below)


def _strict(
    plan: FilterPlan, targets: Mapping[str, Addresses], left_out: list[str]
) -> Iterator[tuple[str, render.NameRule]]:
    if not plan.safe_search:
        return
    rules = {rule.name: rule for rule in plan.rules}
    for engine in engines():
        addresses = targets.get(engine.target, ())
        if not addresses:
            left_out.append(engine.title)
            if not plan.closed:
                continue
        for name in engine.names:
            if refuses(plan, rules, name):
                continue
            below = name in rules and rules[name].below
            yield name, render.NameRule(name=name, itself=not addresses, below=below, instead=addresses)
