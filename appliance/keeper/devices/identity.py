"""Whether two addresses are one device: what is known of each in, a probability with its reasons out.

Bayes' rule on the odds: a prior from how often addresses change and how many devices are away, times
one likelihood ratio for each group of evidence that is independent of the others (see `likelihoods`).
What follows from one another (a model's habits) counts once. The answer is a proposal for a person,
never a decision: devices are joined by a passphrase, a confirmed identifier or a person alone. Pure.
Bounded: work is linear in what the two profiles hold, and their owner bounds that.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log

from appliance.keeper.devices import likelihoods as ratio
from appliance.keeper.devices.distinctive import distinctive
from appliance.traits import Sort, Trait, sort

__all__ = ["Likeness", "Profile", "compare", "distinctive", "overlap", "spoken"]

MAX_SPANS = 64
"""Stays of a device that are looked at, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a device, over all its addresses. Times are Unix seconds."""

    device_id: str
    evidence: Mapping[Trait, Mapping[str, float]]
    """By trait: token (the value, or its keyed hash) and how distinctive the value is, 0 to 1."""
    local: bool
    """Whether all its addresses are made-up ones (locally administered)."""
    first_seen: float
    last_seen: float
    category: str | None = None
    vendor: str | None = None
    os_family: str | None = None
    names: frozenset[str] | None = None
    """Names it habitually asked for; None where they may not be kept."""
    spans: tuple[tuple[float, float], ...] = ()
    """When it was there: stays from their start to the last sign of life; see `presence.Tracker.spans`."""
    left_at: float | None = None
    """When the access point last said that it left, which a dozing phone does long after its last sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How likely two are one, and why, in sentences for an officer."""

    probability: float
    """0 to 1; 0 where it is excluded."""
    reasons: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    identifiers: tuple[tuple[Trait, str], ...] = ()
    """Identifiers that both have: trait and token."""
    excluded: str | None = None
    """Why it cannot be; None where it can."""
    contradicted: bool = False
    """They seem to be different kinds of device: an identifier may have been copied."""


def compare(
    older: Profile, newer: Profile, *, rivals: int = ratio.DEFAULT_RIVALS, common: Container[str] = frozenset()
) -> Likeness:
    """How likely `newer`, seen first later, is `older` with a new address.

    `rivals`: how many known devices are away and might be it, `older` included. `common`: names that
    many devices of the household ask for, which tell nothing.
    """
    scales = _Scales(rivals)
    identifiers = _weigh_identifiers(scales, older, newer)
    excluded = _excluded(older, newer, identifiers)
    if excluded is not None:
        return Likeness(probability=0.0, excluded=excluded, against=(excluded,), identifiers=identifiers)
    _weigh_names(scales, older, newer)
    contradicted = _weigh_kind(scales, older, newer)
    _weigh_timing(scales, older, newer)
    _weigh_asked(scales, older, newer, common)
    if not older.local:
        scales.put(0.5, against="The other uses the address its maker gave it, and devices seldom turn from that.")
    if not identifiers:
        scales.against.append(_ONLY_LIKE if scales.behaviour else _ONLY_KIND)
    return Likeness(
        probability=scales.probability(identified=bool(identifiers)),
        reasons=tuple(scales.reasons),
        against=tuple(scales.against),
        identifiers=identifiers,
        contradicted=contradicted,
    )


def overlap(first: Sequence[tuple[float, float]], second: Sequence[tuple[float, float]]) -> float:
    """Seconds that both were there at once, as far as the latest `MAX_SPANS` stays of each tell."""
    mine, theirs = sorted(first[-MAX_SPANS:]), sorted(second[-MAX_SPANS:])
    both, here, there = 0.0, 0, 0
    while here < len(mine) and there < len(theirs):
        (start, end), (other_start, other_end) = mine[here], theirs[there]
        both += max(0.0, min(end, other_end) - max(start, other_start))
        if end <= other_end:
            here += 1
        else:
            there += 1
    return both


_ONLY_KIND = "Nothing shows more than that it is such a device; two of one model, or of one name, look the same."
_ONLY_LIKE = "Neither shows anything that was made to belong to one device alone."


@dataclass(slots=True)
class _Scales:
    """Odds as they gather, with the words for them."""

    rivals: int
    log_ratio: float = 0.0
    behaviour: bool = False
    """Something other than names and kind spoke for it."""
    reasons: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)

    def put(self, likelihood: float, *, reason: str = "", against: str = "") -> None:
        """Weigh one group of evidence; `reason` is said where it speaks for, `against` where against."""
        self.log_ratio += log(likelihood)
        if likelihood >= 1.2 and reason:
            self.reasons.append(reason)
        if likelihood <= 0.85 and against:
            self.against.append(against)

    def probability(self, *, identified: bool) -> float:
        """The answer, within its bounds, to a hundredth."""
        prior = ratio.ROTATION_SHARE / max(self.rivals, 1)
        odds = prior / (1 - prior) * exp(self.log_ratio)
        cap = ratio.CAP_BEHAVIOUR if self.behaviour else ratio.CAP_NAMES
        if identified:
            cap = ratio.CAP_IDENTIFIER
        return round(min(max(odds / (1 + odds), ratio.FLOOR), cap), 2)


def _excluded(older: Profile, newer: Profile, identifiers: tuple[tuple[Trait, str], ...]) -> str | None:
    if older.device_id == newer.device_id:
        return "They are counted as one device already."
    if overlap(older.spans, newer.spans) > ratio.GRACE_SECONDS:
        return "Both were there at the same time."
    if not newer.local and not identifiers:
        return "Its address is the one its maker gave it, so it is a device of its own, or another socket of one."
    return None


def _weigh_identifiers(scales: _Scales, older: Profile, newer: Profile) -> tuple[tuple[Trait, str], ...]:
    """Identifiers that both have; puts them, and those that differ, on the scales."""
    shared: list[tuple[Trait, str]] = []
    for trait in (Trait.DHCP6_DUID, Trait.DHCP4_CLIENT_ID, Trait.MDNS_ID, Trait.SSDP_UUID, Trait.IP6_INTERFACE_ID):
        mine = _sure(older, trait)
        theirs = _sure(newer, trait)
        same = sorted(mine & theirs)
        shared += [(trait, token) for token in same]
        if mine and theirs and not same:
            scales.put(
                ratio.OTHER_IDENTIFIER[trait],
                against="It shows another number of a sort that devices mostly keep.",
            )
    if shared:
        likelihood = ratio.IDENTIFIER * ratio.IDENTIFIER_MORE ** min(len(shared) - 1, 2)
        scales.put(likelihood, reason=_identified(len(shared)))
        if not newer.local or not older.local:
            scales.against.append("It may also be another socket or radio of the same device, used beside the first.")
    mine, theirs = (frozenset(one.evidence.get(Trait.WIFI_KEY, ())) for one in (older, newer))
    if mine and theirs:
        same_key = bool(mine & theirs)
        scales.behaviour |= same_key
        scales.put(
            ratio.SAME_KEY if same_key else ratio.OTHER_KEY,
            reason="It joined the Wi-Fi with the same password.",
            against="It joined the Wi-Fi with another password.",
        )
    return tuple(shared)


def _identified(count: int) -> str:
    if count == 1:
        return "It shows a number that was made to belong to one device alone, and the other showed the same."
    return f"It shows {count} numbers that were made to belong to one device alone, and the other showed the same."


def _sure(profile: Profile, trait: Trait) -> frozenset[str]:
    values = profile.evidence.get(trait, {})
    return frozenset(token for token, weight in values.items() if weight >= ratio.IDENTIFIER_SURE)


def _weigh_names(scales: _Scales, older: Profile, newer: Profile) -> None:
    """All announced names together: one name is often said in several protocols."""
    mine, theirs = _announced(older), _announced(newer)
    same = mine.keys() & theirs.keys()
    if same:
        best = max(min(mine[token], theirs[token]) for token in same)
        if best >= ratio.NAME_OF_ITS_OWN:
            scales.put(1.0 + (ratio.NAME - 1.0) * best, reason="It calls itself by the same name.")
        else:  # a model's default follows from the model, and that is weighed with the kind
            scales.against.append("It calls itself by the same name, but many devices have that name.")
    elif _own(mine) and _own(theirs):
        scales.put(ratio.OTHER_NAME, against="It calls itself by another name.")


def _announced(profile: Profile) -> dict[str, float]:
    found: dict[str, float] = {}
    for trait, values in profile.evidence.items():
        if sort(trait) is Sort.ANNOUNCED:
            for token, weight in values.items():
                found[token] = max(weight, found.get(token, 0.0))
    return found


def _own(names: Mapping[str, float]) -> bool:
    return any(weight >= ratio.NAME_OF_ITS_OWN for weight in names.values())


def _weigh_kind(scales: _Scales, older: Profile, newer: Profile) -> bool:
    """Habits, category, system and vendor follow from one model: one group. True where they contradict."""
    contradictions = tuple(_contradictions(older, newer))
    for likelihood, words in contradictions:
        scales.put(likelihood, against=words)
    if any(likelihood <= ratio.VENDOR_CONTRADICTS for likelihood, _ in contradictions):
        return True
    alike, weight = _habits(older, newer)
    for known in ("category", "os_family", "vendor"):
        mine, theirs = getattr(older, known), getattr(newer, known)
        if mine and theirs and mine.casefold() == theirs.casefold():
            alike, weight = alike + 0.5, weight + 0.5
    if weight:
        share = alike / weight
        full = log(ratio.SAME_KIND) if share >= 0.5 else -log(ratio.OTHER_KIND)
        scales.put(
            exp(full * (2 * share - 1) * min(1.0, weight / ratio.HABITS_FULL)),
            reason="It looks like the same kind of device.",
            against="It speaks differently from the other.",
        )
    return False


def _contradictions(older: Profile, newer: Profile) -> Iterator[tuple[float, str]]:
    if older.category and newer.category and older.category != newer.category:
        kindred = any({older.category, newer.category} <= group for group in ratio.KINDRED)
        yield (
            ratio.CATEGORY_DIFFERS if kindred else ratio.CATEGORY_CONTRADICTS,
            "It seems to be another kind of device.",
        )
    if older.os_family and newer.os_family and older.os_family.casefold() != newer.os_family.casefold():
        yield ratio.SYSTEM_CONTRADICTS, "It seems to run other software."
    if older.vendor and newer.vendor and older.vendor.casefold() != newer.vendor.casefold():
        yield ratio.VENDOR_CONTRADICTS, "It seems to be of another maker."


def _habits(older: Profile, newer: Profile) -> tuple[float, float]:
    """How alike the habits are (weighted Jaccard similarity), and the weight of those both have shown."""
    alike = weight = 0.0
    for trait, worth in ratio.HABITS.items():
        mine, theirs = older.evidence.get(trait), newer.evidence.get(trait)
        if mine and theirs:
            weight += worth
            alike += worth * len(mine.keys() & theirs.keys()) / len(mine.keys() | theirs.keys())
    return alike, weight


def _weigh_timing(scales: _Scales, older: Profile, newer: Profile) -> None:
    gap = max(0.0, newer.first_seen - _last_before(older, newer.first_seen))
    likelihood = next((worth for limit, worth in ratio.GAPS if gap <= limit), ratio.LONG_GAP)
    scales.behaviour |= gap <= ratio.HANDOVER_SECONDS
    scales.put(
        likelihood,
        reason=f"It appeared {spoken(gap)} after the other was last seen.",
        against=f"The other was last seen {spoken(gap)} before it appeared.",
    )


def _last_before(older: Profile, moment: float) -> float:
    """The last sign of life before `moment`: an older device may have come back since."""
    ends = [min(end, moment) for start, end in older.spans[-MAX_SPANS:] if start <= moment]
    if older.left_at is not None and older.left_at <= moment:
        ends.append(older.left_at)
    return max(ends, default=min(older.last_seen, moment))


def spoken(seconds: float) -> str:
    """A length of time as people say it, such as "6 minutes"."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def _weigh_asked(scales: _Scales, older: Profile, newer: Profile, common: Container[str]) -> None:
    if older.names is None or newer.names is None:
        return
    mine, theirs = ({name for name in names if name not in common} for names in (older.names, newer.names))
    few = min(len(mine), len(theirs))
    if few < ratio.ASKED_AT_LEAST:
        return
    share = len(mine & theirs) / few
    if share >= 0.25:
        scales.put(ratio.ASKED_ALIKE**share, reason="It asks for many of the same sites that others here do not use.")
        scales.behaviour |= share >= 0.5
    elif share < 0.05 and few >= ratio.ASKED_MANY:
        scales.put(ratio.ASKED_UNLIKE, against="It asks for other sites.")
