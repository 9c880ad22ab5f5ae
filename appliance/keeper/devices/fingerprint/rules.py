"""All rules together: what a trait hits, and what the hits of a device amount to.

Enters: traits and addresses. Leaves: hits, which may be kept in place of the traits, and a verdict.
Bounded: `MAX_HITS_OF_ONE` hits a value, `MAX_HITS` in a verdict, the surest first. Pure: no clock,
no memory of what was asked (User-Agents excepted, see `agents`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from appliance.keeper.devices.fingerprint import agents, elect, judge, services, vendors
from appliance.keeper.devices.fingerprint.brands import brand
from appliance.keeper.devices.fingerprint.integrations import IntegrationFile
from appliance.keeper.devices.fingerprint.schema import Of, Rule, RuleFile
from appliance.keeper.devices.fingerprint.verdict import MAX_CAPTURED, Hit, Verdict
from appliance.traits import MAX_VALUE, Sort, Trait, sort
from wire.files import load_toml

MAX_HITS_OF_ONE = 8
MAX_HITS = judge.MAX_HITS
_FOLDER = "appliance.keeper.devices.fingerprint"


class Rules:
    """The rules of some files, with the tables built at set-up."""

    def __init__(
        self,
        files: Sequence[RuleFile],
        *,
        owners: vendors.VendorTable | None = None,
        known: services.ServiceTable | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """`without`: rules learned from these labelled captures are left out (for scoring)."""
        self._owners = owners
        self._known = known
        self.rules: dict[str, elect.Filed] = {}
        self._on: dict[Trait | Of, list[Rule]] = {}
        for file in files:
            for rule in file.rule:
                if without & set(rule.learned_from):
                    continue
                if rule.id in self.rules:
                    raise ValueError(f"two rules are called {rule.id}")
                self.rules[rule.id] = elect.Filed(kind=file.kind, reason=rule.reason or file.reason, rule=rule)
                self._on.setdefault(rule.on, []).append(rule)

    def hits(self, trait: Trait, value: str) -> tuple[Hit, ...]:
        """What `value` amounts to; the value itself is not needed after."""
        value = value[:MAX_VALUE]
        found = self._of(trait, value)
        if sort(trait) is Sort.ANNOUNCED:
            found += self._of(Of.NAME, value if trait is Trait.MDNS_INSTANCE else value.partition(".")[0])
        if trait in {Trait.HTTP_USER_AGENT, Trait.SSDP_AGENT} and value:
            agent = agents.read(value[: agents.MAX_AGENT])
            found += self._of(Of.AGENT_OS, agent.os) + self._of(Of.AGENT_DEVICE, agent.device)
        # One value speaks once: the published matcher, where it knows the brand and our own rules do not.
        if self._known is not None and not any(self.rules[hit.rule].rule.vendor or hit.model for hit in found):
            claimed = [hit for domain in self._known.domains(trait, value) for hit in self._of(Of.INTEGRATION, domain)]
            found = claimed or found
        return self._surest(found)

    def of_address(self, mac: str) -> tuple[Hit, ...]:
        """What the vendor prefix tells; nothing for a locally administered address."""
        owner = None if self._owners is None else self._owners.owner(mac)
        found = [] if owner is None else self._of(Of.OWNER, owner)
        if owner is not None and self._known is not None:
            for domain in self._known.of_address(mac):
                found += self._of(Of.PREFIX, domain)
        return self._surest(found)

    def judge(self, hits: Iterable[Hit]) -> Verdict:
        """What the hits amount to, whatever their order; ids that no rule has count for nothing."""
        return judge.verdict(self.rules, hits)

    def strongest(self, hits: Iterable[Hit], most: int = MAX_HITS) -> tuple[Hit, ...]:
        """The hits worth keeping, at most `most`: the surest of each kind of evidence."""
        return judge.strongest(self.rules, hits, most)

    def _surest(self, found: list[Hit]) -> tuple[Hit, ...]:
        return self.strongest(found, MAX_HITS_OF_ONE)

    def _of(self, on: Trait | Of, value: str) -> list[Hit]:
        found: list[Hit] = []
        fallback: list[Hit] = []
        if not value and isinstance(on, Of):
            return found
        for rule in self._on.get(on, ()):
            held = rule.holds(value)
            if held is False:
                continue
            captured = None
            if held is not True and "model" in held.re.groupindex:
                captured = _printable(held["model"] or "") or None
            if captured and rule.captures == "vendor":
                captured = brand(captured)
            hit = Hit(rule.id, captured and captured[:MAX_CAPTURED])
            (fallback if rule.fallback else found).append(hit)
        return found or fallback


def _printable(text: str) -> str:
    """What a device sent may hold control characters; they are for no page and no log."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def load(folder: Traversable) -> tuple[RuleFile, ...]:
    """All rule files of a folder, by name.

    Raises:
        wire.files.FileError: one cannot be used; the text says which and why.
    """
    read: list[RuleFile] = []
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not item.name.endswith(".toml"):
            continue
        with resources.as_file(item) as path:
            purpose = "the rules for what a device looks like"
            if item.name == "integrations.toml":
                integrations = load_toml(path, IntegrationFile, purpose=purpose)
                read += [integrations.as_rules(), integrations.as_prefix_rules()]
            else:
                read.append(load_toml(path, RuleFile, purpose=purpose))
    return tuple(read)


@cache
def shipped_files() -> tuple[RuleFile, ...]:
    """The rule files that ship with the box."""
    return load(resources.files(_FOLDER) / "rules")


@cache
def shipped() -> Rules:
    """The rules that ship with the box, with the tables built at set-up."""
    return Rules(shipped_files(), owners=vendors.shipped(), known=services.shipped())
