"""How often the fingerprint names labelled devices rightly, each type scored without what was learned from it.

Captures of known devices in, counts out: of category and brand right, of confident and wrong, of abstained.
Leave-one-type-out: rules whose `learned_from` names the type are left out while it is scored. The verdict of a
capture is the one after its last frame; for the calibration, every verdict on the way there counts as well.
The labels (`truth.toml`) were written down before any rule was.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.keeper.devices.fingerprint import Hit, Rules, Verdict, services, vendors
from appliance.keeper.devices.fingerprint.rules import shipped_files
from appliance.sensor.dissect import Dissector
from appliance.sensor.taps.capture import Capture
from appliance.sensor.traits_of import traits_of
from bench.calibration import Point, draw
from bench.corpus import AbsentError
from bench.personas import Spoken, spoken

CAPTURES = Path(__file__).resolve().parent.parent.parent / "shared" / "captures" / "iot"
TRUTH = Path(__file__).parent / "truth.toml"
PLOT = Path("artefacts/calibration.svg")
CONFIDENT = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a labelled device is."""

    type: str
    category: str
    brand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One capture of a labelled device, and every verdict on the way to the last."""

    truth: Truth
    verdicts: tuple[Verdict, ...]

    @property
    def last(self) -> Verdict:
        """After the last frame."""
        return self.verdicts[-1]


def truths() -> list[Truth]:
    """The labels, in their order."""
    return [
        Truth(type=item["type"], category=item["category"], brand=item["brand"])
        for item in tomllib.loads(TRUTH.read_text())["device"]
    ]


def rules_without(learned: str | None) -> Rules:
    """The shipped rules but those learned from one labelled type."""
    left_out = frozenset({learned} if learned else ())
    return Rules(shipped_files(), owners=vendors.shipped(), known=services.shipped(), without=left_out)


def verdicts(rules: Rules, traits: Iterable[tuple[str, str]], mac: str) -> Iterator[Verdict]:
    """A verdict for the address alone, and a new one whenever a trait adds a hit."""
    hits: set[Hit] = set(rules.of_address(mac))
    yield rules.judge(hits)
    for trait, value in traits:
        more = set(rules.hits(trait, value)) - hits  # type: ignore[arg-type] # a Trait is a str
        if more:
            hits |= more
            yield rules.judge(hits)


def heard(path: Path, mac: str) -> Iterator[tuple[str, str]]:
    """What a capture shows of one address: traits and values, each once, in packet order."""
    seen: set[tuple[str, str]] = set()
    dissector = Dissector()
    with Capture(path) as capture:
        for frame in capture:
            for fact in dissector.feed(frame):
                for owner, trait, value in traits_of(fact):
                    if owner == mac and (trait, value) not in seen:
                        seen.add((trait, value))
                        yield trait, value


def score() -> list[Scored]:
    """All captures of all labelled types.

    Raises:
        AbsentError: the captures are not there.
    """
    if not CAPTURES.is_dir():
        raise AbsentError(f"no labelled captures at {CAPTURES.parent.name}/{CAPTURES.name}")
    found: list[Scored] = []
    for truth in truths():
        folder = CAPTURES / truth.type
        rules = rules_without(truth.type)
        mac = (folder / "mac.txt").read_text().strip().lower()
        found += [
            Scored(truth=truth, verdicts=tuple(verdicts(rules, heard(path, mac), mac)))
            for path in sorted(folder.glob("*.pcap"))
        ]
    return found


def confident_and_wrong(truth: Truth, verdict: Verdict) -> bool:
    """What must not happen: a category above `CONFIDENT` that is another."""
    return verdict.category is not None and verdict.category != truth.category and verdict.confidence > CONFIDENT


def table(scored: list[Scored]) -> dict[str, dict[str, object]]:
    """Counts by type, and of all."""
    rows: dict[str, dict[str, object]] = {}
    for name in [*dict.fromkeys(item.truth.type for item in scored), "all"]:
        own = [item for item in scored if name in {item.truth.type, "all"}]
        rows[name] = {
            "captures": len(own),
            "category right": sum(item.last.category == item.truth.category for item in own),
            "category wrong": sum(item.last.category not in {None, item.truth.category} for item in own),
            "category abstained": sum(item.last.category is None for item in own),
            "confident wrong": sum(confident_and_wrong(item.truth, item.last) for item in own),
            "confident wrong on the way": sum(
                any(confident_and_wrong(item.truth, v) for v in item.verdicts) for item in own
            ),
            "brand right": sum(item.last.vendor == item.truth.brand for item in own),
            "brand wrong": sum(item.last.vendor not in {None, item.truth.brand} for item in own),
            "confidence, mean of those named": _mean([v.confidence for item in own if (v := item.last).category]),
        }
    return rows


def _mean(shares: list[float]) -> float | None:
    return round(sum(shares) / len(shares), 2) if shares else None


def points(scored: list[Scored]) -> list[Point]:
    """Every verdict that names a category: how sure it was, and whether it was right."""
    return [
        Point(sure=verdict.confidence, right=verdict.category == item.truth.category)
        for item in scored
        for verdict in item.verdicts
        if verdict.category is not None
    ]


def persona_points(personas: Iterable[Spoken]) -> list[Point]:
    """The lab's personas: they prove that evidence arrives, never that it is right."""
    rules = rules_without(None)
    return [
        Point(sure=last.confidence, right=last.category == item.category)
        for item in personas
        if (last := list(verdicts(rules, item.traits, item.mac))[-1]).category is not None
    ]


def measure(*, quick: bool = False) -> dict[str, dict[str, object]]:
    """The table; the plot goes to `PLOT`. `quick` makes no difference: it takes seconds.

    Raises:
        AbsentError: the captures are not there.
    """
    del quick
    scored = score()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    PLOT.write_text(
        draw({"labelled captures, type left out": points(scored), "lab personas (plumbing)": persona_points(spoken())})
    )
    return table(scored)
